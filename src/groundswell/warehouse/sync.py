"""Bringing the warehouse up to date: what is new in the lake by COPY and a merge, a transaction for each part of it.

Where a sync is (the number of the last row that is there) is committed with the rows, so that one that was killed goes
on where it was, and a second one finds nothing to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, LiteralString

import pyarrow as pa

from groundswell.errors import ConflictError, UnavailableError, UsageError
from groundswell.lake.delta import commits
from groundswell.marts.target_postgres import column_type, csv_rows
from groundswell.marts.targets import flat, in_parts
from groundswell.sources.databases import POSTGRESQL, Address, scheme
from groundswell.sources.postgres import load_driver, open_connection
from groundswell.warehouse import observations, tables

if TYPE_CHECKING:
    import psycopg

    from groundswell.desk import Desk
    from groundswell.lake import Lake

    Connection = psycopg.Connection[tuple[Any, ...]]

SCHEMA: Final = "groundswell"
#: What is made anew stands here until all of it is there.
_NEW: Final = "groundswell_new"
#: Key of the lock that one sync of a database holds; any number that nobody else takes.
_LOCK: Final = 7_305_121_905
#: Columns of the desk's and the lake's small tables that tell their rows apart.
_SMALL: Final = {"trackers": ("tracker",), "alerts": ("alert",), "baselines": ("platform", "hour")}

Told = Callable[[str, int], None]
"""Told the name of a table and how many rows of it were read so far."""


@dataclass(slots=True)
class Synced:
    """What a sync did: rows read of each table, and how many the warehouse's tables have now."""

    warehouse: str
    full: bool
    reason: str | None
    """Why everything was made anew although nobody asked for it."""

    ingest_seq: int = 0
    lake_version: int = -1
    read: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def sync(lake: Lake, desk: Desk, url: str, *, full: bool = False, tell: Told = lambda _table, _rows: None) -> Synced:
    """Bring the warehouse at `url` up to date.

    Args:
        lake: where posts and accounts are.
        desk: where trackers and alerts are.
        url: a PostgreSQL database, `postgresql://USER@HOST/DB`.
        full: make everything anew; readers see what was there until all of the new is.
        tell: is told how far it is.

    Raises:
        UsageError: it is no address of a PostgreSQL database.
        ConflictError: another sync works on it.
        UnavailableError: lake, desk or database cannot be used; the next sync goes on.
    """
    if scheme(url) not in POSTGRESQL:
        what = "the warehouse is a PostgreSQL database"
        raise UsageError(what, where=Address.parse(url).shown, hint="write postgresql://USER@HOST/DB")
    address, begun = Address.parse(url), time.monotonic()
    driver = load_driver()
    with _alone(address) as connection:
        try:
            done = _Sync(lake, desk, connection, tell).run(address.shown, full=full)
        except driver.OperationalError as error:
            what = f"the connection to PostgreSQL broke ({address.without_secrets(error)})"
            raise UnavailableError(what, where=address.shown, hint="run it again: it goes on where it was") from None
        except driver.Error as error:
            what = f"PostgreSQL refuses: {address.without_secrets(error)[:300]}"
            hint = f"the schema `{SCHEMA}` must be Groundswell's own; ask the owner of the database for the right"
            raise UsageError(what, where=address.shown, hint=hint) from None
    done.seconds = round(time.monotonic() - begun, 3)
    return done


@contextmanager
def _alone(address: Address) -> Iterator[Connection]:
    connection = open_connection(address)
    try:
        row = connection.execute("select pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
        if row is None or not row[0]:
            what = "another sync brings this warehouse up to date"
            raise ConflictError(what, where=address.shown, hint="wait until it is done")
        connection.execute("set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set client_min_messages = warning")
        yield connection
    finally:
        connection.close()


@dataclass
class _Sync:
    lake: Lake
    desk: Desk
    connection: Connection
    tell: Told

    def run(self, shown: str, *, full: bool) -> Synced:
        there, begun = self._has(SCHEMA), self._has(_NEW)
        reason = None
        if there and not full and self._was_remapped():
            reason = "posts that were here were read anew by `remap`"
        if begun and reason is None and not full:
            reason = "a full sync was begun and did not come to its end"
        done = Synced(shown, full or reason is not None, reason)
        schema = _NEW if there and done.full else SCHEMA
        with self.connection.transaction():
            self.connection.execute(_sql(f"create schema if not exists {schema}"))
            self.connection.execute(_script("schema.sql", schema))
        done.lake_version = self.lake.version()
        done.read["posts"] = self._observations(schema, "posts", "merge.sql")
        done.read["authors"] = self._observations(schema, "authors", "merge_authors.sql")
        done.read |= self._small(schema)
        done.ingest_seq = self._reached(schema, "posts")
        self._finish(schema, done.lake_version)
        done.rows = {name: self._count(name) for name in _names(self.connection)}
        return done

    def _observations(self, schema: str, name: str, script: str) -> int:
        """Take in what is new of a table of the lake; the rows that were read."""
        after, count = self._reached(schema, name), 0
        for part in getattr(observations, name)(self.lake, after):
            with self.connection.transaction():
                self._copy("incoming", part.rows)
                self.connection.execute(_script(script, schema))
                self._mark(schema, name, part.last)
            count += part.rows.num_rows
            self.tell(name, count)
        self._mark(schema, name, max(after, self.lake.last_number(name)))
        return count

    def _small(self, schema: str) -> dict[str, int]:
        read = {}
        found = {"trackers": tables.trackers(self.desk), "alerts": tables.alerts(self.desk)}
        found["baselines"] = tables.baselines(self.lake)
        for name, rows in found.items():
            read[name] = rows.num_rows
            if not rows.num_rows:
                continue
            keys, columns = ", ".join(_SMALL[name]), ", ".join(rows.column_names)
            rest = [column for column in rows.column_names if column not in _SMALL[name]]
            news = ", ".join(f"{column} = excluded.{column}" for column in rest)
            old, new = (", ".join(f"{side}.{column}" for column in rest) for side in ("there", "excluded"))
            with self.connection.transaction():
                self._copy("incoming", rows, like=f"{schema}.{name}")
                self.connection.execute(
                    _sql(
                        f"insert into {schema}.{name} as there ({columns}) select {columns} from incoming "  # noqa: S608 - our own schema, tables and columns
                        f"on conflict ({keys}) do update set {news} where ({old}) is distinct from ({new})"
                    )
                )
            self.tell(name, rows.num_rows)
        return read

    def _copy(self, name: str, rows: pa.Table, like: str | None = None) -> None:
        """A table for this transaction with some rows."""
        columns = ", ".join(f"{column.name} {column_type(column.type)}" for column in rows.schema)
        made = f"create temp table {name} ({columns}) on commit drop"
        if like is not None:
            made = f"create temp table {name} (like {like}) on commit drop"
        self.connection.execute(_sql(made))
        names = ", ".join(rows.column_names)
        copy = _sql(f"copy {name} ({names}) from stdin (format csv)")
        with self.connection.cursor() as cursor, cursor.copy(copy) as pipe:
            for batch in in_parts(rows.to_reader()):
                pipe.write(csv_rows(flat(batch)))
        self.connection.execute(_sql(f"analyze {name}"))

    def _mark(self, schema: str, name: str, number: int) -> None:
        self.connection.execute(
            _sql(
                f"insert into {schema}.sync values (%s, %s, -1, null) "  # noqa: S608 - our own names
                "on conflict (name) do update set ingest_seq = excluded.ingest_seq"
            ),
            (name, number),
        )

    def _reached(self, schema: str, name: str) -> int:
        found = self.connection.execute(_sql(f"select ingest_seq from {schema}.sync where name = %s"), (name,))  # noqa: S608 - our own schema, tables and columns
        row = found.fetchone()
        return 0 if row is None else int(row[0])

    def _finish(self, schema: str, version: int) -> None:
        with self.connection.transaction():
            self.connection.execute(
                _sql(f"update {schema}.sync set lake_version = %s, finished_at = now()"),  # noqa: S608 - our own schema, tables and columns
                (version,),
            )
            if schema == _NEW:
                self.connection.execute(_sql(f"drop schema {SCHEMA} cascade"))
                self.connection.execute(_sql(f"alter schema {_NEW} rename to {SCHEMA}"))

    def _was_remapped(self) -> bool:
        """Whether rows that are here were exchanged in the lake for others with the same numbers."""
        row = self.connection.execute(
            _sql(f"select lake_version from {SCHEMA}.sync where name = 'posts' and finished_at is not null")  # noqa: S608 - our own schema, tables and columns
        ).fetchone()
        table = self.lake.delta("posts")
        if row is None or table is None:
            return False
        newer = table.version() - int(row[0])
        return newer > 0 and any("remap" in entry for entry in commits(self.lake.path("posts"), table, newer))

    def _has(self, schema: str) -> bool:
        return self.connection.execute("select to_regclass(%s)", (f"{schema}.sync",)).fetchone() != (None,)

    def _count(self, name: str) -> int:
        row = self.connection.execute(_sql(f"select count(*) from {SCHEMA}.{name}")).fetchone()  # noqa: S608 - our own schema, tables and columns
        return int(row[0]) if row else 0


def _names(connection: Connection) -> list[str]:
    rows = connection.execute("select tablename from pg_tables where schemaname = %s order by 1", (SCHEMA,))
    return [row[0] for row in rows if row[0] != "sync"]


def _script(name: str, schema: str) -> LiteralString:
    text = resources.files("groundswell.warehouse").joinpath(name).read_text("utf-8")
    return _sql(text.replace("{schema}", schema))


def _sql(text: str) -> LiteralString:
    """Statements of this module: names are our own, values are parameters."""
    return text
