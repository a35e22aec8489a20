"""MongoDB's documents as plain JSON, exactly, and its values as a cursor column has them.

Whole numbers of 64 bits keep all digits, `Decimal128` becomes its text, a date ISO 8601 in UTC, an `ObjectId` its
hexadecimal text, binary data Base64, a UUID its text.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import bson
import msgspec
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError

#: Strings that are no UTF-8 come through as they are, so that their record is set aside and not the whole answer.
OPTIONS: Final[CodecOptions[dict[str, Any]]] = CodecOptions(
    document_class=dict,
    tz_aware=True,
    tzinfo=UTC,
    uuid_representation=bson.binary.UuidRepresentation.STANDARD,
    unicode_decode_error_handler="surrogateescape",
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)

#: Kinds of which the greatest value is kept; MongoDB compares values of one kind with each other only.
MARKED: Final = ("number", "string", "objectId", "date")
#: The other kinds that a field may hold: they are read again each time.
OTHERS: Final = ("object", "array", "binData", "bool", "timestamp", "regex")


def decoded(raw: bytes) -> dict[str, Any] | None:
    """The document that some BSON is; null if it is none."""
    try:
        return bson.decode(raw, OPTIONS)
    except (BSONError, ValueError, OverflowError, RecursionError):
        return None


def as_json(document: Mapping[str, Any]) -> bytes:
    """A document as one line of JSON; where a string is not UTF-8, neither is the line.

    >>> as_json({"_id": bson.ObjectId("65a0f00000000000000000aa"), "views": bson.Int64(2**62)})
    b'{"_id":"65a0f00000000000000000aa","views":4611686018427387904}'
    """
    try:
        return msgspec.json.encode(document, enc_hook=_plain)
    except (UnicodeEncodeError, msgspec.MsgspecError, TypeError, OverflowError):
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=_plain, allow_nan=True)
        return text.encode("utf-8", "surrogateescape")


def unreadable(raw: bytes) -> bytes:
    """What stands for BSON that is no document: a line that is no JSON, with the bytes in it."""
    return b"not BSON: " + base64.b64encode(raw)


def _plain(value: Any) -> Any:  # noqa: PLR0911 - one line for each type
    """A value of a BSON type as one that JSON has."""
    if isinstance(value, bson.Int64 | bson.DatetimeMS):
        return int(value)
    if isinstance(value, bson.ObjectId | bson.Decimal128):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, bson.Timestamp):
        return _plain(value.as_datetime())
    if isinstance(value, bson.Regex):
        return value.pattern if isinstance(value.pattern, str) else _plain(value.pattern)
    if isinstance(value, bson.DBRef):
        return {"collection": value.collection, "id": value.id}
    if isinstance(value, bson.MinKey | bson.MaxKey):
        return type(value).__name__
    return str(value)


def at_path(document: Mapping[str, Any], path: str) -> Any:
    """The value under a dotted path; null if there is none."""
    value: Any = document
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def kind_of(value: Any) -> str | None:
    """The kind of a value of which the greatest is kept; null for any other."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | bson.Decimal128):
        return None if value != value else "number"  # noqa: PLR0124 - NaN is no place to go on from
    if isinstance(value, str):
        return "string"
    if isinstance(value, bson.ObjectId):
        return "objectId"
    return "date" if isinstance(value, datetime) else None


def to_text(value: Any) -> str:
    """A value of a marked kind as text; `from_text` reads it back."""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


def from_text(kind: str, text: str) -> Any:
    """The value of a marked kind that `to_text` has written."""
    if kind == "objectId":
        return bson.ObjectId(text)
    if kind == "date":
        return datetime.fromisoformat(text)
    if kind == "number":
        try:
            return bson.Int64(text)
        except ValueError:
            return _fraction(text)
    return text


def _fraction(text: str) -> float | bson.Decimal128:
    """A number that is not whole: as a float where that is exact, so that it compares as it was."""
    number = float(text)
    return number if repr(number) == text else bson.Decimal128(text)
