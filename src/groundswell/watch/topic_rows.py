"""Topics into the desk, and news of them to the page."""

from __future__ import annotations

from collections.abc import Iterable

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
    names = topics.tracker_names(session)
    query = select(TopicRow).where(TopicRow.id.in_([row["id"] for row in rows]))
    stored = {row.id: row for row in session.scalars(query, execution_options={"populate_existing": True})}
    told = [(row["id"], topics.summary(stored[row["id"]], names)) for row in rows]
    changes.append_all(session, "topic", told, now_us=now_us)
