"""MongoDB as a source: the documents of a collection, which are taken up again after a lost connection."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from groundswell.errors import (
    GroundswellError,
    UnavailableError,
    UnknownChoiceError,
    UnreadableFileError,
    UsageError,
)
from groundswell.sources.databases import Address, Mark, Question, named

if TYPE_CHECKING:
    from pymongo import MongoClient

_BLOCK: Final = 1 << 20
#: Documents that the server gives at once.
_BATCH: Final = 1_000
#: How long a server is looked for, milliseconds, unless the address says it.
_SELECT_MS: Final = 10_000
#: How often a lost connection is taken up again without a document in between.
_TRIES: Final = 3
_COUNT_MS: Final = 3_000
#: Documents that are looked at to say which fields there are.
_LOOK: Final = 50
_AUTHENTICATION: Final = 18
_UNAUTHORIZED: Final = 13


@dataclass(frozen=True, slots=True)
class Collection:
    """A question to a MongoDB collection. `pause` waits so many seconds before a lost connection is tried again."""

    address: Address
    question: Question
    pause: Callable[[float], None] = field(default=time.sleep, compare=False)

    @property
    def name(self) -> str:
        """The address without password, the collection and its filter."""
        return named(self.address, " ".join(filter(None, (self.question.collection, self.question.filter))))

    @property
    def identity(self) -> str:
        """The address without password, and the whole question."""
        asked = [self.question.collection, self.question.filter, self.question.cursor]
        return f"{self.address.shown}|{json.dumps(asked)}"

    def estimate(self, after: Mark | None = None) -> int | None:
        """Documents by the collection's metadata, or counted if that is quick."""
        from pymongo.errors import PyMongoError  # noqa: PLC0415 - an extra

        with suppress(GroundswellError, PyMongoError), closing(_connect(self)) as client:
            collection = _find(client, self)
            wanted = _wanted(self)
            if not wanted and after is None:
                return int(collection.estimated_document_count())
            if after is not None:
                wanted = _and(wanted, _since(self.question.cursor or "_id", after.seen))
            return int(collection.count_documents(wanted, maxTimeMS=_COUNT_MS))
        return None

    def read(self, after: Mark | None, limit: int) -> Documents:
        """Ask; see `groundswell.sources.databases.Database`."""
        client = _connect(self)
        try:
            return Documents(client, self, after)
        except BaseException:
            client.close()
            raise


class Documents:
    """The documents of one question, in the order of the cursor field (or `_id`)."""

    def __init__(self, client: MongoClient[dict[str, Any]], asked: Collection, after: Mark | None) -> None:
        self.failure: UnreadableFileError | None = None
        self._client = client
        self._asked = asked
        self._collection = _find(client, asked)
        self._wanted = _wanted(asked)
        self._field = asked.question.cursor or "_id"
        self._seen = dict(after.seen) if after is not None else {}
        self._given = 0
        #: Documents that come again when reading is taken up: those at the greatest value, and of unmarked kinds.
        self._border: set[str] = set()
        self._unmarked: set[str] = set()
        if asked.question.cursor is not None:
            _check_field(self._collection, asked)

    @property
    def mark(self) -> Mark | None:
        """The greatest cursor values so far; null without a cursor field."""
        return None if self._asked.question.cursor is None else Mark(self._field, dict(self._seen))

    def close(self) -> None:
        """Leave the server."""
        self._client.close()

    def lines(self) -> Iterator[bytes]:
        """NDJSON in blocks of whole lines; `failure` is set if the connection cannot be taken up again."""
        block = bytearray()
        try:
            for line in self._lines():
                block += line + b"\n"
                if len(block) >= _BLOCK:
                    yield bytes(block)
                    block.clear()
        except UnreadableFileError as error:
            self.failure = error
        finally:
            self.close()
        if block:
            yield bytes(block)

    def _lines(self) -> Iterator[bytes]:
        from pymongo.errors import AutoReconnect, CursorNotFound, PyMongoError  # noqa: PLC0415 - an extra

        tries, begun = 0, False
        while True:
            given = self._given
            try:
                yield from self._scan(again=begun)
            except (AutoReconnect, CursorNotFound) as error:
                begun = True
                tries = 1 if self._given > given else tries + 1
                if tries > _TRIES:
                    raise self._broken(error) from None
                self._asked.pause(0.5 * 2**tries)
            except PyMongoError as error:
                if not self._given:
                    raise _refused(self._asked, error) from None
                raise self._broken(error) from None
            else:
                return

    def _scan(self, *, again: bool) -> Iterator[bytes]:
        from groundswell.sources import mongo_values  # noqa: PLC0415 - an extra

        wanted = self._wanted
        if self._seen:
            wanted = _and(wanted, _since(self._field, self._seen))
        cursor = self._collection.find_raw_batches(
            wanted, sort=[(self._field, 1)], allow_disk_use=self._may_spill(), batch_size=_BATCH
        )
        with closing(cursor):
            for batch in cursor:
                for raw in _documents(batch):
                    document = mongo_values.decoded(raw)
                    if document is None:
                        self._given += 1
                        yield mongo_values.unreadable(raw)
                    elif self._is_new(document, again=again):
                        self._given += 1
                        yield mongo_values.as_json(document)

    def _may_spill(self) -> bool | None:
        return None if self._field == "_id" else True

    def _is_new(self, document: Mapping[str, Any], *, again: bool) -> bool:
        """Whether the document was not given before the connection was lost; remembers that it was given now."""
        from groundswell.sources import mongo_values  # noqa: PLC0415 - an extra

        value = mongo_values.at_path(document, self._field)
        kind = mongo_values.kind_of(value)
        id_ = repr(document.get("_id"))
        if kind is None:
            known = again and id_ in self._unmarked
            self._unmarked.add(id_)
            return not known
        text = mongo_values.to_text(value)
        if self._seen.get(kind) != text:
            self._seen[kind] = text
            self._border = set()
        known = id_ in self._border
        self._border.add(id_)
        return not known

    def _broken(self, error: Exception) -> UnreadableFileError:
        message = self._asked.address.without_secrets(error).partition(" (configured")[0][:200]
        what = f"the connection to MongoDB was lost after {self._given:,} documents ({message})"
        hint = "the documents before are stored; import again to read on"
        return UnreadableFileError(what, where=self._asked.name, hint=hint)


def _documents(batch: bytes) -> Iterator[bytes]:
    """The documents that stand one behind the other in a batch."""
    at = 0
    while at < len(batch):
        length = int.from_bytes(batch[at : at + 4], "little")
        yield batch[at : at + length]
        at += max(length, 5)


def load_driver() -> Any:
    """The module `pymongo`.

    Raises:
        UnavailableError: it is not installed.
    """
    try:
        import pymongo  # noqa: PLC0415 - an extra
    except ImportError as error:
        what = "MongoDB is reached by pymongo, which is not installed"
        raise UnavailableError(what, hint="pip install 'groundswell[mongo]'") from error
    return pymongo


def connect(address: Address) -> tuple[MongoClient[dict[str, Any]], str | None]:
    """A client that has found its server, and the name of the database that the address names.

    Raises:
        UnavailableError: pymongo is missing, or the server cannot be reached or does not let us in.
        UsageError: the address is none.
    """
    driver = load_driver()
    from pymongo import errors, uri_parser  # noqa: PLC0415 - an extra

    try:
        parsed = uri_parser.parse_uri(address.url)
        given = {name.lower() for name in parsed["options"]}
        patience = {} if "serverselectiontimeoutms" in given else {"serverSelectionTimeoutMS": _SELECT_MS}
        client: MongoClient[dict[str, Any]] = driver.MongoClient(address.url, appname="groundswell", **patience)
    except (errors.ConfigurationError, errors.InvalidURI, ValueError) as error:
        what = f"this is no MongoDB address: {address.without_secrets(error)}"
        raise UsageError(what, where=address.shown, hint="write mongodb://user:password@host:27017/database") from None
    try:
        client.admin.command("ping")
    except errors.OperationFailure as error:
        client.close()
        raise not_let_in(address, error) from None
    except errors.PyMongoError as error:
        client.close()
        message = address.without_secrets(error).partition(" (configured")[0]
        what = f"MongoDB cannot be reached ({message[:200]})"
        raise UnavailableError(what, where=address.shown, hint="check the address, and that the server runs") from None
    return client, parsed["database"]


def not_let_in(address: Address, error: Exception) -> GroundswellError:
    """What the server says against a command, with what to do."""
    code = getattr(error, "code", None)
    message = address.without_secrets(error).partition(", full error")[0][:200]
    if code == _AUTHENTICATION:
        what = "MongoDB does not let us in: wrong user or password"
        hint = "give them in the address as user:password@host, with ?authSource=admin if the user is kept there"
        return UnavailableError(what, where=address.shown, hint=hint)
    if code == _UNAUTHORIZED:
        return UnavailableError(f"MongoDB refuses: {message}", where=address.shown, hint="ask its owner for the right")
    return UsageError(f"MongoDB cannot do this: {message}", where=address.shown, hint="check the filter and the names")


def _connect(asked: Collection) -> MongoClient[dict[str, Any]]:
    return connect(asked.address)[0]


def _refused(asked: Collection, error: Exception) -> GroundswellError:
    return not_let_in(asked.address, error)


def _find(client: MongoClient[dict[str, Any]], asked: Collection) -> Any:
    """The collection.

    Raises:
        UsageError: no database or collection is named; the choices are listed.
        UnknownChoiceError: there is none of that name.
    """
    from pymongo import errors, uri_parser  # noqa: PLC0415 - an extra

    database = uri_parser.parse_uri(asked.address.url)["database"]
    try:
        if database is None:
            what = "which database?"
            choices = ", ".join(client.list_database_names())
            raise UsageError(what, where=asked.address.shown, hint=f"end the address with /NAME; databases: {choices}")
        names = sorted(client[database].list_collection_names())
    except errors.PyMongoError as error:
        raise _refused(asked, error) from None
    given = asked.question.collection
    if given is None:
        what = "which collection?"
        choices = ", ".join(names) or "none"
        raise UsageError(what, where=asked.address.shown, hint=f"--collection NAME; collections: {choices}")
    if given not in names:
        kind = "collection"
        raise UnknownChoiceError(kind, given, names)
    return client[database][given]


def _wanted(asked: Collection) -> dict[str, Any]:
    """The filter, in MongoDB's extended JSON.

    Raises:
        UsageError: it is none.
    """
    from bson import json_util  # noqa: PLC0415 - an extra

    if asked.question.filter is None:
        return {}
    try:
        found = json_util.loads(asked.question.filter)
    except (ValueError, TypeError, KeyError) as error:
        what = f"--filter is not JSON ({error})"
        raise UsageError(what, where=asked.question.filter, hint=_FILTER) from error
    if not isinstance(found, dict):
        what = "--filter is not a JSON object"
        raise UsageError(what, where=asked.question.filter, hint=_FILTER)
    return found


_FILTER: Final = """write it as MongoDB's extended JSON, such as '{"likes": {"$gt": 100}}'"""


def _check_field(collection: Any, asked: Collection) -> None:
    """Refuse a cursor field that no document has: everything would be read each time.

    Raises:
        UnknownChoiceError: the first documents show which fields there are.
    """
    name = asked.question.cursor
    if collection.find_one({name: {"$exists": True}}, {"_id": 1}) is None:
        fields = {key for document in collection.find({}, limit=_LOOK) for key in document}
        if fields:
            kind = "field"
            raise UnknownChoiceError(kind, str(name), fields)


def _and(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    return {"$and": [first, second]} if first else second


def _since(name: str, seen: Mapping[str, str]) -> dict[str, Any]:
    """What is not below the greatest values seen; each kind by itself, which an index serves."""
    from groundswell.sources import mongo_values  # noqa: PLC0415 - an extra

    parts: list[dict[str, Any]] = [
        {name: {"$gte": mongo_values.from_text(kind, seen[kind])}} if kind in seen else {name: {"$type": kind}}
        for kind in mongo_values.MARKED
    ]
    parts += [{name: {"$type": kind}} for kind in mongo_values.OTHERS]
    return {"$or": [*parts, {name: None}]}
