"""Insert-or-update in the dialect of the desk; SQLite and PostgreSQL share the clause but not the construct."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session


def upsert(
    session: Session,
    table: type[DeclarativeBase],
    rows: Sequence[Mapping[str, Any]],
    *,
    keep: frozenset[str] = frozenset(),
) -> None:
    """Write `rows`; where the primary key is there already, overwrite all columns given but those in `keep`."""
    if not rows:
        return
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(table)
    keys = [column.name for column in table.__table__.primary_key]
    given = {name: statement.excluded[name] for name in rows[0] if name not in keys and name not in keep}
    if given:
        statement = statement.on_conflict_do_update(index_elements=keys, set_=given)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    session.execute(statement, [dict(row) for row in rows])


def upsert_all(session: Session, table: type[DeclarativeBase], rows: Sequence[Mapping[str, Any]]) -> None:
    """As `upsert`, of tens of thousands of rows with a plain value for each column of the table.

    They go to the driver as they are, in the order of their keys, so that neighbours in the index are written together.
    """
    if not rows:
        return
    connection = session.connection()
    columns = list(table.__table__.columns)
    keys = [column.name for column in table.__table__.primary_key]
    names = [column.name for column in columns]
    set_ = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    begin = f"INSERT INTO {table.__tablename__} ({', '.join(names)})"
    end = f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {set_}"
    ordered = sorted(map(itemgetter(*names), rows), key=itemgetter(*(names.index(key) for key in keys)))
    if connection.dialect.name == "postgresql":
        kinds = [column.type.compile(connection.dialect) for column in columns]
        arrays = ", ".join(f"%s::{kind}[]" for kind in kinds)
        statement = f"{begin} SELECT * FROM unnest({arrays}) {end}"  # noqa: S608 - names of our own tables
        connection.exec_driver_sql(statement, tuple(list(column) for column in zip(*ordered, strict=True)))
        return
    marks = ", ".join("?" for _ in names)
    connection.exec_driver_sql(f"{begin} VALUES ({marks}) {end}", ordered)
