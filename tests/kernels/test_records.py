"""The walk over raw records, beside Python's own `json`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from groundswell import kernels
from groundswell.importing.fast.spans import ANY, Made, Paths, Spans, member, plain, value

RAW = {"a": "string", "b": "struct<c: string, d: array<struct<e: string>>>", "f": "array<string>", "t": "string"}
PATHS = Paths(RAW, {"a": ANY, "b.c": ANY, "b.d[].e": ANY, "f[]": ANY, "t": ANY}, ["b"])


@pytest.fixture(scope="module", autouse=True)
def compiled() -> Iterator[None]:
    kernels.load_live()
    yield
    kernels.unload()


def walk(*records: bytes, paths: Paths = PATHS) -> Spans:
    data = np.frombuffer(b"".join(record + b"\n" for record in records), np.uint8)
    bounds = np.cumsum([0, *(len(record) + 1 for record in records)])
    return paths.walk(data, bounds.astype(np.int64))


def text_of(value: Any) -> str | None:
    """What `Values.texts` says of a value."""
    if value is None:
        return None
    if isinstance(value, dict | list):
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def has_nul(value: Any) -> bool:
    """Whether any text or key has the character U+0000."""
    if isinstance(value, dict):
        return any(has_nul(part) for pair in value.items() for part in pair)
    return any(map(has_nul, value)) if isinstance(value, list) else isinstance(value, str) and "\0" in value


leaf = st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
anything = st.recursive(
    leaf,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
fields = st.fixed_dictionaries(
    {},
    optional={
        "a": leaf,
        "b": st.none()
        | st.fixed_dictionaries(
            {},
            optional={
                "c": anything,
                "d": st.none() | st.lists(st.none() | st.fixed_dictionaries({}, optional={"e": leaf})),
            },
        ),
        "f": st.none() | st.lists(anything, max_size=3),
        "t": anything,
        "x": anything,
        "": anything,
    },
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(fields, min_size=1, max_size=3), st.booleans(), st.sampled_from([None, 1]))
def test_what_stands_in_a_record_is_found(records: list[dict[str, Any]], escaped: bool, indent: int | None) -> None:
    written = [json.dumps(r, ensure_ascii=escaped, indent=indent).replace("\n", " ").encode() for r in records]
    spans = walk(*written)
    with_nul = [has_nul(record) for record in records]
    assert spans.doubted.tolist() == with_nul
    for path in ("a", "t", "b.c"):
        expected = [
            text_of((record.get("b") or {}).get("c") if "." in path else record.get(path)) for record in records
        ]
        told = spans[path].texts().to_pylist()
        assert [t for t, odd in zip(told, with_nul, strict=True) if not odd] == [
            e for e, odd in zip(expected, with_nul, strict=True) if not odd
        ]
    if not any(with_nul):
        rows, values = spans.items("f[]")
        items = [(n, text_of(item)) for n, record in enumerate(records) for item in record.get("f") or []]
        assert list(zip(rows.tolist(), values.texts().to_pylist(), strict=True)) == items
        rows, values = spans.items("b.d[].e")
        found = [
            (n, text_of(part["e"]))
            for n, record in enumerate(records)
            for part in (record.get("b") or {}).get("d") or []
            if part and "e" in part
        ]
        assert list(zip(rows.tolist(), values.texts().to_pylist(), strict=True)) == found


SIGNS = st.sampled_from('{}[]",:\\ua0bf1.eE+-tnrs \u00e9\ud7ff😀')


def strictly(raw: bytes) -> Any:
    """The value of JSON that is valid in every respect."""

    def refuse(_: str) -> Any:
        raise ValueError

    value = json.loads(raw.decode(), parse_constant=refuse)
    json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is not written
    return value


@settings(max_examples=400, deadline=None)
@given(
    st.text(st.sampled_from('{}[]",:\\ua0bf1.eE+-tnrs \u00e9\ud7ff😀'), max_size=24).map(str.encode)
    | st.binary(max_size=12)
)
@example(b'{"a":1,}')
@example(b'{"a":01}')
@example(b'{"a":"\\ud800"}')
@example(b'{"a":"\\ud83d\\ude00"}')
@example(b'{"a":"\xed\xa0\x80"}')
@example(b'{"a":"\xc0\x80"}')
@example(b'{"a":"x')
@example(b'{"a":1}{}')
@example(b'{"a":NaN}')
@example(b'{"a":1e}')
@example(b'{"a":.5}')
@example(b'{"a":tru}')
@example(b"[1,]")
@example(b'{"a" 1}')
@example(b"[[[[]]]]")
@example(b"")
def test_what_is_no_valid_json_is_doubted(raw: bytes) -> None:
    raw = raw.replace(b"\n", b" ")
    if walk(raw).doubted[0]:
        return
    strictly(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": 1, "a": 2}',
        b'{"b": {"c": 1}, "b": {"d": []}}',
        b'{"b": {"d": [{"e": 1, "e": 1}]}}',
        b'{"\\u0061": 1}',
        b'{"a": "\\u0000"}',
        b'{"b": []}',
        b'{"b": {"d": {}}}',
        b'{"b": {"d": ["x"]}}',
        b'{"f": "x"}',
        b"[" * 100 + b"]" * 100,
    ],
)
def test_what_parsers_read_in_different_ways_is_doubted(raw: bytes) -> None:
    assert walk(raw).doubted.tolist() == [True]


def test_a_doubted_record_changes_nothing_for_others() -> None:
    spans = walk(b'{"a":"x","f":["1"', b'{"a":"y","f":["2"]}', b"", b'{"a":"z"}')
    assert spans.doubted.tolist() == [True, False, True, False]
    assert spans["a"].texts().to_pylist()[1::2] == ["y", "z"]
    rows, values = spans.items("f[]")
    assert [text for row, text in zip(rows.tolist(), values.texts().to_pylist(), strict=True) if row == 1] == ["2"]


def test_many_items_find_room() -> None:
    rows, values = walk(json.dumps({"f": [str(n) for n in range(5000)]}).encode()).items("f[]")
    assert values.texts().to_pylist() == [str(n) for n in range(5000)]
    assert set(rows.tolist()) == {0}


def test_counts_are_plain_digits_and_all_else_is_odd() -> None:
    written = ["5", '"123"', "null", '"1.0"', "-1", "1e3", '""', "true", "123456789012345678", "1234567890123456789"]
    numbers, known, odd = walk(*(f'{{"a": {text}}}'.encode() for text in [*written]), b"{}")["a"].counts()
    assert numbers[known].tolist() == [5, 123, 123456789012345678]
    assert np.flatnonzero(odd).tolist() == [3, 4, 5, 6, 7, 9]


def test_times_are_read_as_the_slow_reader_reads_them() -> None:
    from groundswell.text.times import read_time

    written = [
        "2025-11-24T16:00:00.278Z",
        "2024-02-29T23:59:59Z",
        "2023-02-29T00:00:00Z",
        "2025-12-31T23:59:59.1234567+05:30",
        "2025-01-01T00:00:00-08:00",
        "2000-02-29T12:00:00.000001Z",
        "2025-13-01T00:00:00Z",
        "2025-01-00T00:00:00Z",
        "2025-01-01T24:00:00Z",
        "2025-01-01T00:00:60Z",
        "2025-01-01T00:00:00",
        "2025-01-01 00:00:00Z",
        "2025-01-01T00:00:00.Z",
        "2025-01-01T00:00:00z",
        "1980-01-01T00:00:00Z",
        "2025-01-01T00:00:00+0100",
        "soon",
    ]
    values = walk(*(json.dumps({"a": text}).encode() for text in written))["a"]
    numbers, known, odd = values.times()
    assert (known | odd).all()
    assert known.sum() == 5
    assert numbers[known].tolist() == [read_time(text) for text, there in zip(written, known, strict=True) if there]


@settings(max_examples=200, deadline=None)
@given(st.datetimes(), st.integers(0, 9), st.sampled_from(["Z", "+00:00", "-03:30", "+14:00"]))
def test_any_time_that_is_read_is_the_one_that_was_written(when: Any, digits: int, zone: str) -> None:
    from groundswell.text.times import read_time

    fraction = f".{when.microsecond:06d}000"[: digits + 1] if digits else ""
    text = f"{when.year:04d}-{when:%m-%dT%H:%M:%S}{fraction}{zone}"
    numbers, known, odd = walk(json.dumps({"a": text}).encode())["a"].times()
    assert known[0] != odd[0]
    if known[0]:
        assert numbers[0] == read_time(text)
    else:
        assert not 1991 <= when.year <= 2099


def test_texts_are_compared_without_reading_them() -> None:
    values = walk(b'{"a":"post"}', b'{"a":"posts"}', b'{"a":5}', b'{"a":"\\u0070ost"}')["a"]
    assert values.are("post").tolist() == [True, False, False, False]


def test_texts_are_made_of_parts_null_where_one_is_missing() -> None:
    paths = Paths({}, {"a": ANY, "b": ANY})
    made = Made(paths, ["<", value("a"), "|", value("b"), ">"], [plain("a")], [member("x", "a"), member("y", "b")])
    records = [
        {"a": "one", "b": "two"},
        {"a": "", "b": "\u00e9 is longer than eight bytes"},
        {"a": "o/e", "b": 5},
        {"b": None},
        {"a": 'q"', "b": "z"},
    ]
    lines = [json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records]
    spans = paths.walk(np.frombuffer(b"".join(lines), np.uint8), np.cumsum([0, *map(len, lines)]))
    for rows in (np.arange(5), np.array([4, 1])):
        columns, doubted = spans.write(made, rows)
        expected = [
            ["<one|two>", "<|é is longer than eight bytes>", "<o/e|5>", None, '<q"|z>'],
            ["one", None, "o/e", None, 'q"'],
            ['{"x":"one","y":"two"}', '{"y":"é is longer than eight bytes"}', '{"x":"o/e","y":"5"}', None, None],
        ]
        assert [column.to_pylist() for column in columns[:2]] == [[each[row] for row in rows] for each in expected[:2]]
        sure = ~doubted
        assert doubted.tolist() == [row in (2, 4) for row in rows]
        assert columns[2].filter(pa.array(sure)).to_pylist() == [expected[2][row] for row in rows[sure]]
        for column in columns:
            column.validate()
