"""Tables of accounts: rankings of influencers and statistics of channels are authors, tables of posts are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from groundswell.engines.duckdb import DuckEngine
from groundswell.errors import ConflictError
from groundswell.platforms import generic, registry
from groundswell.platforms.generic import accounts
from groundswell.settings import Settings

ACCOUNTS = (
    {"rank": "1", "channel_info": "eva", "influence_score": "92", "posts": "3.3k", "followers": "475.8m"},
    {
        "rank": "1",
        "Youtuber": "Eva",
        "subscribers": "245000000",
        "video views": "2.28E+11",
        "uploads": "2",
        "Title": "E",
    },
    {"username": "eva", "full_name": "Eva", "biography": None, "followers": "9", "following": "7", "media_count": "4"},
    {"Influencer insta name": "eva", "instagram name": "Eva", "Followers": "4.9M", "Engagement avg": "5.7M"},
    {"channel name": "Eva", "youtuber name": "Eva", "Subscribers": "2.2M", "avg views": "1.2M", "avg comments": "2K"},
    {"user": {"username": "eva", "stats": {"followers": 3, "posts": 2}}},
)
POSTS = (
    {"username": "eva", "followers": "100", "following": "20", "caption": "Hello", "likes": "3"},
    {
        "title": "A film",
        "channel": "Eva",
        "subscribers": "10",
        "views": "5",
        "likes": "2",
        "published_at": "2023-01-01",
    },
    {"title": "A film", "description": "About it", "subscribers": "10", "views": "5"},
    {"username": "eva", "followers": "100", "likes": "3", "comments": "1", "shares": "2"},
    {"user_name": "eva", "user_followers": "100", "user_friends": "2", "date": "2021-01-01", "text": "Hi"},
    {"post_url": "https://a.example/1", "username": "eva", "followers": "100", "following": "7"},
    {"url": "https://www.instagram.com/p/Abc/", "username": "eva", "followers": "100", "following": "7"},
    {"username": "eva", "followers": "100", "likes": "3", "engagement_rate": "0.03"},
)


@pytest.mark.parametrize("record", ACCOUNTS, ids=lambda record: next(iter(record)))
def test_a_row_with_a_name_an_audience_and_what_only_accounts_have_is_an_account(record: dict[str, Any]) -> None:
    assert registry().recognise(record) is generic.ACCOUNTS


@pytest.mark.parametrize("record", POSTS, ids="-".join)
def test_a_row_with_anything_of_a_post_is_none(record: dict[str, Any]) -> None:
    assert registry().recognise(record) is not generic.ACCOUNTS


def test_counts_are_read_as_they_are_written_and_what_cannot_be_is_kept(settings: Settings, tmp_path: Path) -> None:
    rows = [
        dict(ACCOUNTS[1]),
        {**ACCOUNTS[1], "Youtuber": "@bob", "video views": "17", "uploads": "1,234", "rank": "2"},
    ]
    path = tmp_path / "rows.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    layout = generic.fit(generic.ACCOUNTS, list(rows[0]), rows)
    engine = DuckEngine(settings)
    first, second = pa.Table.from_batches(engine.map_json(path, layout)).to_pylist()
    engine.close()
    assert (first["platform"], first["author_name"], first["followers"]) == ("youtube", "Eva", 245_000_000)
    assert (first["views"], first["unread"]) == (None, "views=2.28E+11")
    assert (second["author_name"], second["posts"], second["views"]) == ("bob", 1234, 17)
    assert json.loads(second["extra"]) == {"rank": "2"}


def test_a_number_of_a_row_is_no_id_of_an_account() -> None:
    def chosen(number: str) -> dict[str, str]:
        return accounts.chosen_of(
            ["id", "username", "followers"], [{"id": number, "username": "eva", "followers": "1"}]
        )

    assert "author_id" not in chosen("17")
    assert chosen("4502344531")["author_id"] == "id"


def test_the_same_columns_give_the_same_layout_and_none_that_names_an_account_a_reason() -> None:
    columns = ["username", "followers", "posts"]
    assert accounts.fitted(columns) is accounts.fitted(columns)
    assert accounts.fitted(columns, platform="tiktok").parameters["platform"] == "tiktok"
    with pytest.raises(ConflictError, match="no column looks like the name of an account"):
        accounts.fitted(["followers", "posts"])
