from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.errors import UnreadableFileError
from groundswell.sources.documents import Element, Oversized, Splitter

PATHS = {("items",), ("data", "videos"), ("itemInfo", "itemStruct")}
LIMIT = 1 << 20


def split(data: bytes, step: int = 1 << 20, limit: int = LIMIT) -> list[Element | Oversized]:
    return list(Splitter(PATHS, limit).records(data[at : at + step] for at in range(0, len(data), step)))


def raws(data: bytes, step: int = 1 << 20) -> list[bytes]:
    return [element.raw for element in split(data, step) if isinstance(element, Element)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(JSON, max_size=6), st.integers(1, 40), st.sampled_from([None, 1]), st.booleans())
def test_the_records_of_a_root_array_come_back_whole(
    values: list[object], step: int, indent: int | None, ascii_only: bool
) -> None:
    data = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode()
    found = split(data, step)
    assert [json.loads(e.raw) for e in found if isinstance(e, Element)] == values
    assert all(data[e.offset : e.offset + len(e.raw)] == e.raw for e in found if isinstance(e, Element))


@settings(max_examples=80, deadline=None)
@given(
    st.lists(JSON, min_size=1, max_size=4),
    st.integers(1, 40),
    st.dictionaries(st.text(max_size=4), st.text(), max_size=3),
)
def test_the_records_of_a_wrapped_array_come_back_whole(values: list[object], step: int, more: dict[str, str]) -> None:
    document = {**{f"x{k}": v for k, v in more.items()}, "data": {"n": [1, {"items": 2}], "videos": values}, "z": [1]}
    assert [json.loads(raw) for raw in raws(json.dumps(document).encode(), step)] == values


def test_a_single_record_may_stand_where_others_hold_an_array() -> None:
    assert raws(b'{"itemInfo": {"itemStruct": {"id": "1"}, "shareMeta": {"a": 1}}, "log": 2}') == [b'{"id": "1"}']


def test_a_document_without_records_says_so() -> None:
    splitter = Splitter(PATHS, LIMIT)
    assert list(splitter.records([b'{"id": "1", "tags": ["a", "b"]}'])) == []
    assert not splitter.found


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_a_document_that_ends_early_gives_its_whole_records_first(step: int) -> None:
    data = b'{"items": [{"a": "1"}, {"a": "2"}, {"a": "'
    elements = Splitter(PATHS, LIMIT).records(data[at : at + step] for at in range(0, len(data), step))
    assert [next(elements), next(elements)] == [Element(11, b'{"a": "1"}'), Element(23, b'{"a": "2"}')]
    with pytest.raises(UnreadableFileError, match="unreadable from byte 34"):
        next(elements)


@pytest.mark.parametrize("step", [10, 1000, 1 << 20])
def test_a_record_over_the_limit_is_described_not_held(step: int) -> None:
    big = b'{"a": "' + b"x" * 100_000 + b'"}'
    data = b"[1, " + big + b', {"b": 2}]'
    first, second, third = split(data, step, limit=5_000)
    assert first == Element(1, b"1")
    assert isinstance(second, Oversized)
    assert (second.offset, second.length) == (4, len(big))
    assert second.sha256 == hashlib.sha256(big).hexdigest()
    assert second.head == big[: 64 << 10]
    assert third == Element(4 + len(big) + 2, b'{"b": 2}')
