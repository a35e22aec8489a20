"""PostgreSQL as a source: a table or a query through a cursor of the server, in one read-only transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, LiteralString

from groundswell.errors import GroundswellError, UnavailableError, UnknownChoiceError, UnreadableFileError, UsageError
from groundswell.sources.databases import Address, DocumentAnswer, Mark, Question, named
from groundswell.sources.postgres_values import register_arrays, register_texts
from groundswell.sources.sql import Row, SqlRows, answer

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

#: How the server writes values: exact, and times with a zone in UTC.
_SETTINGS: Final = """
    set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'iso_8601'; set bytea_output = 'hex';
    set extra_float_digits = 1; set cursor_tuple_fraction = 1.0
"""
_CONNECT_S: Final = 10
_FEWEST, _MOST = 50, 4_000
#: Characters that one fetch is meant to bring.
_FETCH_CHARS: Final = 8 << 20
_TABLES: Final = """
    select case when pg_table_is_visible(c.oid) then relname else nspname || '.' || relname end
    from pg_class c join pg_namespace n on n.oid = relnamespace
    where relkind in ('r', 'v', 'm', 'p', 'f') and nspname not in ('pg_catalog', 'information_schema')
      and nspname not like 'pg_toast%' and nspname not like 'pg_temp%' order by 1
"""
_FIND_TABLE: Final = """
    select nspname, relname from pg_class c join pg_namespace n on n.oid = relnamespace
    where relkind in ('r', 'v', 'm', 'p', 'f')
      and (relname = %(name)s and pg_table_is_visible(c.oid) or nspname || '.' || relname = %(name)s
           or c.oid = (select to_regclass(%(folded)s)))
    order by relname = %(name)s desc limit 1
"""


@dataclass(frozen=True, slots=True)
class PostgresQuery:
    """A question to a PostgreSQL database."""

    address: Address
    question: Question

    @property
    def name(self) -> str:
        """The address without password, and the table or the query."""
        return named(self.address, self.question.table or self.question.sql or "")

    @property
    def identity(self) -> str:
        """The address without password, and the whole question."""
        asked = [self.question.table, self.question.sql, self.question.cursor]
        return f"{self.address.shown}|{json.dumps(asked)}"

    def estimate(self, after: Mark | None = None) -> int | None:
        """Rows as the planner estimates them."""
        with suppress(GroundswellError), connect(self.address) as connection:
            query = _Parts.of(connection, self).whole(after)
            return _planned(connection, query)
        return None

    def read(self, after: Mark | None, limit: int) -> SqlRows | DocumentAnswer:
        """Ask; see `groundswell.sources.databases.Database`."""
        connection = connect(self.address)
        try:
            reading = _Reading(connection, _Parts.of(connection, self), after, self)
            return answer(reading, self.question.cursor, limit)
        except BaseException:
            connection.close()
            raise


def connect(address: Address, *, database: str | None = None) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection for one read-only transaction; values come as text.

    Raises:
        UnavailableError: psycopg is missing, the server cannot be reached or does not let us in.
        UsageError: the address is none.
        UnknownChoiceError: the server has no such database.
    """
    connection = open_connection(address, database=database)
    try:
        connection.execute(_SETTINGS)
        connection.autocommit = False
        connection.read_only = True
        connection.isolation_level = load_driver().IsolationLevel.REPEATABLE_READ
        register_texts(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def open_connection(address: Address, *, database: str | None = None) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection that commits each statement; raises as `connect` does."""
    driver = load_driver()
    chosen = {} if database is None else {"dbname": database}
    try:
        connection: psycopg.Connection[tuple[Any, ...]] = driver.connect(
            address.url, connect_timeout=_CONNECT_S, application_name="groundswell", autocommit=True, **chosen
        )
    except driver.Error as error:
        raise _refused(address, error, database) from None
    return connection


def load_driver() -> Any:
    """The module `psycopg`.

    Raises:
        UnavailableError: it is not installed.
    """
    try:
        import psycopg  # noqa: PLC0415 - an extra
    except ImportError as error:
        what = "PostgreSQL is reached by psycopg, which is not installed"
        raise UnavailableError(what, hint="pip install 'groundswell[postgres]'") from error
    return psycopg


def refusal(address: Address, error: Exception) -> GroundswellError:
    """What the server says against a statement, with what to do."""
    message = address.without_secrets(str(error).partition("\n")[0])
    if getattr(error, "sqlstate", None) in {"42501"}:
        return UsageError(f"PostgreSQL refuses: {message}", where=address.shown, hint="ask its owner for the right")
    return UsageError(
        f"PostgreSQL cannot do this: {message}", where=address.shown, hint="check the query and the names"
    )


def _refused(address: Address, error: Exception, database: str | None) -> GroundswellError:
    message = address.without_secrets(error)
    if isinstance(error, load_driver().ProgrammingError):
        what = f"this is no PostgreSQL address: {message}"
        return UsageError(what, where=address.shown, hint="write postgresql://user@host:5432/database")
    if "password" in message or "authentication" in message:
        what = "PostgreSQL does not let us in: wrong or missing password"
        hint = "give it in PGPASSWORD or ~/.pgpass, or in the address as user:password@host"
        return UnavailableError(what, where=address.shown, hint=hint)
    if "does not exist" in message and "database" in message and database is None:
        with suppress(Exception), connect(address, database="postgres") as connection:
            found = connection.execute("select datname from pg_database where not datistemplate").fetchall()
            given = address.shown.rpartition("/")[2]
            return UnknownChoiceError("database", given, [name for (name,) in found])
    what = f"PostgreSQL cannot be reached ({message})"
    return UnavailableError(what, where=address.shown, hint="check the address, and that the server runs")


@dataclass(frozen=True, slots=True)
class _Parts:
    """The statement of a question: what is selected, and its cursor column."""

    selected: sql.Composed
    columns: list[str]
    cursor: sql.Composed | None

    @classmethod
    def of(cls, connection: psycopg.Connection[tuple[Any, ...]], asked: PostgresQuery) -> _Parts:
        from psycopg import sql  # noqa: PLC0415 - an extra

        question = asked.question
        if question.sql:
            text = question.sql.strip().rstrip("; \n")
            # The line break ends a comment at the end of the query.
            selected = sql.SQL("select * from ({}\n) as question").format(sql.SQL(_literal(text)))
        else:
            table = _find_table(connection, asked.address, question.table)
            selected = sql.SQL("select * from {} as question").format(sql.Identifier(*table))
        looked = _run(connection, sql.SQL("{} limit 0").format(selected), asked.address)
        columns = [column.name for column in looked.description or ()]
        register_arrays(connection, [column.type_code for column in looked.description or ()])
        if question.cursor is not None and question.cursor not in columns:
            kind = "column"
            raise UnknownChoiceError(kind, question.cursor, columns)
        name = None if question.cursor is None else sql.Composed([sql.Identifier("question", question.cursor)])
        return cls(selected, columns, name)

    def whole(self, after: Mark | None) -> sql.Composed:
        """All that is asked for, in no order."""
        from psycopg import sql  # noqa: PLC0415 - an extra

        if self.cursor is None or after is None or not after.seen:
            return self.selected
        return sql.SQL("{} where {} >= {}").format(self.selected, self.cursor, sql.Literal(_value(after)))

    def statements(self, after: Mark | None) -> list[sql.Composed]:
        """What is read one after another: with a cursor column first the rows that have none, then the others."""
        from psycopg import sql  # noqa: PLC0415 - an extra

        if self.cursor is None:
            return [self.selected]
        known = None if after is None or not after.seen else sql.Literal(_value(after))
        least = sql.SQL("is not null").format() if known is None else sql.SQL(">= {}").format(known)
        return [
            sql.SQL("{} where {} is null").format(self.selected, self.cursor),
            sql.SQL("{} where {} {} order by {}").format(self.selected, self.cursor, least, self.cursor),
        ]


def _value(mark: Mark) -> str:
    return next(iter(mark.seen.values()))


class _Reading:
    """The rows of one question."""

    def __init__(
        self,
        connection: psycopg.Connection[tuple[Any, ...]],
        parts: _Parts,
        after: Mark | None,
        asked: PostgresQuery,
    ) -> None:
        self.columns = parts.columns
        self._connection = connection
        self._statements = parts.statements(after)
        self._asked = asked
        self._cursor = asked.question.cursor
        self._at = None if self._cursor is None else parts.columns.index(self._cursor)
        self._seen = dict(after.seen) if after is not None else {}
        self._rows = 0

    @property
    def mark(self) -> Mark | None:
        """The greatest cursor value so far."""
        return None if self._cursor is None else Mark(self._cursor, dict(self._seen))

    def close(self) -> None:
        """End the transaction."""
        self._connection.close()

    def batches(self) -> Iterator[Sequence[Row]]:
        """Fetches of a size that fits the rows."""
        driver = load_driver()
        try:
            for number, statement in enumerate(self._statements):
                with self._connection.cursor(name=f"groundswell_{number}") as cursor:
                    self._execute(cursor, statement)
                    yield from self._fetches(cursor)
        except driver.Error as error:
            message = self._asked.address.without_secrets(error)
            what = f"the connection to PostgreSQL broke after {self._rows:,} rows ({message})"
            hint = "the rows before are stored; import again to read on"
            raise UnreadableFileError(what, where=self._asked.name, hint=hint) from None

    def _execute(self, cursor: Any, statement: sql.Composed) -> None:
        driver = load_driver()
        try:
            cursor.execute(statement)
        except driver.OperationalError:
            raise
        except driver.Error as error:
            raise refusal(self._asked.address, error) from None

    def _fetches(self, cursor: Any) -> Iterator[Sequence[Row]]:
        count = _FEWEST
        while rows := cursor.fetchmany(count):
            self._rows += len(rows)
            if self._at is not None and rows[-1][self._at] is not None:
                self._seen = {"value": rows[-1][self._at]}
            yield rows
            letters = sum(len(cell) for row in rows for cell in row if cell is not None)
            count = min(_MOST, max(_FEWEST, _FETCH_CHARS * len(rows) // max(letters, 1)), 4 * count)


def _run(connection: psycopg.Connection[tuple[Any, ...]], query: sql.Composed, address: Address) -> Any:
    driver = load_driver()
    try:
        return connection.execute(query)
    except driver.OperationalError as error:
        what = f"the connection to PostgreSQL broke ({address.without_secrets(error)})"
        raise UnavailableError(what, where=address.shown, hint="check that the server runs, and try again") from None
    except driver.Error as error:
        raise refusal(address, error) from None


def _find_table(
    connection: psycopg.Connection[tuple[Any, ...]], address: Address, table: str | None
) -> tuple[str, str]:
    """Schema and name of a table or view.

    Raises:
        UsageError: none is named; the choices are listed.
        UnknownChoiceError: there is none of that name.
    """
    if table is not None:
        folded = table if _is_plain(table) else '"' + table.replace('"', '""') + '"'
        found = connection.execute(_FIND_TABLE, {"name": table, "folded": folded}).fetchone()
        if found is not None:
            return found[0], found[1]
    tables = [name for (name,) in connection.execute(_TABLES)]
    if table is not None:
        kind = "table"
        raise UnknownChoiceError(kind, table, tables)
    if not tables:
        what = "the database has no tables that we may see"
        raise UsageError(what, where=address.shown, hint="check the database and the rights of the user")
    what = "which table?"
    raise UsageError(what, where=address.shown, hint=f'--table NAME or --sql "select …"; tables: {", ".join(tables)}')


def _is_plain(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _planned(connection: psycopg.Connection[tuple[Any, ...]], query: sql.Composed) -> int | None:
    from psycopg import sql  # noqa: PLC0415 - an extra

    driver = load_driver()
    with suppress(driver.Error, ValueError, LookupError, TypeError):
        found = connection.execute(sql.SQL("explain (format json) {}").format(query)).fetchone()
        return int(json.loads(found[0])[0]["Plan"]["Plan Rows"]) if found else None
    return None


def _literal(text: str) -> LiteralString:
    """A person's own query is taken as it is; the transaction is read-only."""
    return text
