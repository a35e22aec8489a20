"""Whole files of YouTube, X, Reddit, Bluesky and Mastodon: every record in its table, or told why not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

Counts = dict[str, tuple[int, int, int]]
FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "layouts"


def fixture(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FIXTURES / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def counts(workshop: Any, tmp_path: Path) -> Callable[..., Counts]:
    """Stored, rejected and ignored by layout, of a document or of lines."""

    def run(content: Any, *, lines: bool = False) -> Counts:
        path = tmp_path / ("a.ndjson" if lines else "a.json")
        records: Iterable[Any] = content if lines else [content]
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        document = workshop.import_(path)
        return {
            str(layout["layout"]): (layout["stored"], layout["rejected"], layout["ignored"])
            for file in document["files"]
            for layout in file["layouts"]
            if layout["read"]
        }

    return run


def thread() -> dict[str, Any]:
    found = fixture("youtube.comment_threads")[0]
    return {**found, "replies": {"comments": fixture("youtube.comments_list")[:2]}}


THREADS: Counts = {"youtube.comment_threads": (2, 0, 0), "youtube.comments_list": (2, 0, 0)}


@pytest.mark.parametrize("lines", [False, True])
def test_threads_and_their_replies_are_comments(counts: Any, workshop: Any, lines: bool) -> None:
    answer = {"kind": "youtube#commentThreadListResponse", "items": [thread(), fixture("youtube.comment_threads")[1]]}
    assert counts([answer] if lines else answer, lines=lines) == THREADS
    rows = workshop.lake.read("comments", ["comment_id", "parent_id", "replies"]).to_pylist()
    assert {row["comment_id"]: row["parent_id"] for row in rows} == {
        "Ugthread1": None,
        "Ugthread1.reply1": "Ugthread1",
        "Ugthread1.reply2": "Ugthread1",
        "Ugthread2": None,
    }


def test_one_file_of_many_answers_fills_three_tables(counts: Any, workshop: Any) -> None:
    answers = [
        {
            "kind": "youtube#searchListResponse",
            "items": [*fixture("youtube.search_list"), *fixture("youtube.search_channels")],
        },
        {"kind": "youtube#videoListResponse", "items": fixture("youtube.videos_list")},
        {"kind": "youtube#channelListResponse", "items": fixture("youtube.channels_list")},
        {"kind": "youtube#playlistItemListResponse", "items": fixture("youtube.playlist_items")},
        {"kind": "youtube#commentThreadListResponse", "items": [thread()]},
        {
            "kind": "youtube#searchListResponse",
            "items": [{"kind": "youtube#searchResult", "id": {"kind": "youtube#playlist"}}],
        },
        {"error": {"code": 403, "message": "No.", "errors": [{"reason": "quotaExceeded"}]}},
    ]
    found = counts(answers, lines=True)
    videos = len(fixture("youtube.videos_list"))
    assert found == {
        "youtube.search_list": (3, 0, 0),
        "youtube.search_channels": (2, 0, 0),
        "youtube.videos_list": (videos, 0, 1),
        "youtube.channels_list": (3, 0, 0),
        # They say no more of these videos than the search did: known.
        "youtube.playlist_items": (0, 0, 0),
        "youtube.comment_threads": (1, 0, 0),
        "youtube.comments_list": (2, 0, 0),
        "None": (0, 1, 0),
    }
    (held,) = workshop.quarantine()
    assert held["reason"] == "an error answer of the platform: No. (quotaExceeded)"


ANSWER = {
    "data": [{"id": "1", "text": "a", "author_id": "11", "edit_history_tweet_ids": ["1"]}],
    "includes": {"users": [{"id": "11", "username": "ada", "public_metrics": {"followers_count": 5}}]},
    "meta": {"result_count": 1},
}


@pytest.mark.parametrize("lines", [False, True])
def test_an_answer_of_x_is_joined_with_its_users(counts: Any, workshop: Any, lines: bool) -> None:
    empty = {"meta": {"result_count": 0}}
    expected = {"x.v2": (1, 0, 1 if lines else 0)}
    assert counts([ANSWER, empty] if lines else ANSWER, lines=lines) == expected
    assert workshop.posts("author_name", "followers") == [{"author_name": "ada", "followers": 5}]


def test_a_page_of_reddit_is_its_post_and_all_comments(counts: Any, workshop: Any) -> None:
    post, comment = fixture("reddit.posts")[0], fixture("reddit.comments")
    inner = {
        "kind": "Listing",
        "data": {"children": [{"kind": "t1", "data": comment[1]}, {"kind": "more", "data": {"count": 3}}]},
    }
    page = [
        {"kind": "Listing", "data": {"children": [{"kind": "t3", "data": post}]}},
        {"kind": "Listing", "data": {"children": [{"kind": "t1", "data": {**comment[0], "replies": inner}}]}},
    ]
    assert counts(page) == {"reddit.posts": (1, 0, 1), "reddit.comments": (2, 0, 0)}
    assert len(workshop.lake.read("comments", ["comment_id"])) == 2


def test_events_of_bluesky_are_posts_or_ignored(counts: Any, workshop: Any) -> None:
    event = fixture("bluesky.jetstream")[0]
    like = {**event, "commit": {**event["commit"], "collection": "app.bsky.feed.like", "record": {"subject": {}}}}
    gone = {**event, "commit": {"operation": "delete", "collection": "app.bsky.feed.post", "rkey": "x"}}
    account = {"did": "did:plc:a", "time_us": 1, "kind": "account", "account": {"active": True}}
    found = counts([event, like, gone, account, *fixture("bluesky.jetstream")[1:]], lines=True)
    assert found == {"bluesky.jetstream": (3, 0, 3)}
    assert len(workshop.posts("post_id")) == 3


def test_a_thread_of_bluesky_and_a_feed_are_their_posts(counts: Any) -> None:
    first, second = fixture("bluesky.posts")
    thread = {"thread": {"post": first, "replies": [{"post": second, "replies": []}]}}
    assert counts(thread) == {"bluesky.posts": (2, 0, 0)}
    feed = {"feed": [{"post": {**first, "likeCount": 9}, "reason": {}}], "cursor": "x"}
    assert counts(feed) == {"bluesky.posts": (1, 0, 0)}


def test_statuses_of_mastodon_come_as_an_array_as_lines_and_as_events(counts: Any) -> None:
    statuses = fixture("mastodon.statuses")
    assert counts(statuses) == {"mastodon.statuses": (3, 0, 0)}
    events = [{"event": "update", "payload": json.dumps({**statuses[0], "favourites_count": 1})}]
    assert counts([*events, {"event": "delete", "payload": "1"}], lines=True) == {"mastodon.statuses": (1, 0, 1)}


def test_a_timeline_of_the_page_of_x_gives_its_tweets(counts: Any) -> None:
    entries = [{"content": {"itemContent": {"tweet_results": {"result": tweet}}}} for tweet in fixture("x.graphql")]
    answer = {"data": {"user": {"result": {"timeline": {"timeline": {"instructions": [{"entries": entries}]}}}}}}
    assert counts(answer) == {"x.graphql": (2, 0, 0)}


def test_zeeschuimer_lines_of_several_platforms_go_each_their_own_way(counts: Any) -> None:
    own, other = fixture("x.zeeschuimer"), fixture("tiktok.zeeschuimer")
    found = counts([own[0], other[0], own[1], own[2]], lines=True)
    assert found == {"x.zeeschuimer": (3, 0, 0), "tiktok.zeeschuimer": (1, 0, 0)}


def test_a_video_of_yt_dlp_brings_its_comments(counts: Any) -> None:
    info = {
        **fixture("youtube.yt_dlp")[0],
        "comments": [{"id": "c", "parent": "root", "text": "a", "timestamp": 1767270001}],
    }
    assert counts(info) == {"youtube.yt_dlp": (1, 0, 0), "youtube.yt_dlp_comments": (1, 0, 0)}
    # The same once more, in a playlist.
    playlist = {"_type": "playlist", "id": "PL", "title": "P", "webpage_url": "x", "extractor": "y", "entries": [info]}
    assert counts(playlist) == {"youtube.yt_dlp": (0, 0, 0), "youtube.yt_dlp_comments": (0, 0, 0)}
