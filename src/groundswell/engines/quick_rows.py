"""When the quick reader is used, and what it doubts put back in its place by the engine's own reader."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

import ibis
import numpy as np
import pyarrow as pa

from groundswell.kernels import loaded

if TYPE_CHECKING:
    from groundswell.engines.contract import Places
    from groundswell.engines.quick import Block, Ints, Then
    from groundswell.platforms.layout import Layout

#: Bytes of a file from which the threads of the quick reader pay for themselves.
LEAST: Final = 8 << 20
#: Doubted records in the first block of a file (some thousand) that are not too many: with more, reading them again
#: and putting them in their places costs what the quick reader saves. Of rows that the engine does not see the share:
#: with one in two hundred they take a fifth less of processor than by the engine's own reader.
MOST_DOUBTED: Final = 0
MOST_EVALUATED: Final = 0.02
#: Blocks whose doubted records are read together: a query costs as much as reading two thousand records.
_TOGETHER: Final = 16

#: Reads lines of NDJSON as an engine does: one row for each.
ReadLines = Callable[[bytes], pa.Table]


@dataclass(frozen=True, slots=True)
class Settled:
    """Rows of some lines: a table of those that were not doubted, and the rows of the others.

    `rows` belong to the lines at the `places`. `block` tells of the lines; null for what came without any.
    """

    table: pa.Table
    places: Ints
    rows: pa.Table
    block: Block | None

    def spliced(self) -> pa.Table:
        """All rows, each in its place."""
        if not len(self.places):
            return self.table
        # In one piece again: DuckDB takes no structs that begin within a piece, and later steps cost what pieces are.
        return pa.Table.from_batches(self._pieces(), self.table.schema).combine_chunks()

    def _pieces(self) -> Iterator[pa.RecordBatch]:
        (table,), (rows,) = (part.combine_chunks().to_batches() or [_none(part)] for part in (self.table, self.rows))
        begin = 0
        for number, end in enumerate((self.places - np.arange(len(self.places))).tolist()):
            if end > begin:
                yield table.slice(begin, end - begin)
            yield rows.slice(number, 1)
            begin = end
        yield table.slice(begin)


@dataclass(frozen=True, slots=True)
class QuickRows:
    """The rows of a file, in order."""

    schema: pa.Schema
    settled: Generator[Settled]

    def batches(self, places: Places | None) -> Generator[pa.RecordBatch]:
        """The rows, each in its place."""
        told = Told(places)
        with closing(self.settled):
            for some in self.settled:
                told.of(some)
                yield from some.spliced().to_batches()


def _none(table: pa.Table) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], table.schema)


class Told:
    """Tells the places of the lines of each block before its rows are given."""

    def __init__(self, places: Places | None) -> None:
        self._places = places
        self._lines = 0

    def of(self, some: Settled) -> None:
        """Those of some rows."""
        if some.block is not None:
            if self._places is not None:
                self._places.feed(some.block.starts, some.block.numbers + self._lines)
            self._lines += some.block.count


def quick_rows(path: Path, layout: Layout, read: ReadLines, workers: int, then: Then | None = None) -> QuickRows | None:
    """The rows of a large NDJSON file by the quick reader; null where an engine's own reader is to be used.

    That is so where the first block holds too many records that are to be read again. `read` reads those. Where it
    gives fewer or more rows than lines, so does what comes out. `then` makes of raw rows what the engine would make of
    them, in the threads that read them.
    """
    if loaded() is None or path.stat().st_size < LEAST:
        return None
    from groundswell.engines.quick import QuickReader  # noqa: PLC0415 - loads the compiler

    reader = QuickReader(ibis.schema(dict(layout.raw)).to_pyarrow())
    blocks = reader.blocks(path, workers, then)
    first = next(blocks, None)
    most = MOST_DOUBTED
    if then is not None and first is not None:
        most = max(most, int(MOST_EVALUATED * len(first.starts)))
    if first is None or len(first.doubted) > most:
        blocks.close()
        return None

    def again(lines: bytes) -> pa.Table:
        rows = read(lines).cast(reader.schema).combine_chunks()
        return rows if then is None else then(rows)

    return QuickRows(reader.schema, _rows(first, blocks, again))


def _rows(first: Block, blocks: Generator[Block], again: ReadLines) -> Generator[Settled]:
    """The rows of blocks, in order; those that were doubted as `again` gives them.

    A thread reads these of some blocks while the next ones come. One that was read is given for each that comes, so
    that whoever uses them neither waits for a whole group nor is given one at once.
    """
    with closing(blocks), ThreadPoolExecutor(1, "again") as pool:
        waiting: list[Block] = []
        begun: deque[_Again] = deque()
        for block in chain([first], blocks):
            if not (begun or waiting or len(block.doubted)):
                yield Settled(block.table, block.doubted, block.table.slice(0, 0), block)
                continue
            waiting.append(block)
            if begun:
                yield from begun.popleft().settled()
            if len(waiting) == _TOGETHER:
                yield from _settled(begun)
                begun = _begun(waiting, again, pool)
                waiting = []
        yield from _settled(begun)
        yield from _settled(_begun(waiting, again, pool))


@dataclass(frozen=True, slots=True)
class _Again:
    """A block, and the rows that are read again for it and others; its own begin with `first`."""

    block: Block
    found: Future[pa.Table] | None
    first: int
    is_last: bool

    def settled(self) -> Iterator[Settled]:
        """Its rows, and with the last block those that were found beyond the lines."""
        block, end = self.block, self.first + len(self.block.doubted)
        found = block.table.slice(0, 0) if self.found is None else self.found.result()
        yield Settled(block.table, block.doubted, found.slice(self.first, end - self.first), block)
        if self.is_last and found.num_rows > end:
            more = found.slice(end).combine_chunks()
            yield Settled(more, block.doubted[:0], more.slice(0, 0), None)


def _begun(blocks: list[Block], again: ReadLines, pool: ThreadPoolExecutor) -> deque[_Again]:
    """Blocks, the doubted lines of which are read from now on."""
    lines = b"".join(block.lines for block in blocks)
    found = pool.submit(again, lines) if lines else None
    ends = np.cumsum([len(block.doubted) for block in blocks]).tolist()
    return deque(
        _Again(block, found, end - len(block.doubted), block is blocks[-1])
        for block, end in zip(blocks, ends, strict=True)
    )


def _settled(begun: Iterable[_Again]) -> Iterator[Settled]:
    return chain.from_iterable(one.settled() for one in begun)
