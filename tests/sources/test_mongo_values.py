"""MongoDB's types as JSON, exactly."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.sources.mongo_values import as_json, at_path, decoded, from_text, kind_of, to_text

TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - Hypothesis adds the zone
    lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000)
)


def plain(document: dict[str, Any]) -> Any:
    """The JSON of a document that went over the wire."""
    found = decoded(bson.encode(document))
    assert found is not None
    return json.loads(as_json(found), parse_float=str)


def test_every_type_becomes_a_plain_value() -> None:
    id_ = bson.ObjectId("65a0f00000000000000000aa")
    document = {
        "_id": id_,
        "long": bson.Int64(2**63 - 1),
        "decimal": bson.Decimal128("1234567890123456789.10"),
        "at": datetime(2026, 1, 2, 3, 4, 5, 678000, UTC),
        "data": bson.Binary(b"\x00\xff"),
        "uuid": bson.Binary.from_uuid(uuid.UUID(int=5)),
        "pattern": bson.Regex("^a"),
        "stamp": bson.Timestamp(1_767_225_600, 1),
        "other": bson.DBRef("authors", id_),
        "nothing": None,
        "nested": {"list": [True, {"deep": bson.Int64(7)}]},
    }
    assert plain(document) == {
        "_id": "65a0f00000000000000000aa",
        "long": 2**63 - 1,
        "decimal": "1234567890123456789.10",
        "at": "2026-01-02T03:04:05.678000Z",
        "data": "AP8=",
        "uuid": "00000000-0000-0000-0000-000000000005",
        "pattern": "^a",
        "stamp": "2026-01-01T00:00:00Z",
        "other": {"collection": "authors", "id": "65a0f00000000000000000aa"},
        "nothing": None,
        "nested": {"list": [True, {"deep": 7}]},
    }


@given(st.integers(-(2**63), 2**63 - 1))
def test_whole_numbers_keep_all_digits(number: int) -> None:
    assert plain({"n": bson.Int64(number)}) == {"n": number}


def test_a_date_beyond_the_calendar_is_its_number() -> None:
    assert plain({"at": bson.DatetimeMS(2**60)}) == {"at": 2**60}


def test_a_number_that_is_none_is_null() -> None:
    assert plain({"n": float("nan")}) == {"n": None}


def test_a_string_that_is_not_utf_8_keeps_its_bytes() -> None:
    raw = bson.encode({"text": "a?b", "n": bson.Int64(1)}).replace(b"a?b", b"a\xffb")
    found = decoded(raw)
    assert found is not None
    assert as_json(found) == b'{"text":"a\xffb","n":1}'


@given(st.binary(max_size=60))
def test_bytes_that_are_no_bson_raise_nothing(raw: bytes) -> None:
    found = decoded(raw)
    assert found is None or as_json(found)


@pytest.mark.parametrize("value", [None, True, [1], {"a": 1}, float("nan"), b"x"])
def test_values_that_are_no_place_to_go_on_from_have_no_kind(value: object) -> None:
    assert kind_of(value) is None


@given(
    st.one_of(
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False),
        st.text(max_size=5),
        TIMES,
        st.binary(min_size=12, max_size=12).map(bson.ObjectId),
    )
)
def test_a_value_survives_its_text(value: Any) -> None:
    kind = kind_of(value)
    assert kind is not None
    assert from_text(kind, to_text(value)) == value


def test_dotted_paths_lead_into_documents() -> None:
    assert at_path({"a": {"b": 5}}, "a.b") == 5
    assert at_path({"a": [1]}, "a.b") is None
