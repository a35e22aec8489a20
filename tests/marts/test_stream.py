"""The lake read as a stream gives each post once, as it was first observed, in order of time, whatever the files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from groundswell.lake import Lake, appender
from groundswell.marts.stream import LakeStream, Posts, Question
from groundswell.marts.volumes import refresh, volumes
from groundswell.query import parse

MakePosts = Callable[[Sequence[Mapping[str, Any]]], pa.Table]
HOUR = 3_600_000_000
WIDTH = HOUR // 12


def micros(at: datetime) -> int:
    return round(at.timestamp() * 1e6)


def read_all(stream: LakeStream, since_us: int, until_us: int, most_rows: int) -> tuple[list[Posts], pa.Table]:
    """All stretches, and text and likes of their posts."""
    with ThreadPoolExecutor(2) as pool:
        found = [stream.read(stretch, pool) for stretch in stream.stretches(since_us, until_us, most_rows)]
        tables = [stream.rows(posts, ["post_id", "created_at", "likes"], pool) for posts in found]
    return found, pa.concat_tables(tables)


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appender, "ROW_GROUP", 16)


@pytest.mark.usefixtures("small_groups")
@pytest.mark.parametrize("most_rows", [8, 10_000])
def test_every_post_comes_once_in_the_order_of_time(
    lake: Lake, make_posts: MakePosts, noon: datetime, most_rows: int
) -> None:
    random = np.random.default_rng(3)
    rows: list[dict[str, Any]] = []
    for number in range(150):
        created = noon - timedelta(minutes=int(random.integers(0, 60 * 24 * 40)))
        row: dict[str, Any] = {
            "platform": "xy"[number % 2],
            "post_id": None if number % 11 == 0 else f"{number}" if number % 3 else f"p{number}",
            "author_name": f"a{number}",
            "created_at": created,
            "observed_at": created + timedelta(minutes=1),
            "text": "arm" if number % 4 == 0 else "leg",
            "likes": 5,
        }
        rows.append(row)
        if number % 5 == 0:
            rows.append({**row, "observed_at": created + timedelta(days=2), "likes": 500})
    rows.append({"platform": "x", "post_id": "undated", "created_at": None, "text": "arm"})
    order = random.permutation(len(rows))
    table = make_posts([rows[n] for n in order])
    for start in range(0, table.num_rows, 120):
        lake.append("posts", table.slice(start, 120))
    since, until = micros(noon - timedelta(days=35)), micros(noon)
    within = sorted(
        (row["created_at"], row["post_id"] or row["author_name"])
        for row in rows[:-1]
        if since <= micros(row["created_at"]) < until and row["observed_at"] < row["created_at"] + timedelta(days=1)
    )
    found, table = read_all(LakeStream.open(lake, Question(), since, until), since, until, most_rows)
    got = [micros(at) for at in table["created_at"].to_pylist()]
    assert got == [micros(at) for at, _ in within]
    assert sorted(table["post_id"].drop_null().to_pylist()) == sorted(
        row["post_id"]
        for row in rows[:-1]
        if row["post_id"] and row["likes"] == 5 and since <= micros(row["created_at"]) < until
    )
    asked = LakeStream.open(lake, Question(parse("arm")), since, until)
    with ThreadPoolExecutor(2) as pool:
        matched = sum(int(asked.read(s, pool).matched.sum()) for s in asked.stretches(since, until, most_rows))
    assert matched == sum(
        row["text"] == "arm" and row["likes"] == 5 and since <= micros(row["created_at"]) < until for row in rows[:-1]
    )
    counted = volumes(lake, WIDTH, since, until)
    assert counted.platforms == ("x", "y")
    assert counted.totals.sum() == len(within)
    assert counted.first_us == got[0] // WIDTH * WIDTH
    per_window = np.bincount((np.array(got) - counted.first_us) // WIDTH, minlength=len(counted.totals))
    assert per_window.tolist() == counted.totals.tolist()
    assert sum(map(len, found)) == len(within)


def test_counters_are_those_that_were_known_when_the_window_closed(
    lake: Lake, make_posts: MakePosts, noon: datetime
) -> None:
    created = noon - timedelta(hours=3)

    def seen(number: int, minutes: float | None, likes: int) -> dict[str, Any]:
        observed = None if minutes is None else created + timedelta(minutes=minutes)
        return {"post_id": str(number), "created_at": created, "observed_at": observed, "text": "arm", "likes": likes}

    lake.append(
        "posts",
        make_posts(
            [
                seen(1, 2, 500),  # known at once
                seen(2, 2, 1),  # grew later: counted once, as it was first seen
                seen(2, 600, 500),
                seen(3, 600, 500),  # an archive that was collected later
                seen(4, None, 500),  # nobody knows when it was seen
                seen(5, 5.5, 500),  # within what a window waits
            ]
        ),
    )
    since, until = micros(noon - timedelta(days=1)), micros(noon)
    question = Question(parse("arm likes:>100"), window_us=5 * 60_000_000, lateness_us=60_000_000)
    (posts,), table = read_all(LakeStream.open(lake, question, since, until), since, until, 1000)
    by_id = dict(zip(table["post_id"].to_pylist(), zip(posts.matched, posts.blind, strict=True), strict=True))
    assert {name: (bool(known), bool(blind)) for name, (known, blind) in by_id.items()} == {
        "1": (True, False),
        "2": (False, False),
        "3": (False, True),
        "4": (False, True),
        "5": (True, False),
    }
    likes = dict(zip(table["post_id"].to_pylist(), table["likes"].to_pylist(), strict=True))
    assert likes == {"1": 500, "2": 1, "3": None, "4": None, "5": 500}


def test_a_month_is_counted_again_only_when_it_has_new_files(lake: Lake, make_posts: MakePosts, noon: datetime) -> None:
    days = [noon - timedelta(days=day) for day in (0, 1, 40)]
    lake.append("posts", make_posts([{"post_id": str(n), "created_at": day} for n, day in enumerate(days)]))
    read: list[int] = []

    def count() -> int:
        read.clear()
        return int(volumes(lake, HOUR, 0, micros(noon) + HOUR, check=read.append).totals.sum())

    assert count() == 3
    assert refresh(lake, HOUR) == (0, 0)
    lake.append("posts", make_posts([{"post_id": "new", "created_at": noon}]))
    assert refresh(lake, HOUR) == (1, 0)
    assert count() == 4
    assert refresh(lake, 2 * HOUR) == (2, 2)


def test_a_lake_without_posts_has_no_windows(lake: Lake, noon: datetime) -> None:
    assert len(volumes(lake, HOUR, 0, micros(noon)).totals) == 0
    assert LakeStream.open(lake, Question(), 0, micros(noon)).stretches(0, micros(noon)) == []
