"""The life of an alert over the REST API: every deed is kept, told to every page, and refused with a reason."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.web.test_routes import PROBLEM, open_alert

from groundswell.desk import Desk, alerts, changes

Client = httpx.Client


@pytest.fixture
def store(served: Any) -> Desk:
    desk: Desk = served.services.desk
    return desk


@pytest.fixture
def shoes(client: Client) -> str:
    return str(client.post("/trackers", json={"name": "Shoes", "query": "shoe*"}).json()["id"])


@pytest.fixture
def alert(store: Desk, shoes: str) -> str:
    return open_alert(store, 1, shoes)


def test_an_alert_is_acknowledged_and_every_page_is_told(client: Client, store: Desk, alert: str) -> None:
    with store.reading() as session:
        before = changes.last_seq(session)
    answer = client.patch(f"/alerts/{alert}", json={"acknowledged": True, "by": "Maya"})
    assert answer.status_code == 200
    assert (answer.json()["acknowledged_by"], answer.json()["verdict"]) == ("Maya", None)
    with store.reading() as session:
        [told] = changes.after(session, before)
    assert (told.kind, told.subject, told.body["acknowledged_by"]) == ("alert", alert, "Maya")
    again = client.patch(f"/alerts/{alert}", json={"acknowledged": False})
    assert again.json()["acknowledged_at"] is None
    assert [event["kind"] for event in again.json()["events"]] == ["acknowledged", "reopened"]


def test_a_tracker_is_quiet_until_a_time_and_may_speak_again(client: Client, served: Any, alert: str) -> None:
    served.services.now = lambda: 1_700_000_000_000_000
    until = "2023-11-15T08:00:00Z"
    quiet = client.patch(f"/alerts/{alert}", json={"snoozed_until": until, "by": "Maya"}).json()
    assert quiet["snoozed_until"] == until
    assert quiet["events"][-1]["until"] == until
    assert client.patch(f"/alerts/{alert}", json={"acknowledged": True}).json()["snoozed_until"] == until
    assert client.patch(f"/alerts/{alert}", json={"snoozed_until": None}).json()["snoozed_until"] is None
    wrong = client.patch(f"/alerts/{alert}", json={"snoozed_until": "2020-01-01T00:00:00Z"})
    assert (wrong.status_code, wrong.headers["content-type"]) == (400, PROBLEM)
    assert "90 days" in wrong.json()["hint"]


@pytest.mark.parametrize("cursor", ["x", "².a", "--1.a", f"{'9' * 19}.a"])
def test_what_is_no_cursor_is_refused(client: Client, cursor: str) -> None:
    assert client.get("/alerts", params={"cursor": cursor}).status_code == 400


def test_a_note_and_a_verdict_are_changed_each_by_itself(client: Client, alert: str) -> None:
    def change(**more: str | None) -> tuple[str | None, str | None]:
        changed = client.patch(f"/alerts/{alert}", json=more).json()
        return changed["verdict"], changed["verdict_note"]

    assert change(verdict="false", note="a bot") == ("false", "a bot")
    assert change(verdict="known") == ("known", "a bot")
    assert change(note="the agency") == ("known", "the agency")
    assert change(note=None) == ("known", None)


def test_a_verdict_has_a_note_and_counts_for_the_precision(client: Client, alert: str) -> None:
    judged = client.put(f"/alerts/{alert}/verdict", json={"verdict": "false", "note": "a bot", "by": "Ben"}).json()
    assert (judged["verdict"], judged["verdict_note"]) == ("false", "a bot")
    found = client.get("/alerts/precision", params={"tracker": "Shoes"}).json()
    assert found["all"]["verdicts"] == {"real": 0, "false": 1, "known": 0, "none": 0}
    assert (found["trackers"][0]["precision"], found["trackers"][0]["judged"]) == (0.0, 1)
    assert found["trackers"][0]["high"] > 0.7
    assert client.get("/alerts/precision", params={"tracker": "Hats"}).status_code == 404


def test_a_comment_says_who_and_when(client: Client, alert: str) -> None:
    answer = client.post(f"/alerts/{alert}/comments", json={"text": "see the newsletter", "by": "Ben"})
    assert answer.status_code == 201
    event = answer.json()["events"][0]
    assert (event["kind"], event["who"], event["text"]) == ("commented", "Ben", "see the newsletter")
    assert client.get("/alerts").json()["items"][0]["comments"] == 1
    assert client.post(f"/alerts/{alert}/comments", json={"text": ""}).status_code == 422
    assert client.post("/alerts/nope/comments", json={"text": "x"}).status_code == 404


def test_alerts_with_the_same_posts_are_one_line_with_members(client: Client, store: Desk, shoes: str) -> None:
    names = [open_alert(store, number, shoes) for number in range(3)]
    with store.session() as session:
        for name in names[:2]:
            alerts.get(session, name).group_id = names[0]
    items = client.get("/alerts", params={"grouped": True}).json()["items"]
    assert [item["id"] for item in items] == [names[2], names[1]]
    assert [member["id"] for member in items[1]["members"]] == [names[0]]
    assert items[1]["members"][0]["tracker_name"] == "Shoes"
    assert [member["id"] for member in client.get(f"/alerts/{names[0]}").json()["members"]] == [names[1]]
    assert len(client.get("/alerts").json()["items"]) == 3
