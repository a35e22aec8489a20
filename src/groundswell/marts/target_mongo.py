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
from groundswell.sources.mongo import connect, not_let_in

#: Documents that go out together.
_DOCUMENTS: Final = 1_000


def write_mongo(target: Target, rows: pa.RecordBatchReader, tell: Told) -> Written:
    """Write `rows`; see `groundswell.marts.targets.write_rows`.

    `_id` is made of the key. Times are dates, which MongoDB keeps to the millisecond. There is no transaction: after
    an error the documents before it are written, and writing all again changes nothing about them.
    """
    client, database = connect(target.address)
    from pymongo import errors  # noqa: PLC0415 - an extra

    from groundswell.sources.mongo_values import OPTIONS  # noqa: PLC0415 - an extra

    with closing(client):
        if database is None:
            what = "which database?"
            raise UsageError(what, where=target.address.shown, hint="end the address with /NAME")
        collection = client[database][target.table].with_options(codec_options=OPTIONS)
        inserted = updated = count = 0
        try:
            for rows_read, documents in _parts(target, rows):
                new, changed = _write(collection, documents)
                inserted, updated, count = inserted + new, updated + changed, count + rows_read
                tell(count)
        except errors.ConnectionFailure as error:
            what = f"the connection to MongoDB was lost ({target.address.without_secrets(error)[:200]})"
            hint = f"{count:,} documents were written; write again, those stay as they are"
            raise UnavailableError(what, where=f"{target.address.shown}::{target.table}", hint=hint) from None
        except errors.PyMongoError as error:
            raise not_let_in(target.address, error) from None
    return target.written(count, inserted, updated)


def _write(collection: Any, documents: Mapping[str, dict[str, Any]]) -> tuple[int, int]:
    """How many documents were new, and how many were brought up to date; those that are there as they are stay."""
    from pymongo import InsertOne, UpdateOne  # noqa: PLC0415 - an extra

    there = {found["_id"]: found for found in collection.find({"_id": {"$in": list(documents)}})}
    requests: list[Any] = []
    for id_, document in documents.items():
        known = there.get(id_)
        if known is None:
            requests.append(InsertOne(document))
        elif any(name not in known or known[name] != value for name, value in document.items()):
            requests.append(UpdateOne({"_id": id_}, {"$set": document}))
    if not requests:
        return 0, 0
    done = collection.bulk_write(requests, ordered=False)
    return int(done.inserted_count), int(done.modified_count)


def _parts(target: Target, rows: pa.RecordBatchReader) -> Iterator[tuple[int, dict[str, dict[str, Any]]]]:
    """Some rows at a time: how many they are, and their documents by id; of two with one id the later counts."""
    for batch in in_parts(rows):
        for start in range(0, batch.num_rows, _DOCUMENTS):
            part = batch.slice(start, _DOCUMENTS)
            documents = (_document(target, row) for row in part.to_pylist())
            yield part.num_rows, {document["_id"]: document for document in documents}


def _document(target: Target, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as a document. A name in it has no dot and no dollar sign, which MongoDB would take for its own."""
    *first, last = (str(row[name]) for name in target.key)
    id_ = ":".join([*(part.replace(":", "%3A") for part in first), last])
    return {"_id": id_, **{_named(name): document_value(value) for name, value in row.items()}}


def document_value(value: Any) -> Any:
    """A value as a document holds it: dates to the millisecond, names without dots and dollar signs."""
    known = plain(value)
    if isinstance(known, dict):
        return {_named(name): document_value(inner) for name, inner in known.items()}
    if isinstance(known, list):
        return [document_value(item) for item in known]
    if isinstance(known, datetime):
        return known.replace(microsecond=known.microsecond // 1000 * 1000)
    if isinstance(known, date):
        return datetime(known.year, known.month, known.day, tzinfo=UTC)
    return str(known) if isinstance(known, Decimal) else known


def _named(name: str) -> str:
    return name.replace(".", "_").replace("$", "_")
