"""How many of each: what metrics ask of the desk, each answer one query over an index or a small table."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from groundswell.desk.channel_tables import ChannelRow, OutboxRow
from groundswell.desk.tables import AlertRow, RunRow, TrackerRow
from groundswell.desk.topic_tables import TopicRow


def alerts(session: Session) -> dict[str, int]:
    """Alerts that are `open` and `closed`."""
    found = session.execute(select(AlertRow.closed_at.is_(None), func.count()).group_by(AlertRow.closed_at.is_(None)))
    by_open = {bool(is_open): count for is_open, count in found}
    return {"open": by_open.get(True, 0), "closed": by_open.get(False, 0)}


def topics(session: Session) -> dict[str, int]:
    """Emerging topics that are `open` and `closed`."""
    found = session.execute(select(TopicRow.closed_at.is_(None), func.count()).group_by(TopicRow.closed_at.is_(None)))
    by_open = {bool(is_open): count for is_open, count in found}
    return {"open": by_open.get(True, 0), "closed": by_open.get(False, 0)}


def trackers(session: Session) -> int:
    """Trackers that are watched."""
    return session.scalar(select(func.count()).select_from(TrackerRow).where(TrackerRow.removed_at.is_(None))) or 0


def messages(session: Session) -> dict[tuple[str, str], int]:
    """Messages of the outbox by the kind of their channel and their state."""
    query = (
        select(ChannelRow.kind, OutboxRow.state, func.count())
        .join(ChannelRow, ChannelRow.id == OutboxRow.channel_id)
        .group_by(ChannelRow.kind, OutboxRow.state)
    )
    return {(kind, state): count for kind, state, count in session.execute(query)}


def oldest_message(session: Session, states: tuple[str, ...]) -> int | None:
    """When the oldest message in one of `states` was planned, microseconds; null if there is none."""
    return session.scalar(select(func.min(OutboxRow.created_at)).where(OutboxRow.state.in_(states)))


def last_runs(session: Session, kinds: tuple[str, ...]) -> dict[str, int]:
    """When a run of each kind was done last, microseconds."""
    query = (
        select(RunRow.kind, func.max(RunRow.finished_at))
        .where(RunRow.kind.in_(kinds), RunRow.state == "done")
        .group_by(RunRow.kind)
    )
    return {kind: at for kind, at in session.execute(query) if at is not None}
