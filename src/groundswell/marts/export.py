"""Found posts as files: CSV that is safe to open in a spreadsheet, Parquet, and plain JSON values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from groundswell.marts.cells import csv_header, csv_lines, safe_cell

__all__ = ["documents", "safe_cell", "write_csv", "write_parquet"]

_ROWS: Final = 4096


def write_csv(table: pa.Table, target: BinaryIO) -> None:
    """Write `table` as CSV (UTF-8, header, CRLF as RFC 4180 says) to `target`.

    Text stands in quotes, null is an empty cell, a time RFC 3339 UTC, a list of texts joined by spaces, anything else
    nested JSON. Text that a spreadsheet would run gets an apostrophe; Parquet and JSON keep every value as it is.
    """
    target.write(csv_header(table.column_names))
    for batch in table.to_batches(_ROWS):
        target.write(csv_lines(batch))


def write_parquet(table: pa.Table, target: Path | BinaryIO) -> None:
    """Write `table` as Parquet (zstd)."""
    pq.write_table(table, target, compression="zstd")


def documents(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Each row of `table` as a JSON-ready object: times as RFC 3339 UTC, maps as objects, null kept."""
    maps = [f.name for f in table.schema if pa.types.is_map(f.type)]
    for batch in table.to_batches(_ROWS):
        for row in batch.to_pylist():
            for name in maps:
                row[name] = None if row[name] is None else dict(row[name])
            yield {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value
