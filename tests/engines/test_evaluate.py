"""An expression evaluated on Arrow columns gives what DuckDB makes of it, or is left to DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest

from groundswell.engines import quick_rows
from groundswell.engines.duckdb import DuckEngine
from groundswell.engines.evaluate import Evaluator
from groundswell.engines.operations import masked
from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.tiktok import NESTED
from groundswell.sources.line_index import LineIndex
from groundswell.sources.lines import Piece

RAW = {"a": "string", "b": "string", "in": "struct<x: string>", "many": "array<struct<k: string>>"}
ROWS: list[dict[str, Any]] = [
    {"a": "1", "b": None, "in": {"x": "p"}, "many": [{"k": "1"}, {"k": None}, None]},
    {"a": "", "b": "b", "in": {"x": None}, "many": []},
    {"a": None, "b": "", "in": None, "many": None},
    {"a": " 12.0 ", "b": "1e3", "in": {"x": ""}, "many": [{"k": "x"}]},
    {"a": "99999999999999999999", "b": "0x10", "in": {"x": "é"}, "many": [{"k": ""}]},
    {"a": "-5", "b": "12.5", "in": {"x": "1_000"}, "many": [None]},
]


pytestmark = pytest.mark.usefixtures("compiled")


def layout_of(posts: Any) -> Layout:
    return Layout(
        platform="x", name="y", version=1, shape=Shape.OBJECT, raw=RAW, matches=bool, posts=posts, description=""
    )


def expressions(raw: ir.Table) -> dict[str, ir.Value]:
    some = raw.many.length() > 0
    whole = casts.integer("a", raw.a).value
    return {
        "literal": ibis.literal("t"),
        "nothing": ibis.null("string"),
        "null_if": raw.a.nullif(""),
        "first": ibis.coalesce(raw.b, raw["in"].x, raw.a),
        "joined": "<" + raw.a + "/" + raw["in"].x,
        "whole": whole,
        "other": casts.integer("b", raw.b).value,
        "scaled": ibis.cases((whole.between(0, 20), whole * 1000), (whole > 100, whole)),
        "keys": ibis.cases((some, raw.many.map(lambda one: one.k))),
        "lists": ibis.cases((some, raw.many)),
        "one": ibis.cases((raw.a != "", ibis.array([raw.a]))),
        "told": ibis.cases((casts.integer("b", raw.b).is_unread(), "unread: " + raw.b), else_="fine"),
        "both": ibis.struct({"x": raw["in"].x, "n": ibis.null("string")}),
    }


@pytest.mark.parametrize(
    "rows", [ROWS, ROWS[:1], ROWS[1:3], [ROWS[2]], ROWS[3:]], ids=["all", "full", "empty", "null", "odd"]
)
def test_an_expression_gives_what_duckdb_gives(engine: DuckEngine, rows: list[dict[str, Any]]) -> None:
    table = pa.Table.from_pylist(rows, ibis.schema(RAW).to_pyarrow())
    evaluator = Evaluator.of(layout_of(lambda raw: raw.select(**expressions(raw))), engine._whole_numbers)
    assert evaluator is not None
    held = engine.register("rows", table)
    theirs = engine.run(held.select(**expressions(held))).read_all().to_pylist()
    assert pa.Table.from_batches([evaluator(table)]).to_pylist() == theirs
    # Pieces of columns, as records that were read again are.
    pieces = [evaluator(table.slice(at, 1)) for at in range(len(rows))]
    assert [row for piece in pieces for row in piece.to_pylist()] == theirs


@pytest.mark.parametrize(
    "odd",
    [
        lambda raw: raw.a.upper(),
        lambda raw: raw.a.cast("int64"),
        lambda raw: raw.a.try_cast("float64"),
        lambda raw: raw.many.map(lambda one: one.k + raw.a),
        lambda raw: ibis.array([raw.a, raw.b]),
        lambda raw: raw.a.re_extract("(1)", 1),
        lambda raw: raw.a.re_search(raw.b),
    ],
)
def test_an_expression_with_anything_else_is_left_to_the_engine(odd: Any) -> None:
    assert Evaluator.of(layout_of(lambda raw: raw.select(odd=odd(raw))), lambda texts: [None] * len(texts)) is None


def test_what_is_masked_shares_its_values() -> None:
    texts = pa.array(["a", None, "c"])
    kept = masked(texts, pa.array([True, True, False]))
    assert kept.to_pylist() == ["a", None, None]
    assert kept.buffers()[2].address == texts.buffers()[2].address
    assert masked(texts.slice(1), pa.array([True, True])).to_pylist() == [None, "c"]


def test_files_with_a_mark_and_blank_lines_tell_the_places_of_their_lines(engine: DuckEngine, tmp_path: Path) -> None:
    lines = [
        b'\xef\xbb\xbf{"itemInfos": {"id": "0"}}',
        b"",
        b" \t",
        *[b'{"itemInfos": {"id": "%d"}}' % n for n in range(9)],
    ]
    path = tmp_path / "lines.ndjson"
    path.write_bytes(b"\r\n".join(lines))
    piece = Piece(path, 0, 1, spilled=False, has_mark=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick_rows, "LEAST", 0)
        patch.setattr(quick_rows, "MOST_DOUBTED", 1 << 20)
        patch.setattr("groundswell.engines.quick.BLOCK", 64)
        fed, looked = LineIndex(piece), LineIndex(piece)
        rows = sum(batch.num_rows for batch in engine.map_json(path, NESTED, explain=False, places=fed))
    assert rows == 10
    for mine, theirs in zip(fed.take(rows), looked.take(rows), strict=True):
        assert mine.tolist() == theirs.tolist()
    assert fed.rest() == looked.rest() == 0
