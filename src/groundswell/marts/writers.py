"""Streams of rows as files: CSV that is safe to open in a spreadsheet, NDJSON, Parquet, XLSX; memory is bounded.

Each writer takes batches in turn. The file appears under its name when it is complete.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from groundswell.errors import UnavailableError, UsageError
from groundswell.marts.cells import cell_texts, csv_header, csv_lines, formula_cells
from groundswell.marts.export import documents

#: Rows of an XLSX sheet, the header left out, and characters of a cell (ECMA-376; Excel refuses more).
XLSX_ROWS: Final = 1_048_575
XLSX_CHARACTERS: Final = 32_767
#: Whole numbers above this are not exact in a spreadsheet.
XLSX_EXACT: Final = 10**15
_ROW_GROUP: Final = 65_536
_ROWS: Final = 16_384
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Tell = Callable[[int], None]


class FileFormat(StrEnum):
    """How rows are written to a file."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"
    XLSX = "xlsx"


def write_rows(
    rows: pa.RecordBatchReader | Iterable[pa.RecordBatch],
    schema: pa.Schema,
    path: Path,
    form: FileFormat,
    tell: Tell | None = None,
) -> tuple[int, dict[str, int]]:
    """Write all rows; how many there were, and what had to be changed for the form (what, how often).

    Raises:
        UsageError: more rows than an XLSX sheet holds.
        UnavailableError: the file cannot be written; nothing is left of it.
    """
    with new_file(path) as target:
        return _WRITERS[form](_told(rows, tell), schema, target)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that gets its name when it is complete."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as target:
            yield target
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        wrong = "cannot write the file"
        raise UnavailableError(wrong, where=path, hint=error.strerror or str(error)) from error
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _told(rows: Iterable[pa.RecordBatch], tell: Tell | None) -> Iterator[pa.RecordBatch]:
    done = 0
    for batch in rows:
        for start in range(0, batch.num_rows, _ROWS):
            yield batch.slice(start, _ROWS)
        done += batch.num_rows
        if tell is not None:
            tell(done)


def _csv(rows: Iterator[pa.RecordBatch], schema: pa.Schema, target: BinaryIO) -> tuple[int, dict[str, int]]:
    target.write(csv_header(schema.names))
    count = marked = 0
    for batch in rows:
        target.write(csv_lines(batch))
        count += batch.num_rows
        marked += formula_cells(batch)
    return count, {"cells with an apostrophe, so that no spreadsheet runs them": marked} if marked else {}


def _ndjson(rows: Iterator[pa.RecordBatch], schema: pa.Schema, target: BinaryIO) -> tuple[int, dict[str, int]]:
    count = 0
    for batch in rows:
        lines = [json.dumps(document, ensure_ascii=False) for document in documents(pa.Table.from_batches([batch]))]
        target.write("".join(f"{line}\n" for line in lines).encode())
        count += batch.num_rows
    return count, {}


def _parquet(rows: Iterator[pa.RecordBatch], schema: pa.Schema, target: BinaryIO) -> tuple[int, dict[str, int]]:
    count = waiting = 0
    held: list[pa.RecordBatch] = []
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for batch in rows:
            held.append(batch)
            waiting += batch.num_rows
            count += batch.num_rows
            if waiting >= _ROW_GROUP:
                writer.write_table(pa.Table.from_batches(held, schema), row_group_size=_ROW_GROUP)
                held, waiting = [], 0
        if held:
            writer.write_table(pa.Table.from_batches(held, schema), row_group_size=_ROW_GROUP)
    return count, {}


def _xlsx(rows: Iterator[pa.RecordBatch], schema: pa.Schema, target: BinaryIO) -> tuple[int, dict[str, int]]:
    from openpyxl import Workbook  # noqa: PLC0415 - only this form needs it
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 - only this form needs it

    book = Workbook(write_only=True)
    sheet = book.create_sheet("rows")
    changed: dict[str, int] = {}

    def cell(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        made = WriteOnlyCell(sheet, value=_sheet_text(value, changed))
        # Typed as text: a spreadsheet neither runs it nor makes a number of an id.
        made.data_type = "s"
        return made

    sheet.freeze_panes = "A2"
    sheet.append([cell(name) for name in schema.names])
    count = 0
    try:
        for batch in rows:
            count += batch.num_rows
            if count > XLSX_ROWS:
                wrong = f"an XLSX sheet holds {XLSX_ROWS:,} rows, and there are more"
                raise UsageError(
                    wrong, hint="choose --format csv or parquet, or fewer posts: a query, --since, --until"
                )
            columns = [_sheet_values(column) for column in batch.columns]
            for row in zip(*columns, strict=True):
                sheet.append([cell(value) for value in row])
    except BaseException:
        sheet.close()  # or its temporary file complains when it is forgotten
        raise
    book.save(target)
    return count, changed


def _sheet_values(column: pa.Array) -> list[Any]:
    """Values as a sheet takes them: whole numbers that it would round as text, times without a zone (UTC)."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        return [None if value is None else value.replace(tzinfo=None) for value in column.to_pylist()]
    if pa.types.is_boolean(kind) or pa.types.is_floating(kind):
        return list(column.to_pylist())
    if pa.types.is_integer(kind):
        return [str(v) if v is not None and abs(v) >= XLSX_EXACT else v for v in column.to_pylist()]
    return list(cell_texts(column).to_pylist())


def _sheet_text(text: str, changed: dict[str, int]) -> str:
    clean = _CONTROL.sub(" ", text)
    if clean != text:
        changed["control characters replaced"] = changed.get("control characters replaced", 0) + 1
    if len(clean) > XLSX_CHARACTERS:
        changed["texts cut to 32,767 characters"] = changed.get("texts cut to 32,767 characters", 0) + 1
        clean = clean[:XLSX_CHARACTERS]
    return clean


_WRITERS: Final = {
    FileFormat.CSV: _csv,
    FileFormat.NDJSON: _ndjson,
    FileFormat.PARQUET: _parquet,
    FileFormat.XLSX: _xlsx,
}
