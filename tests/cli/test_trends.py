"""`trends` says what rises, with the sample behind it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from groundswell.documents.lake import TrendsDocument
from groundswell.lake import Lake
from groundswell.settings import Settings

Run = Callable[..., Any]
END = datetime(2026, 3, 10, 18, tzinfo=UTC)


@pytest.fixture
def lake(settings: Settings, make_posts: Callable[..., pa.Table]) -> Lake:
    opened = Lake.open(settings)
    rows = [
        {
            "post_id": f"{day}-{n}",
            "author_id": f"a{n}",
            "author_name": f"name{n}",
            "created_at": END - timedelta(days=day, minutes=n),
            "hashtags": ["usual", "[red]new[/]"] if day == 0 and n < 10 else ["usual"],
        }
        for day in range(8)
        for n in range(30)
    ]
    opened.append("posts", make_posts(rows))
    return opened


@pytest.mark.parametrize("by", ["hashtag", "sound", "musician", "challenge", "creator"])
def test_json_is_one_document_of_the_published_form(cli: Run, lake: Lake, by: str) -> None:
    ran = cli("trends", "--by", by, "--json")
    assert ran.code == 0
    TrendsDocument.model_validate(ran.document)
    assert (ran.document["by"], ran.document["window_s"]) == (by, 86_400)


def test_the_surest_rise_comes_first_with_its_sample(cli: Run, lake: Lake) -> None:
    document = cli("trends", "--json").document
    first = document["items"][0]
    assert first["label"] == "#[red]new[/]"
    assert (first["posts"], first["voices"], first["voices_before"]) == (10, 10, 0)
    assert first["lower"] > 2
    assert document["windows"][0]["to"] == "2026-03-10T18:00:00Z"
    assert (document["posts"], document["voices_before"]) == (30, 210)


def test_the_table_shows_labels_as_they_are_and_what_was_compared(cli: Run, lake: Lake) -> None:
    ran = cli("trends")
    assert ran.code == 0
    assert "#[red]new[/]" in ran.out
    assert "30 posts by 30 voices" in ran.err
    assert "7 windows" in ran.err


def test_an_end_may_be_given_and_a_past_may_be_missing(cli: Run, lake: Lake) -> None:
    ran = cli("trends", "--until", "2026-03-03T18:00")
    assert ran.code == 0
    assert "no change can be measured" in ran.err


def test_a_home_without_posts_says_how_to_get_some(cli: Run) -> None:
    ran = cli("trends")
    assert (ran.code, ran.out) == (0, "")
    assert "groundswell import" in ran.err
    assert cli("trends", "--json").document["items"] == []


@pytest.mark.parametrize("words", [["--window", "soon"], ["--by", "colour"], ["--limit", "0"], ["--until", "never"]])
def test_wrong_usage_exits_with_2(cli: Run, words: list[str]) -> None:
    ran = cli("trends", *words)
    assert (ran.code, ran.out) == (2, "")
