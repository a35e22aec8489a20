"""What counts as found, what as a false alarm, and how long it took."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from groundswell.demo.score import Pace, RaisedAlert, score
from groundswell.simulate import EventTruth

NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)
PACE = Pace(origin_us=round(NOON.timestamp() * 1e6), wall_us=5_000_000, speed=60.0)


def event(kind: str, query: str | None, minute: float, length: float = 30) -> EventTruth:
    start = NOON + timedelta(minutes=minute)
    end = start + timedelta(minutes=length)
    return EventTruth(kind, query, query, start, end, 5.0, 100, 40.0, 8.0, 40.0)


def alert(query: str, started: float, opened: float | None = None, direction: str = "burst") -> RaisedAlert:
    opened = started + 5 if opened is None else opened
    base = PACE.origin_us
    return RaisedAlert(
        id=f"{query}{started}{direction}",
        query=query,
        direction=direction,
        started_us=round(base + started * 60e6),
        opened_us=round(base + opened * 60e6),
        wall_us=round(PACE.wall_us + opened * 1e6 + 300_000),
        headline=f"{query} rises",
    )


def test_an_alert_in_the_time_of_its_event_finds_it_and_its_delay_is_counted_from_the_start() -> None:
    result = score([event("crisis", "cola", 20)], [alert("cola", 20, 27)], PACE)
    (finding,) = result.findings
    assert (result.found, result.wanted, result.alerts) == (1, 1, 1)
    assert finding.delay_minutes == pytest.approx(7)
    assert finding.delay_seconds == pytest.approx(7.3)
    assert result.false_alarms == ()


def test_an_event_without_an_alert_is_missed() -> None:
    result = score([event("bots", "pay", 20)], [], PACE)
    assert (result.found, result.wanted) == (0, 1)
    assert result.findings[0].delay_minutes is None


@pytest.mark.parametrize(
    "wrong",
    [
        alert("cola", 5),
        alert("cola", 70),
        alert("tea", 25),
        alert("cola", 25, direction="drop"),
    ],
)
def test_an_alert_of_another_time_query_or_direction_is_a_false_alarm(wrong: RaisedAlert) -> None:
    result = score([event("crisis", "cola", 20)], [wrong], PACE)
    assert result.found == 0
    assert result.false_alarms == (wrong,)


def test_the_first_of_several_alerts_counts_and_the_others_are_not_false() -> None:
    second, first = alert("cola", 40), alert("cola", 22)
    result = score([event("crisis", "cola", 20)], [second, first], PACE)
    assert result.findings[0].alert == first
    assert result.alerts == 2
    assert result.false_alarms == ()


def test_a_surge_is_not_wanted_and_an_alert_in_it_is_a_surge_alarm() -> None:
    surge = event("surge", None, 60, 20)
    assert score([surge], [], PACE).wanted == 0
    result = score([surge], [alert("cola", 65), alert("tea", 5)], PACE)
    assert len(result.false_alarms) == 2
    assert [raised.query for raised in result.surge_alarms] == ["cola"]


def test_an_event_inside_a_surge_is_still_found() -> None:
    result = score([event("surge", None, 60, 20), event("crisis", "cola", 62)], [alert("cola", 65)], PACE)
    assert result.found == 1
    assert result.surge_alarms == ()


def test_an_event_that_nobody_watches_is_found_by_a_topic_and_by_nothing_else() -> None:
    topic = replace(alert("#novaleak OR photos", 62), terms=frozenset({"#pulsefest", "pulsefest"}))
    unwatched, crisis = event("viral", "#pulsefest", 60), event("crisis", "cola", 60)
    result = score([unwatched, crisis], [], PACE, topics=[topic], watched={"cola"})
    assert [(finding.alert, finding.by_topic) for finding in result.findings] == [(topic, True), (None, False)]
    document = result.document()
    assert (document["events"][0]["topic"], document["events"][0]["alert"]) == (topic.id, None)
    assert (document["found"], document["alerts"], document["topics"]) == (1, 0, 1)
    assert document["false_alarms"] == []


def test_a_stream_at_once_has_no_time_of_waiting() -> None:
    result = score([event("crisis", "cola", 20)], [alert("cola", 20)], Pace(PACE.origin_us, 0, None))
    assert result.findings[0].delay_seconds is None


def test_the_document_says_everything() -> None:
    document = score([event("crisis", "cola", 20), event("surge", None, 60)], [alert("cola", 20)], PACE).document()
    assert [(e["kind"], e["should_alert"], e["found"]) for e in document["events"]] == [
        ("crisis", True, True),
        ("surge", False, False),
    ]
    assert (document["found"], document["wanted"], document["alerts"], document["surge_alarms"]) == (1, 1, 1, 0)
    assert document["false_alarms"] == []
