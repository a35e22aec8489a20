"""The real files, counted by an independent reader (`csv`, `json`) and compared with what the import says."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

NDJSON = "tiktok/pushshift_layout.ndjson"
TABLES = {
    "tiktok/claims.csv": "tiktok.claims",
    "youtube/FRvideos.csv": "youtube.trending_csv",
    "youtube/USvideos.csv": "youtube.trending_csv",
}
ANSWERS = ["youtube/api/model_videos_video_api_response.json", "youtube/api/model_videos_video_info.json"]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def the_layout(document: dict[str, Any]) -> str:
    (layout,) = document["files"][0]["layouts"]
    return str(layout["layout"])


@pytest.mark.parametrize("name", TABLES)
def test_every_row_of_a_table_is_stored_or_known(name: str, data: Path, workshop: Any) -> None:
    rows = rows_of(data / name)
    done = workshop.import_(data / name)
    assert done["read"] == len(rows)
    assert done["rejected"] == done["ignored"] == 0
    assert the_layout(done) == TABLES[name]
    again = workshop.import_(data / name)
    assert (again["read"], again["known"]) == (len(rows), len(rows))
    assert workshop.lake.count() == done["stored"]


def test_the_incomplete_claims_are_posts_with_missing_fields(data: Path, workshop: Any) -> None:
    workshop.import_(data / "tiktok/claims.csv")
    empty = [row["video_id"] for row in rows_of(data / "tiktok/claims.csv") if row["claim_status"] in ("", "#N/A")]
    assert len(empty) == 298
    posts = {row["post_id"]: row for row in workshop.posts("post_id", "views", "likes", "text", "shares")}
    assert all(posts[id_] | {"post_id": None} == dict.fromkeys(posts[id_]) for id_ in empty)


def test_the_counters_of_the_claims_are_those_of_the_file(data: Path, workshop: Any) -> None:
    workshop.import_(data / "tiktok/claims.csv")
    rows = rows_of(data / "tiktok/claims.csv")
    views = sum(int(float(row["video_view_count"])) for row in rows if row["video_view_count"] not in ("", "#N/A"))
    assert sum(row["views"] or 0 for row in workshop.posts("views")) == views


def test_a_video_that_trends_on_several_days_is_several_observations(data: Path, workshop: Any) -> None:
    rows = rows_of(data / "youtube/FRvideos.csv")
    done = workshop.import_(data / "youtube/FRvideos.csv")
    counted = {
        tuple(row[name] for name in ("video_id", "trending_date", "views", "likes", "comment_count")) for row in rows
    }
    assert done["stored"] == len(counted)


def test_the_nested_posts_are_read_as_they_stand(data: Path, workshop: Any) -> None:
    records = [json.loads(line) for line in (data / NDJSON).read_text().splitlines()]
    done = workshop.import_(data / NDJSON)
    assert (done["read"], done["stored"], the_layout(done)) == (98, 98, "tiktok.nested")
    posts = {row["post_id"]: row for row in workshop.posts("post_id", "views", "text", "followers", "origin_offset")}
    raw = (data / NDJSON).read_bytes()
    for record in records:
        post = posts[record["itemInfos"]["id"]]
        assert post["views"] == int(record["itemInfos"]["playCount"])
        assert post["text"] == record["itemInfos"]["text"]
        stats = record.get("authorStats")
        assert post["followers"] == (None if stats is None else int(stats["followerCount"]))
        assert json.loads(raw[post["origin_offset"] :].split(b"\n")[0]) == record


@pytest.mark.parametrize("name", ANSWERS)
def test_the_videos_of_an_api_answer_are_stored(name: str, data: Path, workshop: Any) -> None:
    document = json.loads((data / name).read_text())
    videos = document.get("items", [document])
    done = workshop.import_(data / name)
    assert (done["read"], done["stored"], done["exit_code"]) == (len(videos), len(videos), 0)
    assert [row["post_id"] for row in workshop.posts("post_id")] == [video["id"] for video in videos]


def test_a_file_that_grew_stores_what_is_new(data: Path, workshop: Any, tmp_path: Path) -> None:
    lines = (data / NDJSON).read_bytes().splitlines(keepends=True)
    path = tmp_path / "growing.ndjson"
    path.write_bytes(b"".join(lines[:40]))
    assert workshop.import_(path)["stored"] == 40
    path.write_bytes(b"".join(lines))
    grown = workshop.import_(path)
    assert (grown["known"], grown["stored"]) == (40, 58)


def test_all_of_them_in_one_call_add_up_in_the_ledger(data: Path, workshop: Any) -> None:
    done = workshop.import_(*(data / name for name in (NDJSON, *TABLES, *ANSWERS)))
    ledger = workshop.lake.read("ledger").to_pylist()
    assert len(done["files"]) == len(ledger) == 6
    for name in ("stored", "known", "rejected", "ignored"):
        assert sum(row[name] for row in ledger) == done[name]
    assert sum(row["received"] for row in ledger) == done["read"]
    assert workshop.lake.count() == done["stored"]
