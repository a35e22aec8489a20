"""When the quick reader is used, and what it doubts put back in its place by the engine's own reader."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
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
    from groundswell.engines.quick import Block
    from groundswell.platforms.layout import Layout

#: Bytes of a file from which the threads of the quick reader pay for themselves.
LEAST: Final = 8 << 20
#: Doubted records in the first block of a file (some thousand) that are not too many: with more, reading them again
#: and putting them in their places costs what the quick reader saves.
MOST_DOUBTED: Final = 0
#: Blocks whose doubted records are read together: a query costs as much as reading two thousand records.
_TOGETHER: Final = 8

#: Reads lines of NDJSON as an engine does: one row for each.
ReadLines = Callable[[bytes], pa.Table]


@dataclass(frozen=True, slots=True)
class QuickRows:
    """The raw rows of a file, in order."""

    schema: pa.Schema
    rows: Generator[pa.RecordBatch]


def quick_rows(path: Path, layout: Layout, read: ReadLines, workers: int) -> QuickRows | None:
    """The raw rows of a large NDJSON file by the quick reader; null where an engine's own reader is to be used.

    That is so where the first block holds more than `MOST_DOUBTED` records that are to be read again. `read` reads
    those. Where it gives fewer or more rows than lines, so does what comes out.
    """
    if loaded() is None or path.stat().st_size < LEAST:
        return None
    from groundswell.engines.quick import QuickReader  # noqa: PLC0415 - loads the compiler

    reader = QuickReader(ibis.schema(dict(layout.raw)).to_pyarrow())
    blocks = reader.blocks(path, workers)
    first = next(blocks, None)
    if first is None or len(first.doubted) > MOST_DOUBTED:
        blocks.close()
        return None
    return QuickRows(reader.schema, _rows(first, blocks, reader.schema, read))


def _rows(first: Block, blocks: Generator[Block], schema: pa.Schema, read: ReadLines) -> Generator[pa.RecordBatch]:
    waiting: list[Block] = []
    with closing(blocks):
        for block in chain([first], blocks):
            waiting.append(block)
            if len(waiting) >= _TOGETHER or not any(len(one.doubted) for one in waiting):
                yield from _settled(waiting, schema, read)
                waiting = []
        yield from _settled(waiting, schema, read)


def _settled(blocks: list[Block], schema: pa.Schema, read: ReadLines) -> Iterator[pa.RecordBatch]:
    """The rows of some blocks, with those that were doubted as `read` gives them."""
    lines = b"".join(block.lines for block in blocks)
    found = read(lines).cast(schema) if lines else schema.empty_table()
    done = 0
    for block in blocks:
        mine = found.slice(done, len(block.doubted))
        done += len(block.doubted)
        yield from _spliced(block, mine).to_batches()
    yield from found.slice(done).combine_chunks().to_batches()


def _spliced(block: Block, rows: pa.Table) -> pa.Table:
    """The table of a block with `rows` in the places of those that were doubted."""
    empty = np.ones(rows.num_rows, np.bool_)
    for column in rows.columns:
        empty &= column.is_null().to_numpy()
    if rows.num_rows == len(block.doubted):
        # What no reader takes is a row of nulls, which stands there.
        places, rows = block.doubted[~empty].tolist(), rows.filter(pa.array(~empty))
    else:
        places = block.doubted.tolist()
    if not places:
        return block.table
    parts, begin = [], 0
    for number, at in enumerate(places):
        parts += [block.table.slice(begin, at - begin), rows.slice(number, 1)]
        begin = at + 1
    # In one piece again: DuckDB takes no structs that begin within a piece.
    return pa.concat_tables([*parts, block.table.slice(begin)]).combine_chunks()
