"""Trackers: queries that are watched. Their queries are parsed by who adds them (`watch.trackers`)."""

from __future__ import annotations

import hashlib

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from groundswell.desk.clock import wall_us
from groundswell.desk.tables import AlertRow, TrackerRow
from groundswell.errors import ConflictError, NotFoundError


def tracker_id(name: str) -> str:
    """The id of a tracker: a hash of its name, so that two homes with the same trackers give the same alerts."""
    return hashlib.blake2b(name.strip().casefold().encode(), digest_size=8).hexdigest()


def add(session: Session, name: str, query: str, promise_days: float, *, now_us: int | None = None) -> TrackerRow:
    """Watch `query` under `name`; a name that was removed comes back as a new version.

    Raises:
        ConflictError: the name is in use.
    """
    now_us = wall_us() if now_us is None else now_us
    row = session.get(TrackerRow, tracker_id(name))
    if row is None:
        row = TrackerRow(id=tracker_id(name), version=1)
        session.add(row)
    elif row.removed_at is None:
        what = f"a tracker named `{row.name}` is there already, watching {row.query}"
        raise ConflictError(what, hint="choose another name, or remove that tracker first", fields={"id": row.id})
    else:
        row.version += 1
    row.name, row.query, row.promise_days = name.strip(), query, promise_days
    row.created_at, row.removed_at = now_us, None
    session.flush()
    return row


def change(session: Session, name: str, query: str, promise_days: float | None = None) -> TrackerRow:
    """Watch another query under the same name, as a new version; nothing happens if it is the same.

    Raises:
        NotFoundError: there is no such tracker.
    """
    row = find(session, name)
    if row.query != query:
        row.query, row.version = query, row.version + 1
    if promise_days is not None:
        row.promise_days = promise_days
    session.flush()
    return row


def remove(session: Session, name: str, *, now_us: int | None = None) -> TrackerRow:
    """Stop watching; `name` is the name or the id. Its alerts and windows stay; open alerts are closed as they are.

    Raises:
        NotFoundError: there is no such tracker.
    """
    row = find(session, name)
    row.removed_at = wall_us() if now_us is None else now_us
    session.flush()
    still_open = (AlertRow.tracker_id == row.id, AlertRow.closed_at.is_(None))
    session.execute(update(AlertRow).where(*still_open).values(closed_at=AlertRow.updated_at, phase="closed"))
    return row


def find(session: Session, name: str) -> TrackerRow:
    """The tracker of that name or id.

    Raises:
        NotFoundError: there is none; lists those that are there.
    """
    for key in (name, tracker_id(name)):
        row = session.get(TrackerRow, key)
        if row is not None and row.removed_at is None:
            return row
    names = ", ".join(row.name for row in list_active(session)[:20]) or "none yet"
    what = f"no tracker `{name}`"
    raise NotFoundError(what, hint=f"there are: {names}")


def list_active(session: Session) -> list[TrackerRow]:
    """All trackers in force, by name."""
    query = select(TrackerRow).where(TrackerRow.removed_at.is_(None)).order_by(func.lower(TrackerRow.name))
    return list(session.scalars(query))


def by_id(session: Session) -> dict[str, TrackerRow]:
    """Every tracker ever added, by id."""
    return {row.id: row for row in session.scalars(select(TrackerRow))}
