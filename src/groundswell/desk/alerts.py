"""Alerts: one row an episode, written by the runner, read by everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from groundswell.desk.tables import AlertRow
from groundswell.desk.upsert import upsert
from groundswell.errors import NotFoundError, UnknownChoiceError

VERDICTS = ("real", "false", "known")


def write(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert or update alerts by their id; a person's verdict and the first wall time are kept."""
    upsert(session, AlertRow, rows, keep=frozenset({"verdict", "created_wall"}))


def get(session: Session, alert_id: str) -> AlertRow:
    """The alert of that id (or of a unique beginning of it, at least 4 characters).

    Raises:
        NotFoundError: there is none.
    """
    row = session.get(AlertRow, alert_id)
    if row is None and len(alert_id) >= 4:
        query = select(AlertRow).where(AlertRow.id.startswith(alert_id, autoescape=True)).limit(2)
        found = list(session.scalars(query))
        row = found[0] if len(found) == 1 else None
    if row is None:
        what = f"no alert `{alert_id}`"
        raise NotFoundError(what, hint="`groundswell alerts list` shows the ids")
    return row


def listed(
    session: Session,
    *,
    tracker_id: str | None = None,
    open_only: bool = False,
    before: tuple[int, str] | None = None,
    limit: int = 100,
) -> list[AlertRow]:
    """Alerts, newest start first; `before` is the (started_at, id) of the last one that was seen."""
    query = select(AlertRow).order_by(AlertRow.started_at.desc(), AlertRow.id.desc()).limit(limit)
    if tracker_id is not None:
        query = query.where(AlertRow.tracker_id == tracker_id)
    if open_only:
        query = query.where(AlertRow.closed_at.is_(None))
    if before is not None:
        started, last = before
        query = query.where((AlertRow.started_at < started) | ((AlertRow.started_at == started) & (AlertRow.id < last)))
    return list(session.scalars(query))


def between(session: Session, since_us: int | None, until_us: int | None) -> list[AlertRow]:
    """Alerts whose episode started in [since, until], oldest first; none where a border is null."""
    if since_us is None or until_us is None:
        return []
    query = select(AlertRow).where(AlertRow.started_at >= since_us, AlertRow.started_at <= until_us)
    return list(session.scalars(query.order_by(AlertRow.started_at, AlertRow.id)))


def open_count(session: Session) -> int:
    """How many alerts are open."""
    return session.scalar(select(func.count()).select_from(AlertRow).where(AlertRow.closed_at.is_(None))) or 0


def open_by_tracker(session: Session) -> dict[str, str]:
    """Id of the newest open alert of each tracker that has one."""
    query = (
        select(AlertRow.tracker_id, AlertRow.id)
        .where(AlertRow.closed_at.is_(None))
        .order_by(AlertRow.started_at, AlertRow.id)
    )
    return {tracker: alert for tracker, alert in session.execute(query)}


def set_verdict(session: Session, alert_id: str, verdict: str | None) -> AlertRow:
    """Record what the alert turned out to be; null takes it back.

    Raises:
        NotFoundError: there is no such alert.
        UnknownChoiceError: not a verdict.
    """
    if verdict is not None and verdict not in VERDICTS:
        kind = "verdict"
        raise UnknownChoiceError(kind, verdict, VERDICTS)
    row = get(session, alert_id)
    row.verdict = verdict
    session.flush()
    return row
