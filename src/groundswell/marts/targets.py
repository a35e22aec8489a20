"""Databases as targets: rows become a table or a collection, each once by its key, however often it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.errors import UnknownChoiceError, UsageError
from groundswell.sources.databases import MONGODB, POSTGRESQL, SQLITE, Address, is_database, scheme

__all__ = ["Target", "Written", "is_database", "write_rows"]

#: Rows that are written together.
ROWS: Final = 5_000

Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the rows. `target` is the address without password; `unchanged` rows were there as they are."""

    target: str
    table: str
    rows: int
    inserted: int
    updated: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go: a table of a database, and the columns that tell its rows apart."""

    address: Address
    table: str
    key: tuple[str, ...]

    def written(self, rows: int, inserted: int, updated: int) -> Written:
        """The outcome."""
        return Written(self.address.shown, self.table, rows, inserted, updated, rows - inserted - updated)


def write_rows(
    url: str,
    table: str,
    rows: pa.RecordBatchReader,
    key: str | Sequence[str] = "key",
    progress: Told | None = None,
) -> Written:
    """Write `rows` to a table (a collection) of a database; a row whose key is there already is brought up to date.

    The table is made with the key as its primary key if it is not there, and columns that it lacks are added; columns
    that only the table has stay as they are. SQL databases have all rows or none.

    Args:
        url: address of the database: `sqlite:///…`, `postgresql://…` or `mongodb://…`.
        table: name of the table (`schema.name` in PostgreSQL) or the collection.
        rows: what to write; lists, maps and structs become JSON (`jsonb`), binary values hexadecimal text.
        key: the column or columns that tell rows apart; never null.
        progress: is told how many rows were written so far.

    Raises:
        UsageError: it is not the address of a database, or the table there does not fit.
        UnknownChoiceError: there is no such key column.
        UnavailableError: the database cannot be reached or written; its driver is missing.
    """
    keys = (key,) if isinstance(key, str) else tuple(key)
    for name in keys:
        if name not in rows.schema.names:
            kind = "key column"
            raise UnknownChoiceError(kind, name, rows.schema.names)
    target = Target(Address.parse(url), table, keys)
    tell = progress or (lambda _rows: None)
    driver = scheme(url)
    if driver in POSTGRESQL:
        from groundswell.marts.target_postgres import write_postgres  # noqa: PLC0415 - each needs its own driver

        return write_postgres(target, rows, tell)
    if driver in MONGODB:
        from groundswell.marts.target_mongo import write_mongo  # noqa: PLC0415 - each needs its own driver

        return write_mongo(target, rows, tell)
    if driver in SQLITE:
        from groundswell.marts.target_sqlite import write_sqlite  # noqa: PLC0415 - each needs its own driver

        return write_sqlite(target, rows, tell)
    what = "this is no address of a database"
    raise UsageError(what, where=url, hint="valid: sqlite:///FILE, postgresql://USER@HOST/DB, mongodb://HOST/DB")


def flat(batch: pa.RecordBatch) -> pa.Table:
    """Columns of a batch as SQL databases take them: nested values as JSON text, binary as hexadecimal text."""
    columns = [_flat(column) for column in batch.columns]
    return pa.table(columns, names=batch.schema.names)


def in_parts(rows: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The batches of a reader, none longer than `ROWS`."""
    for batch in rows:
        for start in range(0, batch.num_rows, ROWS):
            yield batch.slice(start, ROWS)


def is_nested(type_: pa.DataType) -> bool:
    """Whether values of that type become JSON."""
    return bool(pa.types.is_nested(type_))


def plain(value: Any) -> Any:
    """A nested Arrow value in Python as JSON has it: a map as an object."""
    if isinstance(value, list):
        if value and all(isinstance(item, tuple) for item in value):
            return {str(name): plain(inner) for name, inner in value}
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, str):
        return value.replace("\0", "")
    return value.hex() if isinstance(value, bytes) else value


def _flat(column: pa.Array) -> pa.Array:
    type_ = column.type
    if pa.types.is_dictionary(type_):
        return _flat(column.dictionary_decode())
    if is_nested(type_):
        is_map = pa.types.is_map(type_)
        return pa.array([_json(value, is_map=is_map) for value in column.to_pylist()], pa.string())
    if pa.types.is_binary(type_) or pa.types.is_large_binary(type_) or pa.types.is_fixed_size_binary(type_):
        return pa.array([None if value is None else value.hex() for value in column.to_pylist()], pa.string())
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        # No SQL text holds a NUL.
        return pc.replace_substring(column.cast(pa.string()), "\0", "")
    return column


def _json(value: Any, *, is_map: bool) -> str | None:
    if value is None:
        return None
    known = plain(value)
    # An empty map looks like an empty list.
    return msgspec.json.encode(known or ({} if is_map else known)).decode()
