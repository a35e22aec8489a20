"""Raw records into a MongoDB collection, each as it came: the same record again is the same document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from types import TracebackType
from typing import Any, Final

from groundswell.errors import UnavailableError, UsageError
from groundswell.marts.target_mongo import document_value
from groundswell.sources.databases import MONGODB, Address, scheme
from groundswell.sources.mongo import connect, not_let_in

#: Where a document says when it was collected; the rest of it is the record.
MARK: Final = "groundswell"
_DOCUMENTS: Final = 1_000


@dataclass
class RawDocuments:
    """A collection that raw records go to; a context manager.

    `_id` is a hash of the record, so that writing it again changes nothing, and new counters are a new document.
    """

    url: str
    collection: str
    only: bool = False
    """Whether they go nowhere else."""

    inserted: int = 0
    unchanged: int = 0
    _client: Any = field(default=None, repr=False)
    _into: Any = field(default=None, repr=False)

    def __enter__(self) -> RawDocuments:
        """Find the server.

        Raises:
            UsageError: it is no address of a MongoDB database.
            UnavailableError: the server cannot be reached or does not let us in.
        """
        address = Address.parse(self.url)
        if scheme(self.url) not in MONGODB:
            what = "raw documents go to MongoDB"
            raise UsageError(what, where=address.shown, hint="write mongodb://HOST/DATABASE")
        self._client, database = connect(address)
        if database is None:
            self._client.close()
            what = "which database?"
            raise UsageError(what, where=address.shown, hint="end the address with /NAME")
        self._into = self._client[database][self.collection]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def put(self, records: Iterable[Mapping[str, Any]], collected_us: int | None) -> None:
        """Write records, as JSON has them; `collected_us` is noted with new ones.

        Raises:
            UnavailableError: the connection was lost; what was written stays, and may be written again.
        """
        from pymongo import InsertOne, errors  # noqa: PLC0415 - an extra

        mark = {}
        if collected_us is not None:
            mark = {MARK: {"collected_at": datetime.fromtimestamp(collected_us // 1_000_000, UTC)}}
        documents = {}
        for record in records:
            text = json.dumps(record, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
            name = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
            documents[name] = {"_id": name, **document_value(dict(record)), **mark}
        address = Address.parse(self.url)
        try:
            names = list(documents)
            for start in range(0, len(names), _DOCUMENTS):
                some = names[start : start + _DOCUMENTS]
                there = {found["_id"] for found in self._into.find({"_id": {"$in": some}}, {"_id": 1})}
                fresh = [InsertOne(documents[name]) for name in some if name not in there]
                if fresh:
                    self._into.bulk_write(fresh, ordered=False)
                self.inserted += len(fresh)
                self.unchanged += len(there)
        except errors.ConnectionFailure as error:
            what = f"the connection to MongoDB was lost ({address.without_secrets(error)[:200]})"
            hint = "run it again: what is there stays as it is"
            raise UnavailableError(what, where=f"{address.shown}::{self.collection}", hint=hint) from None
        except errors.PyMongoError as error:
            raise not_let_in(address, error) from None

    @property
    def shown(self) -> str:
        """Address of the database, without password."""
        return Address.parse(self.url).shown

    def document(self) -> dict[str, Any]:
        """What was done, as JSON."""
        return {
            "target": self.shown,
            "collection": self.collection,
            "inserted": self.inserted,
            "unchanged": self.unchanged,
        }
