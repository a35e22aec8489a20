"""Topics into the desk, and news of them to the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from groundswell.desk import changes, topics
from groundswell.desk.tables import TopicRow
from groundswell.watch.emerging.records import TopicRecord


def write_topics(session: Session, records: Iterable[TopicRecord], now_us: int) -> None:
    """Insert or update topics and tell the page, in the caller's transaction."""
    rows = [msgspec.structs.asdict(record) for record in records]
    if not rows:
        return
    topics.write(session, rows)
    _tell(session, [row["id"] for row in rows], now_us)


def close_lost_topics(session: Session, now_us: int) -> int:
    """Close the open topics, which the watch does not know any more, in the caller's transaction; how many."""
    lost = list(session.scalars(select(TopicRow).where(TopicRow.closed_at.is_(None))))
    for row in lost:
        row.closed_at, row.phase = row.updated_at, "closed"
    session.flush()
    _tell(session, [row.id for row in lost], now_us)
    return len(lost)


def _tell(session: Session, ids: Sequence[str], now_us: int) -> None:
    names = topics.tracker_names(session)
    query = select(TopicRow).where(TopicRow.id.in_(ids))
    stored = {row.id: row for row in session.scalars(query, execution_options={"populate_existing": True})}
    told = [(each, topics.summary(stored[each], names)) for each in ids]
    changes.append_all(session, "topic", told, now_us=now_us)
