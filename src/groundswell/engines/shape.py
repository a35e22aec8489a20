"""From what an expression gives to the columns of the contract, in Arrow and therefore alike on every engine.

An expression gives times as int64 microseconds, `metrics` as a struct of counters, `extra` as a struct of texts,
`challenges` as structs of id and name under the names of the platform, hashtags as the platform wrote them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.engines.cells import read_cells
from groundswell.engines.contract import RECORD
from groundswell.platforms.casts import CELLS
from groundswell.schema import CHALLENGES, MAPPED_OF, METRICS, REJECT, TIMESTAMP, UNREAD
from groundswell.text.tags import fold_tags

_ADDED: Final = (pa.field(REJECT, pa.string()), pa.field(UNREAD, pa.string()), pa.field(RECORD, pa.int64()))
#: What `map_json` and `map_rows` yield for a layout of each table.
OUTPUTS: Final = {table: pa.schema([*mapped, *_ADDED]) for table, mapped in MAPPED_OF.items()}
OUTPUT: Final = OUTPUTS["posts"]

_encode: Final = msgspec.json.Encoder().encode


def shape_batch(batch: pa.RecordBatch, first_record: int | None = None, schema: pa.Schema = OUTPUT) -> pa.RecordBatch:
    """`batch` with the columns of `schema`; records are numbered from `first_record` where they are not yet."""
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    if CELLS in columns:
        _read_cells(columns, schema)
    if first_record is not None:
        columns[RECORD] = pa.array(np.arange(first_record, first_record + batch.num_rows))
    arrays = [_shaped(field, columns.get(field.name), batch.num_rows) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _read_cells(columns: dict[str, pa.Array], schema: pa.Schema) -> None:
    """Put what the plain cells hold where it belongs."""
    cells = read_cells(columns.pop(CELLS), schema)
    columns |= cells.columns
    if cells.metrics:
        columns["metrics"] = pa.StructArray.from_arrays(list(cells.metrics.values()), list(cells.metrics))
    if cells.unread:
        told = columns[UNREAD].to_pylist()
        for row, text in cells.unread.items():
            told[row] = f"{told[row]}; {text}" if told[row] else text
        columns[UNREAD] = pa.array(told, pa.string())


def _shaped(field: pa.Field, column: pa.Array | None, rows: int) -> pa.Array:
    if column is None:
        return pa.nulls(rows, field.type)
    if field.name in _SPECIAL:
        column = _SPECIAL[field.name](column)
    if column.type == field.type:
        return column
    if field.type == TIMESTAMP and pa.types.is_integer(column.type):
        return column.cast(pa.int64()).view(TIMESTAMP)
    return column.cast(field.type)


def _metrics(column: pa.Array) -> pa.Array:
    """A struct of counters as a map of those that are known; null where none is."""
    if not pa.types.is_struct(column.type):
        return column
    names = [field.name for field in column.type]
    values = np.stack([_numbers(part) for part in column.flatten()], axis=1)
    known = np.stack([part.is_valid().to_numpy(zero_copy_only=False) for part in column.flatten()], axis=1)
    offsets = np.zeros(len(column) + 1, np.int32)
    np.cumsum(known.sum(axis=1), out=offsets[1:])
    keys = pa.array(names, pa.string()).take(pa.array(np.nonzero(known)[1]))
    items = pa.array(values[known], pa.int64())
    none = pa.array(~known.any(axis=1))
    return pa.MapArray.from_arrays(_with_nulls(offsets, none), keys, items, METRICS)


def _with_nulls(offsets: np.ndarray[Any, np.dtype[np.int32]], none: pa.Array) -> pa.Array:
    """Offsets in which a null says that the list which begins there is null."""
    mask = np.append(none.to_numpy(zero_copy_only=False), False)
    return pa.array(offsets, pa.int32(), mask=mask)


def _numbers(column: pa.Array) -> Any:
    return pc.fill_null(column.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)


def _extra(column: pa.Array) -> pa.Array:
    """A struct as the text of a JSON object of what is known; null where nothing is."""
    if not pa.types.is_struct(column.type):
        return column
    texts = []
    for row in column.to_pylist():
        known = {name: value for name, value in (row or {}).items() if value is not None}
        texts.append(_encode(known).decode() if known else None)
    return pa.array(texts, pa.string())


def _challenges(column: pa.Array) -> pa.Array:
    """The same lists of two texts under the names of the schema."""
    if column.type == CHALLENGES or not pa.types.is_list(column.type):
        return column
    if column.offset:  # Arrow builds no list with nulls on offsets that begin elsewhere
        column = pa.concat_arrays([column])
    items = column.values
    ids, names = (part.cast(pa.string()) for part in items.flatten())
    renamed = pa.StructArray.from_arrays([ids, names], fields=list(CHALLENGES.value_type))
    mask = column.is_null() if column.null_count else None
    return pa.ListArray.from_arrays(column.offsets, renamed, mask=mask).cast(CHALLENGES)


_SPECIAL: Final[dict[str, Callable[[pa.Array], pa.Array]]] = {
    "metrics": _metrics,
    "extra": _extra,
    "challenges": _challenges,
    "hashtags": fold_tags,
}
