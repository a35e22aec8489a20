"""Rows that are set aside: the exact reason from a strict parser, and the row that goes to quarantine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import msgspec
import pyarrow as pa

from groundswell.engines.strict import read_object
from groundswell.importing.derive import Origin
from groundswell.schema import QUARANTINE
from groundswell.sources.databases import is_database
from groundswell.sources.documents import HEAD_BYTES, Oversized

#: Reasons that do not come from a layout.
TOO_LONG: Final = "record is over the size limit"
UNKNOWN_LAYOUT: Final = "no known layout"
NOT_OBJECT: Final = "not a JSON object"
ANSWERED: Final = "an error answer of the platform"

#: Where an answer says what went wrong, the fullest first, and where it gives a number for it.
_MESSAGES: Final = ("error_description", "message", "error_message", "status_msg", "statusMsg", "detail", "title")
_CODES: Final = ("status_code", "statusCode", "error_code", "code")

_WHITE: Final = b" \t\r\n"
_DETAIL: Final = 300


@dataclass(frozen=True, slots=True)
class Rejection:
    """One record that is set aside. `reason` is the same for all with that fault; `detail` has the value.

    `columns` are those (by field) that were guessed for it, so that a retry means the same ones.
    """

    offset: int
    row: int
    reason: str
    detail: str
    raw: bytes
    platform: str | None = None
    layout: str | None = None
    oversized: Oversized | None = None
    columns: tuple[tuple[str, str], ...] = ()

    @classmethod
    def too_long(cls, row: int, record: Oversized) -> Rejection:
        """The rejection of a record over the size limit."""
        detail = f"{record.length:,} bytes"
        return cls(record.offset, row, TOO_LONG, detail, record.head, oversized=record)


def decode(raw: bytes) -> tuple[dict[str, Any] | None, str, str]:
    """The JSON object that `raw` is, or null with the reason and its detail.

    >>> decode(b'{"a": 1} {"b": 2}')[1]
    'several JSON values on one line'
    """
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # The engines take the constants that Python writes (`NaN`); so it is them who say what is an object.
        record = read_object(raw)[0]
        return (None, *_fault(raw, error)) if record is None else (record, "", "")
    if not isinstance(value, dict):
        return None, NOT_OBJECT, f"a JSON {_KINDS.get(type(value), 'value')}: {_excerpt(raw)}"
    return value, "", ""


_KINDS: Final = {list: "array", str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}


def _fault(raw: bytes, error: Exception) -> tuple[str, str]:
    text = str(error)
    detail = f"{text}; {_excerpt(raw)}"
    if b"\0" in raw:
        return "not JSON: a NUL byte", detail
    try:
        raw.decode()
    except UnicodeDecodeError as bad:
        return "not valid UTF-8", f"byte {raw[bad.start]:#04x} at {bad.start}; {_excerpt(raw)}"
    if "trailing" in text:
        return _trailing(raw, detail)
    if isinstance(error, RecursionError):
        return "not JSON: nested too deeply", detail
    begins = raw.lstrip(_WHITE).startswith((b"{", b"["))
    reason = "not JSON: cut short" if "truncated" in text else "not JSON: malformed" if begins else "not JSON"
    return reason, detail


def _trailing(raw: bytes, detail: str) -> tuple[str, str]:
    rest = raw[raw.rfind(b"}{") + 1 :] if b"}{" in raw else raw.rpartition(b"} ")[2]
    several = rest.strip(_WHITE).startswith((b"{", b"["))
    return ("several JSON values on one line" if several else "not JSON: text behind the value"), detail


def _excerpt(raw: bytes) -> str:
    text = raw[: _DETAIL + 1].decode("utf-8", "replace")
    return text[:_DETAIL] + "…" if len(text) > _DETAIL else text


def platform_error(record: dict[str, Any]) -> str | None:
    """What an API says in an error answer; null if the record is none.

    >>> platform_error({"error": {"message": "Bad Request", "errors": [{"reason": "keyInvalid"}]}})
    'an error answer of the platform: Bad Request (keyInvalid)'
    >>> platform_error({"errors": [{"title": "Unauthorized", "status": 401}]})
    'an error answer of the platform: Unauthorized (401)'
    >>> platform_error({"error": "invalid_token", "error_description": "expired"})
    'an error answer of the platform: expired (invalid_token)'
    >>> platform_error({"title": "Too Many Requests", "detail": "Slow down", "type": "about:blank", "status": 429})
    'an error answer of the platform: Slow down (429)'
    """
    error, errors = record.get("error"), record.get("errors")
    if isinstance(error, dict):
        causes = error.get("errors")
        said = _said(error, _first(causes).get("reason") or error.get("status") or error.get("code"))
    elif isinstance(errors, list) and _first(errors):
        said = _said(_first(errors), _first(errors).get("code") or _first(errors).get("status"))
    elif isinstance(error, str | int) and error:
        said = _said({"message": error} | record, error)
    elif isinstance(status := record.get("status"), int) and {"title", "detail", "type"} <= record.keys():
        said = _said(record, status)  # a problem document (RFC 9457)
    else:
        codes = (record.get(name) for name in _CODES)
        code = next((code for code in codes if isinstance(code, int) and code), None)
        said = None if code is None else _said(record, code)
    return None if said is None else f"{ANSWERED}: {said}"


def _said(answer: dict[str, Any], cause: object) -> str | None:
    texts = (answer.get(name) for name in _MESSAGES)
    message = next((text for text in texts if isinstance(text, str) and text), None)
    if message is None or cause == "ok":
        return None
    return f"{message} ({cause})" if cause and cause != message else message


def _first(values: object) -> dict[str, Any]:
    return values[0] if isinstance(values, list) and values and isinstance(values[0], dict) else {}


def quarantine_rows(rejections: Sequence[Rejection], origin: Origin, hint: str | None) -> pa.Table:
    """Rows of the quarantine for rejections of one origin; the id is the same whenever it is imported again."""
    rows = [_row(rejection, origin, hint) for rejection in rejections]
    arrays = [pa.array([row[at] for row in rows], field.type) for at, field in enumerate(QUARANTINE)]
    return pa.table(arrays, schema=QUARANTINE)


def _row(rejection: Rejection, origin: Origin, hint: str | None) -> tuple[Any, ...]:
    big = rejection.oversized
    raw = rejection.raw if big is None else big.head[:HEAD_BYTES]
    sha256 = hashlib.sha256(raw).hexdigest() if big is None else big.sha256
    # The rows of a database have no lasting order: what tells one from another is what it says.
    at = "" if is_database(origin.origin) else rejection.offset
    place = f"{origin.origin}\n{at}\n{sha256}".encode()
    return (
        hashlib.blake2b(place, digest_size=12).hexdigest(),
        origin.imported_us,
        origin.source,
        origin.origin,
        rejection.offset,
        rejection.row,
        rejection.platform,
        rejection.layout,
        rejection.reason,
        rejection.detail[: 2 * _DETAIL],
        raw,
        len(raw) if big is None else big.length,
        sha256,
        _with_columns(hint, rejection.columns) if rejection.columns else hint,
        "held",
    )


@lru_cache(maxsize=256)
def _with_columns(hint: str | None, columns: tuple[tuple[str, str], ...]) -> str:
    said = json.loads(hint) if hint else {}
    return json.dumps({"map": dict(columns)} | said, ensure_ascii=False)
