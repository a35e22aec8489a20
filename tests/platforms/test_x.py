"""X: what the API, the page, the collectors and the tables give, against counts made by hand."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from groundswell.platforms import registry

Read = Callable[..., list[dict[str, Any]]]
ID = "1340539111971516416"


def test_a_real_table_keeps_every_id_and_every_count(data: Path, read_table: Read) -> None:
    with (data / "twitter" / "vaccination_tweets.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {found.id for row in rows[:50] if (found := registry().recognise(row))} == {"x.table"}
    posts = read_table("x.table", [{name: value or None for name, value in row.items()} for row in rows])
    assert len(posts) == 8_082
    assert [post["post_id"] for post in posts] == [row["id"] for row in rows]
    assert sum(post["likes"] for post in posts) == sum(int(row["favorites"]) for row in rows)
    assert sum(post["shares"] for post in posts) == sum(int(row["retweets"]) for row in rows)
    assert sum(post["followers"] for post in posts) == sum(int(row["user_followers"]) for row in rows)
    assert sum("hashtags" not in post for post in posts) == 1_949
    assert posts[2]["hashtags"][:2] == ["coronavirus", "sputnikv"]
    assert not any("reject" in post or "unread" in post for post in posts)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            {
                **{
                    "tweet_id": ID,
                    "airline_sentiment": "negative",
                    "airline": "A",
                    "name": "ada",
                    "retweet_count": "0",
                },
                **{"text": "late", "tweet_created": "2015-02-24 11:35:52 -0800", "tweet_location": "Köln"},
            },
            {"post_id": ID, "author_name": "ada", "shares": 0, "extra": {"sentiment": "negative", "topic": "A"}},
        ),
        (
            {
                "id": ID,
                "text": "a",
                "isRetweet": "f",
                "favorites": "1.0",
                "retweets": "2",
                "date": "2020-01-01 10:00:00",
            },
            {"likes": 1, "shares": 2, "extra": {"is_retweet": "f"}},
        ),
        (
            {
                **{"id": ID, "conversation_id": ID, "created_at": "2020-03-01 10:00:00 UTC", "username": "ada"},
                **{"name": "Ada", "tweet": "Tee", "hashtags": "['tee', 'kekse']", "retweets_count": "3"},
                **{"likes_count": "0", "replies_count": "1", "link": f"https://twitter.com/ada/status/{ID}"},
            },
            {"text": "Tee", "hashtags": ["tee", "kekse"], "likes": 0, "comments": 1, "shares": 3, "author_name": "ada"},
        ),
        (
            {
                **{"id": ID, "text": "a", "public_metrics.retweet_count": "4", "author.username": "ada"},
                **{"created_at": "2021-01-01T10:00:00.000Z", "author.public_metrics.followers_count": "7"},
            },
            {"shares": 4, "author_name": "ada", "followers": 7},
        ),
        (
            {
                **{"id": ID, "created_at": "1583056800000", "tweet": "Tee", "language": "de", "username": "ada"},
                **{"nlikes": "5", "nreplies": "0", "nretweets": "2"},
            },
            {"likes": 5, "comments": 0, "shares": 2, "lang": "de"},
        ),
        ({"id": "1.34E+18", "text": "a", "retweets": "1"}, {"unread": "id=1.34E+18", "text": "a"}),
    ],
    ids=["airlines", "one account", "twint", "twarc", "twint as pandas writes it", "rounded id"],
)
def test_tables_of_tweets_are_read_by_their_usual_names(
    read_table: Read, row: dict[str, str], expected: dict[str, Any]
) -> None:
    found = registry().recognise(row)
    assert found is not None
    assert found.id == "x.table"
    (post,) = read_table("x.table", [row])
    assert expected.items() <= post.items()
    assert "reject" not in post


def test_a_table_with_a_column_for_the_platform_is_mixed() -> None:
    found = registry().recognise({"text": "a", "retweets": "1", "platform": "Facebook"})
    assert found is not None
    assert found.platform == "generic"


def test_an_answer_of_v2_gives_each_tweet_its_author_media_and_original(expanded: Any, read: Read) -> None:
    answer = {
        "data": [
            {
                **{"id": ID, "text": "RT @bob: a long te…", "author_id": "11", "edit_history_tweet_ids": [ID]},
                "referenced_tweets": [{"type": "retweeted", "id": "5"}],
                "public_metrics": {"retweet_count": 9, "like_count": 0, "reply_count": 0, "quote_count": 0},
            },
            {
                **{"id": "7", "text": "own &amp; #tee", "author_id": "11", "edit_history_tweet_ids": ["7"]},
                **{"attachments": {"media_keys": ["3_1"]}, "geo": {"place_id": "p"}},
                "public_metrics": {"retweet_count": 1, "like_count": 0, "reply_count": 2, "quote_count": 0},
            },
        ],
        "includes": {
            "users": [{"id": "11", "username": "ada", "public_metrics": {"followers_count": 405}}],
            "media": [{"media_key": "3_1", "type": "photo", "url": "https://i.example.invalid/1.jpg"}],
            "tweets": [{"id": "5", "text": "a long text #whole", "author_id": "12"}],
            "places": [{"id": "p", "full_name": "Köln", "country_code": "DE"}],
        },
        "meta": {"result_count": 2},
    }
    parts = expanded(answer)
    assert [layout for layout, _ in parts] == ["x.v2", "x.v2"]
    retweet, own = read("x.v2", [part for _, part in parts])
    assert retweet["text"] == "RT @bob: a long text #whole"
    # The counters are the original's.
    assert not {"likes", "shares", "comments"} & retweet.keys()
    assert (own["text"], own["author_name"], own["followers"]) == ("own & #tee", "ada", 405)
    assert (own["likes"], own["comments"], own["kind"], own["location"]) == (0, 2, "image", "Köln")
    assert own["media_urls"] == ["https://i.example.invalid/1.jpg"]


def test_an_answer_without_tweets_is_ignored() -> None:
    ignores = registry().get("x.v2").ignores
    assert ignores is not None
    assert ignores({"meta": {"result_count": 0}}) == "an answer without posts"


def test_a_timeline_of_the_page_gives_its_tweets_in_order(expanded: Any) -> None:
    def tweet(post_id: str) -> dict[str, Any]:
        return {"rest_id": post_id, "legacy": {"full_text": "a", "id_str": post_id}}

    def entry(result: Any) -> dict[str, Any]:
        return {"entryId": "x", "content": {"itemContent": {"tweet_results": {"result": result}}}}

    wrapped = {"__typename": "TweetWithVisibilityResults", "tweet": tweet("2")}
    gone = {"__typename": "TweetTombstone"}
    module = {"content": {"items": [{"item": {"itemContent": {"tweet_results": {"result": tweet("4")}}}}]}}
    entries = [entry(tweet("1")), entry(wrapped), entry(gone), module]
    answer = {"data": {"search": {"timeline": {"instructions": [{"type": "TimelineAddEntries", "entries": entries}]}}}}
    parts = expanded(answer)
    assert [part.get("rest_id") for _, part in parts] == ["1", "2", None, "4"]
    assert [layout for layout, _ in parts] == [
        "x.graphql",
        "x.graphql",
        "- a tweet that is not available",
        "x.graphql",
    ]


def test_messages_of_the_stream_are_no_tweets() -> None:
    ignores = registry().get("x.v1").ignores
    assert ignores is not None
    assert ignores({"delete": {"status": {"id_str": "1"}}}) == "a deletion"
    assert ignores({"limit": {"track": 5}}) == "a notice of limits"
    assert ignores({"delete": "no"}) is None


def test_an_entry_of_an_account_s_archive_is_its_tweet(expanded: Any) -> None:
    tweet = {"id_str": "1", "full_text": "mine", "created_at": "Sat Jan 03 10:00:00 +0000 2026", "favorite_count": "2"}
    parts = expanded({"tweet": {**tweet, "entities": {"hashtags": []}}})
    assert [layout for layout, _ in parts] == ["x.v1"]


def test_tweets_of_one_version_are_not_read_as_those_of_another(read: Read) -> None:
    v1 = {
        "id_str": "1",
        "id": 1,
        "text": "a",
        "created_at": "Sat Jan 03 10:00:00 +0000 2026",
        "user": {"screen_name": "b"},
    }
    v2 = {"id": "2", "text": "a", "edit_history_tweet_ids": ["2"], "created_at": "2026-01-03T10:00:00Z"}
    assert ["reject" in row for row in read("x.v1", [v1, v2])] == [False, True]
    assert ["reject" in row for row in read("x.v2", [v1, v2])] == [True, False]


def test_zeeschuimer_items_of_other_platforms_are_left_to_their_layouts(read: Read) -> None:
    data = {"rest_id": "1", "id": 1.3405391119715164e18, "legacy": {"full_text": "a", "id_str": "1"}}
    item = {"item_id": "1", "timestamp_collected": 1767600000123, "source_platform": "twitter.com", "data": data}
    own, other = read("x.zeeschuimer", [item, {**item, "source_platform": "gab.com"}])
    assert (own["post_id"], own["observed_at"].isoformat()) == ("1", "2026-01-05T08:00:00.123000+00:00")
    assert other["reject"] == "not collected from X"


def test_sentiment140_has_no_header_and_its_own_zone(read_table: Read) -> None:
    row = dict(
        zip(
            (f"column_{number}" for number in range(1, 7)),
            ("4", "1467810369", "Mon Apr 06 22:19:45 PDT 2009", "NO_QUERY", "ada", "Good #tea &lt;3"),
            strict=True,
        )
    )
    found = registry().recognise(row)
    assert found is not None
    assert found.id == "x.sentiment140"
    (post,) = read_table("x.sentiment140", [row])
    assert post["created_at"].isoformat() == "2009-04-07T05:19:45+00:00"
    assert (post["text"], post["extra"]) == ("Good #tea <3", {"rating": "4"})


def test_a_tweet_of_v2_without_further_fields_is_known_by_the_answer_around_it(expanded: Any, read: Read) -> None:
    parts = expanded({"data": [{"id": ID, "text": "hello"}], "meta": {"result_count": 1}})
    assert [layout for layout, _ in parts] == ["x.v2"]
    (post,) = read("x.v2", [part for _, part in parts])
    assert (post["platform"], post["post_id"], post["text"]) == ("x", ID, "hello")


def test_the_rest_of_a_broken_row_is_no_id(read_table: Read) -> None:
    row = {"id": "the rest of a text", "user": "0", "timestamp": None, "retweets": None, "text": None}
    (post,) = read_table("x.table", [row])
    assert (post["reject"], "post_id" in post) == ("no post id or text", False)
