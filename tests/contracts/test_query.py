"""The query language, the search over posts and the history of trackers give the same on DuckDB and on Spark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from groundswell.engines import Engine
from groundswell.lake import Lake
from groundswell.marts.baselines import histories
from groundswell.marts.latest import Sort, search_posts
from groundswell.query import parse
from groundswell.settings import load_settings
from groundswell.text.tokens import tokenise

pytestmark = [
    pytest.mark.spark,
    pytest.mark.service,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]

END = datetime(2026, 11, 20, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
MakePosts = Callable[[Sequence[Mapping[str, Any]]], pa.Table]
TEXTS = (
    "Side effects of the second dose",
    "no effects on the side, 100% don't_care",
    "été à İstanbul ΣΊΣΥΦΟΣ straße STRASSE",
    "食品安全 ไทย 👍🏽 #Nike",
    "nikes are no nike",
    "a 'quoted' \\ back%slash_",
    "",
    None,
)
QUERIES = (
    "nike",
    "nike*",
    '"side effects"',
    "effects -dose",
    "effects side NOT (dose OR nothing)",
    "食品",
    "ไทย OR 👍🏽",
    "σίσυφος STRASSE istanbul*",
    "don't_care",
    "slash_ OR back",
    "#nike",
    "@ann",
    "-@ann",
    "platform:tiktok -lang:en",
    "author:Ann OR kind:image",
    "followers:>1k",
    "likes:>=3 views:<10",
    "-likes:=0",
    "likes:0 OR -(views:>1)",
    "views:2..9",
    "#ni*",
    "domain:nike.com OR url:/p/9",
    "has:link",
    "has:media -has:sound",
    "is:verified region:de",
)


@pytest.fixture
def both(duck: Engine, spark: Engine) -> tuple[Engine, Engine]:
    return duck, spark


@pytest.fixture
def posts(make_posts: MakePosts) -> pa.Table:
    """Three weeks of posts in many languages; unknown authors, counters and times; some seen twice or thrice."""
    rows: list[dict[str, Any]] = []
    for n in range(160):
        row: dict[str, Any] = {
            "post_id": str(n) if n % 9 else None,
            "platform": ("tiktok", "youtube", "x")[n % 3],
            "kind": "image" if n % 11 == 0 else "video",
            "author_id": f"a{n % 5}",
            "author_name": ("Ann", "bob", None, "ANN", "")[n % 5],
            "created_at": END - timedelta(hours=3 * n, microseconds=499_999 * (n % 3)) if n % 13 else None,
            "observed_at": END if n % 2 else None,
            "text": TEXTS[n % len(TEXTS)],
            "hashtags": (None, [], ["nike"], ["nike", "食品"])[n % 4],
            "mentions": (["ann"], None, [])[n % 3],
            "lang": ("en", "en-GB", "EN", "eng", None, "th")[n % 6],
            "likes": None if n % 5 == 0 else n % 7,
            "views": None if n % 4 == 0 else n % 17,
            "followers": 500 * (n % 6),
            "urls": (None, ["https://www.nike.com/A"], [], ["https://a.b/nike.com", "https://a.b/p/9?x"])[n % 4],
            "music_id": ("m", None, "")[n % 3],
            "region": ("DE", "de", None)[n % 3],
            "verified": (True, False, None)[n % 7 % 3],
        }
        rows.append(row)
        if n % 6 == 0:
            rows.append({**row, "observed_at": END + WEEK, "likes": n % 3, "text": TEXTS[(n + 1) % len(TEXTS)]})
    table = make_posts(rows)
    return table.set_column(table.schema.get_field_index("tokens"), "tokens", tokenise(table["text"]))


@pytest.mark.parametrize("text", QUERIES)
def test_a_query_finds_the_same_rows_as_in_the_stream(both: tuple[Engine, Engine], posts: pa.Table, text: str) -> None:
    query = parse(text)
    expected = posts["ingest_seq"].filter(pa.array(query.mask(posts))).to_pylist()
    assert 0 < len(expected) < posts.num_rows
    for engine in both:
        table = engine.register("posts", posts)
        found = engine.run(table.filter(query.to_ibis(table)).select("ingest_seq")).read_all()
        assert sorted(found["ingest_seq"].to_pylist()) == expected


def test_the_past_of_trackers(both: tuple[Engine, Engine], posts: pa.Table) -> None:
    queries = [parse(text) for text in QUERIES]
    window_us, until_us = 300_000_000, int(END.timestamp()) * 1_000_000 + 123
    duck, spark = (histories(e, e.register("posts", posts), queries, window_us, until_us, 2.5) for e in both)
    assert duck.first_window_us == spark.first_window_us
    assert np.array_equal(duck.totals, spark.totals)
    assert np.array_equal(duck.counts, spark.counts)
    assert duck.totals.sum() > 100
    assert duck.counts.any(axis=1).all()


def test_a_search_over_a_lake(both: tuple[Engine, Engine], posts: pa.Table, tmp_path: Path) -> None:
    lake = Lake.open(load_settings(home=tmp_path / "home"))
    lake.append("posts", posts.drop_columns(["ingest_seq"]))
    searches: list[dict[str, Any]] = [
        {},
        {"limit": 7},
        {"query": parse("nike OR effects"), "limit": 20},
        {"query": parse("-likes:>3"), "platforms": ["tiktok", "x"], "limit": 1000},
        {"since": END - WEEK, "until": END - timedelta(days=1), "limit": 1000},
        *({"sort": sort, "limit": 30} for sort in Sort),
    ]
    for search in searches:
        (one, version), (other, same) = (search_posts(engine, lake, **search) for engine in both)
        assert version == same == lake.version("posts")
        assert one.num_rows > 0
        assert one.to_pylist() == other.to_pylist(), search
