"""The routes of what is worked out once a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import httpx
import pyarrow as pa
import pytest
from tests.web.conftest import Served

from groundswell.watch.daily import daily
from groundswell.web import day_models
from groundswell.web.day_models import DAY_EXAMPLES

DAY = date(2026, 11, 19)


def test_a_day_has_its_statistics_and_what_rose(
    served: Served, client: httpx.Client, make_posts: Callable[..., pa.Table]
) -> None:
    rows = [
        {
            "post_id": str(n),
            "author_name": f"a{n}",
            "created_at": datetime(2026, 11, 19, 10, n, tzinfo=UTC),
            "hashtags": ["sale"],
            "views": n * 10,
        }
        for n in range(5)
    ]
    served.services.lake.append("posts", make_posts(rows))
    assert client.get("/days").json() == {"items": []}
    missing = client.get("/days/2026-11-19")
    assert missing.status_code == 404
    assert "groundswell daily --date 2026-11-19" in missing.json()["hint"]
    daily(served.settings, DAY, steps=["summary", "trends"])
    (line,) = client.get("/days").json()["items"]
    assert (line["date"], line["posts"]) == ("2026-11-19", 5)
    found = client.get("/days/2026-11-19", params={"by": "hashtag"}).json()
    (platform,) = found["summary"]["platforms"]
    assert platform["counters"]["views"] == {"sum": 100, "median": 20.0, "known": 5}
    assert platform["counters"]["likes"] == {"sum": None, "median": None, "known": 0}
    (kind,) = found["trends"]
    assert [(item["key"], item["posts"], item["change"]) for item in kind["items"]] == [("sale", 5, None)]
    assert len(client.get("/days/2026-11-19").json()["trends"]) == 5
    assert client.get("/days/yesterday").status_code == 422


@pytest.mark.parametrize("name", sorted(DAY_EXAMPLES))
def test_examples_are_valid(name: str) -> None:
    getattr(day_models, name).model_validate(DAY_EXAMPLES[name])
