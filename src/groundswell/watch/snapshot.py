"""The watch's state as one Arrow IPC file: versioned plain data, never a pickle.

One row a section: a name and its bytes, which are an Arrow IPC stream (a table), MessagePack (structs; the numbers of a
profile take half the time that they take as JSON) or the bytes of an array, whose type and shape stand beside it.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.ipc

from groundswell.errors import UnreadableFileError
from groundswell.watch.contract import TrackerSpec
from groundswell.watch.detector import Detector, untouched
from groundswell.watch.emerging import flow as emerging
from groundswell.watch.episodes import Episode
from groundswell.watch.frames import Closed, Frame, Window
from groundswell.watch.levels import Kind, Levels
from groundswell.watch.profiles import Profile
from groundswell.watch.recent import KeptPairs, Recent
from groundswell.watch.rules import Books, Notice
from groundswell.watch.seen import Seen
from groundswell.watch.signals import Tally
from groundswell.watch.state import Series, WatchState
from groundswell.watch.windows import StreamClock

STATE_VERSION: Final = 6
_FORMAT: Final = b"groundswell.watch"
_SCHEMA: Final = pa.schema(
    [
        ("section", pa.string()),
        ("type", pa.string()),
        ("shape", pa.list_(pa.int64())),
        ("data", pa.large_binary()),
    ]
)

#: Behind the type of an array whose columns lie one after the other.
_TURNED: Final = " by column"

Array = npt.NDArray[Any]
Arrays = dict[str, Array]


class OldStateError(UnreadableFileError):
    """The state was written by another version of Groundswell."""


class _SeriesDocument(msgspec.Struct):
    tracker: TrackerSpec | None
    first_us: int
    told_us: int
    profile: Profile
    episode: Episode | None
    notice: Notice | None
    untaught: bool = False


class _WindowDocument(msgspec.Struct):
    start: int
    parts: int
    holes: int
    tallies: list[str]


class _FrameDocument(msgspec.Struct):
    window_us: int
    detectors: list[str]
    levels: dict[str, Kind]
    """The kind of each."""
    start: int
    partial: _WindowDocument | None
    passed: list[_WindowDocument]
    passed_us: int


class _Document(msgspec.Struct):
    """All of the state that is no array."""

    keys: list[tuple[str, int]]
    series: list[_SeriesDocument]
    frames: list[_FrameDocument]
    windows: list[_WindowDocument]
    platforms: list[str]
    clock: StreamClock
    first_us: int
    next_window: int
    last_post: int
    late: list[tuple[int, int, int, int]]
    books_until: int
    books_open: list[tuple[int, str]]
    topics: list[str]


def _table_bytes(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _table_of(data: pa.Buffer) -> pa.Table:
    with pa.ipc.open_stream(data) as reader:
        return reader.read_all()


def _detector_arrays(name: str, detector: Detector) -> Arrays:
    return {f"{name}/{array}": getattr(detector, array) for array in Detector.ARRAYS}


def _detector_of(name: str, arrays: Mapping[str, Array]) -> Detector:
    core, posts, windows = (arrays[f"{name}/{array}"] for array in Detector.ARRAYS)
    return Detector(core, np.asfortranarray(posts), np.asfortranarray(windows))


def _window_arrays(name: str, start: int, window: Window) -> tuple[_WindowDocument, Arrays]:
    arrays: Arrays = {f"{name}/counts": window.counts, f"{name}/volumes": window.volumes}
    for signal, tally in window.tallies.items():
        arrays |= {f"{name}/{signal}/{array}": getattr(tally, array) for array in Tally.ARRAYS}
    return _WindowDocument(start, window.parts, window.holes, list(window.tallies)), arrays


def _window_of(name: str, document: _WindowDocument, arrays: Mapping[str, Array]) -> Window:
    tallies = {
        signal: Tally(*(arrays[f"{name}/{signal}/{array}"] for array in Tally.ARRAYS)) for signal in document.tallies
    }
    counts, volumes = arrays[f"{name}/counts"], arrays[f"{name}/volumes"]
    return Window(counts, volumes, tallies, document.parts, document.holes)


_CLOSED: Final = ("count", "late", "state", "reals")


def _frame_arrays(name: str, frame: Frame) -> tuple[_FrameDocument, Arrays]:
    arrays: Arrays = {f"{name}/starts": np.array([closed.start for closed in frame.ring], dtype=np.int64)}
    if frame.ring:
        arrays |= {f"{name}/{field}": np.stack([getattr(closed, field) for closed in frame.ring]) for field in _CLOSED}
    for signal, detector in frame.detectors.items():
        arrays |= _detector_arrays(f"{name}/{signal}", detector)
    for signal, levels in frame.levels.items():
        arrays |= {f"{name}/{signal}/{array}": getattr(levels, array) for array in Levels.ARRAYS}
    arrays |= _detector_arrays(f"{name}/:platforms", frame.platforms)
    partial = None
    if frame.partial is not None:
        partial, more = _window_arrays(f"{name}/:partial", frame.start, frame.partial)
        arrays |= more
    passed = []
    for number, window in enumerate(frame.passed):
        one, more = _window_arrays(f"{name}/:passed/{number}", 0, window)
        passed.append(one)
        arrays |= more
    kinds = {signal: levels.kind for signal, levels in frame.levels.items()}
    detectors = list(frame.detectors)
    return _FrameDocument(frame.window_us, detectors, kinds, frame.start, partial, passed, frame.passed_us), arrays


def _frame_of(name: str, document: _FrameDocument, arrays: Mapping[str, Array]) -> Frame:
    partial = None
    if document.partial is not None:
        partial = _window_of(f"{name}/:partial", document.partial, arrays)
    return Frame(
        window_us=document.window_us,
        detectors={signal: _detector_of(f"{name}/{signal}", arrays) for signal in document.detectors},
        platforms=_detector_of(f"{name}/:platforms", arrays),
        levels={
            signal: Levels(kind, *(arrays[f"{name}/{signal}/{array}"] for array in Levels.ARRAYS))
            for signal, kind in document.levels.items()
        },
        ring=deque(
            Closed(start, *(arrays[f"{name}/{field}"][number].copy() for field in _CLOSED))
            for number, start in enumerate(arrays[f"{name}/starts"].tolist())
        ),
        start=document.start,
        partial=partial,
        passed=deque(_window_of(f"{name}/:passed/{number}", one, arrays) for number, one in enumerate(document.passed)),
        passed_us=document.passed_us,
    )


def _seen_arrays(name: str, seen: Seen) -> Arrays:
    runs = [(window, run) for window, held in seen.runs.items() for run in held]
    return {
        f"{name}/windows": np.array([window for window, _ in runs], dtype=np.int64),
        f"{name}/lengths": np.array([len(run) for _, run in runs], dtype=np.int64),
        f"{name}/runs": np.concatenate([run for _, run in runs]) if runs else np.zeros(0, dtype=np.uint64),
    }


def _seen_of(name: str, arrays: Mapping[str, Array]) -> Seen:
    seen = Seen()
    ends = np.cumsum(arrays[f"{name}/lengths"])
    for window, run in zip(
        arrays[f"{name}/windows"].tolist(), np.split(arrays[f"{name}/runs"], ends[:-1]), strict=False
    ):
        seen.runs.setdefault(window, []).append(run.copy())
    return seen


def _books_arrays(books: Books) -> Arrays:
    closed = {f"books/{platform}": held for platform, held in books.posts.items()}
    return closed | {f"books:open/{number}": held for number, (_, _, held) in enumerate(_open_books(books))}


def _open_books(books: Books) -> Iterator[tuple[int, str, Array]]:
    for start, window in books.open.items():
        for platform, held in window.items():
            yield start, platform, held


def _books_of(document: _Document, arrays: Mapping[str, Array]) -> Books:
    prefix = "books/"
    posts = {name.removeprefix(prefix): held for name, held in arrays.items() if name.startswith(prefix)}
    books = Books(posts, document.books_until)
    for number, (start, platform) in enumerate(document.books_open):
        books.open.setdefault(start, {})[platform] = arrays[f"books:open/{number}"]
    return books


def _state_arrays(state: WatchState) -> tuple[_Document, Arrays]:
    pairs = state.recent.pairs
    arrays: Arrays = {"mix": state.mix}
    arrays |= {f"pairs/{one.name}": getattr(pairs, one.name) for one in dataclasses.fields(pairs)}
    arrays |= _seen_arrays("seen", state.seen) | _seen_arrays("observed", state.observed) | _books_arrays(state.books)
    frames, windows = [], []
    for number, frame in enumerate(state.frames):
        one, more = _frame_arrays(f"frame/{number}", frame)
        frames.append(one)
        arrays |= more
    for number, (start, window) in enumerate(state.open.items()):
        held, more = _window_arrays(f"open/{number}", start, window)
        windows.append(held)
        arrays |= more
    topics = emerging.dump(state.topics)
    arrays |= {f"topics/{name}": array for name, array in topics.items()}
    document = _Document(
        keys=state.keys,
        series=[
            _SeriesDocument(one.tracker, one.first_us, one.told_us, one.profile, one.episode, one.notice, one.untaught)
            for one in state.series
        ],
        frames=frames,
        windows=windows,
        platforms=state.platforms,
        clock=state.clock,
        first_us=state.first_us,
        next_window=state.next_window,
        last_post=state.last_post,
        late=[(*key, count) for key, count in state.late.items()],
        books_until=state.books.until,
        books_open=[(start, platform) for start, platform, _ in _open_books(state.books)],
        topics=list(topics),
    )
    return document, arrays


def dump_state(state: WatchState, path: Path) -> None:
    """Write `state` to `path`. The caller writes to a temporary name, fsyncs and renames.

    Raises:
        OSError: the file cannot be written.
    """
    document, arrays = _state_arrays(state)
    schema = _SCHEMA.with_metadata({b"format": _FORMAT, b"version": str(STATE_VERSION).encode()})
    # Level 1: most of a young state is zeros, and what an old one has learned hardly becomes smaller.
    options = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", compression_level=1), use_threads=False)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema, options=options) as writer:
        for name, array in arrays.items():
            # One at a time, and from where it lies: thousands of trackers are hundreds of megabytes.
            turned = array.ndim == 2 and array.flags.f_contiguous and not array.flags.c_contiguous
            whole = array.T if turned else np.ascontiguousarray(array)
            kind = array.dtype.str + (_TURNED if turned else "")
            writer.write_batch(_section(name, kind, array.shape, pa.py_buffer(whole)))
        writer.write_batch(_section(":document", "", (), pa.py_buffer(msgspec.msgpack.encode(document))))
        writer.write_batch(_section(":posts", "", (), _table_bytes(state.recent.posts)))


def _section(name: str, kind: str, shape: Sequence[int], data: pa.Buffer) -> pa.RecordBatch:
    ends = pa.py_buffer(np.array([0, data.size], dtype=np.int64))
    held = pa.Array.from_buffers(pa.large_binary(), 1, [None, ends, data])
    columns = [pa.array([name]), pa.array([kind]), pa.array([list(shape)], pa.list_(pa.int64())), held]
    return pa.RecordBatch.from_arrays(columns, schema=_SCHEMA)


def load_state(path: Path) -> WatchState:
    """The state that `dump_state` wrote: going on from it gives what going on from the original gives.

    Raises:
        UnreadableFileError: it is no state file.
        OldStateError: it is one of another version.
    """
    arrays: Arrays = {}
    rest: dict[str, pa.Buffer] = {}
    try:
        with pa.OSFile(str(path), "rb") as source, pa.ipc.open_file(source) as reader:
            _check(reader.schema.metadata or {}, path)
            for number in range(reader.num_record_batches):
                for name, kind, shape, data in _sections(reader.get_batch(number)):
                    if kind:
                        arrays[name] = _array_of(kind, shape, data)
                    else:
                        rest[name] = data
    except (OSError, pa.ArrowInvalid) as error:
        what = "the state of the watch cannot be read"
        raise UnreadableFileError(what, where=path, hint="remove it to start the watch anew") from error
    document = msgspec.msgpack.decode(rest[":document"], type=_Document)
    posts = _table_of(rest[":posts"])
    return _state_of(document, arrays, posts)


def _sections(batch: pa.RecordBatch) -> Iterator[tuple[str, str, list[int], pa.Buffer]]:
    for row in range(batch.num_rows):
        name, kind, shape, data = (column[row] for column in batch.columns)
        yield name.as_py(), kind.as_py(), shape.as_py(), data.as_buffer()


def _array_of(kind: str, shape: Sequence[int], data: pa.Buffer) -> Array:
    held = np.frombuffer(data, dtype=np.dtype(kind.removesuffix(_TURNED)))
    if not kind.endswith(_TURNED):
        return held.reshape(shape).copy()
    array = untouched(*shape) if held.dtype == np.float64 else np.zeros(shape, dtype=held.dtype, order="F")
    for number, column in enumerate(held.reshape(shape[::-1])):
        if column.any():  # the others take no memory as long as nobody writes to them
            array[:, number] = column
    return array


def _check(metadata: Mapping[bytes, bytes], path: Path) -> None:
    if metadata.get(b"format") != _FORMAT:
        what = "not a state of the watch"
        raise UnreadableFileError(what, where=path, hint="remove it to start the watch anew")
    if metadata.get(b"version") != str(STATE_VERSION).encode():
        what = f"not a state of the watch of version {STATE_VERSION}"
        raise OldStateError(what, where=path, hint="the watch learns anew from the lake")


def _state_of(document: _Document, arrays: Arrays, posts: pa.Table) -> WatchState:
    pairs = KeptPairs(*(arrays[f"pairs/{one.name}"] for one in dataclasses.fields(KeptPairs)))
    return WatchState(
        keys=document.keys,
        series=[
            Series(one.tracker, one.first_us, one.profile, one.episode, one.told_us, one.notice, one.untaught)
            for one in document.series
        ],
        frames=[_frame_of(f"frame/{number}", one, arrays) for number, one in enumerate(document.frames)],
        platforms=document.platforms,
        mix=arrays["mix"],
        clock=document.clock,
        first_us=document.first_us,
        next_window=document.next_window,
        last_post=document.last_post,
        open={one.start: _window_of(f"open/{n}", one, arrays) for n, one in enumerate(document.windows)},
        late={(size, start, slot): count for size, start, slot, count in document.late},
        seen=_seen_of("seen", arrays),
        observed=_seen_of("observed", arrays),
        recent=Recent(posts, pairs),
        books=_books_of(document, arrays),
        topics=emerging.load({name: arrays[f"topics/{name}"] for name in document.topics}),
    )
