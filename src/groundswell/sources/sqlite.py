"""A SQLite file as a source: a table or a query, read as one state of the file, which is not written."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

from groundswell.errors import (
    GroundswellError,
    NotFoundError,
    UnavailableError,
    UnknownChoiceError,
    UnreadableFileError,
    UsageError,
)
from groundswell.sources.databases import Address, DocumentAnswer, Mark, Question, named
from groundswell.sources.sql import Row, SqlRows, answer

#: How long a writer is waited for, seconds.
_PATIENCE_S: Final = 30.0
_FETCH: Final = 500
#: SQLite orders values by kind first; these are their borders, so that each range is one of an index.
_RANGES: Final = {
    "number": ("{c} < ''", "{c} >= :number and {c} < ''"),
    "text": ("{c} >= '' and {c} < x''", "{c} >= :text and {c} < x''"),
    "blob": ("{c} >= x''", "{c} >= :blob"),
}


@dataclass(frozen=True, slots=True)
class SqliteQuery:
    """A question to a SQLite file: `sqlite:///name.db` lies in the working folder, `sqlite:////d/name.db` in `/d`."""

    address: Address
    question: Question

    @property
    def path(self) -> Path:
        """The file."""
        return path_of(self.address)

    @property
    def name(self) -> str:
        """The file, and the table or the query."""
        return named(
            Address(self.address.url, f"sqlite:///{self.path}"), self.question.table or self.question.sql or ""
        )

    @property
    def identity(self) -> str:
        """The file, and the whole question."""
        asked = [self.question.table, self.question.sql, self.question.cursor]
        return f"sqlite:///{self.path}|{json.dumps(asked)}"

    def estimate(self, after: Mark | None = None) -> int | None:
        """Rows by the greatest row number of a table; null for a query and for what is new only."""
        if self.question.sql is not None or after is not None:
            return None
        with suppress(GroundswellError, sqlite3.Error), closing(_open(self)) as connection:
            table = quoted(_find_table(connection, self))
            found = connection.execute(f"select max(rowid) from {table}").fetchone()  # noqa: S608 - a table that is there
            return int(found[0]) if found and found[0] is not None else None
        return None

    def read(self, after: Mark | None, limit: int) -> SqlRows | DocumentAnswer:
        """Ask; see `groundswell.sources.databases.Database`."""
        connection = _open(self)
        try:
            return answer(_Reading(connection, self, after), self.question.cursor, limit)
        except BaseException:
            connection.close()
            raise


def path_of(address: Address) -> Path:
    """The file that an address names.

    Raises:
        UsageError: it names none.
    """
    rest = address.url.partition("://")[2].partition("?")[0]
    if not rest.startswith("/") or rest == "/":
        what = "the address names no file"
        raise UsageError(what, where=address.shown, hint="write sqlite:///name.db, or sqlite:////folder/name.db")
    return Path(unquote(rest[1:])).expanduser().absolute()


def _open(asked: SqliteQuery) -> sqlite3.Connection:
    path = asked.path
    if not path.is_file():
        what = "no such SQLite file"
        raise NotFoundError(what, where=path, hint="three slashes begin a relative path, four an absolute one")
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=ro",
        uri=True,
        timeout=_PATIENCE_S,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    try:
        connection.execute("pragma query_only = 1")
        connection.execute("begin")
        connection.execute("select count(*) from sqlite_master")
    except sqlite3.Error as error:
        connection.close()
        what = f"SQLite cannot read the file ({error})"
        raise UnavailableError(what, where=path, hint="check that it is a SQLite file and not locked") from error
    return connection


class _Reading:
    """The rows of one question."""

    def __init__(self, connection: sqlite3.Connection, asked: SqliteQuery, after: Mark | None) -> None:
        self._connection = connection
        self._asked = asked
        self._column = asked.question.cursor
        self._seen = dict(after.seen) if after is not None else {}
        self._rows = 0
        selected = _selected(connection, asked)
        looked = _run(connection, f"{selected} limit 0", {}, asked)
        self.columns = [str(column[0]) for column in looked.description]
        self._at: int | None = None
        if self._column is not None:
            if self._column not in self.columns:
                kind = "column"
                raise UnknownChoiceError(kind, self._column, self.columns)
            self._at = self.columns.index(self._column)
            selected += _since(self._column, self._seen)
        self._cursor = _run(connection, selected, _values(self._seen), asked)

    @property
    def mark(self) -> Mark | None:
        """The greatest cursor values so far."""
        return None if self._column is None else Mark(self._column, dict(self._seen))

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def batches(self) -> Iterator[Sequence[Row]]:
        """Some rows at a time."""
        try:
            while rows := self._cursor.fetchmany(_FETCH):
                self._rows += len(rows)
                if self._at is not None:
                    self._note([row[self._at] for row in rows])
                yield [tuple([cell if type(cell) is str else _written(cell) for cell in row]) for row in rows]
        except sqlite3.Error as error:
            what = f"SQLite could not read on after {self._rows:,} rows ({error})"
            hint = "the rows before are stored; mend the file (`sqlite3 FILE .recover`) and import it again"
            raise UnreadableFileError(what, where=self._asked.name, hint=hint) from error

    def _note(self, values: Sequence[Any]) -> None:
        for value in values:
            if value is not None:
                self._seen[_kind(value)] = str(_written(value))


def _selected(connection: sqlite3.Connection, asked: SqliteQuery) -> str:
    if asked.question.sql is not None:
        # The line break ends a comment at the end of the query; in brackets stands nothing that writes.
        return f"select * from ({asked.question.sql.strip().rstrip('; ')}\n) as question"  # noqa: S608 - the person's own query, on a connection that only reads
    return f"select * from {quoted(_find_table(connection, asked))} as question"  # noqa: S608 - a table that is there


def _since(column: str, seen: dict[str, str]) -> str:
    ordered = f" order by question.{quoted(column)}"
    if not seen:
        return ordered
    name = f"question.{quoted(column)}"
    ranges = [after if kind in seen else whole for kind, (whole, after) in _RANGES.items()]
    parts = " or ".join(f"({part.format(c=name)})" for part in (*ranges, "{c} is null"))
    return f" where {parts}{ordered}"


def _run(connection: sqlite3.Connection, query: str, values: dict[str, Any], asked: SqliteQuery) -> sqlite3.Cursor:
    try:
        return connection.execute(query, values)
    except (sqlite3.Error, sqlite3.Warning) as error:
        if "no such table" in str(error):
            kind = "table"
            raise UnknownChoiceError(kind, str(error).rpartition(": ")[2], _tables(connection)) from error
        what = f"SQLite cannot do this: {error}"
        raise UsageError(what, where=asked.name, hint="check the query and the names in it") from error


def _find_table(connection: sqlite3.Connection, asked: SqliteQuery) -> str:
    tables = _tables(connection)
    given = asked.question.table
    if given is not None:
        for name in tables:
            if name.lower() == given.lower():
                return name
        kind = "table"
        raise UnknownChoiceError(kind, given, tables)
    if len(tables) == 1:
        return tables[0]
    if not tables:
        what = "the file has no tables"
        raise UsageError(what, where=asked.path, hint="check that it is the right one")
    what = "which table?"
    raise UsageError(what, where=asked.path, hint=f'--table NAME or --sql "select …"; tables: {", ".join(tables)}')


def _tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute("select name from sqlite_master where type in ('table', 'view') order by 1")
    return [str(name) for (name,) in found if not str(name).startswith("sqlite_")]


def quoted(name: str) -> str:
    """A name as it stands in a statement."""
    return '"' + name.replace('"', '""') + '"'


def _kind(value: Any) -> str:
    return "text" if isinstance(value, str) else "blob" if isinstance(value, bytes) else "number"


def _written(value: Any) -> str | None:
    """A value as text: whole numbers exact, others as short as they are exact, bytes as Base64."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return repr(value)


def _values(seen: dict[str, str]) -> dict[str, Any]:
    """The values of a mark, to compare with."""
    values: dict[str, Any] = dict(seen)
    if "number" in seen:
        text = seen["number"]
        values["number"] = int(text) if text.lstrip("-").isdigit() else float(text)
    if "blob" in seen:
        values["blob"] = base64.b64decode(seen["blob"])
    return values
