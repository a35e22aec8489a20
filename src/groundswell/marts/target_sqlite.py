"""Rows into a table of a SQLite file, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from groundswell.errors import UnavailableError, UsageError
from groundswell.marts.targets import Target, Told, Written, flat, in_parts
from groundswell.sources.sqlite import path_of, quoted

#: How long another writer is waited for, seconds.
_PATIENCE_S: Final = 30.0
_TIME: Final = "%Y-%m-%dT%H:%M:%S"


def write_sqlite(target: Target, rows: pa.RecordBatchReader, tell: Told) -> Written:
    """Write `rows`; see `groundswell.marts.targets.write_rows`. Times are ISO 8601 text in UTC."""
    path = path_of(target.address)
    try:
        connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)
    except sqlite3.Error as error:
        what = f"SQLite cannot open the file ({error})"
        raise UnavailableError(what, where=path, hint="check that its folder is there and may be written") from error
    try:
        connection.execute("begin immediate")
        written = _write(connection, target, rows, tell)
        connection.execute("commit")
    except sqlite3.OperationalError as error:
        what = f"SQLite cannot write ({error})"
        hint = "nothing was written; check the disk, and that no other program holds the file"
        raise UnavailableError(what, where=path, hint=hint) from error
    except sqlite3.Error as error:
        what = f"SQLite does not take the rows ({error})"
        hint = "nothing was written; write to a table of another name"
        raise UsageError(what, where=f"{path}::{target.table}", hint=hint) from error
    finally:
        connection.close()
    return written


def _write(connection: sqlite3.Connection, target: Target, rows: pa.RecordBatchReader, tell: Told) -> Written:
    _make(connection, target, rows.schema)
    names = rows.schema.names
    table = quoted(target.table)
    before = _count(connection, table)
    statement = _upsert(table, names, target.key)
    changed = connection.total_changes
    count = 0
    for batch in in_parts(rows):
        columns = [_values(column) for column in flat(batch).columns]
        connection.executemany(statement, zip(*columns, strict=True))
        count += batch.num_rows
        tell(count)
    inserted = _count(connection, table) - before
    return target.written(count, inserted, connection.total_changes - changed - inserted)


def _make(connection: sqlite3.Connection, target: Target, schema: pa.Schema) -> None:
    """The table with all columns; what there is stays."""
    table = quoted(target.table)
    there = {row[1] for row in connection.execute(f"pragma table_info({table})")}
    declared = {field.name: f"{quoted(field.name)} {_type(field.type)}" for field in schema}
    if not there:
        keys = ", ".join(map(quoted, target.key))
        connection.execute(f"create table {table} ({', '.join(declared.values())}, primary key ({keys}))")
        return
    for name, column in declared.items():
        if name not in there:
            connection.execute(f"alter table {table} add column {column}")


def _upsert(table: str, names: Sequence[str], keys: Sequence[str]) -> str:
    """Insert, or bring up to date where something differs."""
    columns = ", ".join(map(quoted, names))
    marks = ", ".join("?" for _ in names)
    rest = [quoted(name) for name in names if name not in keys]
    insert = f"insert into {table} ({columns}) values ({marks}) on conflict ({', '.join(map(quoted, keys))}) do "  # noqa: S608 - quoted names
    if not rest:
        return f"{insert} nothing"
    news = ", ".join(f"{name} = excluded.{name}" for name in rest)
    differs = " or ".join(f"{table}.{name} is not excluded.{name}" for name in rest)
    return f"{insert} update set {news} where {differs}"


def _count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"select count(*) from {table}").fetchone()[0])  # noqa: S608 - a quoted name


def _type(type_: pa.DataType) -> str:
    if pa.types.is_integer(type_) or pa.types.is_boolean(type_):
        return "integer"
    return "real" if pa.types.is_floating(type_) else "text"


def _values(column: pa.ChunkedArray) -> list[Any]:
    type_ = column.type
    if pa.types.is_timestamp(type_):
        column = pc.strftime(column, format=_TIME + ("Z" if type_.tz else ""))
    elif not (pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_boolean(type_)):
        column = column.cast(pa.string())
    values: list[Any] = column.to_pylist()
    return values
