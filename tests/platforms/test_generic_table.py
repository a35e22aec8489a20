"""Any table and any JSON: nested keys, hidden fields, platforms, tables without names, what is none of posts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from groundswell.engines.duckdb import DuckEngine
from groundswell.errors import UnknownChoiceError
from groundswell.platforms import Layout, Shape, generic, registry
from groundswell.platforms.generic.columns import platform_of, why_not
from groundswell.platforms.generic.nested import distinct, leaves_of
from groundswell.settings import Settings

Rows = list[dict[str, Any]]
Read = Callable[[Rows, Layout], Rows]


@pytest.fixture
def read(settings: Settings, tmp_path: Path) -> Iterator[Read]:
    engine = DuckEngine(settings)

    def run(records: Rows, layout: Layout) -> Rows:
        path = tmp_path / "records.ndjson"
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        found: Rows = pa.Table.from_batches(engine.map_json(path, layout)).to_pylist()
        return found

    yield run
    engine.close()


def fitted(records: Rows, **said: Any) -> Layout:
    columns = list(dict.fromkeys(key for record in records for key in record))
    return generic.fit(registry().recognise_sample(records), columns, records, **said)


def test_keys_of_objects_are_columns_with_dots_and_the_posts_own_counters_are_guessed(read: Read) -> None:
    records = [
        {"id": 1, "content": {"text": "hello"}, "stats": {"likes": 0, "views": 7}, "user": {"name": "bob", "id": 9}},
        {"id": 2, "content": {"text": "again"}, "stats": None, "user": {"name": "@eva"}, "more": {"a": [1, 2]}},
    ]
    layout = fitted(records)
    assert layout.shape is Shape.OBJECT
    first, second = read(records, layout)
    assert (first["post_id"], first["text"], first["likes"], first["views"]) == ("1", "hello", 0, 7)
    assert (second["likes"], second["author_name"]) == (None, "eva")
    assert json.loads(second["extra"]) == {"more.a": "[1,2]"}


def test_a_path_that_the_sample_did_not_show_may_be_named(read: Read) -> None:
    records: Rows = [{"id": "1", "data": None}, {"id": "2", "data": {"body": {"text": "deep"}}}]
    layout = generic.table(["id", "data"], {"text": "data.body.text"}, samples=records[:1])
    assert [row["text"] for row in read(records, layout)] == [None, "deep"]
    with pytest.raises(UnknownChoiceError, match=r"no column `other\.text`"):
        generic.table(["id", "data"], {"text": "other.text"})


def test_a_column_with_a_dot_in_its_name_goes_before_a_key_in_an_object(read: Read) -> None:
    records = [{"a.text": "flat", "a": {"text": "nested"}}]
    layout = generic.table(list(records[0]), {"text": "a.text"}, samples=records)
    assert read(records, layout)[0]["text"] == "flat"


def test_keys_that_differ_in_case_only_do_not_stop_anything(read: Read) -> None:
    records = [{"Text": "big", "text": "small", "Stats": {"x": 1}, "stats": {"likes": 3}}]
    layout = fitted(records)
    assert read(records, layout)[0]["text"] in {"big", "small"}
    assert list(distinct(leaves_of(list(records[0]), records))) == ["Text", "Stats.x"]


def test_an_empty_column_hides_a_field_from_guessing(read: Read) -> None:
    records = [{"text": "a", "likes": 3}]
    layout = generic.table(["text", "likes"], {"likes": ""}, samples=records)
    row = read(records, layout)[0]
    assert (row["likes"], json.loads(row["extra"])) == (None, {"likes": "3"})


def test_a_negative_score_is_a_metric_and_no_likes(read: Read) -> None:
    records = [{"text": "a", "score": "-5"}, {"text": "b", "score": "7"}]
    first, second = read(records, fitted(records))
    assert (first["likes"], dict(first["metrics"]), first["unread"]) == (None, {"score": -5}, None)
    assert (second["likes"], dict(second["metrics"])) == (7, {"score": 7})


def test_ids_that_a_spreadsheet_rounded_are_told_and_not_guessed(read: Read) -> None:
    ids = ["123.0", "1.2E+10", "9007199254740993.0", "1340539111971516416", "abc"]
    records = [{"id": id_, "text": "x"} for id_ in ids]
    rows = read(records, fitted(records))
    assert [row["post_id"] for row in rows] == ["123", None, None, "1340539111971516416", "abc"]
    assert [row["unread"] for row in rows][1:3] == ["post_id=1.2E+10", "post_id=9007199254740993.0"]


def test_the_posts_addresses_say_what_platform_a_table_is_of() -> None:
    assert (
        platform_of(["text", "url"], ["https://www.tiktok.com/@a/video/1"] * 9 + ["https://vm.tiktok.com/x/"])
        == "tiktok"
    )
    assert platform_of(["text", "url"], ["https://news.example/1", "https://www.tiktok.com/@a/video/1"]) == "unknown"
    assert platform_of(["text", "retweets"]) == "x"
    assert platform_of(["body", "subreddit"]) == "reddit"


def test_of_a_table_without_names_the_column_with_the_longest_texts_is_the_text() -> None:
    rows = [{"column_1": "12", "column_2": "-0.5", "column_3": "what a fine day it is"}] * 3
    assert generic.guess(["column_1", "column_2", "column_3"], rows) == {"text": "column_3"}
    assert generic.guess(["column_1", "column_2"], [{"column_1": "1", "column_2": "2"}]) == {}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"timestamp": "2015-02-26 21:42:53", "value": "104"}, "a series of numbers over time, not posts"),
        ({"word": "17", "weight": "12"}, "no text and no id of a post among the columns word, weight"),
    ],
)
def test_what_is_none_of_posts_says_why(row: dict[str, str], why: str) -> None:
    assert registry().recognise_sample([row]) is None
    assert why_not(list(row), [row]).startswith(why)


def test_an_address_with_a_counter_is_a_post(read: Read) -> None:
    records = [{"url": "https://news.example/a", "n_tokens": "12", "shares": "593"}]
    row = read(records, fitted(records))[0]
    assert (row["url"], row["shares"], row["kind"], row["reject"]) == ("https://news.example/a", 593, "link", None)
    assert row["post_id"] == row["url"]


def test_counters_without_a_text_are_posts_and_no_number_is_a_text(read: Read) -> None:
    names = ("Page total likes", "Type", "Lifetime Post Total Reach", "comment", "like", "share", "Total Interactions")
    cells = (
        ("139441", "Photo", "2752", "4", "79", "17", "100"),
        ("139441", "Jingle", "10460", "5", "130", "29", "164"),
    )
    records = [dict(zip(names, row, strict=True)) for row in cells]
    first, second = read(records, fitted(records))
    assert (first["text"], first["comments"], first["likes"], first["shares"]) == (None, 4, 79, 17)
    assert dict(first["metrics"]) == {"lifetime_post_total_reach": 2752, "total_interactions": 100}
    assert first["post_id"] != second["post_id"]
    assert [row["post_id"] for row in read(records[::-1], fitted(records))] == [second["post_id"], first["post_id"]]
    assert (first["kind"], second["kind"], json.loads(second["extra"])["Type"]) == ("image", None, "Jingle")


@pytest.mark.parametrize(
    ("columns", "fields"),
    [
        (
            ["tweet", "nlikes", "nretweets", "nreplies"],
            {"likes": "nlikes", "shares": "nretweets", "comments": "nreplies"},
        ),
        (["Caption", "Number of likes", "Views (n)"], {"likes": "Number of likes", "views": "Views (n)"}),
        (["\u2764\ufe0f Likes", "\U0001f4ac Comments", "Text"], {"likes": "\u2764\ufe0f Likes", "text": "Text"}),
        (["text", "user.screen_name", "user.followers_count"], {"author_name": "user.screen_name"}),
        (["Post title", "Post link", "Created date"], {"text": "Post title", "url": "Post link"}),
        (["text", "author_username", "Total Shares"], {"author_name": "author_username", "shares": "Total Shares"}),
    ],
)
def test_names_with_units_signs_and_numbers_of_are_guessed(columns: list[str], fields: dict[str, str]) -> None:
    assert fields.items() <= generic.guess(columns).items()


def test_a_table_of_4cat_takes_the_exact_time_and_the_platform_of_its_links(read: Read) -> None:
    records = [
        {
            "id": "1", "thread_id": "1", "author": "eva", "body": "hallo #x", "subject": "",
            "timestamp": "2023-01-01 01:00:00", "unix_timestamp": "1672531200", "likes": "3", "plays": "5",
            "tiktok_url": "https://tiktok.com/@eva/video/1", "author_followers": "7", "stickers": "wow",
        }
    ]  # fmt: skip
    layout = fitted(records)
    assert layout.id == "generic.fourcat"
    row = read(records, layout)[0]
    assert row["created_at"].isoformat() == "2023-01-01T00:00:00+00:00"
    assert (row["platform"], row["likes"], row["views"], row["followers"]) == ("tiktok", 3, 5, 7)
    assert json.loads(row["extra"])["stickers"] == "wow"


def test_the_same_choices_give_the_same_layout_and_more_columns_keep_them() -> None:
    rows = [{"text": "a", "date": "13/04/2021"}]
    layout = generic.table(["text", "date"], samples=rows)
    assert generic.table(["text", "date"], samples=rows) is layout
    wider = generic.joined(layout, ["text", "date", "mood"])
    assert wider.parameters["habits"] == layout.parameters["habits"]
    assert generic.joined(layout, ["text", "date", "mood"]) is wider
    assert generic.fit(layout, ["text", "date"], rows) is layout


def test_an_author_in_an_object_and_names_with_capitals_are_guessed_as_scrapers_write_them(read: Read) -> None:
    posts = [
        {
            "id": "1728108619189874825",
            "url": "https://x.com/a/status/1728108619189874825",
            "createdAt": "Fri Nov 24 17:49:36 +0000 2023",
            "text": "more",
            "bookmarkCount": 702,
            "author": {"userName": "a", "name": "Anna A.", "followers": 17, "createdAt": "2009-06-02T20:12:29Z"},
        }
    ]
    (row,) = read(posts, fitted(posts))
    assert (row["platform"], row["author_name"], row["followers"], row["saves"]) == ("x", "a", 17, 702)
    written = [row[field].isoformat() for field in ("created_at", "author_created_at")]
    assert written == ["2023-11-24T17:49:36+00:00", "2009-06-02T20:12:29+00:00"]


def test_columns_of_a_flattened_object_are_those_of_the_object(read: Read) -> None:
    names = ("authorMeta.name", "text", "diggCount", "createTimeISO", "webVideoUrl", "videoMeta.duration")
    address = "https://www.tiktok.com/@ann/video/7123456789012345678"
    rows = [dict(zip(names, ("ann", "hi", "10", "2022-07-22T14:26:40.000Z", address, "12"), strict=True))]
    (row,) = read(rows, fitted(rows))
    found = [row[field] for field in ("platform", "post_id", "author_name", "likes", "duration_s")]
    assert found == ["tiktok", "7123456789012345678", "ann", 10, 12.0]
    assert row["created_at"].isoformat() == "2022-07-22T14:26:40+00:00"


def test_a_comment_is_known_by_its_own_id_and_not_by_that_of_what_it_answers(read: Read) -> None:
    rows = [{"Comment ID": f"U{n}", "Video ID": "dQw4w9WgXcQ", "Comment": "nice", "Likes": n} for n in range(2)]
    assert [row["post_id"] for row in read(rows, fitted(rows))] == ["U0", "U1"]


@pytest.mark.parametrize(
    ("address", "platform", "known"),
    [
        ("https://www.tiktok.com/@a.b/video/7123456789012345678?lang=de", "tiktok", "7123456789012345678"),
        ("http://twitter.com/a/statuses/1620000000000000001", "x", "1620000000000000001"),
        ("https://m.youtube.com/watch?t=3&v=dQw4w9WgXcQ&x=1", "youtube", "dQw4w9WgXcQ"),
        ("https://youtu.be/dQw4w9WgXcQ?t=3", "youtube", "dQw4w9WgXcQ"),
        ("https://www.instagram.com/ann/reel/CnAbCdEfG/", "instagram", "CnAbCdEfG"),
        ("https://old.reddit.com/r/x/comments/abc12/a_title/", "reddit", "abc12"),
        ("https://www.reddit.com/r/x/comments/abc12/a_title/c0ffee/", "reddit", None),
        ("https://evil.example/?x=twitter.com/a/status/1", "x", None),
        ("https://www.facebook.com/a/posts/12", "facebook", None),
    ],
)
def test_an_address_gives_the_id_by_which_the_platforms_own_layouts_know_a_post(
    read: Read, address: str, platform: str, known: str | None
) -> None:
    rows: Rows = [{"link": address, "text": "hi"}]
    (row,) = read(rows, fitted(rows, platform=platform))
    assert row["post_id"] == (known or address)


def test_a_post_of_instagram_is_known_by_the_shortcode_of_its_address_and_not_by_its_number(read: Read) -> None:
    rows: Rows = [{"id": "3012345678901234567", "url": "https://www.instagram.com/p/CnAbCdEfG/", "caption": "sun"}]
    (row,) = read(rows, fitted(rows))
    assert (row["platform"], row["post_id"]) == ("instagram", "CnAbCdEfG")


IN_4CAT = "id thread_id body author timestamp unix_timestamp"


@pytest.mark.parametrize(
    ("columns", "cells", "expected"),
    [
        (
            "url media_type hashtags num_likes num_comments likes_hidden location_name",
            ["https://www.instagram.com/p/CsA1", "photo", "coffee", "", "3", "yes", "Rome"],
            {"platform": "instagram", "kind": "image", "comments": 3, "location": "Rome", "likes": None},
        ),
        (
            "link author_id retweet_count reply_count like_count impression_count language_guess",
            ["https://twitter.com/a/status/163", "22", "0", "1", "2", "400", "en"],
            {"platform": "x", "author_id": "22", "shares": 0, "comments": 1, "likes": 2, "views": 400, "lang": "en"},
        ),
        (
            "chat views forwards author_forwarded_from_name",
            ["news", "55", "1", ""],
            {"platform": "telegram", "views": 55, "shares": 1},
        ),
    ],
    ids=["instagram", "x", "telegram"],
)
def test_tables_of_4cat_are_known_as_such_whatever_their_source(
    read: Read, columns: str, cells: list[str], expected: dict[str, Any]
) -> None:
    always = ["1", "1", "hi #coffee", "eva", "2023-05-10 10:00:00", "1683705600"]
    row = dict(zip(f"{IN_4CAT} {columns}".split(), [*always, *cells], strict=True))
    layout = fitted([row])
    assert layout.id == "generic.fourcat"
    (post,) = read([row], layout)
    assert (post["text"], post["author_name"], post["created_at"].hour) == ("hi #coffee", "eva", 8)
    assert {field: post[field] for field in expected} == expected


def test_what_a_scraper_could_not_get_is_no_post(read: Read) -> None:
    rows: Rows = [
        {"url": "https://www.instagram.com/p/CsA1/", "caption": "hi", "likesCount": -1, "error": None},
        {"url": "https://www.instagram.com/p/CsA2/", "caption": "no error", "likesCount": 2, "error": "false"},
        {"url": "https://www.instagram.com/gone/", "error": "not_found", "errorDescription": "no such page"},
    ]
    hidden, shown, gone = read(rows, fitted(rows))
    assert (hidden["likes"], hidden["metrics"], hidden["reject"]) == (None, None, None)
    assert (shown["likes"], shown["reject"]) == (2, None)
    assert gone["reject"] == "an error answer of the platform: not_found"


def test_a_record_of_zeeschuimer_without_data_is_no_row_of_a_table() -> None:
    record = {"item_id": "71", "timestamp_collected": 1, "source_platform": "tiktok.com", "data": None}
    found = registry().recognise(record)
    assert found is not None
    assert found.id == "generic.zeeschuimer"


def test_zeeschuimers_posts_of_linkedin_and_rednote_are_read_where_they_say_it(read: Read) -> None:
    around = {"timestamp_collected": 1700000000123, "source_platform_url": "https://a.example"}
    counts = {"totalSocialActivityCounts": {"numLikes": 5, "numComments": 0}}
    link = {"actionTarget": "https://www.linkedin.com/in/ann-b?miniProfileUrn=urn"}
    posts = [
        {
            **{**around, "item_id": "urn:li:activity:7130000000000000000", "source_platform": "linkedin.com"},
            "data": {
                "commentary": {"text": {"text": "Great #news"}},
                "actor": {"name": {"text": "Ann B"}, "navigationContext": link},
                "socialDetail": counts,
            },
        },
        {
            **{**around, "item_id": "65a", "source_platform": "xiaohongshu.com"},
            "data": {
                "id": "65a",
                "note_card": {
                    "display_title": "\u4f60\u597d",
                    "user": {"user_id": "5f", "nickname": "x"},
                    "interact_info": {"liked_count": "12", "collected_count": "0"},
                },
            },
        },
    ]
    linkedin, note = read(posts, registry().get("generic.zeeschuimer"))
    assert (linkedin["platform"], linkedin["text"], linkedin["author_name"]) == ("linkedin", "Great #news", "ann-b")
    assert (linkedin["likes"], linkedin["comments"], linkedin["shares"]) == (5, 0, None)
    assert linkedin["created_at"].isoformat().startswith("2023-11-14T")
    assert linkedin["url"] == "https://www.linkedin.com/feed/update/urn:li:activity:7130000000000000000/"
    assert (note["platform"], note["text"], note["author_id"]) == ("xiaohongshu", "\u4f60\u597d", "5f")
    assert (note["likes"], note["saves"], note["comments"], note["reject"]) == (12, 0, None, None)
