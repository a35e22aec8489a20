"""The real files through their layouts, against counts made by hand."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from groundswell.engines.duckdb import DuckEngine
from groundswell.platforms import Layout, generic, registry
from groundswell.platforms.tiktok import CLAIMS, NESTED
from groundswell.platforms.youtube import TRENDING, VIDEOS
from groundswell.schema import REJECT, UNREAD
from groundswell.settings import Settings

Rows = list[dict[str, str]]


@pytest.fixture
def engine(settings: Settings) -> Iterator[DuckEngine]:
    engine = DuckEngine(settings)
    yield engine
    engine.close()


def read_csv(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def through(engine: DuckEngine, rows: Rows, layout: Layout) -> pa.Table:
    table = pa.table({name: pa.array([row[name] or None for row in rows], pa.string()) for name in rows[0]})
    return pa.Table.from_batches(engine.map_rows(table, layout))


def total(table: pa.Table, column: str) -> int:
    found: int = pc.sum(table[column]).as_py()
    return found


def known(rows: Rows, column: str) -> list[int]:
    return [int(float(row[column])) for row in rows if row[column] not in ("", "#N/A")]


def test_all_claims_are_kept_and_the_incomplete_ones_have_missing_fields(data: Path, engine: DuckEngine) -> None:
    rows = read_csv(data / "tiktok" / "claims.csv")
    assert registry().recognise_sample(rows) is CLAIMS
    posts = through(engine, rows, CLAIMS)
    assert posts.num_rows == posts[REJECT].null_count == posts[UNREAD].null_count == 19_382
    for column, source in (("views", "video_view_count"), ("likes", "video_like_count"), ("text", "claim_status")):
        assert posts[column].null_count == 298, source
    assert total(posts, "views") == sum(known(rows, "video_view_count"))
    assert total(posts, "comments") == sum(known(rows, "video_comment_count"))
    assert posts["post_id"].to_pylist() == [row["video_id"] for row in rows]
    assert posts["created_at"].null_count == posts["author_id"].null_count == 19_382
    assert sum(dict(metrics)["downloads"] for metrics in posts["metrics"].to_pylist() if metrics) == sum(
        known(rows, "video_download_count")
    )


@pytest.mark.parametrize(("name", "count", "silent", "unrated"), [("FRvideos", 3398, 80, 59), ("USvideos", 144, 2, 0)])
def test_trending_videos_have_no_counts_where_they_are_switched_off(
    data: Path, engine: DuckEngine, name: str, count: int, silent: int, unrated: int
) -> None:
    rows = read_csv(data / "youtube" / f"{name}.csv")
    assert registry().recognise_sample(rows) is TRENDING
    posts = through(engine, rows, TRENDING)
    assert posts.num_rows == posts[REJECT].null_count == posts[UNREAD].null_count == count
    assert posts["comments"].null_count == silent
    assert posts["likes"].null_count == posts["metrics"].null_count == unrated
    assert total(posts, "views") == sum(known(rows, "views"))
    assert posts["observed_at"].null_count == posts["created_at"].null_count == posts["text"].null_count == 0
    assert posts["observed_at"][0].as_py().isoformat() == "2017-11-14T00:00:00+00:00"


def test_nested_posts_agree_with_what_python_reads(data: Path, engine: DuckEngine) -> None:
    path = data / "tiktok" / "pushshift_layout.ndjson"
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert registry().recognise_sample(records) is NESTED
    posts = pa.Table.from_batches(engine.map_json(path, NESTED))
    assert posts.num_rows == posts[REJECT].null_count == posts[UNREAD].null_count == 98
    items = [record["itemInfos"] for record in records]
    assert posts["post_id"].to_pylist() == [item["id"] for item in items]
    assert posts["views"].to_pylist() == [item["playCount"] for item in items]
    assert [moment.timestamp() for moment in posts["created_at"].to_pylist()] == [int(i["createTime"]) for i in items]
    assert posts["hashtags"].null_count == posts["challenges"].null_count == 2
    assert posts["followers"].null_count == posts["saves"].null_count == 98


@pytest.mark.parametrize("name", ["model_videos_video_api_response", "videos_videos_info_multi"])
def test_videos_of_the_data_api_are_recognised_and_read(
    data: Path, engine: DuckEngine, tmp_path: Path, name: str
) -> None:
    answer = json.loads((data / "youtube" / "api" / f"{name}.json").read_text(encoding="utf-8"))
    items: list[dict[str, Any]] = answer["items"]
    assert registry().recognise_sample(items) is VIDEOS
    path = tmp_path / "items.ndjson"
    path.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
    posts = pa.Table.from_batches(engine.map_json(path, VIDEOS))
    assert posts[REJECT].null_count == len(items)
    assert posts["post_id"].to_pylist() == [item["id"] for item in items]
    assert posts["created_at"].null_count == 0


def test_tweets_come_in_through_guessed_columns(data: Path, engine: DuckEngine) -> None:
    rows = read_csv(data / "twitter" / "vaccination_tweets.csv")
    layout = generic.table(list(rows[0]))
    posts = through(engine, rows, layout)
    assert posts.num_rows == posts[REJECT].null_count == posts[UNREAD].null_count == 8_082
    assert posts["post_id"].to_pylist() == [row["id"] for row in rows]
    assert posts["text"].to_pylist() == [row["text"] for row in rows]
    assert set(posts["platform"].to_pylist()) == {"x"}
    assert total(posts, "likes") == sum(int(row["favorites"]) for row in rows)
    assert total(posts, "shares") == sum(int(row["retweets"]) for row in rows)
    assert total(posts, "followers") == sum(int(row["user_followers"]) for row in rows)
    assert posts["hashtags"].null_count == 1_949
    assert posts["hashtags"][2].as_py()[:2] == ["coronavirus", "sputnikv"]
    assert posts["created_at"][0].as_py().isoformat() == "2020-12-20T06:06:44+00:00"
    assert posts["created_at"].null_count == posts["author_created_at"].null_count == 0


@pytest.mark.parametrize(
    ("name", "count"), [("facebook/live", 7050), ("mixed/sentimentdataset", 732), ("mixed/reddit_wsb_jan2022", 1892)]
)
def test_other_tables_lose_no_row(data: Path, engine: DuckEngine, name: str, count: int) -> None:
    rows = read_csv(data / f"{name}.csv")
    posts = through(engine, rows, generic.table(list(rows[0])))
    assert posts.num_rows == posts[REJECT].null_count == count
    assert posts["created_at"].null_count == 0
