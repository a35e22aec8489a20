"""Databases as sources: what is asked of them, how their answers are read, and how far a cursor column is.

An answer is read like a file: as rows of text columns (`SqlRows`), or as JSON documents, one a line
(`DocumentAnswer`). With a cursor column it comes in the order of that column, and `mark` says how far it was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import unquote, urlsplit

from groundswell.errors import UnreadableFileError, UsageError

if TYPE_CHECKING:
    from groundswell.sources.sql import SqlRows

SQLITE: Final = ("sqlite",)
POSTGRESQL: Final = ("postgresql", "postgres")
MONGODB: Final = ("mongodb", "mongodb+srv")
SCHEMES: Final = (*SQLITE, *POSTGRESQL, *MONGODB)

#: Names of what is asked are cut here; the whole is in the identity.
_LONGEST_NAME: Final = 120


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a database: a table, a query, or a collection and a filter (extended JSON).

    `cursor` is the column (or field) by which only what is new is read.
    """

    table: str | None = None
    sql: str | None = None
    collection: str | None = None
    filter: str | None = None
    cursor: str | None = None

    def __bool__(self) -> bool:
        """Whether anything is asked."""
        return any((self.table, self.sql, self.collection, self.filter, self.cursor))


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a cursor column was read: for each kind of value that it holds, the greatest value, as text.

    Kinds are those that the database does not compare with each other (numbers and texts in SQLite and MongoDB);
    PostgreSQL has one.
    """

    column: str
    seen: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As JSON; `from_document` reads it back."""
        return {"column": self.column, "seen": dict(self.seen)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Mark:
        """The mark that `document` was made of."""
        return cls(document["column"], dict(document["seen"]))


class Answer(Protocol):
    """What a database answers, read once. `close` may be called at any time."""

    @property
    def mark(self) -> Mark | None:
        """The greatest cursor values among what was given so far and before; null without a cursor column."""
        ...

    @property
    def failure(self) -> UnreadableFileError | None:
        """Why the answer ended early; null if it did not."""
        ...

    def close(self) -> None:
        """Let the database go."""
        ...


class DocumentAnswer(Answer, Protocol):
    """JSON documents."""

    def lines(self) -> Iterator[bytes]:
        """NDJSON in blocks of whole lines."""
        ...


class Database(Protocol):
    """One question to one database. Nothing is opened before `estimate` or `read`."""

    @property
    def name(self) -> str:
        """What people and the lake call it: the address without password, and what is asked."""
        ...

    @property
    def identity(self) -> str:
        """The same for the same question to the same database."""
        ...

    def estimate(self, after: Mark | None = None) -> int | None:
        """About how many rows the answer has; null where the database cannot say quickly."""
        ...

    def read(self, after: Mark | None, limit: int) -> SqlRows | DocumentAnswer:
        """Ask. `after` is the mark of an earlier answer: what is below it is left out, what equals it comes again.

        Args:
            after: where an earlier answer ended.
            limit: bytes of the largest record; a larger one is set aside.

        Raises:
            UsageError: the question cannot be asked of this database; its choices are listed.
            UnavailableError: it cannot be reached, or does not let us in.
        """
        ...


@dataclass(frozen=True, slots=True)
class Address:
    """A database's address. `url` may hold a password and is for its driver only; `shown` is for everybody."""

    url: str = field(repr=False)
    shown: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """Take an address apart.

        >>> Address.parse("postgresql://me:secret@db.example:5432/social?sslmode=require").shown
        'postgresql://me@db.example:5432/social'
        """
        head, sign, rest = url.partition("://")
        login, at, place = _parted(rest)
        hosts, _, _ = place.partition("?")
        return cls(url, f"{head}{sign}{login.partition(':')[0]}{at}{hosts}")

    def without_secrets(self, message: object) -> str:
        """A driver's message on one line, without anything that the address keeps to itself."""
        text = " ".join(str(message).split())
        for secret in self._secrets():
            text = text.replace(secret, "***")
        return text

    def _secrets(self) -> list[str]:
        rest = self.url.partition("://")[2]
        login, _, place = _parted(rest)
        password = login.partition(":")[2]
        found = {self.url, rest, login, password, unquote(password)}
        for part in place.partition("?")[2].split("&"):
            name, _, value = part.partition("=")
            if "pass" in name.lower():
                found |= {value, unquote(value)}
        return sorted((secret for secret in found if secret and secret not in self.shown), key=len, reverse=True)


def _parted(rest: str) -> tuple[str, str, str]:
    """Login, the sign behind it, and the place of `login@place`. By hand: a password may hold what no URL may."""
    before, mark, after = rest.partition("?")
    # An @ behind a question mark ends the login, unless it stands in the value of a parameter.
    in_value = "=" in after.partition("@")[0] and ("@" in before or ":" not in before.partition("/")[0])
    if mark and ("@" not in after or in_value):
        login, at, place = before.rpartition("@")
        return login, at, f"{place}{mark}{after}"
    return rest.rpartition("@")


def scheme(path: str) -> str | None:
    """The scheme of a database's address; null if `path` is none.

    >>> scheme("mongodb://localhost/tiktok"), scheme("posts.csv")
    ('mongodb', None)
    """
    head, sign, _ = path.partition("://")
    return head.lower() if sign and head.lower() in SCHEMES else None


def is_database(path: str) -> bool:
    """Whether `path` is the address of a database."""
    return scheme(path) is not None


def named(address: Address, what: str) -> str:
    """Name of a question: the address without password, and what is asked (if anything is said), shortened."""
    short = " ".join(what.split())
    if not short:
        return address.shown
    return f"{address.shown}::{short if len(short) <= _LONGEST_NAME else short[: _LONGEST_NAME - 1] + '…'}"


def find_database(url: str, question: Question | None = None) -> Database:
    """The question to the database of that address; nothing is opened yet.

    Raises:
        UsageError: the question is for another kind of database.
    """
    asked = question or Question()
    kind = scheme(url)
    address = Address.parse(url)
    if kind in MONGODB:
        _refuse(asked, address, "MongoDB", ("table", "sql"), "--collection NAME")
        from groundswell.sources.mongo import Collection  # noqa: PLC0415 - each database needs its own driver

        return Collection(address, asked)
    _refuse(asked, address, "an SQL database", ("collection", "filter"), '--table NAME or --sql "select …"')
    if asked.table and asked.sql:
        what = "--table and --sql ask for two things"
        raise UsageError(what, where=address.shown, hint="give one of them")
    if kind in POSTGRESQL:
        from groundswell.sources.postgres import PostgresQuery  # noqa: PLC0415 - only this form needs it

        return PostgresQuery(address, asked)
    if kind in SQLITE:
        from groundswell.sources.sqlite import SqliteQuery  # noqa: PLC0415 - only this form needs it

        return SqliteQuery(address, asked)
    what = f"no database is reached by `{urlsplit(url).scheme}`"
    raise UsageError(what, hint=f"valid: {', '.join(f'{name}://' for name in SCHEMES)}")


def _refuse(question: Question, address: Address, kind: str, options: tuple[str, ...], instead: str) -> None:
    given = [f"--{option}" for option in options if getattr(question, option)]
    if given:
        what = f"{' and '.join(given)} cannot be asked of {kind}"
        raise UsageError(what, where=address.shown, hint=f"use {instead}")
