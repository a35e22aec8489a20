"""`groundswell export` writes what was asked for, says where, and keeps the recipe beside it."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from groundswell.documents.analysis import ExportDocument
from groundswell.lake import Lake
from groundswell.settings import Settings

Run = Callable[..., Any]
MakePosts = Callable[[Sequence[Mapping[str, Any]]], pa.Table]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def lake(settings: Settings, make_posts: MakePosts) -> Lake:
    rows = [
        {
            "post_id": f"{n}",
            "text": "shoe" if n % 2 else "hat",
            "views": 100 + n,
            "likes": n if n % 3 else None,
            "created_at": NOON,
        }
        for n in range(30)
    ]
    lake = Lake.open(settings)
    lake.append("posts", make_posts([*rows, {"post_id": "odd", "text": "shoe", "views": 10**9, "created_at": NOON}]))
    return lake


def document(ran: Any) -> dict[str, Any]:
    assert ran.code == 0, ran.err
    ExportDocument.model_validate_json(ran.out, strict=True)
    made: dict[str, Any] = ran.document
    return made


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet", "xlsx"])
def test_the_form_follows_the_name_of_the_file(cli: Run, lake: Lake, tmp_path: Path, form: str) -> None:
    made = document(cli("export", "shoe", "--out", tmp_path / f"a.{form}", "--json"))
    assert (made["rows"], made["format"], made["recipe"], made["lake_version"]) == (16, form, None, lake.version())
    assert (tmp_path / f"a.{form}").stat().st_size


def test_the_clean_table_comes_with_its_recipe(cli: Run, lake: Lake, tmp_path: Path) -> None:
    words = ["--clean", "--standardise", "z", "--log", "--nulls", "likes=median", "--outliers", "drop"]
    made = document(cli("export", "--out", tmp_path / "a.csv", *words, "--json"))
    recipe = json.loads(Path(made["recipe"]).read_text("utf-8"))
    assert made["recipe"] == str(tmp_path / "a.csv.recipe.json")
    assert recipe["rows"] == {"before": 31, "after": 30, "dropped": {"views outlier": 1}}
    assert recipe["values"]["filled"] == {"likes": 10}
    assert recipe["lake_version"] == lake.version()
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert (len(lines), recipe["columns"]) == (30, list(lines[0]))
    assert all(line["views_z"] and line["likes"] for line in lines)


def test_a_database_gets_each_post_once(cli: Run, lake: Lake, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    made = document(cli("export", "--to", url, "--name", "found", "--json"))
    assert made["target"] == {"target": url, "table": "found", "inserted": 31, "updated": 0, "unchanged": 0}
    assert document(cli("export", "--to", url, "--name", "found", "--json"))["target"]["unchanged"] == 31
    with sqlite3.connect(tmp_path / "a.db") as database:
        assert database.execute("SELECT count(*), max(views) FROM found").fetchone() == (31, 10**9)
    database.close()


@pytest.mark.parametrize("table", ["authors", "comments", "velocity"])
def test_the_other_tables_have_their_columns_even_without_rows(
    cli: Run, lake: Lake, tmp_path: Path, table: str
) -> None:
    assert document(cli("export", "--table", table, "--out", tmp_path / "a.parquet", "--json"))["rows"] == 0
    assert "platform" in pq.read_schema(tmp_path / "a.parquet").names


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing says where to write"),
        (["--out", "a.txt"], "does not say its form"),
        (["--out", "a.csv", "--to", "sqlite:///a.db"], "choose one"),
        (["--out", "a.csv", "--standardise", "z"], "add --clean"),
        (["--out", "a.csv", "--clean", "--table", "authors"], "analysis table of posts"),
        (["--out", "a.csv", "--clean", "--nulls", "views=mode"], "median"),
        (["--out", "a.csv", "--since", "2026-02-01", "--until", "2026-01-01"], "no time between"),
        (["like:>", "--out", "a.csv"], "does not parse"),
    ],
)
def test_a_wrong_wish_is_refused_with_what_to_do(cli: Run, words: list[str], said: str) -> None:
    ran = cli("export", *words)
    assert ran.code == 2
    assert said.lower() in ran.err.lower()
