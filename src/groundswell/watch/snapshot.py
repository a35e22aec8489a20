"""The watch's state as one Arrow IPC file: versioned plain data, never a pickle.

One row a section: a name and its bytes, which are an Arrow IPC stream (arrays and tables) or MessagePack (structs; the
numbers of a profile take half the time that they take as JSON).
"""

from __future__ import annotations

import dataclasses
from collections import deque
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.ipc

from groundswell.errors import UnreadableFileError
from groundswell.watch.contract import SeriesPoint, TrackerSpec
from groundswell.watch.detector import Detector
from groundswell.watch.episodes import Episode
from groundswell.watch.profiles import Profile
from groundswell.watch.recent import KeptPairs, Recent
from groundswell.watch.seen import Seen
from groundswell.watch.state import Series, WatchState
from groundswell.watch.windows import StreamClock

STATE_VERSION: Final = 3
_FORMAT: Final = b"groundswell.watch"


class _SeriesDocument(msgspec.Struct):
    tracker: TrackerSpec | None
    first_us: int
    points: list[SeriesPoint]
    profile: Profile
    episode: Episode | None


class _Document(msgspec.Struct):
    """All of the state that is no large array."""

    keys: list[tuple[str, int]]
    series: list[_SeriesDocument]
    clock: StreamClock
    first_us: int
    next_window: int
    last_post: int
    season_hour: int


def _table_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _table_of(data: bytes) -> pa.Table:
    with pa.ipc.open_stream(data) as reader:
        return reader.read_all()


def _detector_table(detector: Detector) -> pa.Table:
    return pa.table({name: _column(getattr(detector, name)) for name in Detector.ARRAYS})


def _column(array: Any) -> Any:
    if array.ndim == 1:
        return pa.array(array)
    return pa.FixedSizeListArray.from_arrays(pa.array(array.ravel()), array.shape[1])


def _detector_of(table: pa.Table, season_hour: int) -> Detector:
    arrays = {}
    for name in table.column_names:
        column = table.column(name).combine_chunks()
        nested = pa.types.is_fixed_size_list(column.type)
        flat = (column.flatten() if nested else column).to_numpy(zero_copy_only=False).astype(np.float64)
        arrays[name] = flat.reshape(table.num_rows, -1).copy() if nested else flat.copy()
    return Detector(**arrays, season_hour=season_hour)


def _seen_table(seen: Seen) -> pa.Table:
    runs = [(window, run) for window, held in seen.runs.items() for run in held]
    return pa.table(
        {
            "window": pa.array([window for window, _ in runs], pa.int64()),
            "run": pa.array([run for _, run in runs], pa.list_(pa.uint64())),
        }
    )


def _seen_of(table: pa.Table) -> Seen:
    seen = Seen()
    runs = table.column("run").combine_chunks()
    for number, window in enumerate(table.column("window").to_pylist()):
        seen.runs.setdefault(window, []).append(runs[number].values.to_numpy().copy())
    return seen


def _counts_table(state: WatchState) -> pa.Table:
    return pa.table(
        {
            "window": pa.array(list(state.counts), pa.int64()),
            "counts": pa.array([counts.tolist() for counts in state.counts.values()], pa.list_(pa.int64())),
        }
    )


def _document(state: WatchState) -> _Document:
    return _Document(
        keys=state.keys,
        series=[
            _SeriesDocument(one.tracker, one.first_us, list(one.points), one.profile, one.episode)
            for one in state.series
        ],
        clock=state.clock,
        first_us=state.first_us,
        next_window=state.next_window,
        last_post=state.last_post,
        season_hour=state.detector.season_hour,
    )


def dump_state(state: WatchState, path: Path) -> None:
    """Write `state` to `path`. The caller writes to a temporary name, fsyncs and renames.

    Raises:
        OSError: the file cannot be written.
    """
    pairs = state.recent.pairs
    sections = {
        "document": msgspec.msgpack.encode(_document(state)),
        "detector": _table_bytes(_detector_table(state.detector)),
        "counts": _table_bytes(_counts_table(state)),
        "seen": _table_bytes(_seen_table(state.seen)),
        "posts": _table_bytes(state.recent.posts),
        "pairs": _table_bytes(pa.table({f.name: pa.array(getattr(pairs, f.name)) for f in dataclasses.fields(pairs)})),
    }
    schema = pa.schema(
        [("section", pa.string()), ("data", pa.large_binary())],
        metadata={b"format": _FORMAT, b"version": str(STATE_VERSION).encode()},
    )
    table = pa.table([list(sections), list(sections.values())], schema=schema)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_table(table)


def load_state(path: Path) -> WatchState:
    """The state that `dump_state` wrote: going on from it gives what going on from the original gives.

    Raises:
        UnreadableFileError: it is no state file, or one of another version.
    """
    try:
        with pa.OSFile(str(path), "rb") as source, pa.ipc.open_file(source) as reader:
            table = reader.read_all()
    except (OSError, pa.ArrowInvalid) as error:
        what = "the state of the watch cannot be read"
        raise UnreadableFileError(what, where=path, hint="remove it to start the watch anew") from error
    metadata = table.schema.metadata or {}
    if metadata.get(b"format") != _FORMAT or metadata.get(b"version") != str(STATE_VERSION).encode():
        what = f"not a state of the watch of version {STATE_VERSION}"
        raise UnreadableFileError(what, where=path, hint="remove it to start the watch anew")
    data = dict(zip(table.column("section").to_pylist(), table.column("data").to_pylist(), strict=True))
    document = msgspec.msgpack.decode(data["document"], type=_Document)
    counts, pairs = _table_of(data["counts"]), _table_of(data["pairs"])
    return WatchState(
        keys=document.keys,
        series=[
            Series(one.tracker, one.first_us, deque(one.points), one.profile, one.episode) for one in document.series
        ],
        detector=_detector_of(_table_of(data["detector"]), document.season_hour),
        clock=document.clock,
        first_us=document.first_us,
        next_window=document.next_window,
        last_post=document.last_post,
        counts={
            window: np.array(values, dtype=np.int64)
            for window, values in zip(counts["window"].to_pylist(), counts["counts"].to_pylist(), strict=True)
        },
        seen=_seen_of(_table_of(data["seen"])),
        recent=Recent(
            _table_of(data["posts"]), KeptPairs(*(pairs.column(n).to_numpy().copy() for n in pairs.column_names))
        ),
    )
