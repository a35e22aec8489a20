"""Statistics of a day: a post once, on the date of its creation, with its counters as seen last; missing is null."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from groundswell.engines import Engine
from groundswell.lake import Lake
from groundswell.marts.summary import COUNTERS, summary

DAY = date(2026, 11, 19)
NOON = datetime(2026, 11, 19, 12, tzinfo=UTC)


def post(number: int, at: datetime | None = NOON, **more: Any) -> dict[str, Any]:
    return {"post_id": str(number), "author_name": f"a{number}", "created_at": at, "platform": "x", **more}


def test_a_post_counts_once_with_its_latest_counters(
    engine: Engine, lake: Lake, make_posts: Callable[..., pa.Table]
) -> None:
    rows = [
        post(1, views=10, observed_at=NOON),
        post(1, views=90, likes=3, observed_at=NOON + timedelta(hours=2)),
        post(2, views=30, hashtags=["a", "b"]),
        post(3, author_name="a2", hashtags=["b"]),
    ]
    lake.append("posts", make_posts(rows))
    found = summary(engine, lake, DAY)
    (platform,) = found["platforms"]
    assert {name: platform[name] for name in ("posts", "authors", "observations", "hashtagged", "hashtags")} == {
        "posts": 3,
        "authors": 2,
        "observations": 4,
        "hashtagged": 2,
        "hashtags": 2,
    }
    assert platform["counters"]["views"] == {"sum": 120, "median": 60.0, "known": 2}
    assert platform["counters"]["likes"] == {"sum": 3, "median": 3.0, "known": 1}
    assert platform["counters"]["saves"] == {"sum": None, "median": None, "known": 0}
    assert set(platform["counters"]) == set(COUNTERS)


def test_the_day_is_that_of_utc_and_its_end_belongs_to_the_next(
    engine: Engine, lake: Lake, make_posts: Callable[..., pa.Table]
) -> None:
    midnight = datetime(2026, 11, 19, tzinfo=UTC)
    step = timedelta(microseconds=1)
    times = [midnight - step, midnight, midnight + timedelta(days=1) - step, midnight + timedelta(days=1), None]
    lake.append("posts", make_posts([post(number, at) for number, at in enumerate(times)]))
    assert summary(engine, lake, DAY)["posts"] == 2


def test_platforms_are_apart_and_most_posts_come_first(
    engine: Engine, lake: Lake, make_posts: Callable[..., pa.Table]
) -> None:
    rows = [post(1), post(1, platform="tiktok", views=5), post(2, platform="tiktok")]
    lake.append("posts", make_posts(rows))
    found = summary(engine, lake, DAY)
    assert [(row["platform"], row["posts"]) for row in found["platforms"]] == [("tiktok", 2), ("x", 1)]
    assert (found["posts"], found["observations"]) == (3, 3)


def test_a_day_without_posts_is_empty_and_no_error(engine: Engine, lake: Lake) -> None:
    found = summary(engine, lake, DAY)
    assert (found["posts"], found["platforms"]) == (0, [])
