"""TikTok's layouts: what differs between them, and the real files that are at hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from groundswell.engines.duckdb import DuckEngine
from groundswell.platforms import Layout, registry
from groundswell.platforms.tiktok import API, EMBEDDED, NESTED, SCRAPER, USER_INFO, ZEESCHUIMER
from groundswell.schema import REJECT, UNREAD
from groundswell.settings import Settings

Rows = list[dict[str, Any]]
Read = Callable[[Rows, Layout], pa.Table]
FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "layouts"


@pytest.fixture
def read(settings: Settings, tmp_path: Path) -> Iterator[Read]:
    engine = DuckEngine(settings)

    def run(records: Rows, layout: Layout) -> pa.Table:
        path = tmp_path / "records.ndjson"
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        return pa.Table.from_batches(engine.map_json(path, layout))

    yield run
    engine.close()


def fixture(layout: Layout) -> Rows:
    return [json.loads(line) for line in (FIXTURES / f"{layout.id}.ndjson").read_text(encoding="utf-8").splitlines()]


def test_items_of_the_api_agree_with_what_python_reads(data: Path, read: Read) -> None:
    items = json.loads((data / "tiktok" / "api_2021.json").read_text(encoding="utf-8"))
    assert registry().recognise_sample(items) is API
    posts = read(items, API)
    assert posts.num_rows == posts[REJECT].null_count == posts[UNREAD].null_count == 10
    assert posts["post_id"].to_pylist() == [item["id"] for item in items]
    assert posts["views"].to_pylist() == [item["stats"]["playCount"] for item in items]
    assert posts["followers"].to_pylist() == [item["authorStats"]["followerCount"] for item in items]
    assert [moment.timestamp() for moment in posts["created_at"].to_pylist()] == [item["createTime"] for item in items]
    assert posts["challenges"].null_count == sum("challenges" not in item for item in items) == 2
    for item, challenges in zip(items, posts["challenges"].to_pylist(), strict=True):
        ids = [challenge["id"] for challenge in item.get("challenges", [])]
        assert [challenge["id"] for challenge in challenges or []] == list(dict.fromkeys(ids))
    assert posts["text"].to_pylist() == [item["desc"] for item in items]


def test_posts_of_the_scraper_agree_with_what_python_reads(data: Path, read: Read) -> None:
    items = json.loads((data / "tiktok" / "scraper_2020.json").read_text(encoding="utf-8"))["collector"]
    assert registry().recognise_sample(items) is SCRAPER
    posts = read(items, SCRAPER)
    assert posts.num_rows == posts[REJECT].null_count == posts[UNREAD].null_count == 200
    assert posts["likes"].to_pylist() == [item["diggCount"] for item in items]
    assert posts["author_name"].to_pylist() == [item["authorMeta"]["name"] for item in items]
    assert posts["url"].to_pylist() == [item["webVideoUrl"] for item in items]
    assert posts["hashtags"].null_count == sum(not item["hashtags"] for item in items)
    assert posts["followers"].null_count == posts["saves"].null_count == 200


def test_the_exact_counters_go_before_those_that_overflow(read: Read) -> None:
    item = fixture(API)[1]
    item["stats"]["playCount"], item["statsV2"]["playCount"] = -1_294_967_296, "3000000000"
    assert read([item], API)["views"].to_pylist() == [3_000_000_000]


def test_milliseconds_and_seconds_are_told_apart(read: Read) -> None:
    item = fixture(API)[1]
    times = [1_767_600_000, "1767600000", 1_767_600_000_000, "1767600000000", 17_676_000]
    posts = read([item | {"createTime": time} for time in times], API)
    assert [moment and moment.timestamp() for moment in posts["created_at"].to_pylist()] == [1_767_600_000] * 4 + [None]
    assert posts[REJECT].to_pylist()[4] == "createTime is not a plausible time: 17676000"


def test_an_author_of_the_other_kind_is_left_to_the_layout_that_reads_it(read: Read) -> None:
    item, embedded = fixture(API)[1], fixture(EMBEDDED)[1]
    assert registry().recognise(item) is API
    assert registry().recognise(embedded) is EMBEDDED
    assert read([embedded], API)[REJECT].to_pylist() == ["author is a handle, not an object"]
    assert read([item], EMBEDDED)[REJECT].to_pylist() == ["author is an object, not a handle"]
    names = [read([item], API)["author_name"][0], read([embedded], EMBEDDED)["author_name"][0]]
    assert names[0] == names[1]


def test_pictures_are_a_carousel_without_a_length(read: Read) -> None:
    post = read([fixture(API)[3]], API).to_pylist()[0]
    assert (post["kind"], post["duration_s"]) == ("carousel", None)
    assert post["media_urls"] == ["https://media.example.invalid/a.jpg", "https://media.example.invalid/c.jpg"]


def test_zeeschuimer_says_when_it_saw_the_same_post(read: Read) -> None:
    record = fixture(ZEESCHUIMER)[1]
    assert registry().recognise(record) is ZEESCHUIMER
    wrapped, plain = read([record], ZEESCHUIMER).to_pylist()[0], read([record["data"]], API).to_pylist()[0]
    assert wrapped.pop("observed_at").timestamp() == record["timestamp_collected"] / 1000
    assert plain.pop("observed_at") is None
    assert wrapped == plain


def test_an_account_is_read_alone_and_under_its_wrapper(read: Read) -> None:
    first, second = read(fixture(USER_INFO), USER_INFO).to_pylist()
    assert {**first, "record": 1} == second


def test_a_part_of_another_type_does_not_stop_the_nested_layout(read: Read) -> None:
    record = fixture(NESTED)[0]
    for part in list(record):
        posts = read([record | {part: "gone"}, record], NESTED)
        assert posts[REJECT].to_pylist()[1] is None
        assert posts["post_id"].to_pylist()[1] == record["itemInfos"]["id"]
