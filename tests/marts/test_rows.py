"""Rows of a table: each thing by its latest observation, chosen by posts, of one version however often read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from groundswell.engines import Engine
from groundswell.errors import UnknownChoiceError, UsageError
from groundswell.lake import Lake
from groundswell.marts.rows import row_schema, rows, select_rows
from groundswell.marts.wanted import Wanted
from groundswell.query import parse
from groundswell.schema import AUTHORS, COMMENTS

MakePosts = Callable[[Sequence[Mapping[str, Any]]], pa.Table]
HOUR = timedelta(hours=1)


def stored(schema: pa.Schema, given: Sequence[Mapping[str, Any]], noon: datetime) -> pa.Table:
    base = {"platform": "x", "imported_at": noon, "month": "unknown"}
    full = [{**base, "key": n.to_bytes(16, "big"), "ingest_seq": n, **row} for n, row in enumerate(given, 1)]
    return pa.Table.from_pylist(full, schema=schema)


@pytest.fixture
def full(lake: Lake, make_posts: MakePosts, noon: datetime) -> Lake:
    posts: list[dict[str, Any]] = [
        {
            "post_id": "1",
            "author_id": "a",
            "text": "shoe",
            "created_at": noon,
            "observed_at": noon,
            "likes": 1,
            "views": 9,
        },
        {
            "post_id": "1",
            "author_id": "a",
            "text": "shoe",
            "created_at": noon,
            "observed_at": noon + HOUR,
            "likes": 3,
            "views": 9,
        },
        {"post_id": "2", "author_id": "b", "text": "hat", "created_at": noon},
        {"text": "no id", "author_name": "c"},
    ]
    lake.append("posts", make_posts(posts))
    authors = [
        {"author_id": "a", "followers": 1, "observed_at": noon},
        {"author_id": "a", "followers": 2, "observed_at": noon + HOUR},
        {"author_id": "b", "followers": 5},
    ]
    lake.append("authors", stored(AUTHORS, authors, noon))
    comments: list[dict[str, Any]] = [
        {"comment_id": "k", "post_id": "1", "text": "nice", "likes": 0},
        {"comment_id": "k", "post_id": "1", "text": "nice", "likes": 4},
        {"comment_id": "l", "post_id": "2", "text": "well"},
        {"post_id": "2", "text": "no id"},
    ]
    lake.append("comments", stored(COMMENTS, comments, noon))
    return lake


def test_each_thing_by_its_latest_observation_or_all(engine: Engine, full: Lake) -> None:
    posts = rows(engine, full).read_all()
    assert posts.schema.equals(row_schema("posts"))
    assert {(row["post_id"], row["likes"]) for row in posts.to_pylist()} == {("1", 3), ("2", None), (None, None)}
    assert rows(engine, full, observations="all").read_all().num_rows == 4
    authors = rows(engine, full, "authors").read_all()
    assert sorted(authors["followers"].to_pylist()) == [2, 5]
    comments = rows(engine, full, "comments").read_all()
    assert {(row["comment_id"], row["likes"]) for row in comments.to_pylist()} == {("k", 4), ("l", None), (None, None)}


def test_a_query_chooses_posts_their_authors_and_their_comments(engine: Engine, full: Lake) -> None:
    wanted = Wanted(parse("shoe"))
    assert rows(engine, full, "posts", wanted).read_all()["post_id"].to_pylist() == ["1"]
    assert rows(engine, full, "authors", wanted).read_all()["author_id"].to_pylist() == ["a"]
    assert rows(engine, full, "comments", wanted).read_all()["comment_id"].to_pylist() == ["k"]


@pytest.mark.parametrize(("table", "name"), [("posts", "post"), ("authors", "author"), ("comments", "comment")])
def test_an_identity_is_never_null_and_tells_rows_apart(engine: Engine, full: Lake, table: str, name: str) -> None:
    found = rows(engine, full, table, identity=True).read_all()
    assert found[name].null_count == 0
    assert len(set(found[name].to_pylist())) == found.num_rows


def test_what_was_selected_stays_as_it_was_while_the_lake_grows(
    engine: Engine, full: Lake, make_posts: MakePosts
) -> None:
    selected = select_rows(engine, full)
    before = selected.open().read_all()
    full.append("posts", make_posts([{"post_id": "9", "ingest_seq": 99}]))
    assert selected.open().read_all().num_rows == before.num_rows == 3
    assert selected.open(["post_id"]).read_all().column_names == ["post_id"]
    assert select_rows(engine, full).open().read_all().num_rows == 4


def test_an_empty_lake_and_wrong_wishes(engine: Engine, lake: Lake, noon: datetime) -> None:
    for table in ("posts", "authors", "comments"):
        assert rows(engine, lake, table).read_all().num_rows == 0
    assert select_rows(engine, lake).version is None
    with pytest.raises(UnknownChoiceError, match="authors, comments, posts"):
        rows(engine, lake, "likes")
    with pytest.raises(UsageError, match="no time between"):
        rows(engine, lake, "posts", Wanted(since=noon, until=noon))
