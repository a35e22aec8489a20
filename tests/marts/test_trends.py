"""What rises is measured by voices, against the same hours before, and counted once per post."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from groundswell.engines import Engine
from groundswell.errors import UsageError
from groundswell.lake import Lake
from groundswell.marts.trends import TRENDS, By, comparable_windows, trends

MakePosts = Callable[[Sequence[Mapping[str, Any]]], pa.Table]
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def week(noon: datetime, per_day: int = 20, days: int = 8) -> list[dict[str, Any]]:
    """`per_day` authors who use #usual once a day, in the half day before noon."""
    return [
        {
            "post_id": f"{day}-{n}",
            "author_id": f"author {n}",
            "author_name": f"name{n}",
            "created_at": noon - day * DAY - n * MINUTE,
            "hashtags": ["usual"],
            "challenges": [{"id": "77", "name": "usual"}],
            "music_id": "m1",
            "music_title": "Song",
            "music_author": "Band",
        }
        for day in range(days)
        for n in range(per_day)
    ]


def test_a_new_hashtag_of_several_voices_comes_first_and_the_usual_one_does_not_rise(
    engine: Engine, lake: Lake, make_posts: MakePosts, noon: datetime
) -> None:
    rows = week(noon)
    for row in rows[:8]:
        row["hashtags"] = ["usual", "new"]
    lake.append("posts", make_posts(rows))
    found = trends(engine, lake, now=noon)
    new, usual = found.rows.to_pylist()
    assert (new["key"], new["label"], new["platform"]) == ("new", "#new", None)
    assert (new["posts"], new["voices"], new["posts_before"], new["voices_before"]) == (8, 8, 0, 0)
    assert new["lower"] > 2
    assert new["sure"] > 0.999
    assert (usual["posts"], usual["posts_before"]) == (20, 140)
    assert usual["lower"] < 1 < usual["upper"]
    assert (found.posts, found.voices, found.posts_before, found.voices_before) == (20, 20, 140, 140)
    assert len(found.windows) == 8


def test_one_author_who_posts_much_is_one_voice(
    engine: Engine, lake: Lake, make_posts: MakePosts, noon: datetime
) -> None:
    spam = [
        {"post_id": f"s{n}", "author_id": "spammer", "created_at": noon - n * MINUTE, "hashtags": ["buy"]}
        for n in range(50)
    ]
    lake.append("posts", make_posts([*week(noon), *spam]))
    by_key = {row["key"]: row for row in trends(engine, lake, now=noon).rows.to_pylist()}
    assert (by_key["buy"]["posts"], by_key["buy"]["voices"]) == (50, 1)
    assert by_key["buy"]["lower"] < 1


def test_a_post_without_an_author_is_a_voice_of_its_own(
    engine: Engine, lake: Lake, make_posts: MakePosts, noon: datetime
) -> None:
    rows = [{"post_id": f"{n}", "created_at": noon, "hashtags": ["tag"]} for n in range(5)]
    lake.append("posts", make_posts(rows))
    assert trends(engine, lake, now=noon).voices == 5


def test_many_observations_of_a_post_count_once(
    engine: Engine, lake: Lake, make_posts: MakePosts, noon: datetime
) -> None:
    rows = week(noon)
    lake.append("posts", make_posts(rows))
    again = make_posts([{**row, "observed_at": noon, "ingest_seq": 1000 + n} for n, row in enumerate(rows)])
    lake.append("posts", again)
    found = trends(engine, lake, now=noon)
    assert (found.posts, found.posts_before) == (20, 140)
    assert found.rows["posts"].to_pylist() == [20]


def test_a_day_on_which_everybody_posts_more_lets_nothing_rise(
    engine: Engine, lake: Lake, make_posts: MakePosts, noon: datetime
) -> None:
    more = [
        {"post_id": f"m{n}", "author_id": f"more {n}", "created_at": noon - n * MINUTE, "hashtags": ["usual"]}
        for n in range(200)
    ]
    lake.append("posts", make_posts([*week(noon), *more]))
    row = trends(engine, lake, now=noon).rows.to_pylist()[0]
    assert row["posts"] == 220
    assert row["lower"] < 1 < row["upper"]


def test_without_a_past_nothing_is_said_about_change(
    engine: Engine, lake: Lake, make_posts: MakePosts, noon: datetime
) -> None:
    lake.append("posts", make_posts(week(noon, days=1)))
    found = trends(engine, lake, now=noon)
    row = found.rows.to_pylist()[0]
    assert row["voices"] == 20
    assert [row[name] for name in ("change", "lower", "upper", "sure")] == [None] * 4
    assert len(found.windows) == 1


@pytest.mark.parametrize(
    ("by", "key", "label", "platform"),
    [
        (By.HASHTAG, "usual", "#usual", None),
        (By.SOUND, "m1", "Song · Band", "x"),
        (By.MUSICIAN, "band", "Band", None),
        (By.CHALLENGE, "77", "usual", "x"),
    ],
)
def test_each_kind_has_its_key_and_its_label(
    engine: Engine,
    lake: Lake,
    make_posts: MakePosts,
    noon: datetime,
    by: By,
    key: str,
    label: str,
    platform: str | None,
) -> None:
    lake.append("posts", make_posts(week(noon)))
    found = trends(engine, lake, by, now=noon).rows
    assert found.schema.equals(TRENDS)
    assert found.select(["key", "label", "platform"]).to_pylist() == [
        {"key": key, "label": label, "platform": platform}
    ]


def test_a_creator_rises_by_posts(engine: Engine, lake: Lake, make_posts: MakePosts, noon: datetime) -> None:
    busy = [
        {"post_id": f"b{n}", "author_id": "author 1", "author_name": "name1", "created_at": noon - n * MINUTE}
        for n in range(30)
    ]
    lake.append("posts", make_posts([*week(noon), *busy]))
    row = trends(engine, lake, By.CREATOR, now=noon).rows.to_pylist()[0]
    assert (row["key"], row["label"], row["platform"], row["voices"]) == ("author 1", "name1", "x", 31)
    assert row["lower"] > 1


def test_the_default_end_is_the_newest_post_that_is_not_in_the_future(
    engine: Engine, lake: Lake, make_posts: MakePosts, noon: datetime
) -> None:
    joke = {"post_id": "joke", "created_at": datetime(2999, 1, 1, tzinfo=UTC), "hashtags": ["joke"]}
    lake.append("posts", make_posts([*week(noon), joke, {"post_id": "timeless"}]))
    found = trends(engine, lake, now=noon + 3 * DAY)
    assert found.windows[0].end == noon


def test_a_platform_is_measured_alone(engine: Engine, lake: Lake, make_posts: MakePosts, noon: datetime) -> None:
    other = [{**row, "platform": "y", "hashtags": ["other"]} for row in week(noon)]
    lake.append("posts", make_posts([*week(noon), *other]))
    found = trends(engine, lake, platforms=("y",), now=noon)
    assert found.rows["key"].to_pylist() == ["other"]
    assert found.posts == 20


def test_an_empty_lake_has_no_trends(engine: Engine, lake: Lake, noon: datetime) -> None:
    found = trends(engine, lake, now=noon)
    assert (found.rows.num_rows, found.windows, found.lake_version) == (0, (), None)


@pytest.mark.parametrize(
    ("width", "step"),
    [(timedelta(hours=6), DAY), (DAY, DAY), (timedelta(days=1, seconds=1), 2 * DAY), (7 * DAY, 7 * DAY)],
)
def test_windows_before_have_the_same_length_and_hours_and_do_not_overlap(width: timedelta, step: timedelta) -> None:
    windows = comparable_windows(datetime(2026, 11, 20, 12, tzinfo=UTC), width)
    assert {w.end - w.start for w in windows} == {width}
    assert {a.end - b.end for a, b in itertools.pairwise(windows)} == {step}
    assert all(b.end <= a.start for a, b in itertools.pairwise(windows))


def test_windows_that_reach_before_the_calendar_are_refused() -> None:
    with pytest.raises(UsageError, match="reach before"):
        comparable_windows(datetime(2026, 11, 20, tzinfo=UTC), timedelta(days=200_000))
