"""Alerts: one row an episode, written by the runner, read by everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from groundswell.desk.tables import AlertRow
from groundswell.desk.upsert import upsert
from groundswell.errors import NotFoundError

VERDICTS = ("real", "false", "known")
AlertState = Literal["open", "closed", "all"]


def write(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert or update alerts by their id; what people did with them and the first wall time are kept."""
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


def page(
    session: Session,
    *,
    state: AlertState = "all",
    tracker_id: str | None = None,
    before: tuple[int, str] | None = None,
    grouped: bool = False,
    limit: int = 50,
) -> list[AlertRow]:
    """Alerts, newest opening first; `before` is the (opened_at, id) of the last one that was seen.

    With `grouped` a group is one line: the newest of its alerts that is wanted.
    """
    query = select(AlertRow).where(*_wanted(AlertRow, state, tracker_id))
    if before is not None:
        opened, last = before
        query = query.where((AlertRow.opened_at < opened) | ((AlertRow.opened_at == opened) & (AlertRow.id < last)))
    if grouped:
        other = aliased(AlertRow)
        newer = (other.opened_at > AlertRow.opened_at) | (
            (other.opened_at == AlertRow.opened_at) & (other.id > AlertRow.id)
        )
        same = select(other.id).where(other.group_id == AlertRow.group_id, newer, *_wanted(other, state, tracker_id))
        query = query.where(AlertRow.group_id.is_(None) | ~same.exists())
    return list(session.scalars(query.order_by(AlertRow.opened_at.desc(), AlertRow.id.desc()).limit(limit)))


def _wanted(table: type[AlertRow], state: AlertState, tracker_id: str | None) -> list[ColumnElement[bool]]:
    chosen: list[ColumnElement[bool]] = []
    if tracker_id is not None:
        chosen.append(table.tracker_id == tracker_id)
    if state != "all":
        chosen.append(table.closed_at.is_(None) if state == "open" else table.closed_at.is_not(None))
    return chosen


def between(session: Session, since_us: int | None, until_us: int | None) -> list[AlertRow]:
    """Alerts whose episode started in [since, until], oldest first; none where a border is null."""
    if since_us is None or until_us is None:
        return []
    query = select(AlertRow).where(AlertRow.started_at >= since_us, AlertRow.started_at <= until_us)
    return list(session.scalars(query.order_by(AlertRow.started_at, AlertRow.id)))


def open_count(session: Session, tracker_id: str | None = None) -> int:
    """How many alerts are open, of one tracker or of all."""
    return session.scalar(select(func.count()).select_from(AlertRow).where(*_wanted(AlertRow, "open", tracker_id))) or 0


def open_by_tracker(session: Session) -> dict[str, str]:
    """Id of the newest open alert of each tracker that has one."""
    query = (
        select(AlertRow.tracker_id, AlertRow.id)
        .where(AlertRow.closed_at.is_(None))
        .order_by(AlertRow.started_at, AlertRow.id)
    )
    return {tracker: alert for tracker, alert in session.execute(query)}
