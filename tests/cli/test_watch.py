"""The verbs `watch` and `alerts` as a person types them."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from groundswell.cli.app import app
from groundswell.errors import ConflictError, GroundswellError, NotFoundError, QuerySyntaxError, UsageError
from groundswell.settings import current_settings

for verb in ("alerts", "watch"):
    importlib.import_module(f"groundswell.cli.{verb}")


@pytest.fixture(autouse=True)
def _fresh_settings() -> None:
    current_settings.cache_clear()


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_a_tracker_is_added_listed_and_removed() -> None:
    added = json.loads(call("watch", "add", "Side effects", '"side effects"', "--json").stdout)
    assert (added["name"], added["query"], added["version"]) == ("Side effects", '"side effects"', 1)
    listed = json.loads(call("watch", "list", "--json").stdout)
    assert [item["id"] for item in listed["items"]] == [added["id"]]
    call("watch", "remove", "side effects")
    assert json.loads(call("watch", "list", "--json").stdout) == {"items": []}


def test_a_tracker_is_changed_and_rules_are_taken_away() -> None:
    call("watch", "add", "Shoes", "shoe*", "--country", "fr", "--reach-followers", "1000", "--count-by", "observed_at")
    assert "holidays FR, > 1,000 followers, by observed_at" in " ".join(call("watch", "list").stdout.split())
    changed = json.loads(
        call(
            "watch", "edit", "shoes", "--reach-followers", "none", "--reach-share", "0.01", "--promise", "7", "--json"
        ).stdout
    )
    assert (changed["reach_followers"], changed["reach_share"], changed["promise_days"]) == (None, 0.01, 7)
    assert (changed["country"], changed["version"]) == ("FR", 1)
    assert json.loads(call("watch", "edit", "shoes", "--query", "boots", "--json").stdout)["version"] == 2


def test_an_option_that_makes_no_sense_says_what_is_valid() -> None:
    call("watch", "add", "Shoes", "shoe*")
    for option, value, says in (
        ("--country", "Narnia", "FR"),
        ("--count-by", "midnight", "observed_at"),
        ("--reach-share", "half", "none"),
    ):
        error = call("watch", "edit", "shoes", option, value).exception
        assert isinstance(error, UsageError)
        assert says in str(error)


def test_a_query_that_does_not_parse_points_at_the_column() -> None:
    result = call("watch", "add", "x", "(a OR")
    assert isinstance(result.exception, QuerySyntaxError)
    assert "  (a OR\n       ^" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["watch", "run"], UsageError),
        (["watch", "run", "--source", "-", "--replay", "x"], UsageError),
        (["watch", "run", "--source", "pusj"], UsageError),
        (["watch", "run", "--replay", "no-such-file"], NotFoundError),
        (["watch", "remove", "nobody"], NotFoundError),
        (["alerts", "show", "abcdef"], NotFoundError),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], error: type[GroundswellError]) -> None:
    assert isinstance(call(*arguments).exception, error)


def test_a_speed_is_checked_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text('{"id": "1"}\n', encoding="utf-8")
    result = call("watch", "run", "--replay", str(tmp_path / "a.ndjson"), "--speed", "fast")
    assert isinstance(result.exception, UsageError)


def test_a_name_in_use_is_a_conflict() -> None:
    call("watch", "add", "a", "one")
    assert isinstance(call("watch", "add", "a", "two").exception, ConflictError)


def test_no_alerts_is_an_empty_document() -> None:
    assert json.loads(call("alerts", "list", "--json").stdout) == {"items": [], "open": 0}
