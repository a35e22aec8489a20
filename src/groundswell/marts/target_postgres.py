"""Rows into a table of PostgreSQL: copied beside it, then merged by key, in one transaction."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as pacsv

from groundswell.errors import UnavailableError, UsageError
from groundswell.marts.targets import Target, Told, Written, flat, in_parts, is_nested
from groundswell.sources.postgres import load_driver, open_connection

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

#: The order in which rows came, in the table beside: of two with one key the later counts.
_NUMBER = "groundswell_row"


def write_postgres(target: Target, rows: pa.RecordBatchReader, tell: Told) -> Written:
    """Write `rows`; see `groundswell.marts.targets.write_rows`."""
    driver = load_driver()
    where = f"{target.address.shown}::{target.table}"
    connection = open_connection(target.address)
    try:
        with connection.transaction():
            connection.execute("set local timezone = 'UTC'; set local datestyle = 'ISO, YMD'")
            return _write(connection, target, rows, tell)
    except driver.OperationalError as error:
        what = f"the connection to PostgreSQL broke ({target.address.without_secrets(error)})"
        raise UnavailableError(what, where=where, hint="nothing was written; try again") from None
    except driver.Error as error:
        what = f"PostgreSQL does not take the rows: {target.address.without_secrets(error)[:300]}"
        hint = "nothing was written; write to a table of another name, or give it a unique key on "
        raise UsageError(what, where=where, hint=hint + ", ".join(target.key)) from None
    finally:
        connection.close()


def _write(
    connection: psycopg.Connection[tuple[Any, ...]], target: Target, rows: pa.RecordBatchReader, tell: Told
) -> Written:
    from psycopg import sql  # noqa: PLC0415 - an extra

    table = sql.Identifier(*target.table.split("."))
    _make(connection, target, table, rows.schema)
    beside = sql.Identifier("groundswell_beside")
    typed = [*_declared(rows.schema), sql.SQL("{} bigserial").format(sql.Identifier(_NUMBER))]
    connection.execute(sql.SQL("create temp table {} ({}) on commit drop").format(beside, sql.SQL(", ").join(typed)))
    names = sql.SQL(", ").join(map(sql.Identifier, rows.schema.names))
    copy = sql.SQL("copy {} ({}) from stdin (format csv)").format(beside, names)
    count = 0
    with connection.cursor() as cursor, cursor.copy(copy) as pipe:
        for batch in in_parts(rows):
            pipe.write(csv_rows(flat(batch)))
            count += batch.num_rows
            tell(count)
    inserted, updated = _merge(connection, target, table, beside, rows.schema.names)
    return target.written(count, inserted, updated)


def _make(
    connection: psycopg.Connection[tuple[Any, ...]], target: Target, table: sql.Identifier, schema: pa.Schema
) -> None:
    """The table with all columns; what there is stays."""
    from psycopg import sql  # noqa: PLC0415 - an extra

    columns = sql.SQL(", ").join(_declared(schema))
    keys = sql.SQL(", ").join(map(sql.Identifier, target.key))
    connection.execute("set local client_min_messages = warning")
    connection.execute(sql.SQL("create table if not exists {} ({}, primary key ({}))").format(table, columns, keys))
    for column in _declared(schema):
        connection.execute(sql.SQL("alter table {} add column if not exists {}").format(table, column))


def _merge(
    connection: psycopg.Connection[tuple[Any, ...]],
    target: Target,
    table: sql.Identifier,
    beside: sql.Identifier,
    names: list[str],
) -> tuple[int, int]:
    """Rows that were new, and rows that were brought up to date."""
    from psycopg import sql  # noqa: PLC0415 - an extra

    def listed(chosen: list[str], form: str = "{0}") -> sql.Composed:
        return sql.SQL(", ").join(sql.SQL(form).format(sql.Identifier(name)) for name in chosen)

    keys, rest = listed(list(target.key)), [name for name in names if name not in target.key]
    action = sql.SQL("nothing").format()
    if rest:
        action = sql.SQL("update set {news} where ({old}) is distinct from ({new})").format(
            news=listed(rest, "{0} = excluded.{0}"), old=listed(rest, "there.{0}"), new=listed(rest, "excluded.{0}")
        )
    statement = sql.SQL(
        """
        with merged as (
            insert into {table} as there ({names})
            select {names} from (select distinct on ({keys}) * from {beside} order by {keys}, {number} desc) as latest
            on conflict ({keys}) do {action} returning (xmax = 0) as is_new
        ) select count(*) filter (where is_new), count(*) filter (where not is_new) from merged
        """
    ).format(table=table, names=listed(names), keys=keys, beside=beside, number=sql.Identifier(_NUMBER), action=action)
    inserted, updated = connection.execute(statement).fetchone() or (0, 0)
    return int(inserted), int(updated)


def _declared(schema: pa.Schema) -> list[sql.Composed]:
    """Each column with its type."""
    from psycopg import sql  # noqa: PLC0415 - an extra

    return [sql.SQL("{} " + column_type(field.type)).format(sql.Identifier(field.name)) for field in schema]


def column_type(type_: pa.DataType) -> str:  # noqa: PLR0911 - one line for each type
    """PostgreSQL's type for one of Arrow's."""
    if is_nested(type_):
        return "jsonb"
    if pa.types.is_boolean(type_):
        return "boolean"
    if pa.types.is_integer(type_):
        return "bigint"
    if pa.types.is_floating(type_):
        return "double precision"
    if pa.types.is_decimal(type_):
        return "numeric"
    if pa.types.is_timestamp(type_):
        return "timestamptz" if type_.tz else "timestamp"
    return "date" if pa.types.is_date(type_) else "text"


def csv_rows(table: pa.Table) -> bytes:
    """Rows (`flat`) as `COPY … (format csv)` reads them: a null is an empty cell, an empty text stands in quotes."""
    out = io.BytesIO()
    pacsv.write_csv(table, out, pacsv.WriteOptions(include_header=False, quoting_style="needed"))
    return out.getvalue()
