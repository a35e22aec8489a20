"""The search shows each post once, by its latest observation, in the order asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from groundswell.engines import Engine
from groundswell.errors import UsageError
from groundswell.lake import Lake
from groundswell.marts import latest as module
from groundswell.marts.latest import FOUND, newest_first, search_posts
from groundswell.query import parse

MakePosts = Callable[[Sequence[Mapping[str, Any]]], pa.Table]
HOUR = timedelta(hours=1)


def ids(table: pa.Table) -> list[str]:
    found: list[str] = table["post_id"].to_pylist()
    return found


def test_an_empty_lake_gives_no_posts_and_no_version(engine: Engine, lake: Lake) -> None:
    table, version = search_posts(engine, lake)
    assert table.schema.equals(FOUND)
    assert (table.num_rows, version) == (0, None)


def test_newest_first_over_several_months_and_posts_without_a_time_last(
    engine: Engine, lake: Lake, make_posts: MakePosts, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CHUNK_BYTES", 1)  # each month is a query of its own
    rows = [{"post_id": f"{n}", "created_at": noon - 20 * n * timedelta(days=1)} for n in range(8)]
    lake.append("posts", make_posts([{"post_id": "timeless"}, *reversed(rows)]))
    table, version = search_posts(engine, lake)
    assert ids(table) == [*(f"{n}" for n in range(8)), "timeless"]
    assert version == lake.version("posts")
    assert ids(search_posts(engine, lake, limit=3)[0]) == ["0", "1", "2"]


def test_a_post_is_shown_once_with_its_latest_counters(
    engine: Engine, lake: Lake, make_posts: MakePosts, noon: datetime
) -> None:
    seen = [
        {"post_id": "a", "created_at": noon, "observed_at": noon + n * HOUR, "likes": n, "views": 10} for n in (1, 3, 2)
    ]
    lake.append("posts", make_posts(seen))
    for sort in ("latest", "likes", "views", "engagement"):
        table, _ = search_posts(engine, lake, sort=sort)
        assert table.select(["likes", "engagement", "engagement_per"]).to_pylist() == [
            {"likes": 3, "engagement": 0.3, "engagement_per": "view"}
        ]


@pytest.mark.parametrize("sort", ["latest", "likes"])
def test_a_post_whose_latest_observation_no_longer_matches_is_not_shown(
    engine: Engine, lake: Lake, make_posts: MakePosts, noon: datetime, sort: str
) -> None:
    before = {"post_id": "edited", "created_at": noon, "observed_at": noon, "text": "shoe sale"}
    after = {**before, "observed_at": noon + HOUR, "text": "hat sale"}
    lake.append("posts", make_posts([before, after, {"post_id": "same", "created_at": noon, "text": "shoe"}]))
    assert ids(search_posts(engine, lake, parse("shoe"), sort=sort)[0]) == ["same"]
    assert sorted(ids(search_posts(engine, lake, parse("shoe OR hat"), sort=sort)[0])) == ["edited", "same"]


def test_enough_posts_are_found_behind_many_stale_observations(
    engine: Engine, lake: Lake, make_posts: MakePosts, noon: datetime
) -> None:
    stale = [{"post_id": f"s{n}", "created_at": noon, "observed_at": noon, "text": "shoe"} for n in range(400)]
    edited = [{**row, "observed_at": noon + HOUR, "text": "hat"} for row in stale]
    lake.append("posts", make_posts([*stale, *edited, {"post_id": "old", "created_at": noon - HOUR, "text": "shoe"}]))
    assert ids(search_posts(engine, lake, parse("shoe"), limit=2)[0]) == ["old"]


def test_sorted_by_a_counter_unknown_comes_last_and_newer_breaks_ties(
    engine: Engine, lake: Lake, make_posts: MakePosts, noon: datetime
) -> None:
    likes = {"few": 1, "none": None, "many": 9, "zero": 0, "few later": 1}
    rows = [{"post_id": k, "likes": v, "created_at": noon + n * HOUR} for n, (k, v) in enumerate(likes.items())]
    lake.append("posts", make_posts(rows))
    assert ids(search_posts(engine, lake, sort="likes")[0]) == ["many", "few later", "few", "zero", "none"]


def test_platform_and_period_are_exact(engine: Engine, lake: Lake, make_posts: MakePosts, noon: datetime) -> None:
    rows = [{"post_id": f"{p}{n}", "platform": p, "created_at": noon + n * HOUR} for p in "xyz" for n in range(4)]
    lake.append("posts", make_posts([*rows, {"post_id": "timeless"}]))
    table, _ = search_posts(engine, lake, None, ("x", "z"), noon + HOUR, noon + 3 * HOUR)
    assert ids(table) == ["z2", "x2", "z1", "x1"]


def test_months_are_read_newest_first_and_unknown_last(tmp_path: Path) -> None:
    files = []
    for platform in "xy":
        for month in ("2025-12", "unknown", "2026-02", "2026-01"):
            file = tmp_path / f"platform={platform}" / f"month={month}" / "a.parquet"
            file.parent.mkdir(parents=True)
            file.write_bytes(b"x" * (300 if month == "2026-01" else 10))
            files.append(file)
    months = [[f.parent.name.removeprefix("month=") for f in group] for group in newest_first(files)]
    assert months == [["2026-02", "2026-02", "2026-01", "2026-01", "2025-12", "2025-12", "unknown", "unknown"]]


def test_an_empty_period_or_limit_is_refused(engine: Engine, lake: Lake, noon: datetime) -> None:
    with pytest.raises(UsageError, match="no time between"):
        search_posts(engine, lake, since=noon, until=noon)
    with pytest.raises(UsageError, match="too small"):
        search_posts(engine, lake, limit=0)
