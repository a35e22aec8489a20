"""When the quick reader is used, and what it doubts put back in its place by the engine's own reader."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
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
    from groundswell.engines.quick import Block, Then
    from groundswell.platforms.layout import Layout

#: Bytes of a file from which the threads of the quick reader pay for themselves.
LEAST: Final = 8 << 20
#: Doubted records in the first block of a file (some thousand) that are not too many: with more, reading them again
#: and putting them in their places costs what the quick reader saves. Of rows that the engine does not see the share:
#: with one in two hundred they take a fifth less of processor than by the engine's own reader.
MOST_DOUBTED: Final = 0
MOST_EVALUATED: Final = 0.02
#: Blocks whose doubted records are read together: a query costs as much as reading two thousand records.
_TOGETHER: Final = 8

#: Reads lines of NDJSON as an engine does: one row for each.
ReadLines = Callable[[bytes], pa.Table]


@dataclass(frozen=True, slots=True)
class Settled:
    """Rows of some lines: a table with a null row for each that was doubted, and what stands there instead.

    `rows` belong in the `places` of the table. `block` tells of the lines; null for what came without any.
    """

    table: pa.Table
    places: list[int]
    rows: pa.Table
    block: Block | None

    def spliced(self) -> pa.Table:
        """All rows, each in its place."""
        if not self.places:
            return self.table
        # In one piece again: DuckDB takes no structs that begin within a piece.
        return pa.concat_tables(in_place(self.table, self.places, self.rows)).combine_chunks()


@dataclass(frozen=True, slots=True)
class QuickRows:
    """The raw rows of a file, in order."""

    schema: pa.Schema
    settled: Generator[list[Settled]]
    """Some blocks at a time."""

    def batches(self, places: Places | None) -> Generator[pa.RecordBatch]:
        """The rows, each in its place."""
        told = Told(places)
        with closing(self.settled):
            for some in chain.from_iterable(self.settled):
                told.of(some)
                yield from some.spliced().to_batches()


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
    """The raw rows of a large NDJSON file by the quick reader; null where an engine's own reader is to be used.

    That is so where the first block holds too many records that are to be read again. `read` reads those. Where it
    gives fewer or more rows than lines, so does what comes out. `then` makes of the rows of each block, in the threads
    that read it, what the engine would make of them.
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
    return QuickRows(reader.schema, _rows(first, blocks, reader.schema, read))


def _rows(first: Block, blocks: Generator[Block], schema: pa.Schema, read: ReadLines) -> Generator[list[Settled]]:
    waiting: list[Block] = []
    with closing(blocks):
        for block in chain([first], blocks):
            waiting.append(block)
            if len(waiting) >= _TOGETHER or not any(len(one.doubted) for one in waiting):
                yield list(_settled(waiting, schema, read))
                waiting = []
        yield list(_settled(waiting, schema, read))


def _settled(blocks: list[Block], schema: pa.Schema, read: ReadLines) -> Iterator[Settled]:
    """The rows of some blocks, with those that were doubted as `read` gives them."""
    lines = b"".join(block.lines for block in blocks)
    found = read(lines).cast(schema).combine_chunks() if lines else schema.empty_table()
    done = 0
    for block in blocks:
        mine = found.slice(done, len(block.doubted))
        done += len(block.doubted)
        yield _of(block, mine)
    if found.num_rows > done:
        yield Settled(found.slice(done).combine_chunks(), [], schema.empty_table(), None)


def _of(block: Block, rows: pa.Table) -> Settled:
    if rows.num_rows != len(block.doubted):
        return Settled(block.table, block.doubted.tolist(), rows, block)  # so it comes out with as many too few
    empty = np.ones(rows.num_rows, np.bool_)
    for column in rows.columns:
        empty &= column.is_null().to_numpy()
    # What no reader takes is a row of nulls, which stands there.
    return Settled(block.table, block.doubted[~empty].tolist(), rows.filter(pa.array(~empty)), block)


def in_place(table: pa.Table, places: Sequence[int], rows: pa.Table) -> Iterator[pa.Table]:
    """`table` in pieces, with each of `rows` in the place of one of its own."""
    begin = 0
    for number, at in enumerate(places):
        yield table.slice(begin, at - begin)
        yield rows.slice(number, 1)
        begin = at + 1
    yield table.slice(begin)
