"""Reddit: listings taken apart, scores below zero, what was removed."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from groundswell.platforms import registry

Read = Callable[..., list[dict[str, Any]]]


def test_a_real_table_keeps_every_row_and_every_score(data: Path, read_table: Read) -> None:
    with (data / "mixed" / "reddit_wsb_jan2022.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    posts = read_table("reddit.posts", [{name: value or None for name, value in row.items()} for row in rows])
    assert len(posts) == len(rows) == 1_892
    assert [post["post_id"] for post in posts] == [row["id"] for row in rows]
    assert [post["metrics"]["score"] for post in posts] == [int(float(row["score"])) for row in rows]
    assert sum(post.get("comments", 0) for post in posts) == sum(int(float(row["comms_num"])) for row in rows)
    assert [post["created_at"].timestamp() for post in posts] == [float(row["created"]) for row in rows]


def test_a_score_below_zero_is_a_score_and_no_number_of_likes(read: Read) -> None:
    post = {"id": "a", "title": "T", "subreddit": "s", "created_utc": 1767430800}
    shown, low, hidden, odd = read(
        "reddit.posts",
        [{**post, "score": 3}, {**post, "score": -7}, {**post, "score": 1, "hide_score": True}, {**post, "score": "x"}],
    )
    assert (shown["likes"], shown["metrics"]) == (3, {"score": 3})
    assert ("likes" in low, low["metrics"], "unread" in low) == (False, {"score": -7}, False)
    assert "likes" not in hidden
    assert "metrics" not in hidden
    assert "score=x" in odd["unread"]


def test_a_page_of_comments_is_taken_apart_with_all_replies(expanded: Any, read: Read) -> None:
    def comment(name: str, parent: str, *replies: Any) -> dict[str, Any]:
        listing = {"kind": "Listing", "data": {"children": list(replies)}} if replies else ""
        about = {"id": name, "body": name, "link_id": "t3_p", "parent_id": parent, "replies": listing}
        return {"kind": "t1", "data": {**about, "created_utc": 1767430800.0, "score": 1, "subreddit": "s"}}

    more = {"kind": "more", "data": {"count": 9, "children": ["x"]}}
    tree = comment("a", "t3_p", comment("b", "t1_a", comment("c", "t1_b")), more)
    listing = {"kind": "Listing", "data": {"after": None, "children": [tree, comment("d", "t3_p")]}}
    parts = expanded(listing)
    assert [layout for layout, _ in parts] == [
        *["reddit.comments"] * 3,
        "- a stub of further comments",
        "reddit.comments",
    ]
    rows = read("reddit.comments", [part for layout, part in parts if layout == "reddit.comments"])
    assert [(row["comment_id"], row.get("parent_id"), row["post_id"]) for row in rows] == [
        ("a", None, "p"),
        ("b", "a", "p"),
        ("c", "b", "p"),
        ("d", None, "p"),
    ]
    (whole,) = read("reddit.comments", [tree["data"]])
    assert whole["reject"] == "a comment with its replies"


def test_what_was_removed_has_no_text_and_a_deleted_author_no_name(read: Read) -> None:
    (post,) = read(
        "reddit.posts",
        [{"id": "a", "title": "T &amp; U", "selftext": "[removed]", "author": "[deleted]", "subreddit": "s"}],
    )
    assert (post["text"], post.get("author_name")) == ("T & U", None)
    (comment,) = read("reddit.comments", [{"id": "c", "body": "[deleted]", "link_id": "t3_a", "author": "b"}])
    assert "text" not in comment


def test_posts_and_comments_of_one_file_are_not_taken_for_each_other(read: Read) -> None:
    post = {"id": "a", "title": "T", "selftext": "", "subreddit": "s", "created_utc": 1767430800}
    comment = {"id": "c", "body": "B", "link_id": "t3_a", "subreddit": "s", "created_utc": 1767430800}
    assert ["reject" in row for row in read("reddit.posts", [post, comment])] == [False, True]
    assert ["reject" in row for row in read("reddit.comments", [post, comment])] == [True, False]
    assert [found.id for record in (post, comment) if (found := registry().recognise(record))] == [
        "reddit.posts",
        "reddit.comments",
    ]


def test_tables_without_a_column_for_the_community_take_it_from_the_address(read_table: Read) -> None:
    post = {
        **{
            "id": "ll1p9h",
            "title": "T",
            "score": "1",
            "author": "[deleted]",
            "author_flair_text": "",
            "removed_by": "x",
        },
        **{"created_utc": "1613473961", "num_comments": "0", "over_18": "False", "total_awards_received": "0.0"},
        "full_link": "https://www.reddit.com/r/vis/comments/ll1p9h/t/",
    }
    comment = {
        **{
            "type": "comment",
            "id": "hi1v",
            "subreddit.id": "2r",
            "subreddit.name": "nova",
            "created_utc": "1635206399",
        },
        **{"permalink": "https://old.reddit.com/r/nova/comments/qfm/x/hi1v/", "body": "hi", "score": "-5"},
    }
    named = [found.id for row in (post, comment) if (found := registry().recognise(row))]
    assert named == ["reddit.posts", "reddit.comments"]
    (shown,) = read_table("reddit.posts", [post])
    assert (shown["post_id"], shown["comments"], shown["extra"]) == (
        "ll1p9h",
        0,
        {"subreddit": "vis", "removed_by": "x"},
    )
    assert "author_name" not in shown
    (under,) = read_table("reddit.comments", [comment])
    assert (under["comment_id"], under["post_id"], under["metrics"]) == ("hi1v", "qfm", {"score": -5})
    assert (under["extra"], "likes" in under) == ({"subreddit": "nova"}, False)
