"""Rows into a MongoDB collection: each row a document that is brought up to date by its key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from groundswell.errors import UnavailableError, UsageError
from groundswell.marts.targets import Target, Told, Written, in_parts, plain
from groundswell.sources.mongo import connect, load_driver, not_let_in

#: Documents that go out together.
_DOCUMENTS: Final = 1_000


def write_mongo(target: Target, rows: pa.RecordBatchReader, tell: Told) -> Written:
    """Write `rows`; see `groundswell.marts.targets.write_rows`.

    `_id` is made of the key. Times are dates, which MongoDB keeps to the millisecond. There is no transaction: after
    an error the documents before it are written, and writing all again changes nothing about them.
    """
    driver = load_driver()
    from pymongo import errors  # noqa: PLC0415 - an extra

    client, database = connect(target.address)
    with closing(client):
        if database is None:
            what = "which database?"
            raise UsageError(what, where=target.address.shown, hint="end the address with /NAME")
        collection = client[database][target.table]
        inserted = updated = count = 0
        try:
            for documents in _parts(target, rows):
                requests = [
                    driver.UpdateOne({"_id": document["_id"]}, {"$set": document}, upsert=True)
                    for document in documents
                ]
                done = collection.bulk_write(requests, ordered=True)
                inserted += done.upserted_count
                updated += done.modified_count
                count += len(documents)
                tell(count)
        except errors.ConnectionFailure as error:
            what = f"the connection to MongoDB was lost ({target.address.without_secrets(error)[:200]})"
            hint = f"{count:,} documents were written; write again, those stay as they are"
            raise UnavailableError(what, where=f"{target.address.shown}::{target.table}", hint=hint) from None
        except errors.PyMongoError as error:
            raise not_let_in(target.address, error) from None
    return target.written(count, inserted, updated)


def _parts(target: Target, rows: pa.RecordBatchReader) -> Iterator[list[dict[str, Any]]]:
    for batch in in_parts(rows):
        documents = [_document(target, row) for row in batch.to_pylist()]
        for start in range(0, len(documents), _DOCUMENTS):
            yield documents[start : start + _DOCUMENTS]


def _document(target: Target, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as a document. A name in it has no dot and no dollar sign, which MongoDB would take for its own."""
    *first, last = (str(row[name]) for name in target.key)
    id_ = ":".join([*(part.replace(":", "%3A") for part in first), last])
    return {"_id": id_, **{_named(name): _value(value) for name, value in row.items()}}


def _value(value: Any) -> Any:
    known = plain(value)
    if isinstance(known, dict):
        return {_named(name): _value(inner) for name, inner in known.items()}
    if isinstance(known, list):
        return [_value(item) for item in known]
    if isinstance(known, date) and not isinstance(known, datetime):
        return datetime(known.year, known.month, known.day, tzinfo=UTC)
    return str(known) if isinstance(known, Decimal) else known


def _named(name: str) -> str:
    return name.replace(".", "_").replace("$", "_")
