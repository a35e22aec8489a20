"""`posts` shows and exports what matches; stdout is only ever the result."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from groundswell.documents.lake import PostsDocument
from groundswell.lake import Lake
from groundswell.settings import Settings

Run = Callable[..., Any]
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def lake(settings: Settings, make_posts: Callable[..., pa.Table]) -> Lake:
    opened = Lake.open(settings)
    rows = [
        {
            "post_id": "700000000000000000" + str(n),
            "author_name": f"name{n}",
            "text": text,
            "created_at": NOW - timedelta(hours=10 * n),
            "likes": n,
            "views": 10,
            "platform": "tiktok" if n % 2 else "x",
            "hashtags": ["shoe"],
        }
        for n, text in enumerate(["new shoe", "=1+1 shoe", "hat \x1b[31mred\x07", None])
    ]
    opened.append("posts", make_posts(rows))
    return opened


def test_json_is_one_document_of_the_published_form(cli: Run, lake: Lake) -> None:
    ran = cli("posts", "shoe", "--json")
    assert ran.code == 0
    PostsDocument.model_validate(ran.document)
    assert [item["post_id"][-1] for item in ran.document["items"]] == ["0", "1"]
    assert ran.document["found"] == 2
    assert ran.document["lake_version"] == lake.version()
    assert ran.document["items"][0]["shares"] is None


def test_format_json_is_the_same_document(cli: Run, lake: Lake) -> None:
    one, other = cli("posts", "--json").document, cli("posts", "--format", "json").document
    assert one["items"] == other["items"]
    assert len(one["items"]) == 4


def test_spans_platforms_order_and_limit_narrow_what_is_shown(cli: Run, lake: Lake) -> None:
    def last_digits(*options: str) -> list[str]:
        return [item["post_id"][-1] for item in cli("posts", "--json", *options).document["items"]]

    assert last_digits("--since", "15h") == ["0", "1"]
    assert last_digits("--until", "15h") == ["2", "3"]
    assert last_digits("--platform", "tiktok") == ["1", "3"]
    assert last_digits("--platform", "tiktok", "--platform", "x") == ["0", "1", "2", "3"]
    assert last_digits("--sort", "likes", "--limit", "2") == ["3", "2"]


def test_the_table_says_what_was_found_and_cannot_steer_the_terminal(cli: Run, lake: Lake) -> None:
    ran = cli("posts")
    assert ran.code == 0
    assert "name0" in ran.out
    assert "new shoe" in ran.out
    assert "\x1b" not in ran.out
    assert "\x07" not in ran.out
    assert "4 posts" in ran.err


def test_nothing_found_is_said_on_stderr(cli: Run, lake: Lake) -> None:
    ran = cli("posts", "absent")
    assert (ran.code, ran.out) == (0, "")
    assert "no posts match" in ran.err


def test_csv_on_stdout_is_only_csv_and_safe(cli: Run, lake: Lake) -> None:
    ran = cli("posts", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert [row["text"] for row in rows][:2] == ["new shoe", "'=1+1 shoe"]
    assert rows[3]["text"] == ""
    assert ran.err == ""


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_the_format_follows_from_the_name_of_the_file(cli: Run, lake: Lake, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"found.{ending}"
    ran = cli("posts", "shoe", "--out", out, "--json")
    assert ran.code == 0
    PostsDocument.model_validate(ran.document)
    assert (ran.document["items"], ran.document["out"], ran.document["found"]) == (None, str(out), 2)
    if ending == "csv":
        assert len(list(csv.DictReader(io.StringIO(out.read_text("utf-8"))))) == 2
    elif ending == "json":
        PostsDocument.model_validate(json.loads(out.read_text()))
    else:
        assert pq.read_table(out)["post_id"].to_pylist() == ["7000000000000000000", "7000000000000000001"]
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["posts", "(shoe"], "column 6"),
        (["posts", "--since", "yesterday"], "2026-11-01"),
        (["posts", "--since", "1h", "--until", "2h"], "--since must be before --until"),
        (["posts", "--json", "--format", "csv"], "two things on stdout"),
        (["posts", "--out", "posts.txt"], "--format csv"),
        (["posts", "--sort", "fame"], "latest"),
        (["posts", "--limit", "0"], "limit"),
    ],
)
def test_wrong_usage_says_what_is_right_and_exits_with_2(cli: Run, lake: Lake, words: list[str], said: str) -> None:
    ran = cli(*words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_folder_that_is_not_there_is_named(cli: Run, lake: Lake, tmp_path: Path) -> None:
    ran = cli("posts", "--out", tmp_path / "absent" / "a.csv")
    assert ran.code == 1
    assert "absent" in ran.err


def test_a_home_without_posts_gives_none(cli: Run) -> None:
    ran = cli("posts", "--json")
    assert (ran.code, ran.document["items"], ran.document["lake_version"]) == (0, [], None)


def test_words_between_colons_are_shown_as_they_are(
    cli: Run, settings: Settings, make_posts: Callable[..., pa.Table]
) -> None:
    Lake.open(settings).append("posts", make_posts([{"post_id": "1", "text": "who is at :x: today", "platform": "x"}]))
    assert "who is at :x: today" in cli("posts").out
