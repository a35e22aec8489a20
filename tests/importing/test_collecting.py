"""What a collector brings is in the lake: videos, comments, channels, and when they were seen."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from groundswell.documents.collect import CollectYouTubeDocument
from groundswell.errors import UsageError
from groundswell.importing.collecting import collect_youtube, key_of
from groundswell.lake import Lake
from groundswell.settings import Settings, load_settings
from groundswell.sources.youtube_tasks import Job
from groundswell.testing.youtube_api import KEY, LocalYouTube


@pytest.fixture
def api() -> Iterator[LocalYouTube]:
    with LocalYouTube(videos=3, comments=1) as api:
        yield api


@pytest.fixture
def home(settings: Settings, api: LocalYouTube) -> Settings:
    return load_settings(home=settings.home, threads=2, youtube_endpoint=api.address)


def test_videos_comments_and_channels_are_in_their_tables_with_the_time_at_which_they_were_seen(
    home: Settings, api: LocalYouTube
) -> None:
    job = Job(queries=("tea",), comments=10, authors=True)
    document = collect_youtube(job, home, threading.Event(), key=KEY)
    CollectYouTubeDocument.model_validate(document)
    assert (document["state"], document["videos"]) == ("done", 3)
    # A search, its videos and their channel; for each video a thread that brings two replies along, and all three.
    assert document["lake"] == {
        "read": 3 + 3 + 1 + 3 * 3 + 3 * 3,
        "stored": 19,
        "known": 6,
        "rejected": 0,
        "ignored": 0,
    }
    lake = Lake.open(home)
    posts = lake.read("posts", ["post_id", "views", "observed_at", "layout", "url"]).to_pylist()
    assert {post["post_id"] for post in posts} == {"vid00000000", "vid00000001", "vid00000002"}
    assert Counter((post["layout"], post["views"]) for post in posts) == {
        ("youtube.search_list", None): 3,
        ("youtube.videos_list", 1000): 3,
    }
    assert all(post["observed_at"] is not None for post in posts)
    comments = lake.read("comments", ["comment_id", "post_id", "parent_id", "replies"]).to_pylist()
    assert len(comments) == 12
    threads = [row for row in comments if row["parent_id"] is None]
    assert {(row["post_id"], row["replies"]) for row in threads} == {(f"vid0000000{n}", 3) for n in range(3)}
    assert lake.read("authors", ["author_name"]).to_pylist() == [{"author_name": "local"}]


def test_a_second_look_is_a_second_observation(home: Settings, api: LocalYouTube) -> None:
    job = Job(videos=(api.video_id(0),))
    collect_youtube(job, home, threading.Event(), key=KEY)
    api.views = 2000
    document = collect_youtube(job, home, threading.Event(), key=KEY)
    assert (document["lake"]["stored"], document["unchanged"]) == (1, 0)
    again = collect_youtube(job, home, threading.Event(), key=KEY)
    assert (again["lake"]["read"], again["unchanged"]) == (0, 1)
    assert sorted(row["views"] for row in Lake.open(home).read("posts", ["views"]).to_pylist()) == [1000, 2000]


def test_the_key_is_read_from_the_environment_only() -> None:
    assert key_of({"YOUTUBE_API_KEY": " a "}) == "a"
    assert key_of({"YOUTUBE_API_KEY": "a", "GROUNDSWELL_YOUTUBE_KEY": "b"}) == "b"
    with pytest.raises(UsageError, match="YOUTUBE_API_KEY"):
        key_of({"YOUTUBE_API_KEY": ""})
