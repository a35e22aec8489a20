"""Decoded JSON as the struct with text leaves that DuckDB's reader gives, for engines that parse by themselves.

A leaf that is text stays as it is; a number, a boolean, a list or an object becomes its JSON text; a value where
a struct or a list is expected, and is none, becomes null.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec
import pyarrow as pa

_encode: Final = msgspec.json.Encoder().encode

Reader = Callable[[Any], Any]


def reader_of(kind: pa.DataType) -> Reader:
    """A function from a decoded value to a Python value of `kind`: structs, lists and strings.

    >>> reader_of(pa.list_(pa.string()))([1, "a", None, {"b": True}])
    ['1', 'a', None, '{"b":true}']
    """
    if pa.types.is_struct(kind):
        fields = {field.name: reader_of(field.type) for field in kind}

        def read_struct(value: Any) -> dict[str, Any] | None:
            if not isinstance(value, dict):
                return None
            return {name: read(value.get(name)) for name, read in fields.items()}

        return read_struct
    if pa.types.is_list(kind):
        read_item = reader_of(kind.value_type)
        return lambda value: [read_item(item) for item in value] if isinstance(value, list) else None
    return leaf_text


def leaf_text(value: Any) -> str | None:
    """A leaf as text; null for null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return _encode(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def columns_of(records: Iterable[Mapping[str, Any]], schema: pa.Schema) -> list[pa.Array]:
    """The declared part of some decoded objects, one array for each field of `schema`."""
    rows = list(records)
    return [
        pa.array([read(row.get(field.name)) for row in rows], field.type)
        for field, read in ((field, reader_of(field.type)) for field in schema)
    ]


def text_columns(rows: pa.Table, schema: pa.Schema) -> dict[str, pa.Array | pa.ChunkedArray]:
    """The columns of `schema` out of a table of texts; nulls of its type where one is not there or is not flat."""
    return {
        field.name: rows[field.name].cast(pa.string())
        if field.name in rows.column_names and field.type == pa.string()
        else pa.nulls(rows.num_rows, field.type)
        for field in schema
    }
