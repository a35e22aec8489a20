"""Posts as the watch takes them, for the tests of its kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from groundswell import schema
from groundswell.text.tokens import tokenise
from groundswell.watch.arrivals import TableArrivals
from groundswell.watch.contract import DAY, AlertRecord, SeriesPoint, TrackerSpec, WatchBatch, WatchParams
from groundswell.watch.flow import step
from groundswell.watch.state import WatchState

#: A Monday.
START = 20_003 * DAY


def make_posts(
    times: Sequence[int],
    texts: Sequence[str | None],
    *,
    received: Sequence[int] | None = None,
    ids: Sequence[str | None] | None = None,
    authors: Sequence[str | None] | None = None,
    first_record: int = 0,
    **columns: Any,
) -> pa.Table:
    """Posts with these event times (µs) and texts; received at the event time unless said otherwise."""
    rows = len(times)
    numbers = np.arange(first_record, first_record + rows)
    values: dict[str, Any] = {field.name: pa.nulls(rows, field.type) for field in schema.POSTS}
    values["platform"] = pa.array(["x"] * rows, pa.string())
    values["post_id"] = pa.array([str(n) for n in numbers] if ids is None else ids, pa.string())
    values["author_name"] = pa.array([f"u{n % 97}" for n in numbers] if authors is None else authors, pa.string())
    values["created_at"] = pa.array(times, pa.int64()).cast(schema.TIMESTAMP)
    values["text"] = pa.array(texts, pa.string())
    values["tokens"] = tokenise(values["text"])
    values["key"] = pa.array([str(n).encode() for n in numbers], pa.binary())
    for name, column in columns.items():
        values[name] = pa.array(column, schema.POSTS.field(name).type)
    table = pa.table(values, schema=schema.POSTS)
    table = table.append_column("record", pa.array(numbers, pa.int64()))
    return table.append_column("received_us", pa.array(times if received is None else received, pa.int64()))


def tracker(name: str, query: str, *, version: int = 1, promise_days: float = 30.0) -> TrackerSpec:
    """A tracker whose id is its name."""
    return TrackerSpec(name, version, name, query, promise_days)


class Told:
    """What a run told, as the desk would hold it: the last point and alert of each key."""

    def __init__(self) -> None:
        self.points: dict[tuple[str, int, int], SeriesPoint] = {}
        """By tracker, size of window in seconds, and start."""
        self.alerts: dict[str, AlertRecord] = {}
        self.future: list[int] = []
        self.duplicates = self.late = self.closed = 0


def run(
    posts: pa.Table,
    borders: Sequence[int],
    trackers: Sequence[TrackerSpec],
    params: WatchParams,
    state: WatchState | None = None,
    told: Told | None = None,
    end_clock: int | None = None,
    covered: Sequence[tuple[int, int]] | None = None,
) -> tuple[WatchState, Told]:
    """Run posts through the watch in batches that end at `borders` (row numbers) and at the end.

    `covered` are the intervals in which sources were connected; null: not known.
    """
    state = WatchState.empty() if state is None else state
    told = Told() if told is None else told
    starts = [0, *sorted(borders)]
    for begin, end in zip(starts, [*starts[1:], posts.num_rows], strict=True):
        part = posts.slice(begin, end - begin)
        heard = posts.slice(0, end).column("received_us").to_pylist()
        clock = max(heard, default=0)
        if end == posts.num_rows and end_clock is not None:
            clock = end_clock
        state, output = step(state, WatchBatch(TableArrivals(part), clock, covered), trackers, params)
        told.points.update({(p.tracker_id, p.window_s, p.start): p for p in output.points})
        told.alerts.update({a.id: a for a in output.alerts})
        told.future.extend(output.future.tolist())
        told.duplicates += output.duplicates
        told.late += output.late
        told.closed += output.closed
    return state, told
