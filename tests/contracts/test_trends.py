"""Every query of `trends`, and what it stands on, gives the same rows on DuckDB and on Spark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from groundswell.engines import Engine
from groundswell.marts import summary as statistics
from groundswell.marts.engagement import engagement, engagement_per, interactions
from groundswell.marts.observations import latest
from groundswell.marts.trends import By, comparable_windows, key_counts, newest_event, window_totals
from groundswell.schema import TIMESTAMP

pytestmark = [pytest.mark.spark, pytest.mark.service]

END = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MakePosts = Callable[[Sequence[Mapping[str, Any]]], pa.Table]


@pytest.fixture
def both(duck: Engine, spark: Engine) -> tuple[Engine, Engine]:
    return duck, spark


@pytest.fixture
def posts(make_posts: MakePosts) -> pa.Table:
    """Nine days with what is awkward: unknown authors and times, repeats, edges of windows, capitals, gaps."""
    rows: list[dict[str, Any]] = []
    for day in range(9):
        for n in range(12):
            row: dict[str, Any] = {
                "post_id": f"{day}-{n}",
                "platform": "tiktok" if n % 3 else "youtube",
                "author_id": f"a{n % 5}" if n % 4 else None,
                "author_name": f"Name{n % 5}" if n % 7 else None,
                "created_at": END - day * DAY - timedelta(hours=2 * n),
                "observed_at": END if n % 2 else None,
                "hashtags": ["usual", "été", "日本"] if n % 2 else ([] if n % 3 else None),
                "challenges": [{"id": str(n % 3), "name": "c"}, {"id": None, "name": "only name"}] if n % 3 else None,
                "music_id": f"m{n % 3}" if n % 5 else None,
                "music_title": "Title" if n % 2 else None,
                "music_author": " Band " if n % 3 else "band" if n % 2 else None,
                "text": f"text {n}",
                "likes": None if n % 5 == 0 else n,
                "views": None if n % 4 == 0 else 10 * (n % 3),
                "followers": 7 * n,
            }
            rows += [row, {**row, "observed_at": END + DAY, "likes": n + 1}] if n % 6 == 0 else [row]
    timeless = {"post_id": None, "text": "no time", "hashtags": ["usual"]}
    edge = {"post_id": "edge", "created_at": END - DAY, "hashtags": ["usual"], "author_id": "a1"}
    return make_posts([*rows, timeless, timeless, edge])


def rows_of(engine: Engine, posts: pa.Table, question: Callable[[Any], Any]) -> list[dict[str, Any]]:
    found = engine.run(question(engine.register("posts", posts))).read_all()
    for number, column in enumerate(found.schema):
        if pa.types.is_timestamp(column.type):  # Spark leaves out the zone of a result; every time is UTC
            found = found.set_column(number, column.name, found[column.name].cast(TIMESTAMP))
    return sorted(found.to_pylist(), key=repr)


def same(both: tuple[Engine, Engine], posts: pa.Table, question: Callable[[Any], Any]) -> list[dict[str, Any]]:
    duck, spark = (rows_of(engine, posts, question) for engine in both)
    assert duck == spark
    assert duck
    return duck


@pytest.mark.parametrize("by", list(By))
@pytest.mark.parametrize("width", [timedelta(hours=6), DAY, 3 * DAY])
def test_counts_of_keys(both: tuple[Engine, Engine], posts: pa.Table, by: By, width: timedelta) -> None:
    windows = comparable_windows(END, width)
    same(both, posts, lambda table: key_counts(table, by, windows, 1))


@pytest.mark.parametrize("by", list(By))
def test_totals_of_windows(both: tuple[Engine, Engine], posts: pa.Table, by: By) -> None:
    found = same(both, posts, lambda table: window_totals(table, by, comparable_windows(END, DAY)))
    assert {row["window"] for row in found} == set(range(8))


def test_the_newest_event(both: tuple[Engine, Engine], posts: pa.Table) -> None:
    found = same(both, posts, lambda table: newest_event(table, END - DAY))
    assert found == [{"newest": END - DAY}]


def test_the_latest_observations(both: tuple[Engine, Engine], posts: pa.Table) -> None:
    found = same(both, posts, lambda table: latest(table).select("ingest_seq"))
    assert len(found) == 9 * 12 + 2


def test_engagement(both: tuple[Engine, Engine], posts: pa.Table) -> None:
    same(
        both,
        posts,
        lambda table: table.select("ingest_seq", n=interactions(table), e=engagement(table), per=engagement_per(table)),
    )


@pytest.mark.parametrize("question", [statistics.counts, statistics.hashtags, statistics.observations])
def test_the_statistics_of_a_day_are_equal(
    both: tuple[Engine, Engine], posts: pa.Table, question: Callable[[Any], Any]
) -> None:
    def asked(table: Any) -> Any:
        return question(statistics.of_day(table, END - 3 * DAY, END + DAY))

    assert {row["platform"] for row in same(both, posts, asked)} == {"tiktok", "x", "youtube"}
