"""Columns as the text of cells, a whole column at once: what a CSV file or a spreadsheet shows of each value."""

from __future__ import annotations

import json
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

#: A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_FORMULA: Final = r"^([=+\-@\t\r])"


def safe_cell(text: str) -> str:
    """`text`, with an apostrophe before it if a spreadsheet would run it as a formula.

    >>> safe_cell("=HYPERLINK(1)"), safe_cell("5 = five")
    ("'=HYPERLINK(1)", '5 = five')
    """
    return "'" + text if text.startswith(FORMULA_STARTS) else text


def is_bare(kind: pa.DataType) -> bool:
    """Whether values of a type stand in a cell as they are: numbers, flags and times, which are nobody's text."""
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_timestamp(kind)
    )


def cell_texts(column: pa.Array) -> pa.Array:
    """Each value as the text of a cell; null stays null.

    A time is RFC 3339 UTC, a list of texts joined by spaces, anything else nested JSON, binary hexadecimal.
    """
    kind = column.type
    if pa.types.is_timestamp(kind):
        return _times(column)
    if is_bare(kind):
        return column.cast(pa.string())
    if pa.types.is_string(kind):
        return column
    if pa.types.is_list(kind) and pa.types.is_string(kind.value_type):
        return pc.binary_join(column, " ")
    if pa.types.is_binary(kind):
        return pa.array([None if value is None else value.hex() for value in column.to_pylist()], pa.string())
    return pa.array([_json(value, is_map=pa.types.is_map(kind)) for value in column.to_pylist()], pa.string())


def safe_texts(column: pa.Array) -> pa.Array:
    """`safe_cell` of every text of a column."""
    return pc.replace_substring_regex(column, _FORMULA, r"'\1")


def formula_cells(batch: pa.RecordBatch | pa.Table) -> int:
    """How many cells of text a spreadsheet would run."""
    texts = [cell_texts(_whole(batch.column(name))) for name in batch.schema.names if _is_text(batch, name)]
    return sum(pc.sum(pc.match_substring_regex(column, _FORMULA)).as_py() or 0 for column in texts)


def csv_lines(batch: pa.RecordBatch | pa.Table) -> bytes:
    """The rows of a batch as lines of CSV (RFC 4180: CRLF); text stands in quotes, null is an empty cell."""
    cells = []
    for name in batch.schema.names:
        column = _whole(batch.column(name))
        texts = cell_texts(column)
        cells.append(pc.fill_null(texts if is_bare(column.type) else _quoted(safe_texts(texts)), ""))
    if not batch.num_rows:
        return b""
    lines = pc.binary_join_element_wise(*cells, ",")
    ended = pc.binary_join_element_wise(lines, "", "\r\n")
    return "".join(ended.to_pylist()).encode()


def csv_header(names: list[str]) -> bytes:
    """The line of column names."""
    return (",".join(f'"{safe_cell(name).replace(chr(34), chr(34) * 2)}"' for name in names) + "\r\n").encode()


def _is_text(batch: pa.RecordBatch | pa.Table, name: str) -> bool:
    return not is_bare(batch.schema.field(name).type)


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _quoted(texts: pa.Array) -> pa.Array:
    inner = pc.replace_substring(texts, '"', '""')
    return pc.binary_join_element_wise('"', inner, '"', "")


def _times(column: pa.Array) -> pa.Array:
    """RFC 3339, with microseconds only where there are some."""
    micros = column.cast(pa.timestamp("us", "UTC"))
    whole = pc.equal(pc.microsecond(micros), 0)
    whole = pc.and_(whole, pc.equal(pc.millisecond(micros), 0))
    short = pc.strftime(micros.cast(pa.timestamp("s", "UTC"), safe=False), "%Y-%m-%dT%H:%M:%SZ")
    return pc.if_else(whole, short, pc.strftime(micros, "%Y-%m-%dT%H:%M:%SZ"))


def _json(value: Any, *, is_map: bool) -> str | None:
    if value is None:
        return None
    return json.dumps(dict(value) if is_map else value, ensure_ascii=False)
