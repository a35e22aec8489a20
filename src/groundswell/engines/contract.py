"""What an engine must do: run one layout's expression over raw records, and run queries over tables.

An engine never interprets data: what a record means stands in the layout's Ibis expression, and the same
expression runs on every engine. The contract suite (`tests/contracts`) compares the rows of all engines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from groundswell.stores import Place

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from groundswell.platforms.layout import Layout

#: Column that every engine adds to what `map_*` yields: the number of the record in its input, from 0.
RECORD = "record"


class Places(Protocol):
    """Takes the places of the lines that an engine comes upon, so that nobody needs to look for them again."""

    def feed(self, starts: NDArray[np.int64], numbers: NDArray[np.int64]) -> None:
        """The next lines that are not blank: the byte at which each begins, and its number, where blank ones count."""


class Engine(Protocol):
    """Runs Ibis expressions; streams results as Arrow record batches of bounded size."""

    name: str

    def map_json(
        self, path: Path, layout: Layout, *, explain: bool = True, places: Places | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Map the NDJSON file at `path` (UTF-8, no BOM, no line over the record limit) by `layout`.

        Yields batches of `MAPPED` columns + `reject` + `unread` + `record` (int64, from 0, counting the
        non-blank lines), ordered by `record`, exactly one row for each non-blank line. A line that is not a
        JSON object gives a row whose `reject` is not null, and with `explain` says what is wrong with it, for
        which the rejected lines are read once more. An engine that finds the lines by itself tells `places` where
        those of a batch are before it yields the batch; others, which is as good, tell it of none at all.
        """
        ...

    def map_rows(self, rows: pa.Table, layout: Layout) -> Iterator[pa.RecordBatch]:
        """Map a table of text columns (a chunk of a CSV) by `layout`; as `map_json` otherwise."""
        ...

    def read_table(self, files: Sequence[Place], schema: pa.Schema) -> ir.Table:
        """An Ibis table over the Parquet `files` of a snapshot (none: an empty table of `schema`).

        Hive partition folders in the paths (`platform=…/month=…`) appear as text columns.
        """
        ...

    def register(self, name: str, data: pa.Table) -> ir.Table:
        """An Ibis table over Arrow data in memory; `name` is a hint only."""
        ...

    def run(self, expression: ir.Table, parameters: Mapping[str, object] | None = None) -> pa.RecordBatchReader:
        """Run an expression made of this engine's tables and stream its rows."""
        ...

    def interrupt(self) -> None:
        """End what another thread runs here now, with an error in that thread; does nothing if it runs nothing."""
        ...

    def close(self) -> None:
        """Release what the engine holds; further calls fail."""
        ...
