"""A day of a stream goes by and the watch needs no more memory for its last hours than for the ones before."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import psutil
import pytest
from benchmarks.live_streams import queries, write_stream

from groundswell import kernels
from groundswell.engines import open_engine
from groundswell.platforms import registry
from groundswell.settings import load_settings
from groundswell.watch import flow
from groundswell.watch.batches import Records, Ways, arrivals_of_records, borders_of
from groundswell.watch.contract import TrackerSpec, WatchBatch, WatchParams
from groundswell.watch.snapshot import dump_state
from groundswell.watch.state import WatchState

POSTS, HOURS, TRACKERS = 96_000, 24, 100
#: A batch is a quarter of an hour.
BATCH = POSTS // (4 * HOURS)


@pytest.mark.soak
def test_memory_is_flat_over_a_day_of_posts(tmp_path: Path) -> None:
    kernels.load_live()
    write_stream(tmp_path / "day.ndjson", POSTS, POSTS / (HOURS * 3600))
    settings = load_settings(home=tmp_path / "home")
    trackers = [TrackerSpec(f"t{n}", 1, f"t{n}", query, 30.0) for n, query in enumerate(queries(TRACKERS))]
    ways = Ways(open_engine(settings), registry(), settings, 0, flow.compiled(trackers)[1])
    params = WatchParams(windows_us=tuple(size * 60_000_000 for size in (1, 5, 15, 60)))
    state, first, closed = WatchState.empty(), 0, 0
    resident: list[float] = []
    written: list[float] = []
    with (tmp_path / "day.ndjson").open("rb") as stream:
        while lines := [line for _, line in zip(range(BATCH), stream, strict=False)]:
            data = np.frombuffer(b"".join(lines), np.uint8)
            numbers = np.arange(first, first + len(lines))
            first += len(lines)
            received = np.array([json.loads(line)["time_us"] for line in lines], np.int64)
            records = Records("day", None, data, borders_of(data, len(lines)), numbers, received)
            arrivals = arrivals_of_records([records], ways)
            state, output = flow.step(state, WatchBatch(arrivals, int(received.max())), trackers, params)
            closed += output.closed
            if first % (4 * BATCH) == 0:
                resident.append(psutil.Process().memory_info().rss / 2**20)
                dump_state(state, tmp_path / "state")
                written.append((tmp_path / "state").stat().st_size / 2**20)
    ways.engine.close()
    assert first == POSTS
    assert abs(closed - HOURS * 60) <= 3
    # Within six hours every ring is full; what differs later is noise of the allocator.
    assert max(resident[-6:]) <= 1.1 * max(resident[6:12])
    assert max(written[-6:]) <= 1.1 * max(written[6:12])
