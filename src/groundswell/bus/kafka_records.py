"""From a message of Kafka to a raw record: what its headers say, and its value as JSON.

Records that Groundswell writes carry where they come from in their headers; those of other programs have none, and are
records of the source `kafka:TOPIC`, received when Kafka says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from groundswell.bus.blocks import Kind
from groundswell.engines.strict import read_object

#: Headers of the records of a bus: source, kind (absent: records), hint (JSON), receive time (µs since 1970, decimal).
SOURCE: Final = "groundswell-source"
KIND: Final = "groundswell-kind"
HINT: Final = "groundswell-hint"
RECEIVED: Final = "groundswell-received"
#: Of the last record of an append: the source's own position behind it, and whose it is.
POSITION: Final = "groundswell-position"
PARTITION: Final = "groundswell-partition"

Headers = Sequence[tuple[str, bytes | None]] | Mapping[str, bytes | None] | None
Decode = Callable[[bytes], bytes]
"""The JSON of a value in the wire format of a schema registry; raises `PoisonError`."""

#: Reasons why a value is no record, besides those of Avro.
NOT_JSON: Final = "not JSON"
TOO_LARGE: Final = "record is over the size limit"
#: What is kept of a value that is no record.
_HEAD_BYTES: Final = 64 << 10


class PoisonError(Exception):
    """A value that cannot be made a record: the reason, the same for all with that fault, and what is its own."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Incoming:
    """A raw record as it came: `reason` says why it is none (then `data` is the value as it was)."""

    data: bytes
    source: str
    kind: Kind
    hint: str | None
    received_us: int
    reason: str | None = None
    detail: str = ""
    position: tuple[str, str] | None = None
    """The name under which a position is kept, and the position, which came with this record."""
    empty: bool = False
    """No record at all: only a position."""
    topic: str = ""


@dataclass(frozen=True)
class Reading:
    """How the messages of a topic are read; `decode` reads Avro, null where there is no schema registry."""

    topic: str
    source: str
    hint: str | None
    decode: Decode | None
    max_record: int


def read_message(value: bytes, headers: Headers, stamped_us: int, reading: Reading, *, empty: bool = False) -> Incoming:
    """A message's value as a record; `stamped_us` is the time that Kafka gives it (µs).

    A record whose value is not JSON, cannot be decoded or is too large has a `reason`, and its value as it was. A
    message without a value (`empty`) is no record; it may bring a position.
    """
    said = dict(headers or ())
    received = said.get(RECEIVED)
    source, hint = said.get(SOURCE), said.get(HINT)
    kind = Kind(_text(said.get(KIND)) or Kind.RECORDS) if source is not None else Kind.RECORDS
    data, reason, detail = value, None, ""
    try:
        data = value if empty else record_of(value, reading)
    except PoisonError as error:
        reason, detail = error.reason, error.detail
    position = said.get(POSITION)
    return Incoming(
        data=data,
        source=reading.source if source is None else _text(source),
        kind=kind,
        hint=(reading.hint if source is None else None) if hint is None else _text(hint),
        received_us=stamped_us if received is None else int(received),
        reason=reason,
        detail=detail,
        position=None if position is None else (_text(said.get(PARTITION)), _text(position)),
        empty=empty,
        topic=reading.topic,
    )


def record_of(value: bytes, reading: Reading) -> bytes:
    """The record that a value is: JSON as it is, Avro as JSON.

    Raises:
        PoisonError: it is neither, or too large.
    """
    if len(value) > reading.max_record:
        raise PoisonError(TOO_LARGE, f"{len(value):,} bytes")
    if value[:1] == b"\0":
        if reading.decode is None:
            what = "Avro, and no schema registry is named"
            raise PoisonError(what)
        return reading.decode(value)
    try:
        msgspec.json.decode(value, type=msgspec.Raw)
        value.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # The engines take the constants that Python writes (`NaN`), and they are to decide.
        if read_object(value)[0] is None:
            raise PoisonError(NOT_JSON, str(error)) from error
    return value


def describe_poison(found: Incoming, origin: str, offset: int) -> bytes:
    """The record of a block of kind `oversized`: where it was, why it is none, and its beginning."""
    document: dict[str, Any] = {
        "origin": origin,
        "offset": offset,
        "reason": found.reason,
        "detail": found.detail,
        "raw": found.data[:_HEAD_BYTES],
        "raw_bytes": len(found.data),
        "raw_sha256": hashlib.sha256(found.data).hexdigest(),
    }
    return msgspec.json.encode(document)  # bytes become base64


def _text(value: bytes | str | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
