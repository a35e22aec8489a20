"""A layout's expression evaluated on Arrow columns: what DuckDB makes of it, without the ways in and out of DuckDB.

Only operations whose meaning is the same in both are known here; an expression with any other stays with the engine.
Branches that no row takes are not worked out, and what is taken over as it is is not copied.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import ibis
import ibis.expr.operations as ops
import numpy as np
import pyarrow as pa

from groundswell.engines.contract import RECORD
from groundswell.engines.operations import Compiler, ReadWhole, Rows, Step, UnknownOperationError
from groundswell.engines.shape import shape_batch

if TYPE_CHECKING:
    from groundswell.platforms.layout import Layout


def numbered(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows of a file as `Evaluator.shaped` gives them, numbered."""
    first, at = 0, schema.get_field_index(RECORD)
    for batch in batches:
        numbers = pa.array(np.arange(first, first + batch.num_rows))
        first += batch.num_rows
        yield batch.set_column(at, schema.field(RECORD), numbers)


class Evaluator:
    """One layout's expression. `of` makes one; calling it with raw rows gives what DuckDB would give for them."""

    def __init__(self, columns: dict[str, tuple[Step, pa.DataType]], read: ReadWhole) -> None:
        self._columns = columns
        self._read = read

    @classmethod
    def of(cls, layout: Layout, read: ReadWhole) -> Evaluator | None:
        """The evaluator of a layout; null where its expression has an operation that is not known here."""
        expression = layout.posts(ibis.table(dict(layout.raw), name="raw")).op()
        compiler = Compiler()
        try:
            if not isinstance(expression, ops.Project):
                return None
            columns = {
                name: (compiler.step(node), ibis.dtype(node.dtype).to_pyarrow())
                for name, node in expression.values.items()
            }
        except UnknownOperationError:
            return None
        return cls(columns, read)

    def shaped(self, raw: pa.Table, schema: pa.Schema) -> pa.Table:
        """The rows of `schema` for those of `raw`, not numbered yet."""
        return pa.Table.from_batches([shape_batch(self(raw), schema=schema)], schema)

    def __call__(self, raw: pa.Table) -> pa.RecordBatch:
        """The columns of the expression for each row of `raw`."""
        given = {
            name: column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
            for name, column in zip(raw.column_names, raw.columns, strict=True)
        }
        rows = Rows(given, raw.num_rows, self._read)
        arrays = [rows.column(step, kind) for step, kind in self._columns.values()]
        return pa.RecordBatch.from_arrays(arrays, names=list(self._columns))
