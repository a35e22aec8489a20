"""Alerts with all that the desk knows of them, as the JSON documents of the REST API, for the CLI and the API alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from groundswell.desk import alert_cases, alert_groups, alert_life, documents, trackers
from groundswell.desk.similar import similar_alerts
from groundswell.desk.tables import AlertRow, TrackerRow


def whole(session: Session, row: AlertRow) -> dict[str, Any]:
    """An alert with its card, its life, its group and its like (`web.alert_models.Alert`)."""
    case = alert_cases.get(session, row.id)
    return {
        **summaries(session, [row], with_members=True)[0],
        "evidence": row.evidence,
        "events": [alert_life.event_document(event) for event in alert_life.events(session, row.id)],
        "similar": similar_alerts(session, row),
        "lake_version": None if case is None else case.lake_version,
    }


def summaries(session: Session, rows: Sequence[AlertRow], *, with_members: bool = False) -> list[dict[str, Any]]:
    """Alerts without their cards (`web.alert_models.AlertSummary`), in the order given."""
    counts = alert_life.comment_counts(session, [row.id for row in rows])
    groups = alert_groups.members(session, [row.group_id for row in rows]) if with_members else {}
    shown = [*rows, *(member for group in groups.values() for member in group)]
    known = trackers.by_id(session, {row.tracker_id for row in shown})
    return [
        {
            **documents.alert_summary(row, known[row.tracker_id], comments=counts.get(row.id, 0)),
            "members": _members(row, groups.get(row.group_id or "", []), known),
        }
        for row in rows
    ]


def _members(row: AlertRow, group: Sequence[AlertRow], known: dict[str, TrackerRow]) -> list[dict[str, Any]]:
    return [documents.alert_member(other, known[other.tracker_id]) for other in group if other.id != row.id]
