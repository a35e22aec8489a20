"""`profile`, `history` and `codebook` show people what the documents say, and nothing else on stdout."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from groundswell.documents import DOCUMENTS
from groundswell.lake import Lake
from groundswell.settings import Settings

Run = Callable[..., Any]
MakePosts = Callable[[Sequence[Mapping[str, Any]]], pa.Table]
START = datetime(2025, 3, 30, 12, tzinfo=UTC)


@pytest.fixture
def lake(settings: Settings, make_posts: MakePosts) -> Lake:
    """Posts of YouTube over the day on which the views of Shorts changed; one was seen at 12 and at 36 hours."""
    rows: list[dict[str, Any]] = [
        {
            "platform": "youtube",
            "post_id": f"{n}",
            "text": "shoe",
            "hashtags": ["a"],
            "views": 100 + n,
            "likes": 3,
            "created_at": START + timedelta(hours=n),
        }
        for n in range(40)
    ]
    rows += [
        {**rows[0], "post_id": "seen", "observed_at": START + timedelta(hours=h), "views": 10 * h} for h in (12, 36)
    ]
    rows.append({**rows[0], "post_id": "odd", "views": 10**8, "likes": 10**9})
    lake = Lake.open(settings)
    lake.append("posts", make_posts(rows))
    return lake


def checked(verb: str, ran: Any) -> Any:
    assert ran.code == 0, ran.err
    DOCUMENTS[verb].model_validate_json(ran.out, strict=True)
    return ran.document


def test_a_profile_for_people_and_for_programs(cli: Run, lake: Lake) -> None:
    document = checked("profile", cli("profile", "shoe", "--platform", "youtube", "--json"))
    assert (document["query"], document["rows"]) == ("shoe", 42)
    assert [one["since"] for one in document["definitions"]] == ["2025-03-31"]
    ran = cli("profile", "--outliers", "iqr", "--outlier-limit", "3")
    for said in ("views", "likes > views", "rule iqr, limit 3", "never there: url", "2025-03-31", "youtube 42"):
        assert said in ran.out + ran.err
    assert "no posts match" in cli("profile", "nothing").err
    assert cli("profile", "--outlier-limit", "0").code == 2


def test_a_history_for_people_and_for_programs(cli: Run, lake: Lake) -> None:
    document = checked("history", cli("history", "seen", "--json"))
    assert [one["views"] for one in document["observations"]] == [120, 360]
    assert document["at_24h"]["views"] == pytest.approx(240, rel=0.1)
    ran = cli("history", "youtube/seen")
    for said in ("120", "360  +10/h", "views at 24 h: 2", "2 observations", "2025-03-31"):
        assert said in ran.out + ran.err
    assert cli("history", "absent").code == 1


def test_an_order_by_views_says_that_it_crosses_a_change_and_the_newest_first_does_not(cli: Run, lake: Lake) -> None:
    by_views = checked("posts", cli("posts", "--sort", "views", "--json"))
    assert [one["since"] for one in by_views["definitions"]] == ["2025-03-31"]
    assert checked("posts", cli("posts", "--json"))["definitions"] == []
    trends = checked("trends", cli("trends", "--by", "hashtag", "--until", "2025-04-01", "--json"))
    assert [one["since"] for one in trends["definitions"]] == ["2025-03-31"]


def test_a_codebook_in_each_form(cli: Run, lake: Lake, tmp_path: Any) -> None:
    document = checked("codebook", cli("codebook", "--json"))
    views = next(one for one in document["fields"] if (one["table"], one["field"]) == ("posts", "views"))
    assert (views["filled"], views["rows"], views["by_platform"]) == (1, 43, {"youtube": 1})
    assert cli("codebook").out.startswith("# Codebook")
    lines = list(csv.DictReader(io.StringIO(cli("codebook", "--format", "csv").out)))
    assert len(lines) == len(document["fields"])
    assert cli("codebook", "--out", tmp_path / "book.md").code == 0
    assert (tmp_path / "book.md").read_text("utf-8").startswith("# Codebook")
    assert cli("codebook", "--json", "--format", "csv").code == 2
