"""A profile tells what is missing, how it is spread, what is unlikely and what is an outlier, and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from groundswell.engines import Engine
from groundswell.lake import Lake
from groundswell.marts import tally
from groundswell.marts.outliers import Rule
from groundswell.marts.profile import profile
from groundswell.marts.tally import Tally
from groundswell.marts.wanted import Wanted
from groundswell.query import parse

MakePosts = Callable[[Sequence[Mapping[str, Any]]], pa.Table]
HOUR = timedelta(hours=1)


def found_by(document: dict[str, Any], kind: str, **where: str) -> dict[str, Any]:
    return next(one for one in document[kind] if all(one[key] == value for key, value in where.items()))


def test_fields_are_counted_by_the_latest_observation_of_each_post(
    engine: Engine, lake: Lake, make_posts: MakePosts, noon: datetime
) -> None:
    rows: list[dict[str, Any]] = [
        {
            "post_id": f"{n}",
            "created_at": noon + n * HOUR,
            "views": 10 * n,
            "lang": "en" if n % 4 else None,
            "hashtags": ["a"],
        }
        for n in range(20)
    ]
    rows.append({**rows[3], "observed_at": noon + 99 * HOUR, "views": 999})
    lake.append("posts", make_posts(rows))
    document = profile(engine, lake).document()
    assert (document["rows"], document["platforms"]) == (20, {"x": 20})
    views = found_by(document, "fields", field="views")
    assert (views["least"], views["greatest"], views["missing"], views["quantiles"]["p50"]) == (0, 999, 0, 100)
    assert sum(bar["count"] for bar in views["histogram"]) == 20
    lang = found_by(document, "fields", field="lang")
    assert (lang["missing_share"], lang["top"], lang["distinct"]) == (0.25, [{"value": "en", "count": 15}], 1)
    assert found_by(document, "fields", field="hashtags")["top"] == [{"value": "a", "count": 20}]
    assert (document["first"], document["last"]) == (noon, noon + 19 * HOUR)
    chosen = profile(engine, lake, Wanted(parse("views:>=150"))).document()
    assert chosen["rows"] == 6
    json.dumps(document, default=str)


@pytest.mark.parametrize("rule", list(Rule))
def test_outliers_of_each_metric_by_its_own_bounds_and_nothing_is_removed(
    engine: Engine, lake: Lake, make_posts: MakePosts, rule: Rule
) -> None:
    usual = [
        {"platform": p, "post_id": f"{p}{n}", "views": views + n, "likes": 10 + n % 5, "metrics": [("reach", 50 + n)]}
        for p, views in (("x", 100), ("y", 5_000))
        for n in range(40)
    ]
    odd = [
        {"platform": "x", "post_id": "views", "views": 5_020, "likes": 11},
        {"platform": "y", "post_id": "likes", "views": 5_020, "likes": 5_020, "metrics": [("reach", 5_000)]},
    ]
    lake.append("posts", make_posts([*usual, *odd]))
    document = profile(engine, lake, rule=rule).document()
    counts = {(one["platform"], one["metric"]): one["high"] for one in document["outliers"]}
    assert counts == {
        ("x", "likes"): 0,
        ("x", "views"): 1,
        ("x", "metrics.reach"): 0,
        ("y", "likes"): 1,
        ("y", "views"): 0,
        ("y", "metrics.reach"): 1,
    }
    views = found_by(document, "outliers", platform="x", metric="views")
    assert (views["examples"][0]["post_id"], views["examples"][0]["value"]) == ("views", 5_020)
    assert views["upper"] < 5_020 < found_by(document, "outliers", platform="y", metric="views")["upper"]
    assert document["rows"] == lake.count() == 82


def test_unlikely_values_are_counted_with_examples(
    engine: Engine, lake: Lake, make_posts: MakePosts, noon: datetime
) -> None:
    rows = [
        {
            "post_id": "fine",
            "created_at": noon,
            "imported_at": noon + HOUR,
            "views": 9,
            "likes": 1,
            "url": "https://a.example",
        },
        {"post_id": "future", "created_at": noon + 9 * HOUR, "imported_at": noon},
        {"post_id": "early", "created_at": noon, "observed_at": noon - HOUR, "imported_at": noon},
        {"post_id": "ancient", "created_at": datetime(1999, 1, 1, tzinfo=UTC), "imported_at": noon},
        {"post_id": "liked", "views": 1, "likes": 2, "text": "  "},
        {"post_id": "negative", "views": -1, "url": "javascript:x", "duration_s": 0.0},
    ]
    lake.append("posts", make_posts(rows))
    document = profile(engine, lake).document()
    hits = {one["check"]: (one["count"], one["examples"][0]["post_id"]) for one in document["unlikely"] if one["count"]}
    assert hits == {
        "future": (1, "future"),
        "negative age": (1, "early"),
        "ancient": (1, "ancient"),
        "likes > views": (1, "liked"),
        "no words": (1, "liked"),
        "negative count": (1, "negative"),
        "address": (1, "negative"),
        "duration": (1, "negative"),
    }


def test_the_most_frequent_values_are_kept_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "MOST_VALUES", 50)
    kept = Tally("lang", pa.string())
    for start in range(0, 200, 20):
        kept.add(pa.array(["often"] * 5 + [f"rare{start + n}" for n in range(20)]))
    assert len(kept.values.counts) <= 70
    assert kept.values.top(1) == [("often", 50)]
    assert kept.document("")["distinct"] is None


def test_an_empty_lake_has_an_empty_profile(engine: Engine, lake: Lake) -> None:
    document = profile(engine, lake).document()
    assert (document["rows"], document["outliers"], document["first"], document["lake_version"]) == (0, [], None, None)
