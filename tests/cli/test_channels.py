"""`groundswell channels`, and what its `--json` prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from groundswell.channels.messages import SAMPLE
from groundswell.desk import channels, open_desk, outbox
from groundswell.documents import DOCUMENTS
from groundswell.settings import load_settings

Run = Callable[..., Any]


def check(verb: str, ran: Any, code: int = 0) -> Any:
    assert ran.code == code, ran.err
    DOCUMENTS[verb].model_validate_json(ran.out, strict=True)
    return ran.document


def test_a_channel_from_its_beginning_to_its_end_prints_what_the_schemas_say(cli: Run, tmp_path: Path) -> None:
    log = tmp_path / "alerts.ndjson"
    quiet = ("--quiet", "22:00-07:00", "--quiet-tz", "Europe/Berlin", "--quiet-days", "mon,tue")
    made = check("channels add", cli("channels", "add", "log", "file", "--path", log, *quiet, "--json"))
    assert made["quiet"] == {
        "start": "22:00",
        "end": "07:00",
        "tz": "Europe/Berlin",
        "days": ["mon", "tue"],
        "then": "digest",
    }
    assert check("channels test", cli("channels", "test", "log", "--json"))["ok"] is True
    assert json.loads(log.read_text())["event"] == "test"
    assert "Side effects" in check("channels preview", cli("channels", "preview", "log", "--json"))["text"]
    check(
        "channels add", cli("channels", "add", "log", "file", "--path", log, "--event", "closed", "--replace", "--json")
    )
    assert check("channels list", cli("channels", "list", "--json"))["items"][0]["events"] == ["closed"]
    with open_desk(load_settings()) as desk, desk.session() as session:
        where = channels.find(session, "log").id
        body = {"alert": dict(SAMPLE)}
        outbox.add(session, where, "opened", body, identity="ab" * 16, alert_id="a", now_us=1)
        outbox.bury(session, 2, 3)
    assert check("channels outbox", cli("channels", "outbox", "--json"))["counts"]["dead"] == 1
    assert check("channels retry", cli("channels", "retry", "abab", "--json"))["state"] == "waiting"
    assert check("channels pause", cli("channels", "pause", "log", "--json"))["state"] == "paused"
    assert check("channels resume", cli("channels", "resume", "log", "--json"))["state"] == "new"
    check("channels remove", cli("channels", "remove", "log", "--json"))
    assert cli("channels", "list", "--json").document == {"items": []}


@pytest.mark.parametrize("option", [("--quiet-tz", "UTC"), ("--quiet-days", "mon"), ("--quiet-then", "digest")])
def test_a_part_of_quiet_hours_without_the_hours_is_refused(cli: Run, tmp_path: Path, option: tuple[str, str]) -> None:
    ran = cli("channels", "add", "log", "file", "--path", tmp_path / "log", *option)
    assert ran.code != 0
    assert "--quiet 22:00-07:00" in ran.err


def test_a_command_is_given_behind_two_dashes(cli: Run) -> None:
    made = cli("channels", "add", "pager", "command", "--json", "--", sys.executable, "-c", "raise SystemExit(3)")
    assert made.document["settings"]["argv"] == [sys.executable, "-c", "raise SystemExit(3)"]
    tried = check("channels test", cli("channels", "test", "pager", "--json"), code=1)
    assert tried["error"].endswith("ended with code 3")


def test_a_secret_that_is_given_instead_of_its_name_is_not_repeated(cli: Run) -> None:
    ran = cli("channels", "add", "team", "slack", "--url-secret", "https://hooks.example/T000/B000/xyz")
    assert ran.code == 2
    assert "xyz" not in ran.err + ran.out
    assert "GROUNDSWELL_SECRET_SLACK" in ran.err


def test_a_channel_whose_secret_is_not_set_says_so(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = cli("channels", "add", "team", "slack", "--url-secret", "slack")
    assert "not set here: GROUNDSWELL_SECRET_SLACK" in ran.err
    assert "GROUNDSWELL_SECRET_SLACK" in cli("doctor").out
    monkeypatch.setenv("GROUNDSWELL_SECRET_SLACK", "https://hooks.example/T000/B000/xyz")
    shown = cli("channels", "list")
    assert "not set" not in shown.err
    assert "xyz" not in shown.out + shown.err
