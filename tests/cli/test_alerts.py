"""The verbs `alerts` as a person types them."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest
from tests.desk.test_alert_life import alert
from tests.web.test_routes import evidence
from typer.testing import CliRunner, Result

from groundswell.cli.app import app
from groundswell.desk import alerts, changes, open_desk, trackers
from groundswell.errors import GroundswellError, NotFoundError, UnknownChoiceError, UsageError
from groundswell.settings import current_settings

importlib.import_module("groundswell.cli.alerts")


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def document(*arguments: str) -> dict[str, Any]:
    result = call(*arguments, "--json")
    assert result.exception is None, result.exception
    return dict(json.loads(result.stdout))


@pytest.fixture(autouse=True)
def two_alerts() -> None:
    """Two alerts of one story; the second has a card of an older version."""
    current_settings.cache_clear()
    with open_desk(current_settings()) as desk, desk.session() as session:
        tracker = trackers.add(session, "Shoes", "shoe*", 30.0).id
        rows = [alert("abcd1111", tracker, evidence=evidence()), alert("abff2222", tracker, evidence=evidence())]
        alerts.write(session, rows)
        for row in rows:
            alerts.get(session, row["id"]).group_id = "abcd1111"


def test_an_alert_goes_through_its_life() -> None:
    assert document("alerts", "ack", "abcd", "--by", "Maya")["acknowledged_by"] == "Maya"
    assert document("alerts", "snooze", "abcd", "--for", "2d")["snoozed_until"] is not None
    assert document("alerts", "snooze", "abcd", "--off")["snoozed_until"] is None
    assert document("alerts", "comment", "abcd", "a sale")["events"][-1]["text"] == "a sale"
    assert document("alerts", "verdict", "abcd", "known", "--note", "the sale")["verdict_note"] == "the sale"
    shown = call("alerts", "show", "abcd").stdout
    for said in ("Maya: acknowledged", "commented a sale", "verdict known the sale", "same posts: Shoes, abff2222"):
        assert said in shown
    assert "peak" not in shown
    assert document("alerts", "verdict", "abcd", "none")["verdict"] is None
    assert document("alerts", "ack", "abcd", "--undo")["acknowledged_at"] is None
    with open_desk(current_settings()) as desk, desk.reading() as session:
        assert len(changes.after(session, 0)) == 7


def test_alerts_with_the_same_posts_are_one_line() -> None:
    assert len(document("alerts", "list")["items"]) == 2
    [line] = document("alerts", "list", "--grouped")["items"]
    assert [member["id"] for member in line["members"]] == ["abcd1111"]
    assert "Shoes +1" in call("alerts", "list", "--grouped").stdout


def test_a_card_without_what_it_was_made_of_cannot_be_made_again() -> None:
    assert document("alerts", "show", "abff", "--recompute")["recomputed"]["state"] == "not possible"
    assert "made again: not possible" in call("alerts", "show", "abff", "--recompute").stdout


def test_the_report_says_how_many_were_right_and_how_sure_that_is() -> None:
    call("alerts", "verdict", "abcd", "false")
    call("alerts", "verdict", "abff", "real")
    line = document("alerts", "report", "--days", "30")["trackers"][0]
    assert (line["precision"], line["judged"]) == (0.5, 2)
    assert line["low"] < 0.1
    printed = call("alerts", "report", "--tracker", "Shoes").stdout
    assert "50% of 2" in printed
    assert "9% to 91%" in printed


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["verdict", "abcd", "maybe"], UnknownChoiceError),
        (["verdict", "ab", "real"], NotFoundError),
        (["snooze", "abcd", "--for", "soon"], UsageError),
        (["snooze", "abcd", "--until", "2020-01-01"], UsageError),
        (["comment", "abcd", "  "], UsageError),
        (["report", "--tracker", "Hats"], NotFoundError),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], error: type[GroundswellError]) -> None:
    assert isinstance(call("alerts", *arguments).exception, error)
