"""Reading records by layouts: the quick way for what the chosen layout reads, a second look at the rest.

The engine gives exactly one row for each line, so the n-th row is the n-th line. Rows that the layout flags
are looked at once more as bytes: a strict parser says what is wrong with them, or another layout reads them.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.engines.contract import RECORD
from groundswell.errors import GroundswellError
from groundswell.importing.derive import Origin, derive
from groundswell.importing.refusals import UNKNOWN_LAYOUT, Rejection, decode, platform_error
from groundswell.schema import REJECT
from groundswell.sources.ahead import ahead, map_ahead
from groundswell.sources.lines import LineIndex, Numbers, Piece, read_lines

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.importing.choice import Chooser
    from groundswell.platforms.layout import Layout
    from groundswell.sources.tables import RowChunk, TableReader

#: Rows that are derived and written together.
ROWS: Final = 4_096
#: Threads that derive columns of a large piece.
WORKERS: Final = 2
#: Chunks that wait to be derived while the engine goes on.
_AHEAD: Final = 3
_LOOK_LINES: Final = 5_000
_LOOK_BYTES: Final = 16 << 20


class LineCountError(GroundswellError):
    """The engine did not give one row for each line; the lines are validated one by one instead."""


@dataclass(frozen=True, slots=True)
class Posts:
    """Usable rows of one layout (`DERIVED`), with the line number of each."""

    layout: Layout
    rows: pa.Table
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class Ignored:
    """Records of one kind that are no posts."""

    layout: Layout
    reason: str
    count: int


Read = Posts | Ignored | list[Rejection]


@dataclass(frozen=True, slots=True)
class Flagged:
    """Lines to look at again: place in the piece, place in the origin, number, and the layout's objection."""

    local: Numbers
    offsets: Numbers
    numbers: Numbers
    rejects: list[str | None]


@dataclass(frozen=True)
class Reader:
    """Reads pieces and tables of one origin. `received_us` has a time for each record of a stream's block."""

    engine: Engine
    chooser: Chooser
    origin: Origin
    tmp: Path
    received_us: Numbers | None = None

    def read_piece(self, piece: Piece, layout: Layout | None, *, strict: bool = False) -> Iterator[Read]:
        """All lines of a piece: usable rows, ignored ones and rejections, each line in exactly one of them.

        `strict` validates every line before an engine sees it: slower, and right for whatever stands there.

        Raises:
            LineCountError: the engine lost count (only without `strict`).
        """
        index = LineIndex(piece)
        if layout is None or strict:
            yield from self._look(piece, _all_lines(index), layout)
            return
        flagged: list[Flagged] = []
        usable = self._usable(piece, index, layout, flagged)
        if piece.is_large:
            yield from map_ahead(lambda part: self._posts(*part), usable, WORKERS)
        else:
            yield from (self._posts(*part) for part in usable)
        yield from self._look(piece, flagged, layout)

    def _usable(
        self, piece: Piece, index: LineIndex, layout: Layout, flagged: list[Flagged]
    ) -> Iterator[tuple[pa.Table, Layout, Numbers, Numbers]]:
        """The rows that the layout reads, with their places and numbers; the others are added to `flagged`."""
        chunks = _in_chunks(self.engine.map_json(piece.path, layout))
        for chunk in ahead(chunks, _AHEAD) if piece.is_large else chunks:
            rows = chunk
            local, offsets, numbers = index.take(rows.num_rows)
            if len(local) != rows.num_rows:
                raise _lost_count(piece)
            rejects = rows[REJECT]
            if rejects.null_count < rows.num_rows:
                bad = pc.is_valid(rejects).to_numpy()
                flagged.append(
                    Flagged(local[bad], offsets[bad], numbers[bad], rejects.filter(pa.array(bad)).to_pylist())
                )
                rows, offsets, numbers = rows.filter(pa.array(~bad)), offsets[~bad], numbers[~bad]
            if rows.num_rows:
                yield rows, layout, offsets, numbers
        if index.rest():
            raise _lost_count(piece)

    def read_piece_safely(self, piece: Piece, layout: Layout | None) -> list[Read]:
        """All of a small piece at once; strictly if the engine loses count."""
        try:
            return list(self.read_piece(piece, layout))
        except LineCountError:
            return list(self.read_piece(piece, layout, strict=True))

    def read_rows(self, chunk: RowChunk, table: TableReader, layout: Layout | None) -> Iterator[Read]:
        """All rows of a chunk of a table; as `read_piece` otherwise."""
        refused = [
            Rejection(
                bad.number, bad.number, bad.reason, bad.detail, bad.raw, _platform(layout), _id(layout), bad.oversized
            )
            for bad in chunk.bad
        ]
        numbers = np.array(chunk.numbers, dtype=np.int64)
        if layout is None:
            detail = f"columns {', '.join(table.columns)[:200]}"
            refused += [
                Rejection(n, n, UNKNOWN_LAYOUT, detail, table.encode(raw))
                for n, raw in zip(chunk.numbers, chunk.raw, strict=True)
            ]
        elif chunk.rows.num_rows:
            for rows in _in_chunks(self.engine.map_rows(chunk.rows, layout)):
                places = rows[RECORD].to_numpy()
                bad = pc.is_valid(rows[REJECT]).to_numpy()
                if not bad.all():
                    good = numbers[places[~bad]]
                    yield self._posts(rows.filter(pa.array(~bad)) if bad.any() else rows, layout, good, good)
                if bad.any():
                    rejects = rows[REJECT].filter(pa.array(bad)).to_pylist()
                    refused += [
                        _objected(layout, reject, int(numbers[at]), int(numbers[at]), table.encode(chunk.raw[at]))
                        for at, reject in zip(places[bad].tolist(), rejects, strict=True)
                    ]
        if refused:
            yield sorted(refused, key=lambda rejection: rejection.row)

    def _posts(self, rows: pa.Table, layout: Layout, offsets: Numbers, numbers: Numbers) -> Posts:
        received = None if self.received_us is None else self.received_us[numbers - 1]
        return Posts(layout, derive(rows, layout, self.origin, offsets, received), numbers)

    def _look(self, piece: Piece, flagged: Iterable[Flagged], layout: Layout | None) -> Iterator[Read]:
        for lines in _bounded(piece.path, flagged):
            sorted_out = _SortedOut(self.chooser, layout)
            for line in lines:
                sorted_out.add(line)
            for (kind, reason), count in sorted_out.ignored.items():
                yield Ignored(self.chooser.registry.get(kind), reason, count)
            refused = sorted_out.refused
            for other, members in sorted_out.groups.values():
                yield from self._read_group(other, members, refused)
            if refused:
                yield sorted(refused, key=lambda rejection: rejection.row)

    def _read_group(self, layout: Layout, lines: list[_Line], refused: list[Rejection]) -> Iterator[Posts]:
        """Lines that are valid JSON objects of `layout`; what it objects to is added to `refused`."""
        path = self.tmp / f"look-{secrets.token_hex(8)}.ndjson"
        self.tmp.mkdir(parents=True, exist_ok=True)
        try:
            path.write_bytes(b"".join(line.raw + b"\n" for line in lines))
            rows = pa.Table.from_batches(self.engine.map_json(path, layout))
        finally:
            path.unlink(missing_ok=True)
        if rows.num_rows != len(lines):
            what = f"the engine gave {rows.num_rows:,} rows for {len(lines):,} records"
            raise LineCountError(what, where=self.origin.origin)
        offsets = np.array([line.offset for line in lines], dtype=np.int64)
        numbers = np.array([line.number for line in lines], dtype=np.int64)
        bad = pc.is_valid(rows[REJECT]).to_numpy()
        for at in np.flatnonzero(bad).tolist():
            line = lines[at]
            refused.append(_objected(layout, rows[REJECT][at].as_py(), line.offset, line.number, line.raw))
        if not bad.all():
            yield self._posts(rows.filter(pa.array(~bad)), layout, offsets[~bad], numbers[~bad])


@dataclass(frozen=True, slots=True)
class _Line:
    raw: bytes
    offset: int
    number: int
    reject: str | None


class _SortedOut:
    """Some lines by what becomes of them."""

    def __init__(self, chooser: Chooser, layout: Layout | None) -> None:
        self.refused: list[Rejection] = []
        self.ignored: Counter[tuple[str, str]] = Counter()
        self.groups: dict[str, tuple[Layout, list[_Line]]] = {}
        self._chooser = chooser
        self._layout = layout

    def add(self, line: _Line) -> None:
        """Put one line where it belongs."""
        record, reason, detail = decode(line.raw)
        if record is None:
            self._refuse(line, reason, detail, self._layout)
            return
        if (known := self._chooser.ignored(record)) is not None:
            self.ignored[known[0].id, known[1]] += 1
            return
        layout = self._layout if self._chooser.is_forced else self._chooser.for_record(record)
        if layout is None:
            said = platform_error(record)
            keys = f"keys {', '.join(record)[:200]}" if record else "an empty object"
            self._refuse(line, said or UNKNOWN_LAYOUT, said or keys, None)
        elif line.reject is not None and self._layout is not None and layout.id == self._layout.id:
            self.refused.append(_objected(self._layout, line.reject, line.offset, line.number, line.raw))
        else:
            self.groups.setdefault(layout.id, (layout, []))[1].append(line)

    def _refuse(self, line: _Line, reason: str, detail: str, layout: Layout | None) -> None:
        self.refused.append(
            Rejection(line.offset, line.number, reason, detail, line.raw, _platform(layout), _id(layout))
        )


def _platform(layout: Layout | None) -> str | None:
    return None if layout is None else layout.platform


def _id(layout: Layout | None) -> str | None:
    return None if layout is None else layout.id


def _objected(layout: Layout, reject: str, offset: int, number: int, raw: bytes) -> Rejection:
    """A layout's objection: what stands before the first `: ` is the reason, the value stands behind."""
    return Rejection(offset, number, reject.partition(": ")[0], reject, raw, layout.platform, layout.id)


def _lost_count(piece: Piece) -> LineCountError:
    what = "the engine did not give one row for each line"
    return LineCountError(what, where=piece.path)


def _in_chunks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Batches joined to at least `ROWS` rows, which is what makes the kernels after them worth while."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        if count >= ROWS:
            yield pa.Table.from_batches(waiting)
            waiting, count = [], 0
    if count:
        yield pa.Table.from_batches(waiting)


def _all_lines(index: LineIndex) -> Iterator[Flagged]:
    while True:
        local, offsets, numbers = index.take(_LOOK_LINES)
        if not len(local):
            return
        yield Flagged(local, offsets, numbers, [None] * len(local))


def _bounded(path: Path, flagged: Iterable[Flagged]) -> Iterator[Sequence[_Line]]:
    """The flagged lines with their bytes, some at a time."""
    lines: list[_Line] = []
    size = 0
    for part in flagged:
        raws = read_lines(path, part.local.tolist())
        places: Iterable[Any] = zip(raws, part.offsets.tolist(), part.numbers.tolist(), part.rejects, strict=True)
        for raw, offset, number, reject in places:
            lines.append(_Line(raw, offset, number, reject))
            size += len(raw)
            if len(lines) >= _LOOK_LINES or size >= _LOOK_BYTES:
                yield lines
                lines, size = [], 0
    if lines:
        yield lines
