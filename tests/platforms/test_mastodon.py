"""Mastodon: statuses, boosts, events of the stream, accounts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from groundswell.platforms import registry

Read = Callable[..., list[dict[str, Any]]]


def status(**more: Any) -> dict[str, Any]:
    return {
        **{
            "id": "115000000000000001",
            "uri": "https://a.example.invalid/s/1",
            "created_at": "2026-01-03T10:00:00.000Z",
        },
        **{"content": "<p>Tee &amp; #Kekse</p>", "account": {"id": "1", "acct": "ada"}, "favourites_count": 0},
        **more,
    }


def test_the_same_status_has_the_same_id_on_every_server(read: Read) -> None:
    here, there = read("mastodon.statuses", [status(), status(id="99")])
    assert here["post_id"] == there["post_id"] == "https://a.example.invalid/s/1"
    assert (here["extra"]["id"], there["extra"]["id"]) == ("115000000000000001", "99")
    assert (here["text"], here["likes"]) == ("Tee & #Kekse", 0)


def test_a_boost_has_its_own_time_and_no_counters(read: Read) -> None:
    original = status(uri="https://b.example.invalid/s/2", content="<p>the original</p>", favourites_count=50)
    (boost,) = read("mastodon.statuses", [status(content="", reblog=original, favourites_count=0, reblogs_count=9)])
    assert boost["text"] == "the original"
    assert boost["extra"]["boost_of"] == "https://b.example.invalid/s/2"
    assert not {"likes", "shares"} & boost.keys()


def test_an_event_of_the_stream_carries_its_status_as_text(expanded: Any) -> None:
    parts = expanded({"stream": ["public"], "event": "update", "payload": json.dumps(status())})
    assert [layout for layout, _ in parts] == ["mastodon.statuses"]
    ignores = registry().get("mastodon.statuses").ignores
    assert ignores is not None
    assert ignores({"event": "delete", "payload": "115"}) == "a deletion"
    assert ignores(status()) is None


def test_accounts_and_statuses_are_not_taken_for_each_other(read: Read) -> None:
    account = {
        "id": "1",
        "username": "ada",
        "acct": "ada",
        "note": "",
        "followers_count": 0,
        "created_at": "2020-01-01",
    }
    assert ["reject" in row for row in read("mastodon.statuses", [status(), account])] == [False, True]
    assert ["reject" in row for row in read("mastodon.accounts", [status(), account])] == [True, False]


def test_a_content_warning_stands_before_the_text(read: Read) -> None:
    (row,) = read("mastodon.statuses", [status(spoiler_text="food", visibility="unlisted")])
    assert (row["text"], row["extra"]["visibility"]) == ("food\n\nTee & #Kekse", "unlisted")
