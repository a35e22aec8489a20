"""Bluesky: events, views, threads and records of posts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from groundswell.platforms import registry

Read = Callable[..., list[dict[str, Any]]]
POST = "app.bsky.feed.post"
SEEN_US = 1_767_434_400_000_000  # 2026-01-03 10:00 UTC


def event(operation: str = "create", collection: str = POST, created: str = "2026-01-03T09:59:59Z") -> dict[str, Any]:
    commit: dict[str, Any] = {"operation": operation, "collection": collection, "rkey": "3l", "cid": "b"}
    if operation != "delete":
        commit["record"] = {"$type": collection, "text": "Tee", "createdAt": created, "langs": ["de"]}
    return {"did": "did:plc:a", "time_us": SEEN_US, "kind": "commit", "commit": commit}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (event("delete"), "a deletion"),
        (event("delete", "app.bsky.feed.like"), "a deletion"),
        (event(collection="app.bsky.feed.like"), "a like"),
        (event(collection="app.bsky.graph.follow"), "a follow"),
        (event(collection="com.example.other"), "a record that is no post"),
        ({"did": "d", "time_us": 1, "kind": "identity", "identity": {}}, "news of an identity"),
        ({"did": "d", "time_us": 1, "kind": "account", "account": {}}, "news of an account"),
        (event(), None),
        (event("update"), None),
        ({"did": "d"}, None),
    ],
)
def test_events_that_bring_no_post_are_ignored_for_what_they_are(
    read: Read, record: dict[str, Any], reason: str | None
) -> None:
    layout = registry().get("bluesky.jetstream")
    assert layout.ignores is not None
    assert layout.ignores(record) == reason
    if reason is not None:
        # A file of events is read at once: what is no post must not become one there.
        assert "reject" in read("bluesky.jetstream", [record])[0]


def test_a_time_after_the_network_saw_the_post_is_not_believed(read: Read) -> None:
    early, late, bad = read(
        "bluesky.jetstream",
        [event(created="2025-12-31T23:59:59+01:00"), event(created="2036-01-01T00:00:00Z"), event(created="x")],
    )
    assert early["created_at"].isoformat() == "2025-12-31T22:59:59+00:00"
    assert late["created_at"].isoformat() == "2026-01-03T10:00:00+00:00"
    assert bad["reject"] == "createdAt is not a plausible time: x"


def test_an_edited_post_is_a_further_observation_of_the_same(read: Read) -> None:
    new, edited = read("bluesky.jetstream", [event(), event("update")])
    assert new["post_id"] == edited["post_id"] == f"at://did:plc:a/{POST}/3l"
    assert "observed_at" not in new
    assert edited["observed_at"].isoformat() == "2026-01-03T10:00:00+00:00"
    assert new["url"] == "https://bsky.app/profile/did:plc:a/post/3l"


def view(number: int, **more: Any) -> dict[str, Any]:
    author = {"did": "did:plc:a", "handle": "ada.example.invalid"}
    return {"uri": f"at://did:plc:a/{POST}/{number}", "author": author, "record": {"text": str(number)}, **more}


def test_a_thread_is_its_posts_the_parents_first(expanded: Any, read: Read) -> None:
    thread = {
        "post": view(3, likeCount=0),
        "parent": {"post": view(2), "parent": {"post": view(1)}},
        "replies": [{"post": view(4), "replies": [{"post": view(5)}]}, {"notFound": True}, {"post": view(6)}],
    }
    parts = expanded({"thread": thread})
    assert [layout for layout, _ in parts] == ["bluesky.posts"] * 6
    rows = read("bluesky.posts", [part for _, part in parts])
    assert [row["text"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert [row.get("likes") for row in rows] == [None, None, 0, None, None, None]


def test_an_entry_of_a_feed_is_the_post_in_it(expanded: Any) -> None:
    entry = {"post": view(1), "reason": {"$type": "app.bsky.feed.defs#reasonRepost"}}
    assert [part["uri"][-1] for _, part in expanded(entry)] == ["1"]


def test_facets_give_tags_and_links(read: Read) -> None:
    facets = [
        {"features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "Tee"}, {"uri": "https://a.example.invalid/"}]},
        {"features": [{"did": "did:plc:b"}]},
        {},
    ]
    record = {"text": "x", "createdAt": "2026-01-03T10:00:00Z", "facets": facets, "tags": ["Kekse"]}
    (row,) = read("bluesky.records", [{"uri": f"at://did:plc:a/{POST}/1", "value": record}])
    assert (row["hashtags"], row["urls"], row["author_id"]) == (
        ["tee", "kekse"],
        ["https://a.example.invalid/"],
        "did:plc:a",
    )
