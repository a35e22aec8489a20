"""A search gives the same posts with and without a text index, from many row groups, as the plain definition says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest

from groundswell.engines import Engine
from groundswell.lake import Lake, appender, terms
from groundswell.marts import latest as module
from groundswell.marts import parts
from groundswell.marts.engagement import engagement, engagement_values
from groundswell.marts.latest import Sort, find_posts
from groundswell.marts.observations import latest
from groundswell.marts.wanted import Wanted
from groundswell.query import parse
from groundswell.schema import POSTS

MakePosts = Callable[[Sequence[Mapping[str, Any]]], pa.Table]
WORDS = ("shoe", "red", "hat", "sale", "rareword")
QUERIES = (
    "",
    "shoe",
    '"red shoe"',
    "sho*",
    "rareword",
    "#sale",
    "@ann0",
    "shoe -red",
    "shoe OR hat",
    "likes:>5 red",
    "nothing",
)


def made(random: np.random.Generator, noon: datetime, count: int) -> list[dict[str, Any]]:
    """Posts of four platforms with what is awkward: no id, no time, several observations, equal times and values."""
    rows: list[dict[str, Any]] = []
    for number in range(count):
        words = [WORDS[int(w)] for w in random.choice(5, int(random.integers(1, 4)), p=(0.4, 0.3, 0.2, 0.09, 0.01))]
        created = None if random.random() < 0.05 else noon - timedelta(hours=int(random.integers(0, 2000)))
        row: dict[str, Any] = {
            "platform": "wxyz"[int(random.integers(0, 4))],
            "post_id": None if random.random() < 0.1 else f"p{number}",
            "author_name": f"Ann{number % 7}",
            "created_at": created,
            "text": " ".join(words),
            "hashtags": [word for word in words if word == "sale"],
            "likes": None if random.random() < 0.2 else int(random.integers(0, 12)),
            "views": None if random.random() < 0.2 else int(random.integers(0, 30)),
            "followers": 10,
        }
        rows.append(row)
        while random.random() < 0.3:
            changed = {
                "likes": int(random.integers(0, 12)),
                "text": " ".join(words[: int(random.integers(0, 3))]) or "x",
            }
            if row["post_id"] is None:
                changed.pop("text")
            seen = noon + timedelta(hours=int(random.integers(0, 5)))
            rows.append({**row, **changed, "observed_at": None if random.random() < 0.2 else seen})
    return [rows[int(place)] for place in random.permutation(len(rows))]


@pytest.fixture
def stored(lake: Lake, make_posts: MakePosts, noon: datetime, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setattr(appender, "ROW_GROUP", 7)
    monkeypatch.setattr(appender, "_GROUPS_A_FILE", 5)
    monkeypatch.setattr(terms, "LEAST_ROWS", 4)
    rows = made(np.random.default_rng(1), noon, 600)
    table = make_posts(rows)
    for start in range(0, table.num_rows, 211):
        lake.append("posts", table.slice(start, 211))
    return lake


def plain(engine: Engine, lake: Lake, wanted: Wanted, sort: Sort, limit: int) -> list[int]:
    """The definition: the latest observation of each post, those that are wanted, in order."""
    posts = engine.read_table(lake.snapshot("posts", platforms=wanted.platforms or None).files, POSTS)
    rows = wanted.of(latest(posts))
    rows = rows.mutate(engagement=engagement(rows))
    first = [] if sort is Sort.LATEST else [ibis.desc(sort.value, nulls_first=False)]
    order = [*first, ibis.desc("created_at", nulls_first=False), ibis.desc("ingest_seq")]
    found: list[int] = (
        engine.run(rows.order_by(order).limit(limit).select("ingest_seq")).read_all()["ingest_seq"].to_pylist()
    )
    return found


def asked_for(noon: datetime) -> list[tuple[Wanted, Sort]]:
    queries = [(text, Sort.LATEST) for text in QUERIES]
    queries += [(text, sort) for text in ("", "shoe", "rareword") for sort in Sort]
    asked = [(Wanted(parse(text) if text else None), sort) for text, sort in queries]
    return [
        *asked,
        (Wanted(parse("shoe"), ("x", "z"), noon - timedelta(hours=900), noon - timedelta(hours=300)), Sort.LATEST),
        (Wanted(None, (), noon - timedelta(hours=9), None), Sort.LATEST),
        (Wanted(parse("red"), ("nowhere",)), Sort.LATEST),
    ]


@pytest.mark.slow
def test_every_order_gives_what_the_definition_gives_without_with_and_with_a_part_of_the_index(
    engine: Engine, stored: Lake, noon: datetime
) -> None:
    asked = [(wanted, sort, plain(engine, stored, wanted, sort, 25)) for wanted, sort in asked_for(noon)]

    def check() -> None:
        for wanted, sort, expected in asked:
            found, _ = find_posts(engine, stored, wanted, sort, 25)
            assert found["ingest_seq"].to_pylist() == expected, (wanted, sort)

    check()
    made = terms.index_texts(stored, threads=2)
    assert made > 10
    check()
    for number, path in enumerate(sorted((stored.beside / "terms").rglob("*.terms"))):
        if number % 2:
            path.unlink()
    check()


def test_hits_that_were_not_kept_are_not_missed(engine: Engine, stored: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    # With room for hardly any hits, many of them stale, the search has to begin again with more.
    monkeypatch.setattr(module, "LEAST_KEPT", 2)
    monkeypatch.setattr(module, "_GROWTH", 2)
    wanted = Wanted(parse("shoe"))
    for sort in (Sort.LATEST, Sort.LIKES):
        found, _ = find_posts(engine, stored, wanted, sort, 25)
        assert found["ingest_seq"].to_pylist() == plain(engine, stored, wanted, sort, 25)


def test_posts_of_one_origin_are_those_of_the_file_or_the_members_of_the_archive(
    engine: Engine, lake: Lake, make_posts: MakePosts, noon: datetime
) -> None:
    origins = ["a.zip::x.csv", "a.zip", "a.zip2", "b.csv", None]
    lake.append(
        "posts", make_posts([{"post_id": str(n), "origin": o, "created_at": noon} for n, o in enumerate(origins)])
    )
    found, _ = find_posts(engine, lake, Wanted(origin="a.zip"))
    assert sorted(found["post_id"].to_pylist()) == ["0", "1"]


def test_a_rare_word_opens_only_the_row_groups_that_have_it(
    engine: Engine, stored: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms.index_texts(stored)
    looked: list[int] = []
    scan = parts.matching_rows

    def counted(file: Any, group: int, wanted: Wanted) -> Any:
        rows = scan(file, group, wanted)
        looked.append(len(rows))
        return rows

    monkeypatch.setattr(module, "matching_rows", counted)
    find_posts(engine, stored, Wanted(parse("rareword")), Sort.LATEST, 1000)
    big = sum(1 for rows in looked if rows)
    assert big
    assert len(looked) - big <= sum(1 for file in stored.snapshot().counts if file < terms.LEAST_ROWS)


def test_engagement_of_arrow_rows_is_that_of_the_expression(engine: Engine, stored: Lake) -> None:
    posts = engine.read_table(stored.snapshot().files, POSTS)
    rows = engine.run(posts.mutate(engagement=engagement(posts))).read_all()
    expected = rows["engagement"].to_numpy(zero_copy_only=False)
    found = engagement_values(rows)
    assert np.array_equal(np.where(np.isnan(expected), -np.inf, expected), found)
