"""Reading records by layouts: the quick way for what the chosen layout reads, a second look at the rest.

The engine gives exactly one row for each line, so the n-th row is the n-th line. Rows that the layout flags
are looked at once more as bytes: a strict parser says what is wrong with them, or another layout reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.engines.contract import RECORD
from groundswell.importing.derive import Origin, derive
from groundswell.importing.known import take_rows
from groundswell.importing.looking import SecondLook, all_lines, objected
from groundswell.importing.reads import Flagged, Ignored, LineCountError, Posts, Reached, Read
from groundswell.importing.refusals import UNKNOWN_LAYOUT, Rejection
from groundswell.schema import REJECT
from groundswell.sources.ahead import ahead, map_ahead
from groundswell.sources.line_index import LineIndex
from groundswell.sources.lines import Numbers, Piece
from groundswell.telemetry import each

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.importing.choice import Chooser
    from groundswell.platforms.layout import Layout
    from groundswell.sources.tables import RowChunk, Rows

#: Rows that are derived and written together.
ROWS: Final = 4_096
_BYTES: Final = 4 << 20
#: Threads that derive columns of a large piece.
WORKERS: Final = 2
#: Chunks that wait to be derived while the engine goes on.
_AHEAD: Final = 2


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
        borders = Borders(piece)
        if layout is None or strict:
            for lines in all_lines(index):
                begin = 0
                for end, reached in borders.within(lines.offsets, lines.numbers):
                    yield from self._look(piece, [lines.part(begin, end)], layout)
                    yield from () if reached is None else (reached,)
                    begin = end
            return
        flagged: list[Flagged] = []
        usable = self._usable(piece, index, layout, flagged, borders)
        made = map_ahead(self._made, usable, WORKERS) if piece.is_large else map(self._made, usable)
        for part in made:
            if isinstance(part, Posts):
                yield part
            else:
                yield from self._look(piece, part.flagged, layout)
                yield part.reached
        yield from self._look(piece, flagged, layout)

    def _made(self, part: _Rows | _Border) -> Posts | _Border:
        return part if isinstance(part, _Border) else self._posts(*part)

    def _usable(
        self, piece: Piece, index: LineIndex, layout: Layout, flagged: list[Flagged], borders: Borders
    ) -> Iterator[_Rows | _Border]:
        """The rows that the layout reads, with their places and numbers; the others are added to `flagged`.

        At a border those that were flagged so far are given with it.
        """
        # What is wrong with a rejected line is found out when it is looked at again.
        chunks = _in_chunks(self.engine.map_json(piece.path, layout, explain=False, places=index))
        for chunk in each("import", "query", ahead(chunks, _AHEAD) if piece.is_large else chunks):
            local, offsets, numbers = index.take(chunk.num_rows)
            if len(local) != chunk.num_rows:
                raise _lost_count(piece)
            if piece.has_mark and numbers[0] == piece.first_line:
                # An engine takes the mark for a part of the first record.
                flagged.append(Flagged(local[:1], offsets[:1], numbers[:1], [None]))
                chunk, local, offsets, numbers = chunk.slice(1), local[1:], offsets[1:], numbers[1:]  # noqa: PLW2901 - the chunk without its mark
            begin = 0
            for end, reached in borders.within(offsets, numbers):
                part = slice(begin, end)
                rows = chunk if reached is None and not begin else chunk.slice(begin, end - begin)
                if rows.num_rows:
                    yield from _sifted(rows, layout, (local[part], offsets[part], numbers[part]), flagged)
                if reached is not None:
                    yield _Border(list(flagged), reached)
                    flagged.clear()
                begin = end
        if index.rest():
            raise _lost_count(piece)

    def read_piece_safely(self, piece: Piece, layout: Layout | None) -> list[Read]:
        """All of a small piece at once; strictly if the engine loses count."""
        try:
            return list(self.read_piece(piece, layout))
        except LineCountError:
            return list(self.read_piece(piece, layout, strict=True))

    def read_rows(self, chunk: RowChunk, table: Rows, layout: Layout | None) -> Iterator[Read]:
        """All rows of a chunk of a table; as `read_piece` otherwise."""
        return (step() for step in self.row_steps(chunk, table, layout))

    def read_table(self, steps: Iterable[Callable[[], Read]]) -> Iterator[Read]:
        """What the steps of a large table give, in order, worked out by several threads."""
        return map_ahead(lambda step: step(), steps, WORKERS)

    def row_steps(self, chunk: RowChunk, table: Rows, layout: Layout | None) -> Iterator[Callable[[], Read]]:
        """What is left to do for all rows of a chunk once the engine has mapped them."""
        refused = [
            Rejection(
                bad.number, bad.number, bad.reason, bad.detail, bad.raw, _platform(layout), _id(layout), bad.oversized
            )
            for bad in chunk.bad
        ]
        for reason, ignored in chunk.ignored.items():
            yield partial(Ignored, layout, reason, ignored)
        numbers = np.array(chunk.numbers, dtype=np.int64)
        if layout is None:
            from groundswell.platforms.generic import why_not  # noqa: PLC0415 - loads Ibis

            detail = why_not(table.columns, chunk.rows.slice(0, 20).to_pylist())
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
                    usable = rows.filter(pa.array(~bad)) if bad.any() else rows
                    yield partial(self._posts, usable, layout, good, good)
                if bad.any():
                    rejects = rows[REJECT].filter(pa.array(bad)).to_pylist()
                    refused += [
                        objected(layout, reject, int(numbers[at]), int(numbers[at]), table.encode(chunk.raw[at]))
                        for at, reject in zip(places[bad].tolist(), rejects, strict=True)
                    ]
        if refused:
            yield partial(sorted, refused, key=lambda rejection: rejection.row)

    def _posts(self, rows: pa.Table, layout: Layout, offsets: Numbers, numbers: Numbers) -> Posts:
        received = None if self.received_us is None else self.received_us[numbers - 1]
        return Posts(layout, derive(rows, layout, self.origin, offsets, received), numbers)

    def _look(self, piece: Piece, flagged: Iterable[Flagged], layout: Layout | None) -> Iterator[Read]:
        return SecondLook(self.engine, self.chooser, self.tmp, self._posts, layout).at(piece, flagged)


class Borders:
    """The places in a piece at which an import may commit: its `border`, and then every `stride` bytes."""

    def __init__(self, piece: Piece) -> None:
        self._next = piece.border
        self._stride = piece.stride
        self._last = piece.base if piece.offsets is None else int(piece.offsets[0])

    def within(self, offsets: Numbers, numbers: Numbers) -> Iterator[tuple[int, Reached | None]]:
        """Where to cut some records: the end of each part, and the border that it is (null: the last one)."""
        while self._next is not None and len(offsets) and offsets[-1] >= self._next:
            at = int(np.searchsorted(offsets, self._next))
            yield at, self._reached(int(offsets[at]), int(numbers[at]))
        yield len(offsets), None

    def _reached(self, offset: int, line: int) -> Reached:
        size, self._last, self._next = offset - self._last, offset, offset + self._stride
        return Reached(offset, line, size)


@dataclass(frozen=True, slots=True)
class _Border:
    """A border, and the lines before it that are to be looked at again."""

    flagged: list[Flagged]
    reached: Reached


#: Usable rows with their layout, places and line numbers.
_Rows = tuple[pa.Table, "Layout", Numbers, Numbers]


def _sifted(
    rows: pa.Table, layout: Layout, places: tuple[Numbers, Numbers, Numbers], flagged: list[Flagged]
) -> Iterator[_Rows]:
    """Rows without those that the layout objects to, which are added to `flagged`."""
    local, offsets, numbers = places
    rejects = rows[REJECT]
    if rejects.null_count < rows.num_rows:
        bad = pc.is_valid(rejects).to_numpy()
        flagged.append(Flagged(local[bad], offsets[bad], numbers[bad], rejects.filter(pa.array(bad)).to_pylist()))
        rows, offsets, numbers = take_rows(rows, ~bad), offsets[~bad], numbers[~bad]
    if rows.num_rows:
        yield rows, layout, offsets, numbers


def _platform(layout: Layout | None) -> str | None:
    return None if layout is None else layout.platform


def _id(layout: Layout | None) -> str | None:
    return None if layout is None else layout.id


def _lost_count(piece: Piece) -> LineCountError:
    what = "the engine did not give one row for each line"
    return LineCountError(what, where=piece.path)


def _in_chunks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Batches joined to at least `ROWS` rows or `_BYTES`, which is what makes the kernels after them worth while."""
    waiting: list[pa.RecordBatch] = []
    count = size = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        size += batch.nbytes
        if count >= ROWS or size >= _BYTES:
            yield pa.Table.from_batches(waiting)
            waiting, count, size = [], 0, 0
    if count:
        yield pa.Table.from_batches(waiting)
