"""Values in a schema registry's wire format become JSON; each schema is asked for once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.services.registry import SchemaRegistry, serving, wire

from groundswell.bus.avro import AvroDecoder, Registry
from groundswell.bus.kafka_records import PoisonError
from groundswell.errors import UnavailableError

POST: dict[str, Any] = {
    "type": "record",
    "name": "Post",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "text", "type": ["null", "string"], "default": None},
        {"name": "created_at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}},
    ],
}
RECORD = {
    "id": 7_000_000_000_000_000_001,
    "text": "Größe 🌊",
    "created_at": datetime(2026, 11, 20, 8, 15, 2, 123456, tzinfo=UTC),
    "price": Decimal("12.50"),
}


@pytest.fixture
def registry() -> Iterator[SchemaRegistry]:
    with serving() as registry:
        yield registry


@pytest.fixture
def decode(registry: SchemaRegistry, tmp_path: Path) -> AvroDecoder:
    return AvroDecoder(Registry(registry.url, tmp_path))


def test_a_value_becomes_json_with_exact_numbers_and_times(registry: SchemaRegistry, decode: AvroDecoder) -> None:
    registry.register(1, POST)
    found = decode(wire(1, POST, RECORD))
    assert json.loads(found) == {
        "id": 7_000_000_000_000_000_001,
        "text": "Größe 🌊",
        "created_at": "2026-11-20T08:15:02.123456Z",
        "price": "12.50",
    }


def test_a_schema_is_asked_for_once_and_kept_in_the_home(
    registry: SchemaRegistry, decode: AvroDecoder, tmp_path: Path
) -> None:
    registry.register(1, POST)
    value = wire(1, POST, RECORD)
    assert decode(value) == decode(value)
    assert registry.asked == ["/schemas/ids/1"]
    registry.refuse = 503
    assert AvroDecoder(Registry(registry.url, tmp_path))(value) == decode(value)


def test_schemas_may_refer_to_others(registry: SchemaRegistry, decode: AvroDecoder) -> None:
    author = {"type": "record", "name": "Author", "fields": [{"name": "name", "type": "string"}]}
    both = {"type": "record", "name": "P", "fields": [{"name": "author", "type": author}]}
    alone = {"type": "record", "name": "P", "fields": [{"name": "author", "type": "Author"}]}
    registry.refer("author", 1, author)
    registry.register(2, alone, references=[{"name": "Author", "subject": "author", "version": 1}])
    assert json.loads(decode(wire(2, both, {"author": {"name": "ann"}}))) == {"author": {"name": "ann"}}


def test_json_with_a_schema_is_json(registry: SchemaRegistry, decode: AvroDecoder) -> None:
    registry.register(3, {}, schemaType="JSON")
    assert decode(b'\0\0\0\0\x03{"a":1}') == b'{"a":1}'


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"\0\0\0", "too short"),
        (b"\0\0\0\0\x09abc", "does not have its schema"),
        (b"\0\0\0\0\x01\x02", "does not fit its schema"),
        (wire(1, POST, RECORD) + b"!", "more bytes than its schema has"),
        (b"\0\0\0\0\x04abc", "PROTOBUF"),
        (b"\0\0\0\0\x03{", "not JSON"),
    ],
)
def test_what_cannot_be_read_is_poison(registry: SchemaRegistry, decode: AvroDecoder, value: bytes, said: str) -> None:
    registry.register(1, POST)
    registry.register(3, {}, schemaType="JSON")
    registry.register(4, {}, schemaType="PROTOBUF")
    with pytest.raises(PoisonError) as poison:
        decode(value)
    assert said in poison.value.reason


def test_a_registry_that_is_away_or_refuses_is_no_fault_of_the_value(
    registry: SchemaRegistry, decode: AvroDecoder, tmp_path: Path
) -> None:
    registry.refuse = 401
    with pytest.raises(UnavailableError, match=r"answers 401.*GROUNDSWELL_REGISTRY_PASSWORD"):
        decode(wire(1, POST, RECORD))
    away = AvroDecoder(Registry("http://127.0.0.1:9", tmp_path))
    with pytest.raises(UnavailableError, match="cannot be reached"):
        away(wire(1, POST, RECORD))
