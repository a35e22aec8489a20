"""YouTube: every table of trending videos, every resource of the API, and yt-dlp, against counts made by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from groundswell.platforms import registry

Rows = list[dict[str, Any]]
Read = Callable[..., Rows]


@pytest.mark.parametrize(
    ("row", "seen", "rest"),
    [
        (
            {
                **{"video_id": "abcdefghij0", "title": "T", "publishedAt": "2020-08-11T19:20:14Z", "channelId": "UC1"},
                **{"channelTitle": "C", "categoryId": "22", "trending_date": "2020-08-12T00:00:00Z", "tags": "a|b"},
                **{"view_count": "1514614", "likes": "156908", "dislikes": "5855", "comment_count": "35313"},
                **{"thumbnail_link": "https://i.example.invalid/t.jpg", "comments_disabled": "False"},
                **{"ratings_disabled": "False", "description": "D"},
            },
            "2020-08-12",
            {"views": 1514614, "likes": 156908, "comments": 35313, "author_id": "UC1", "author_name": "C"},
        ),
        (
            {
                **{
                    "title": "T",
                    "channel_name": "C",
                    "daily_rank": "3",
                    "snapshot_date": "2024-05-01",
                    "country": "DE",
                },
                **{"view_count": "7", "like_count": "0", "comment_count": "", "description": "D", "langauge": "de"},
                **{"video_id": "abcdefghij0", "channel_id": "UC1", "video_tags": "a, b", "publish_date": "2024-04-30"},
            },
            "2024-05-01",
            {"views": 7, "likes": 0, "lang": "de", "metrics": {"rank": 3}},
        ),
        (
            {
                **{"video_id": "abcdefghij0", "video_published_at": "2024-10-11T00:00:06Z", "video_title": "T"},
                **{"video_trending__date": "2024.10.12", "video_trending_country": "Germany", "channel_title": "C"},
                **{"video_view_count": "7", "video_like_count": "6", "video_comment_count": "5"},
                **{"video_duration": "PT1M5S", "channel_subscriber_count": "10", "channel_published_at": "2011-01-01"},
            },
            "2024-10-12",
            {"views": 7, "likes": 6, "comments": 5, "duration_s": 65.0, "followers": 10},
        ),
        (
            {"video_id": "abcdefghij0", "trending_date": "17.14.11", "channel_title": "C", "views": "1", "likes": "2"},
            "2017-11-14",
            {"views": 1, "likes": 2},
        ),
        (
            {"video_id": "abcdefghij0", "trending_date": "18.06.30", "channel_title": "C", "views": "1", "likes": "2"},
            "2018-06-30",
            {},
        ),
    ],
    ids=["2020 on", "many countries", "daily exports", "year day month", "year month day"],
)
def test_trending_tables_are_read_in_all_their_columns_and_spellings(
    read_table: Read, row: dict[str, str], seen: str, rest: dict[str, Any]
) -> None:
    found = registry().recognise(row)
    assert found is not None
    assert found.id == "youtube.trending_csv"
    (post,) = read_table("youtube.trending_csv", [{name: value or None for name, value in row.items()}])
    assert post["observed_at"].isoformat() == f"{seen}T00:00:00+00:00"
    assert post["post_id"] == "abcdefghij0"
    assert rest.items() <= post.items()
    assert "reject" not in post


def test_a_table_that_says_nothing_of_comments_has_none_and_not_zero(read_table: Read) -> None:
    row = {"video_id": "abcdefghij0", "trending_date": "17.14.11", "channel_title": "C", "comment_count": "0"}
    on, off = read_table(
        "youtube.trending_csv", [{**row, "comments_disabled": "False"}, {**row, "comments_disabled": "True"}]
    )
    assert on["comments"] == 0
    assert "comments" not in off


@pytest.mark.parametrize(
    ("name", "layout", "count"),
    [
        ("channels_info", "youtube.channels_list", 1),
        ("channels_info_multiple", "youtube.channels_list", 2),
        ("comment_threads_comment_threads_multi", "youtube.comment_threads", 2),
        ("search_search_by_keywords_p1", "youtube.search_list", 25),
        ("search_search_by_keywords_p2", "youtube.search_list", 25),
    ],
)
def test_real_answers_of_the_api_are_recognised_and_read_whole(
    data: Path, read: Read, name: str, layout: str, count: int
) -> None:
    answer = json.loads((data / "youtube" / "api" / f"{name}.json").read_text(encoding="utf-8"))
    items = answer["items"]
    assert [found.id for item in items if (found := registry().recognise(item))] == [layout] * count
    rows = read(layout, items)
    assert all("reject" not in row and "unread" not in row for row in rows)
    assert all("created_at" in row for row in rows)
    if layout == "youtube.search_list":
        assert [row["post_id"] for row in rows] == [item["id"]["videoId"] for item in items]
        assert not any({"views", "likes", "comments"} & row.keys() for row in rows)
        assert not any("&amp;" in row["text"] for row in rows)


def test_a_flat_list_of_videos_is_known_by_its_names(data: Path, read: Read) -> None:
    videos = json.loads((data / "youtube" / "top_videos_2024.json").read_text(encoding="utf-8"))
    rows = read("youtube.videos_table", videos)
    assert len(rows) == 200
    for counter, name in (("views", "viewCount"), ("likes", "likeCount"), ("comments", "commentCount")):
        written = [int(video[name]) for video in videos if video.get(name) not in (None, "", "N/A")]
        assert sum(row.get(counter, 0) for row in rows) == sum(written)


def test_a_hidden_count_is_null_and_a_hidden_audience_too(read: Read) -> None:
    shown = {"kind": "youtube#channel", "id": "UC1", "statistics": {"subscriberCount": "0", "videoCount": "0"}}
    hidden: dict[str, Any] = {
        "kind": "youtube#channel",
        "id": "UC2",
        "statistics": {"subscriberCount": "0", "videoCount": "1"},
    }
    hidden["statistics"]["hiddenSubscriberCount"] = True
    first, second = read("youtube.channels_list", [shown, hidden])
    assert (first["followers"], first["posts"]) == (0, 0)
    assert "followers" not in second


def test_a_search_gives_videos_channels_and_playlists_their_own_ways(expanded: Any) -> None:
    def result(kind: str, **found: str) -> dict[str, Any]:
        return {
            "kind": "youtube#searchResult",
            "id": {"kind": kind, **found},
            "snippet": {"title": "T", "channelId": "UC"},
        }

    video = registry().recognise(result("youtube#video", videoId="v"))
    channel = registry().recognise(result("youtube#channel", channelId="UC"))
    playlist = result("youtube#playlist", playlistId="PL")
    assert video is not None
    assert channel is not None
    assert (video.id, channel.id) == ("youtube.search_list", "youtube.search_channels")
    assert registry().recognise(playlist) is None
    ignores = registry().get("youtube.videos_list").ignores
    assert ignores is not None
    assert ignores(playlist) == "a playlist, not a video"


@pytest.mark.parametrize(
    ("record", "layout"),
    [
        ({"id": "gQ_1zX-F_No", "snippet": {"title": "T", "channelId": "UC"}}, "youtube.videos_list"),
        ({"id": "gQ_1zX-F_No", "statistics": {"viewCount": "1"}}, "youtube.videos_list"),
        ({"id": "UC1", "snippet": {"title": "T"}, "statistics": {"videoCount": "1"}}, "youtube.channels_list"),
        ({"id": "x", "snippet": {"title": "T", "resourceId": {"videoId": "v"}}}, "youtube.playlist_items"),
        ({"id": "x", "snippet": {"topLevelComment": {}}}, "youtube.comment_threads"),
        ({"id": "x", "snippet": {"textDisplay": "a", "likeCount": 0}}, "youtube.comments_list"),
        ({"id": {"videoId": "v"}, "snippet": {"title": "T"}}, "youtube.search_list"),
    ],
)
def test_an_answer_that_was_asked_for_few_fields_is_known_without_its_kind(record: dict[str, Any], layout: str) -> None:
    found = registry().recognise(record)
    assert found is not None
    assert found.id == layout


def test_no_resource_is_read_as_another_when_they_stand_in_one_file(read: Read) -> None:
    channel = {"kind": "youtube#channel", "id": "UC1", "snippet": {"title": "C", "publishedAt": "2015-01-01T00:00:00Z"}}
    video = {"kind": "youtube#video", "id": "v", "snippet": {"title": "V", "publishedAt": "2026-01-01T00:00:00Z"}}
    comment = {"kind": "youtube#comment", "id": "Ug1", "snippet": {"textOriginal": "said", "likeCount": 0}}
    found = {
        "kind": "youtube#searchResult",
        "id": {"kind": "youtube#video", "videoId": "v"},
        "snippet": {"channelId": "UC"},
    }
    for layout, own in (
        ("youtube.videos_list", video),
        ("youtube.channels_list", channel),
        ("youtube.comments_list", comment),
        ("youtube.search_list", found),
    ):
        rows = read(layout, [video, channel, comment, found])
        assert ["reject" not in row for row in rows] == [record is own for record in (video, channel, comment, found)]


def test_a_thread_is_its_first_comment_and_each_of_its_replies(expanded: Any, read: Read) -> None:
    said = {"textOriginal": "first", "likeCount": 3, "publishedAt": "2026-01-01T00:00:00Z", "authorDisplayName": "@a"}
    reply = {"textOriginal": "second", "likeCount": 0, "publishedAt": "2026-01-01T00:01:00Z", "parentId": "T"}
    thread = {
        "kind": "youtube#commentThread",
        "id": "T",
        "snippet": {
            "videoId": "v",
            "topLevelComment": {"kind": "youtube#comment", "id": "T", "snippet": said},
            "totalReplyCount": 2,
        },
        "replies": {"comments": [{"kind": "youtube#comment", "id": "T.1", "snippet": reply}]},
    }
    (whole,) = read("youtube.comment_threads", [thread])
    assert whole["reject"] == "a thread with its replies"
    parts = expanded(thread)
    assert [layout for layout, _ in parts] == ["youtube.comment_threads", "youtube.comments_list"]
    (first,) = read("youtube.comment_threads", [parts[0][1]])
    (second,) = read("youtube.comments_list", [parts[1][1]])
    assert (first["comment_id"], first["post_id"], first["likes"], first["replies"]) == ("T", "v", 3, 2)
    assert (second["comment_id"], second["post_id"], second["parent_id"], second["likes"]) == ("T.1", "v", "T", 0)


def test_an_entry_of_a_playlist_has_the_time_of_its_video_and_a_gone_one_is_no_post(read: Read) -> None:
    item: dict[str, Any] = {
        "kind": "youtube#playlistItem",
        "snippet": {"title": "V", "publishedAt": "2026-02-01T00:00:00Z", "resourceId": {"videoId": "v"}},
        "contentDetails": {"videoId": "v", "videoPublishedAt": "2026-01-01T00:00:00Z"},
    }
    gone = {**item, "snippet": {**item["snippet"], "title": "Private video"}, "contentDetails": {"videoId": "v"}}
    post, nothing = read("youtube.playlist_items", [item, gone])
    assert post["created_at"].isoformat() == "2026-01-01T00:00:00+00:00"
    assert nothing["reject"] == "an entry of a video that is not public"
    ignores = registry().get("youtube.playlist_items").ignores
    assert ignores is not None
    assert ignores(gone) == "an entry of a private video"
    assert ignores(item) is None


def test_yt_dlp_tells_the_site_and_brings_comments_along(expanded: Any, read: Read) -> None:
    info = {
        **{"id": "v", "title": "T", "webpage_url": "https://www.youtube.com/watch?v=v", "extractor_key": "Youtube"},
        **{"upload_date": "20260101", "view_count": 5, "epoch": 1767600000},
        "comments": [{"id": "c", "parent": "root", "text": "said", "like_count": 0, "timestamp": 1767270000}],
    }
    parts = expanded(info)
    assert [layout for layout, _ in parts] == ["youtube.yt_dlp", "youtube.yt_dlp_comments"]
    (post,) = read("youtube.yt_dlp", [parts[0][1]])
    assert post["created_at"].isoformat() == "2026-01-01T00:00:00+00:00"
    assert (post["views"], post["platform"]) == (5, "youtube")
    (comment,) = read("youtube.yt_dlp_comments", [parts[1][1]])
    assert (comment["post_id"], comment["likes"], comment.get("parent_id")) == ("v", 0, None)
    (other,) = read("youtube.yt_dlp", [{**parts[0][1], "extractor_key": "TikTok"}])
    assert other["platform"] == "tiktok"


def test_the_first_trending_tables_have_a_day_without_a_year(read_table: Read) -> None:
    row = {
        **{"video_id": "abcdefghij0", "title": "T", "channel_title": "C", "category_id": "24", "tags": "a|b"},
        **{"views": "7", "likes": "6", "dislikes": "1", "comment_total": "0", "thumbnail_link": "x", "date": "13.09"},
    }
    found = registry().recognise(row)
    assert found is not None
    assert found.id == "youtube.trending_csv"
    (post,) = read_table(found.id, [row])
    assert (post["platform"], post["likes"], post["comments"], "observed_at" in post) == ("youtube", 6, 0, False)
    assert post["unread"] == "trending_day=13.09"
