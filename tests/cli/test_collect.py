"""`groundswell collect youtube` as a person runs it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.services.servers import Ferret

from groundswell.documents import DOCUMENTS
from groundswell.testing.youtube_api import KEY, LocalYouTube


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalYouTube]:
    with LocalYouTube(videos=3) as api:
        monkeypatch.setenv("GROUNDSWELL_YOUTUBE_ENDPOINT", api.address)
        monkeypatch.setenv("YOUTUBE_API_KEY", KEY)
        yield api


def test_a_search_ends_in_the_lake_and_the_document_says_so(cli: Callable[..., Any], api: LocalYouTube) -> None:
    ran = cli("collect", "youtube", "--query", "tea", "--max", "2", "--since", "2026-01-01", "--json")
    assert ran.code == 0, ran.err
    DOCUMENTS["collect youtube"].model_validate(ran.document)
    assert (ran.document["videos"], ran.document["units"]["this_run"]) == (2, 101)
    assert api.calls[0].parameters["publishedAfter"] == "2026-01-01T00:00:00Z"
    found = cli("posts", "film", "--json")
    assert {post["post_id"] for post in found.document["items"]} == {"vid00000000", "vid00000001"}
    assert KEY not in ran.out + ran.err + found.out


def test_spent_units_are_said_with_the_hour_at_which_it_goes_on(
    cli: Callable[..., Any], api: LocalYouTube, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDSWELL_YOUTUBE_QUOTA", "100")
    ran = cli("collect", "youtube", "--query", "tea")
    assert ran.code == 0
    assert "the day's units are spent" in ran.err
    assert "0 of 100 left today" in ran.err


def test_a_wrong_key_is_an_error_without_the_key(
    cli: Callable[..., Any], api: LocalYouTube, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOUTUBE_API_KEY", "wrong-secret")
    ran = cli("collect", "youtube", "--video", "https://youtu.be/gQ_1zX-F_No")
    assert ran.code == 1
    assert "keyInvalid" in ran.err
    assert "wrong-secret" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing to collect"),
        (["--video", "x"], "is no video"),
        (["--query", "tea", "--since", "soon"], "is no time"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(
    cli: Callable[..., Any], api: LocalYouTube, words: list[str], said: str
) -> None:
    ran = cli("collect", "youtube", *words)
    assert ran.code == 2
    assert said in ran.err
    assert api.calls == []


def test_without_a_key_it_says_where_one_is_read_from(
    cli: Callable[..., Any], api: LocalYouTube, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("YOUTUBE_API_KEY")
    ran = cli("collect", "youtube", "--query", "tea")
    assert ran.code == 2
    assert "YOUTUBE_API_KEY" in ran.err
    config = cli("config", "--json")
    assert "youtube_key" not in json.dumps(config.document)


@pytest.mark.service
def test_raw_answers_go_to_mongodb_and_come_back_as_the_same_posts(
    cli: Callable[..., Any], api: LocalYouTube, ferretdb: Ferret, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    url = ferretdb.url(ferretdb.new_database())
    words = ("collect", "youtube", "--query", "tea", "--max", "3", "--to", url, "--json")
    first = cli(*words)
    assert first.code == 0, first.err
    DOCUMENTS["collect youtube"].model_validate(first.document)
    assert first.document["raw"]["inserted"] == first.document["items"]
    posts = {post["post_id"]: post["views"] for post in cli("posts", "--json").document["items"]}
    assert len(posts) == 3
    monkeypatch.setenv("GROUNDSWELL_HOME", str(tmp_path / "other"))
    again = cli(*words, "--only").document
    assert (again["raw"]["inserted"], again["raw"]["unchanged"]) == (0, first.document["items"])
    assert cli("posts", "--json").document["items"] == []
    assert cli("import", url, "--collection", "youtube").code == 0
    assert {post["post_id"]: post["views"] for post in cli("posts", "--json").document["items"]} == posts


def test_only_needs_a_database(cli: Callable[..., Any], api: LocalYouTube) -> None:
    ran = cli("collect", "youtube", "--query", "tea", "--only")
    assert ran.code == 2
    assert "--to" in ran.err
