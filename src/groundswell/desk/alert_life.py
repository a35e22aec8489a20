"""What people do with an alert: acknowledge it, comment on it, judge it, and let its tracker be quiet for a while.

Each deed is kept with who did it and when (wall clock). None of it touches what the watch wrote.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from groundswell.desk import alerts
from groundswell.desk.clock import iso, wall_us
from groundswell.desk.tables import AlertEventRow, AlertRow, TrackerRow
from groundswell.errors import UnknownChoiceError, UsageError

#: Who did it where nobody says.
SOMEBODY: Final = "somebody"
#: A tracker is quiet for at most this long, so that none is forgotten.
LONGEST_SNOOZE_US: Final = 90 * 86_400_000_000


def acknowledge(
    session: Session, alert_id: str, *, who: str | None = None, on: bool = True, now_us: int | None = None
) -> AlertRow:
    """Say that somebody looks after the alert (or, with `on` false, that nobody does); twice is the same as once.

    Raises:
        NotFoundError: there is no such alert.
    """
    row, now_us = alerts.get(session, alert_id), _now(now_us)
    if on == (row.acknowledged_at is not None):
        return row
    row.acknowledged_at, row.acknowledged_by = (now_us, _who(who)) if on else (None, None)
    return _note(session, row, "acknowledged" if on else "reopened", who, now_us)


def snooze(
    session: Session, alert_id: str, until_us: int | None, *, who: str | None = None, now_us: int | None = None
) -> AlertRow:
    """Let the alert's tracker send nothing until then; null: it may speak again. It watches on meanwhile.

    Raises:
        NotFoundError: there is no such alert.
        UsageError: the time is past, or too far away.
    """
    row, now_us = alerts.get(session, alert_id), _now(now_us)
    if until_us is not None and not now_us < until_us <= now_us + LONGEST_SNOOZE_US:
        days = LONGEST_SNOOZE_US // 86_400_000_000
        what = f"cannot be quiet until {iso(until_us)}"
        raise UsageError(what, hint=f"choose a time between now and {days} days from now")
    tracker = session.get_one(TrackerRow, row.tracker_id)
    if tracker.snoozed_until == until_us:
        return row
    tracker.snoozed_until = until_us
    return _note(session, row, "woken" if until_us is None else "snoozed", who, now_us, until=until_us)


def comment(
    session: Session, alert_id: str, text: str, *, who: str | None = None, now_us: int | None = None
) -> AlertRow:
    """Write something under the alert.

    Raises:
        NotFoundError: there is no such alert.
        UsageError: the comment is empty.
    """
    row = alerts.get(session, alert_id)
    if not text.strip():
        what = "an empty comment"
        raise UsageError(what, hint="say something")
    return _note(session, row, "commented", who, _now(now_us), text=text.strip())


def judge(
    session: Session,
    alert_id: str,
    verdict: str | None,
    *,
    note: str | None = None,
    who: str | None = None,
    now_us: int | None = None,
) -> AlertRow:
    """Record what the alert turned out to be, with a note; null takes it back.

    Raises:
        NotFoundError: there is no such alert.
        UnknownChoiceError: not a verdict.
    """
    if verdict is not None and verdict not in alerts.VERDICTS:
        kind = "verdict"
        raise UnknownChoiceError(kind, verdict, alerts.VERDICTS)
    row, now_us = alerts.get(session, alert_id), _now(now_us)
    note = (note or "").strip() or None
    if (row.verdict, row.verdict_note) == (verdict, note):
        return row
    row.verdict, row.verdict_note = verdict, note
    row.verdict_at, row.verdict_by = (None, None) if verdict is None else (now_us, _who(who))
    return _note(session, row, "verdict", who, now_us, text=note, verdict=verdict)


def events(session: Session, alert_id: str) -> list[AlertEventRow]:
    """What was done with the alert, in order."""
    query = select(AlertEventRow).where(AlertEventRow.alert_id == alert_id).order_by(AlertEventRow.seq)
    return list(session.scalars(query))


def comment_counts(session: Session, alert_ids: Iterable[str]) -> dict[str, int]:
    """How many comments each of the alerts has; those without one are left out."""
    query = (
        select(AlertEventRow.alert_id, func.count())
        .where(AlertEventRow.alert_id.in_(list(alert_ids)), AlertEventRow.kind == "commented")
        .group_by(AlertEventRow.alert_id)
    )
    return {alert: count for alert, count in session.execute(query)}


def event_document(row: AlertEventRow) -> dict[str, Any]:
    """The deed as `web.alert_models.AlertEvent`."""
    return {
        "at": iso(row.at),
        "who": row.who,
        "kind": row.kind,
        "text": row.text,
        "verdict": row.verdict,
        "until": iso(row.until),
    }


def _note(session: Session, row: AlertRow, kind: str, who: str | None, now_us: int, **more: Any) -> AlertRow:
    session.add(AlertEventRow(alert_id=row.id, at=now_us, who=_who(who), kind=kind, **more))
    session.flush()
    return row


def _who(who: str | None) -> str:
    return (who or "").strip()[:100] or SOMEBODY


def _now(now_us: int | None) -> int:
    return wall_us() if now_us is None else now_us
