"""Adding and removing trackers: their query must parse, and the live page is told."""

from __future__ import annotations

from sqlalchemy.orm import Session

from groundswell.desk import changes, documents, trackers
from groundswell.desk.tables import TrackerRow
from groundswell.query import parse


def add_tracker(
    session: Session, name: str, query: str, promise_days: float, *, now_us: int | None = None
) -> TrackerRow:
    """Watch `query` under `name`; a running watch takes it up within a second.

    Raises:
        QuerySyntaxError: the query does not parse.
        ConflictError: the name is in use.
    """
    parse(query)
    row = trackers.add(session, name, query, promise_days, now_us=now_us)
    changes.append(session, "tracker", row.id, documents.tracker(row, None, None), now_us=now_us)
    return row


def remove_tracker(session: Session, name: str, *, now_us: int | None = None) -> TrackerRow:
    """Stop watching; its alerts stay, open ones are closed as they are.

    Raises:
        NotFoundError: there is no such tracker.
    """
    row = trackers.remove(session, name, now_us=now_us)
    changes.append(session, "tracker", row.id, {}, now_us=now_us)
    return row
