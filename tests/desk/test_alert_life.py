"""What people do with alerts: who, when, and that the watch never overwrites it."""

from __future__ import annotations

from typing import Any

import pytest

from groundswell.desk import Desk, alert_documents, alert_life, alerts, trackers
from groundswell.desk.tables import TrackerRow
from groundswell.errors import NotFoundError, UnknownChoiceError, UsageError

NOW = 1_700_000_000_000_000
HOUR = 3_600_000_000


def alert(alert_id: str, tracker: str, started: int = NOW, **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": alert_id,
        "tracker_id": tracker,
        "tracker_version": 1,
        "signal": "posts",
        "window_s": 300,
        "direction": "burst",
        "phase": "growing",
        "started_at": started,
        "opened_at": started + 300_000_000,
        "updated_at": started + 300_000_000,
        "closed_at": None,
        "observed": 20,
        "expected": 4.0,
        "lower": 1.0,
        "upper": 9.0,
        "p_value": 1e-7,
        "return_days": 90.0,
        "posts": 20,
        "headline": "5x as usual\nonce in 90 days",
        "evidence": {"authors_total": 3, "posts_total": 20},
        "verdict": None,
        "created_wall": 1,
    }
    return row | more


@pytest.fixture
def shoes(desk: Desk) -> str:
    with desk.session() as session:
        tracker = trackers.add(session, "Shoes", "shoe*", 30.0).id
        alerts.write(session, [alert("abcd1234", tracker)])
    return tracker


def kinds(desk: Desk) -> list[tuple[str, str, str | None]]:
    with desk.reading() as session:
        return [(row.kind, row.who, row.text) for row in alert_life.events(session, "abcd1234")]


def test_an_alert_is_acknowledged_once_by_somebody_and_may_be_opened_again(desk: Desk, shoes: str) -> None:
    with desk.session() as session:
        alert_life.acknowledge(session, "abcd", who=" Maya ", now_us=NOW)
        alert_life.acknowledge(session, "abcd", who="Ben", now_us=NOW + 1)
    with desk.reading() as session:
        row = alerts.get(session, "abcd")
        assert (row.acknowledged_at, row.acknowledged_by) == (NOW, "Maya")
    with desk.session() as session:
        alert_life.acknowledge(session, "abcd", on=False, now_us=NOW + 2)
        assert alerts.get(session, "abcd").acknowledged_at is None
    assert kinds(desk) == [("acknowledged", "Maya", None), ("reopened", "somebody", None)]


def test_what_people_did_outlives_what_the_watch_writes(desk: Desk, shoes: str) -> None:
    with desk.session() as session:
        alert_life.acknowledge(session, "abcd", who="Maya", now_us=NOW)
        alert_life.judge(session, "abcd", "known", note="the sale", who="Ben", now_us=NOW)
        alert_life.comment(session, "abcd", "see the newsletter", who="Ben", now_us=NOW)
    with desk.session() as session:
        alerts.write(session, [alert("abcd1234", shoes, phase="peak", posts=99)])
    with desk.reading() as session:
        document = alert_documents.whole(session, alerts.get(session, "abcd"))
    assert (document["phase"], document["posts"]) == ("peak", 99)
    assert (document["acknowledged_by"], document["verdict"], document["verdict_note"]) == ("Maya", "known", "the sale")
    assert [event["kind"] for event in document["events"]] == ["acknowledged", "verdict", "commented"]
    assert document["comments"] == 1


def test_a_snoozed_tracker_is_quiet_until_a_time_that_lies_ahead(desk: Desk, shoes: str) -> None:
    with desk.session() as session:
        alert_life.snooze(session, "abcd", NOW + HOUR, who="Maya", now_us=NOW)
        assert session.get_one(TrackerRow, shoes).snoozed_until == NOW + HOUR
        for wrong in (NOW - 1, NOW, NOW + 91 * 24 * HOUR):
            with pytest.raises(UsageError, match="cannot be quiet"):
                alert_life.snooze(session, "abcd", wrong, now_us=NOW)
        alert_life.snooze(session, "abcd", None, now_us=NOW)
        alert_life.snooze(session, "abcd", None, now_us=NOW)
        assert session.get_one(TrackerRow, shoes).snoozed_until is None
    assert [kind for kind, _, _ in kinds(desk)] == ["snoozed", "woken"]


def test_a_verdict_is_one_of_three_and_can_be_taken_back(desk: Desk, shoes: str) -> None:
    with desk.session() as session:
        with pytest.raises(UnknownChoiceError, match="maybe"):
            alert_life.judge(session, "abcd", "maybe")
        row = alert_life.judge(session, "abcd", "false", note=" ", who="Ben", now_us=NOW)
        assert (row.verdict, row.verdict_note, row.verdict_by, row.verdict_at) == ("false", None, "Ben", NOW)
        row = alert_life.judge(session, "abcd", None, now_us=NOW)
        assert (row.verdict, row.verdict_by, row.verdict_at) == (None, None, None)


def test_an_empty_comment_and_an_alert_that_is_not_there_are_refused(desk: Desk, shoes: str) -> None:
    with desk.session() as session:
        with pytest.raises(UsageError, match="empty"):
            alert_life.comment(session, "abcd", "  ")
        with pytest.raises(NotFoundError):
            alert_life.acknowledge(session, "ffff")
