"""What is written to a file is the same posts, and opens safely."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from groundswell.marts.export import documents, safe_cell, write_csv, write_parquet

MakePosts = Callable[[Sequence[Mapping[str, Any]]], pa.Table]


def rows_of(table: pa.Table) -> list[dict[str, str]]:
    target = io.BytesIO()
    write_csv(table, target)
    return list(csv.DictReader(io.StringIO(target.getvalue().decode(), newline="")))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(make_posts: MakePosts, start: str) -> None:
    text = f'{start}HYPERLINK("http://example.invalid")'
    row = rows_of(make_posts([{"text": text, "author_name": text, "hashtags": [text]}]))[0]
    assert row["text"] == row["author_name"] == row["hashtags"] == "'" + text


def test_other_text_is_left_as_it_is() -> None:
    for text in ("plain", "1 = 1", "'quoted", "", "été", "#tag"):
        assert safe_cell(text) == text


def test_null_zero_and_empty_stay_different_in_json_and_zero_is_not_empty_in_csv(make_posts: MakePosts) -> None:
    posts = make_posts([{"likes": 0, "views": None, "text": "", "hashtags": [], "verified": False}])
    document = next(documents(posts))
    assert (document["likes"], document["views"], document["text"], document["hashtags"]) == (0, None, "", [])
    row = rows_of(posts)[0]
    assert (row["likes"], row["views"], row["verified"]) == ("0", "", "false")


def test_nested_values_times_and_long_ids_survive(make_posts: MakePosts, noon: datetime) -> None:
    challenges = [{"id": "1603", "name": "été"}]
    posts = make_posts(
        [
            {
                "post_id": "7012345678901234567",
                "created_at": noon,
                "metrics": [("downloads", 3)],
                "challenges": challenges,
            }
        ]
    ).drop(["key"])
    document = json.loads(json.dumps(next(documents(posts))))
    assert document["post_id"] == "7012345678901234567"
    assert document["created_at"] == "2026-11-20T12:00:00Z"
    assert document["metrics"] == {"downloads": 3}
    assert document["challenges"] == challenges
    row = rows_of(posts)[0]
    assert json.loads(row["challenges"]) == challenges
    assert row["created_at"] == "2026-11-20T12:00:00Z"


def test_line_breaks_and_quotes_in_a_text_stay_in_one_cell(make_posts: MakePosts) -> None:
    text = 'first "line"\nsecond, line'
    assert [row["text"] for row in rows_of(make_posts([{"text": text}]))] == [text]


def test_parquet_keeps_every_value(make_posts: MakePosts, noon: datetime) -> None:
    posts = make_posts([{"text": "=1+1", "created_at": noon, "hashtags": ["a"]}])
    target = io.BytesIO()
    write_parquet(posts, target)
    assert pq.read_table(io.BytesIO(target.getvalue())).equals(posts)
