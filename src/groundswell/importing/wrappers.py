"""Records that hold others: an API's answer with its items, alone in a file or one a line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

Path_ = tuple[str, ...]

_encode: Final = msgspec.json.Encoder().encode
_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_elements: Final = msgspec.json.Decoder(list[msgspec.Raw])


def held_at(record: Mapping[str, Any], path: Path_) -> list[dict[str, Any]] | None:
    """The records that stand under `path`: an array of objects, or one object under two keys or more; else null.

    >>> held_at({"items": [{"id": 1}]}, ("items",))
    [{'id': 1}]
    >>> held_at({"itemInfo": {"itemStruct": {"id": 1}}}, ("itemInfo", "itemStruct"))
    [{'id': 1}]
    >>> held_at({"data": {"id": 1}}, ("data",)) is None
    True
    """
    value: Any = record
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, dict) and len(path) > 1:
        return [value]
    if isinstance(value, list) and (not value or any(isinstance(element, dict) for element in value)):
        return value
    return None


def raw_at(raw: bytes, path: Path_, records: Sequence[Any]) -> list[bytes]:
    """The bytes of `records`, which stand under `path` of the object `raw`, as they are written there."""
    try:
        inner = raw
        for key in path:
            inner = bytes(_members.decode(inner)[key])
        found = [bytes(element) for element in _elements.decode(inner)] if inner.startswith(b"[") else [inner]
    except (msgspec.DecodeError, KeyError, RecursionError):
        found = []  # `NaN`, a key that is there twice
    return found if len(found) == len(records) else encoded(records)


def encoded(records: Iterable[Any]) -> list[bytes]:
    """Records as the bytes of one line each."""
    return [_encode(record) for record in records]
