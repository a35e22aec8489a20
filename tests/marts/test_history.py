"""The history of a post holds every observation, how it grew, and what its counters meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from groundswell.engines import Engine
from groundswell.errors import NotFoundError, UsageError
from groundswell.lake import Lake, terms
from groundswell.marts.history import history
from groundswell.marts.velocity import VELOCITY, velocity
from groundswell.marts.wanted import Wanted
from groundswell.query import parse

MakePosts = Callable[[Sequence[Mapping[str, Any]]], pa.Table]
HOUR = timedelta(hours=1)


@pytest.fixture
def seen(lake: Lake, make_posts: MakePosts, noon: datetime) -> Lake:
    """A post seen at 12, 36 and 48 hours, in two files, once more without a time; another one once."""
    base = {"platform": "tiktok", "post_id": "7", "created_at": noon, "text": "shoe"}
    lake.append(
        "posts",
        make_posts(
            [
                base | {"observed_at": noon + 48 * HOUR, "views": 4000, "likes": 8},
                base | {"views": 3000},
                {"post_id": "other", "created_at": noon, "observed_at": noon + HOUR, "views": 1},
            ]
        ),
    )
    lake.append("posts", make_posts([base | {"observed_at": noon + 12 * HOUR, "views": 1000}]))
    lake.append("posts", make_posts([base | {"observed_at": noon + 36 * HOUR, "views": 3400}]))
    return lake


def test_all_observations_in_the_order_of_their_times(seen: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    found = history(seen, "7").document()
    assert [one["views"] for one in found["observations"]] == [3000, 1000, 3400, 4000]
    assert [one["velocity"]["views"] for one in found["observations"]] == [None, None, 100, 50]
    assert 1000 < found["at_24h"]["views"] < 3400
    assert 12 < found["half_life_h"]["views"] < 36
    assert found["why_not"]["likes"] == "first observed at an age of 48.0 h"
    assert found["why_not"]["saves"] == "never known"
    assert (found["platform"], found["text"]) == ("tiktok", "shoe")
    monkeypatch.setattr(terms, "LEAST_ROWS", 1)
    assert terms.index_texts(seen) == 4
    assert history(seen, "7").document() == found
    assert history(seen, "tiktok/7").document() == found
    assert history(seen, "https://www.tiktok.com/@a/video/7").document() == found


def test_a_post_that_is_not_there_or_on_several_platforms_is_said(seen: Lake, make_posts: MakePosts) -> None:
    with pytest.raises(NotFoundError, match="no such post"):
        history(seen, "8")
    with pytest.raises(NotFoundError):
        history(seen, "7", "youtube")
    seen.append("posts", make_posts([{"platform": "youtube", "post_id": "7"}]))
    with pytest.raises(UsageError, match="several platforms"):
        history(seen, "7")
    assert history(seen, "7", "youtube").document()["why_not"]["views"] == "never known"


def test_a_change_of_what_views_mean_is_shown_where_the_observations_cross_it(
    lake: Lake, make_posts: MakePosts
) -> None:
    days = [datetime(2025, 3, 30, tzinfo=UTC), datetime(2025, 4, 2, tzinfo=UTC), datetime(2025, 4, 3, tzinfo=UTC)]
    rows = [
        {"platform": "youtube", "post_id": "v", "created_at": days[0], "observed_at": day, "views": 5} for day in days
    ]
    lake.append("posts", make_posts(rows))
    assert [(one.metric, str(one.since)) for one in history(lake, "v").definitions] == [("views", "2025-03-31")]
    lake.append("posts", make_posts([{**row, "post_id": "w"} for row in rows[1:]]))
    assert history(lake, "w").definitions == ()


def test_the_growth_of_many_posts_is_that_of_each(
    engine: Engine, seen: Lake, make_posts: MakePosts, noon: datetime
) -> None:
    rows = [
        {
            "platform": "x",
            "post_id": f"p{n}",
            "created_at": noon,
            "observed_at": noon + k * HOUR,
            "views": n * k,
            "text": "hat",
        }
        for n in range(40)
        for k in (10, 20, 30)
    ]
    seen.append("posts", make_posts(rows))
    table = velocity(engine, seen).read_all()
    assert table.schema.equals(VELOCITY)
    by_id = {row["post_id"]: row for row in table.to_pylist()}
    assert set(by_id) == {"7", *(f"p{n}" for n in range(40))}  # `other` was seen once
    assert by_id["7"]["observations"] == 3
    one = history(seen, "7")
    assert by_id["7"]["views_at_24h"] == pytest.approx(one.at_24h["views"], abs=1e-3)
    assert by_id["p5"]["views_per_h"] == 5
    assert by_id["p5"]["views_at_24h"] == pytest.approx(120)
    assert by_id["p5"]["likes_at_24h"] is None
    chosen = velocity(engine, seen, Wanted(parse("shoe"))).read_all()
    assert chosen["post_id"].to_pylist() == ["7"]
