"""Layouts on the command line: listed, shown, tried on a file, saved, used by name and by recognition, removed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from groundswell.documents import DOCUMENTS

Run = Callable[..., Any]

TABLE = "Nr;Wer;Was;Wann;Daumen\n1;Eva;Hallo;13.04.2021 10:00;1.234\n2;Bob;Moin;03/04/2021;12\n"
MAP = ("text=Was", "author_name=Wer", "created_at=Wann", "likes=Daumen", "post_id=Nr")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "forum.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def maps() -> list[str]:
    return [word for pair in MAP for word in ("--map", pair)]


def check(verb: str, ran: Any) -> Any:
    assert ran.code == 0, ran.err
    DOCUMENTS[verb].model_validate_json(ran.out, strict=True)
    return ran.document


def test_what_is_installed_is_listed_and_shown(cli: Run) -> None:
    found = check("layouts list", cli("layouts", "list", "--platform", "tiktok", "--json"))["items"]
    assert {line["platform"] for line in found} == {"tiktok"}
    shown = check("layouts show", cli("layouts", "show", "tiktok.nested", "--json"))
    assert "itemInfos.playCount" in shown["reads"]
    assert "views" in shown["fields"]
    assert shown["unwraps"] == ["body.itemListData"]
    assert cli("layouts", "show", "tiktok.nestd").code == 2


def test_a_preview_shows_columns_fields_and_habits_and_stores_nothing(cli: Run, table: Path) -> None:
    found = check("layouts preview", cli("layouts", "preview", table, *maps(), "--json"))
    fields = {column["column"]: column["field"] for column in found["columns"]}
    assert fields == {"Nr": "post_id", "Wer": "author_name", "Was": "text", "Wann": "created_at", "Daumen": "likes"}
    likes = next(outcome for outcome in found["fields"] if outcome["field"] == "likes")
    assert (likes["filled"], likes["examples"]) == (1.0, ["1234", "12"])
    assert any("day before month" in line for line in found["habits"])
    assert cli("posts", "--json").document["found"] == 0


def test_a_preview_of_what_nothing_knows_still_shows_the_columns(cli: Run, table: Path) -> None:
    found = check("layouts preview", cli("layouts", "preview", table, "--json"))
    assert found["mappable"]
    assert [column["column"] for column in found["columns"]] == ["Nr", "Wer", "Was", "Wann", "Daumen"]
    assert found["layouts"][0]["layout"] is None
    ran = cli("layouts", "preview", table)
    assert "no known layout" in ran.err
    assert "Daumen" in ran.out


def test_a_saved_mapping_is_recognised_by_its_columns_and_found_by_its_name(cli: Run, table: Path) -> None:
    saved = check("layouts save", cli("layouts", "save", "forum", table, *maps(), "--platform", "board", "--json"))
    assert saved["layout"] == "saved.forum"
    assert saved["map"]["text"] == "Was"
    summary = cli("import", table, "--json").document
    assert (summary["stored"], summary["files"][0]["layouts"][0]["layout"]) == (2, "saved.forum")
    post = cli("posts", "Hallo", "--json").document["items"][0]
    assert (post["platform"], post["likes"], post["created_at"]) == ("board", 1234, "2021-04-13T10:00:00Z")
    assert cli("import", "--layout", "forum", table, "--json").document["known"] == 2
    assert cli("layouts", "save", "forum", "--map", "text=Was").code == 1
    assert cli("layouts", "save", "forum", "--map", "text=Was", "--replace").code == 0
    check("layouts remove", cli("layouts", "remove", "forum", "--json"))
    assert cli("layouts", "remove", "forum").code == 1
    assert cli("import", "--layout", "forum", table).code == 2


def test_a_field_that_is_hidden_is_not_guessed(cli: Run, tmp_path: Path) -> None:
    path = tmp_path / "posts.ndjson"
    path.write_text(json.dumps({"text": "a long day", "likes": 3, "views": 7}) + "\n", encoding="utf-8")
    assert cli("import", path, "--map", "likes=", "--json").document["stored"] == 1
    post = cli("posts", "--json").document["items"][0]
    assert (post["likes"], post["views"]) == (None, 7)
    assert json.loads(post["extra"])["likes"] == "3"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("save", "No Name", "--map", "text=a"), "no name of a layout"),
        (("save", "x", "--map", "txt=a"), "no field `txt`"),
        (("save", "x"), "names at least one column"),
    ],
)
def test_a_mapping_that_cannot_be_saved_says_why(cli: Run, words: tuple[str, ...], said: str) -> None:
    ran = cli("layouts", *words)
    assert ran.code == 2
    assert said in ran.err
