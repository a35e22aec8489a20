"""Found posts as files: CSV that is safe to open in a spreadsheet, Parquet, and plain JSON values."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

#: A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_ROWS: Final = 4096


def safe_cell(text: str) -> str:
    """`text`, with an apostrophe before it if a spreadsheet would run it as a formula.

    >>> safe_cell("=HYPERLINK(1)"), safe_cell("5 = five")
    ("'=HYPERLINK(1)", '5 = five')
    """
    return "'" + text if text.startswith(FORMULA_STARTS) else text


def write_csv(table: pa.Table, target: BinaryIO) -> None:
    """Write `table` as CSV (UTF-8, header, CRLF as RFC 4180 says) to `target`.

    Null is an empty cell, a time RFC 3339 UTC, a list of texts joined by spaces, anything else nested JSON. Text
    that a spreadsheet would run gets an apostrophe; Parquet and JSON keep every value as it is.
    """
    stream = io.TextIOWrapper(target, "utf-8", newline="")
    try:
        writer = csv.writer(stream)
        writer.writerow(table.column_names)
        for row in documents(table):
            writer.writerow([_cell(value) for value in row.values()])
        stream.flush()
    finally:
        stream.detach()


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


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = " ".join(value)
    elif isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False)
    elif isinstance(value, bool):
        return "true" if value else "false"
    return safe_cell(value) if isinstance(value, str) else value
