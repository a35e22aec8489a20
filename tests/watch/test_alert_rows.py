"""Alerts go into the desk with their case, group and season, and every page is told."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from msgspec import structs
from sqlalchemy import select
from tests.watch.test_evidence import case

from groundswell.desk import Desk, alert_cases, alert_life, alerts, changes, channels, trackers
from groundswell.desk.channel_tables import OutboxRow
from groundswell.testing.streams import START, make_posts
from groundswell.watch.alert_rows import close_lost, write_alerts
from groundswell.watch.contract import MINUTE, AlertRecord, TrackerSpec
from groundswell.watch.evidence import collect
from groundswell.watch.frozen import freeze, thaw
from groundswell.watch.seen import identities


def record(tracker: str, name: str) -> AlertRecord:
    texts = [f"arm {chr(97 + n)} story" for n in range(20)]
    found = case(texts, [f"u{n}" for n in range(20)])
    posts = identities(make_posts([START + MINUTE] * 20, list(texts)))
    found = dataclasses.replace(found, identities=np.sort(posts), tracker=TrackerSpec(tracker, 1, tracker, "arm", 30.0))
    evidence = collect(found)
    plain: dict[str, Any] = {
        **{name: evidence[name] for name in ("observed", "expected", "lower", "upper", "p_value", "return_days")},
        **{"started_at": START, "opened_at": START + 5 * MINUTE, "updated_at": START + 5 * MINUTE, "closed_at": None},
    }
    return AlertRecord(
        id=name,
        tracker_id=tracker,
        tracker_version=1,
        signal="posts",
        window_s=300,
        direction="burst",
        phase="growing",
        posts=20,
        authors=20,
        headline="much",
        detail="of it",
        evidence=evidence,
        case=freeze(found),
        **plain,
    )


def test_two_trackers_of_one_story_are_written_as_a_group(desk: Desk) -> None:
    with desk.session() as session:
        rows = {row.id: row for row in (trackers.add(session, name, "arm", 30.0) for name in ("Arm", "Arms"))}
    for number, tracker in enumerate(rows):
        with desk.session() as session:
            write_alerts(session, [record(tracker, f"alert{number}")], rows, 7)
    with desk.reading() as session:
        first, second = (alerts.get(session, f"alert{number}") for number in range(2))
        assert (first.group_id, second.group_id) == ("alert0", "alert0")
        assert (first.headline, first.evidence["season"]) == ("much\nof it", None)
        told = [(change.subject, change.body["group"]) for change in changes.after(session, 0)]
        kept = alert_cases.get(session, "alert0")
        assert kept is not None
        frozen = thaw(kept.data)
    assert told == [("alert0", None), ("alert1", "alert0"), ("alert0", "alert0")]
    assert frozen is not None
    assert len(frozen.posts()[0]) == 20


def test_alerts_that_nobody_knows_any_more_are_closed_with_a_word_and_every_channel_is_told(desk: Desk) -> None:
    with desk.session() as session:
        row = trackers.add(session, "Arm", "arm", 30.0)
        channels.add(session, "log", "file", {"path": "alerts.ndjson"}, channels.Rules(), now_us=1)
        over = structs.replace(record(row.id, "over"), phase="closed", closed_at=START + 5 * MINUTE)
        write_alerts(session, [record(row.id, "open"), over], {row.id: row}, 7)
    with desk.session() as session:
        assert close_lost(session, "lost", 8) == 1
        assert close_lost(session, "lost", 9) == 0
    with desk.reading() as session:
        assert alerts.open_count(session) == 0
        assert [(event.who, event.text) for event in alert_life.events(session, "open")] == [("Groundswell", "lost")]
        assert alert_life.events(session, "over") == []
        told = [(row.alert_id, row.event) for row in session.scalars(select(OutboxRow))]
    assert sorted(told) == [("open", "closed"), ("open", "opened"), ("over", "closed"), ("over", "opened")]


def test_an_alert_without_a_case_is_written_too(desk: Desk) -> None:
    with desk.session() as session:
        row = trackers.add(session, "Arm", "arm", 30.0)
        write_alerts(session, [structs.replace(record(row.id, "a"), case=b"")], {row.id: row}, 7)
        assert alert_cases.get(session, "a") is None
        assert alerts.get(session, "a").group_id is None
