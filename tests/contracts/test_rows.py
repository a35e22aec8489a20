"""Search, rows, growth, profile and codebook give the same on DuckDB and on Spark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from groundswell.engines import Engine
from groundswell.lake import Lake
from groundswell.marts.codebook import codebook
from groundswell.marts.latest import Sort, find_posts
from groundswell.marts.profile import profile
from groundswell.marts.rows import rows
from groundswell.marts.velocity import velocity
from groundswell.marts.wanted import Wanted
from groundswell.query import parse

pytestmark = [pytest.mark.spark, pytest.mark.service]

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MakePosts = Callable[[Sequence[Mapping[str, Any]]], pa.Table]


@pytest.fixture
def lake(tmp_path: Path, make_posts: MakePosts) -> Lake:
    """Posts with and without id, time and counters, on two platforms, each third seen three times."""
    given: list[dict[str, Any]] = []
    for n in range(60):
        row: dict[str, Any] = {
            "platform": "tiktok" if n % 2 else "youtube",
            "post_id": None if n % 11 == 0 else f"p{n}",
            "author_name": f"Ann{n % 4}",
            "created_at": None if n % 13 == 0 else NOON - timedelta(hours=7 * n),
            "text": "red shoe" if n % 5 else "hat",
            "hashtags": ["sale"] if n % 3 else [],
            "metrics": [("reach", n)] if n % 2 else None,
            "views": 10 * n if n % 7 else None,
            "likes": n if n % 4 else None,
        }
        given.append(row)
        if n % 3 == 0:
            given += [{**row, "observed_at": NOON + timedelta(hours=10 * k), "views": 10 * n + k} for k in (1, 2)]
    lake = Lake(tmp_path / "lake")
    lake.append("posts", make_posts(given))
    return lake


@pytest.fixture
def both(duck: Engine, spark: Engine) -> tuple[Engine, Engine]:
    return duck, spark


def in_order(table: pa.Table) -> list[dict[str, Any]]:
    return sorted(table.to_pylist(), key=repr)


def test_a_search_gives_the_same_posts(both: tuple[Engine, Engine], lake: Lake) -> None:
    for text in ("", '"red shoe"', "#sale -hat"):
        for sort in Sort:
            wanted = Wanted(parse(text) if text else None)
            one, other = (find_posts(engine, lake, wanted, sort, 20)[0] for engine in both)
            assert one.equals(other), (text, sort)


def test_rows_growth_profile_and_codebook_are_the_same(both: tuple[Engine, Engine], lake: Lake) -> None:
    wanted = Wanted(parse("shoe"))
    for observations in ("latest", "all"):
        one, other = (rows(engine, lake, "posts", wanted, observations=observations).read_all() for engine in both)
        assert one.schema.equals(other.schema)
        assert in_order(one) == in_order(other)
    one, other = (velocity(engine, lake).read_all() for engine in both)
    assert one.num_rows > 10
    assert in_order(one) == in_order(other)
    profiles = [profile(engine, lake).document() for engine in both]
    for document in profiles:
        for entry in (*document["unlikely"], *document["outliers"]):
            entry["examples"] = sorted(entry["examples"], key=repr)
        for entry in document["fields"]:
            entry["mean"] = None if entry["mean"] is None else round(entry["mean"], 9)
    assert profiles[0] == profiles[1]
    books = [[(e.table, e.field, e.rows, e.filled, e.by_platform) for e in codebook(engine, lake)] for engine in both]
    assert books[0] == books[1]
