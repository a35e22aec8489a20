"""The quick reader gives what DuckDB's own reader gives, row for row, whatever stands in the lines."""

from __future__ import annotations

import json
from pathlib import Path
from threading import local
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from groundswell.engines import quick, quick_rows
from groundswell.engines.duckdb import DuckEngine
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.tiktok import NESTED

RAW = {
    "a": "string",
    "list": "array<string>",
    "in": "struct<x: string, deep: struct<y: string, many: array<struct<z: string, more: array<string>>>>>",
    "rows": "array<struct<k: string, in: struct<v: string>, of: array<array<string>>>>",
}
unhurried = hypothesis_settings(deadline=None)
NAMES = ["a", "list", "in", "x", "deep", "y", "many", "z", "more", "rows", "k", "v", "of", "other", "A"]
NUMBERS = [
    *("0", "7", "-3", "-0", "12.5", "12.50", "1.0", "0.00012", "0.0001", "0.00001", "1e3", "1E-2", "-1.5", "0.1"),
    *("123456789012345678", "1234567890123456789", "12345678901234567890", "123456789012345.25", "1.7976931348623157"),
    *("123456789012.12", "9007199254740993", "-123456789012345678", "NaN", "Infinity", "01", "1.", "+1"),
]


pytestmark = pytest.mark.usefixtures("compiled")


def layout_of(raw: dict[str, str]) -> Layout:
    """A layout that reads `raw`; only its reader is asked."""
    return Layout(
        platform="x", name="y", version=1, shape=Shape.OBJECT, raw=raw, matches=bool, posts=NESTED.posts, description=""
    )


def both(engine: DuckEngine, raw: dict[str, str], lines: list[bytes], folder: Path) -> tuple[list[Any], list[Any]]:
    """The raw rows of some lines by the quick reader and by DuckDB's own."""
    layout, file = layout_of(raw), folder / "lines.ndjson"
    content = b"\n".join(lines) + b"\n"
    file.write_bytes(content)
    found = quick_rows.quick_rows(file, layout, lambda some: engine._raw_rows(layout, some), 2)
    assert found is not None
    mine = pa.Table.from_batches(list(found.batches(None)), schema=found.schema)
    theirs = engine._raw_rows(layout, content).cast(ibis.schema(raw).to_pyarrow())
    return mine.to_pylist(), theirs.to_pylist()


def values(leaf: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """JSON, as text, of the keys above with anything under them."""
    keys = st.sampled_from([json.dumps(name) for name in NAMES] + ['"\\u0061"'])
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
            st.lists(st.tuples(keys, inner), max_size=4).map(
                lambda pairs: "{" + ",".join(f"{key}: {value}" for key, value in pairs) + "}"
            ),
        ),
        max_leaves=20,
    )


def written(value: Any) -> st.SearchStrategy[str]:
    return st.sampled_from([json.dumps(value, ensure_ascii=False), json.dumps(value)])


LEAVES = st.one_of(
    st.sampled_from([*NUMBERS, "true", "false", "null", '""', '"\\ud83d\\ude00"', '"\\ud83d"', '"\\u0000"', '"a\\qb"']),
    st.text(max_size=40).flatmap(written),
)


@st.composite
def plain(draw: st.DrawFn) -> str:
    """A record as the layout declares it, more or less."""

    inner = st.sampled_from([None, {}, {"v": "w"}])

    def text() -> Any:
        return json.loads(draw(st.text(max_size=12).map(json.dumps) | st.sampled_from(["1", "2.5", "true", "null"])))

    def many(make: Any) -> list[Any]:
        return [make() for _ in range(draw(st.integers(0, 3)))]

    deep = {"y": text(), "many": many(lambda: {"z": text(), "more": many(text)})}
    rows = many(lambda: {"k": text(), "in": draw(inner), "of": many(lambda: many(text))})
    record = {"a": text(), "list": many(text), "in": {"x": text(), "deep": deep}, "rows": rows}
    left = draw(st.sets(st.sampled_from(["a", "list", "in", "rows"])))
    return json.dumps(
        {key: value for key, value in record.items() if key not in left}, ensure_ascii=draw(st.booleans())
    )


@unhurried
@given(st.lists(plain() | values(LEAVES), min_size=1, max_size=12), st.sampled_from([16, 200, 8 << 20]))
def test_any_json_is_read_as_duckdb_reads_it(
    engine: DuckEngine, tmp_path_factory: pytest.TempPathFactory, texts: list[str], size: int
) -> None:
    lines = [text.encode("utf-8", "surrogatepass") for text in texts]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick, "BLOCK", size)
        patch.setattr(quick_rows, "LEAST", 0)
        patch.setattr(quick_rows, "MOST_DOUBTED", 1 << 20)
        mine, theirs = both(engine, RAW, lines, tmp_path_factory.mktemp("quick"))
    assert mine == theirs


@unhurried
@given(st.data())
def test_a_line_that_lost_or_won_some_bytes_is_read_as_duckdb_reads_it(
    engine: DuckEngine, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    line = data.draw(plain()).encode()
    at = data.draw(st.integers(0, len(line)))
    new = data.draw(st.binary(max_size=2) | st.sampled_from([b",", b"}", b"]", b'"', b"\\", b" ", b"\t", b"\r"]))
    spoilt = line[:at] + new.replace(b"\n", b"") + line[at + data.draw(st.integers(0, 3)) :]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick_rows, "LEAST", 0)
        patch.setattr(quick_rows, "MOST_DOUBTED", 1 << 20)
        mine, theirs = both(engine, RAW, [line, spoilt, line], tmp_path_factory.mktemp("quick"))
    assert mine == theirs


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_has_the_text_that_duckdb_gives_it(engine: DuckEngine, number: str, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick_rows, "LEAST", 0)
        patch.setattr(quick_rows, "MOST_DOUBTED", 1 << 20)
        mine, theirs = both(engine, {"a": "string"}, [f'{{"a": {number}}}'.encode()], tmp_path)
    assert mine == theirs


@given(
    st.binary(max_size=80).map(lambda b: bytes(b"ab\n\r"[byte % 4] for byte in b)),
    st.integers(1, 20),
    st.integers(0, 9),
)
def test_blocks_hold_every_line_once(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, size: int, more: int
) -> None:
    path = tmp_path_factory.mktemp("quick") / "file"
    path.write_bytes(content)
    held = local()
    with pytest.MonkeyPatch.context() as patch, path.open("rb") as file:
        patch.setattr(quick, "BLOCK", size)
        patch.setattr(quick, "_MORE", more)
        parts = []
        for at in range(0, len(content), size):
            begin, part = quick._lines_at(file.fileno(), at, len(content), held)
            assert content[begin : begin + len(part)] == part
            parts.append(bytes(part))
    assert b"".join(parts) == content
    assert all(part.endswith(b"\n") for part in parts if part) or not content.endswith(b"\n")


def test_rows_that_an_engine_loses_are_missing_in_the_end(tmp_path: Path) -> None:
    path = tmp_path / "lines.ndjson"
    path.write_bytes(b'{"a": 1}\n{"a": 1e3}\n{"a": 2}\n')
    schema = pa.schema([("a", pa.string())])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick_rows, "LEAST", 0)
        patch.setattr(quick_rows, "MOST_DOUBTED", 1 << 20)
        for given_, rows in ((["x"], 3), (["x", "y"], 4)):
            table = pa.table({"a": given_}, schema=schema)
            found = quick_rows.quick_rows(path, layout_of({"a": "string"}), lambda _, t=table: t, 1)  # type: ignore[misc]  # a default holds the loop's table
            assert found is not None
            assert sum(batch.num_rows for batch in found.batches(None)) == rows


def test_a_file_that_begins_with_dirt_is_left_to_the_engine(tmp_path: Path) -> None:
    path = tmp_path / "lines.ndjson"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick_rows, "LEAST", 0)
        for line, used in ((b'{"a": 1}', True), (b'{"a": 1', False)):
            path.write_bytes(line + b"\n")
            found = quick_rows.quick_rows(path, layout_of({"a": "string"}), lambda _: pa.table({"a": [None]}), 1)
            assert (found is not None) == used
            if found is not None:
                found.settled.close()


def test_a_few_records_unlike_the_others_are_read_again_and_stand_in_their_places(
    engine: DuckEngine, tmp_path: Path
) -> None:
    usual = [
        b'{"itemInfos": {"id": "%d", "createTime": "16000000%02d", "text": "a", "diggCount": %d}, '
        b'"authorStats": {"heartCount": 1}, "challengeInfoList": [{"challengeName": "b"}]}' % (n, n % 100, n)
        for n in range(2_000)
    ]
    odd = {
        0: usual[0].replace(b', "authorStats": {"heartCount": 1}', b""),
        1: usual[1].replace(b'"diggCount": 1', b'"diggCount": "many"'),
        700: b'{"itemInfos": null}',
        701: usual[701][:50],
        702: usual[702].replace(b'"text": "a"', b'"text": {"b": 1}'),
        1_400: usual[1_400].replace(b'"heartCount"', b'"heart"'),
    }
    path = tmp_path / "lines.ndjson"
    path.write_bytes(b"\n".join(odd.get(n, line) for n, line in enumerate(usual)) + b"\n")
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick, "BLOCK", 150_000)
        patch.setattr("groundswell.engines.duckdb._SMALL", 0)
        for least in (0, 1 << 60):
            patch.setattr(quick_rows, "LEAST", least)
            found.append(pa.Table.from_batches(list(engine.map_json(path, NESTED, explain=False))).to_pylist())
        reader = quick.QuickReader(ibis.schema(dict(NESTED.raw)).to_pyarrow())
        read = [list(reader.blocks(path, 1, then)) for then in (lambda rows: rows, None)]
    assert found[0] == found[1]
    for blocks, doubted in zip(read, (sorted(odd), [701, 702]), strict=True):
        lines = [block.starts[block.doubted] for block in blocks]
        places = np.concatenate([block.starts for block in blocks])
        assert len(blocks) > 1
        assert np.searchsorted(places, np.concatenate(lines)).tolist() == doubted


@pytest.mark.parametrize("more", [1, 7, 8, 40])
def test_blocks_of_nothing_but_dirt_are_read_too(engine: DuckEngine, tmp_path: Path, more: int) -> None:
    usual = b'{"itemInfos": {"id": "1", "createTime": "1600000000"}}'
    path = tmp_path / "lines.ndjson"
    path.write_bytes(b"\n".join([usual, *[b'{"itemInfos": {"id": "2", "text": {}}}', b"[]"] * more, usual]) + b"\n")
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick, "BLOCK", 60)
        patch.setattr(quick_rows, "MOST_DOUBTED", 1 << 20)
        patch.setattr("groundswell.engines.duckdb._SMALL", 0)
        for least in (0, 1 << 60):
            patch.setattr(quick_rows, "LEAST", least)
            found.append(pa.Table.from_batches(list(engine.map_json(path, NESTED, explain=False))).to_pylist())
    assert len(found[0]) == 2 + 2 * more
    assert found[0] == found[1]
