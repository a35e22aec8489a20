"""Trackers: queries that are watched. Their queries are parsed by who adds them (`watch.trackers`)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Any, Final, TypedDict

from sqlalchemy import Row, func, select, update
from sqlalchemy.orm import Session

from groundswell.desk.clock import wall_us
from groundswell.desk.tables import AlertRow, CounterRow, TrackerRow
from groundswell.errors import ConflictError, NotFoundError

#: Asked before every batch: made once, and past the mapper.
_EDITION: Final = select(CounterRow.__table__.c.value).where(CounterRow.__table__.c.name == "trackers")


def tracker_id(name: str) -> str:
    """The id of a tracker: a hash of its name, so that two homes with the same trackers give the same alerts."""
    return hashlib.blake2b(name.strip().casefold().encode(), digest_size=8).hexdigest()


class Options(TypedDict, total=False):
    """What a tracker may say besides its query and promise; see `tables.TrackerRow`."""

    country: str | None
    reach_followers: int | None
    reach_share: float | None
    count_by: str


NO_OPTIONS: Final = Options(country=None, reach_followers=None, reach_share=None, count_by="created_at")


def add(
    session: Session,
    name: str,
    query: str,
    promise_days: float,
    *,
    options: Options | None = None,
    now_us: int | None = None,
) -> TrackerRow:
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
    _choose(row, {**NO_OPTIONS, **(options or {})})
    session.flush()
    return row


def change(
    session: Session,
    name: str,
    query: str | None = None,
    promise_days: float | None = None,
    *,
    new_name: str | None = None,
    options: Options | None = None,
) -> TrackerRow:
    """Change what is given. Another query, or another time to count by, is a new version: it learns anew.

    Raises:
        NotFoundError: there is no such tracker.
        ConflictError: the new name is in use.
    """
    row = find(session, name)
    before = (row.query, row.count_by)
    if query is not None:
        row.query = query
    _choose(row, options or {})
    if (row.query, row.count_by) != before:
        row.version += 1
    if promise_days is not None:
        row.promise_days = promise_days
    if new_name is not None and new_name.strip() != row.name:
        _rename(session, row, new_name.strip())
    session.flush()
    return row


def _choose(row: TrackerRow, options: Options) -> None:
    for name, value in options.items():
        setattr(row, name, value)


def _rename(session: Session, row: TrackerRow, name: str) -> None:
    """Another name; the id, and so the past of the tracker, stays."""
    taken = next(
        (one for one in list_active(session) if one is not row and tracker_id(one.name) == tracker_id(name)), None
    )
    if taken is not None:
        what = f"a tracker named `{taken.name}` is there already, watching {taken.query}"
        raise ConflictError(what, hint="choose another name, or remove that tracker first", fields={"id": taken.id})
    row.name = name


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
        if row is not None and row.removed_at is None and (key == name or tracker_id(row.name) == key):
            return row
    for row in list_active(session):  # one that was given another name
        if tracker_id(row.name) == tracker_id(name):
            return row
    names = ", ".join(row.name for row in list_active(session)[:20]) or "none yet"
    what = f"no tracker `{name}`"
    raise NotFoundError(what, hint=f"there are: {names}")


def list_active(session: Session) -> list[TrackerRow]:
    """All trackers in force, by name."""
    query = select(TrackerRow).where(TrackerRow.removed_at.is_(None)).order_by(func.lower(TrackerRow.name))
    return list(session.scalars(query))


def edition(session: Session) -> int:
    """A number that is another one after every change of a tracker, whichever process makes it."""
    return session.connection().execute(_EDITION).scalar() or 0


def columns_active(session: Session) -> Sequence[Row[Any]]:
    """As `list_active`, as plain rows: of thousands of trackers these take a tenth of the time."""
    query = select(*TrackerRow.__table__.columns).where(TrackerRow.removed_at.is_(None))
    return session.execute(query.order_by(func.lower(TrackerRow.name))).all()


def versions_active(session: Session) -> list[tuple[str, int]]:
    """Id and version of all trackers in force, by name."""
    query = select(TrackerRow.id, TrackerRow.version).where(TrackerRow.removed_at.is_(None))
    return [(id_, version) for id_, version in session.execute(query.order_by(func.lower(TrackerRow.name)))]


def by_id(session: Session, only: Collection[str] | None = None) -> dict[str, TrackerRow]:
    """Every tracker ever added, by id; or `only` those of some ids."""
    query = select(TrackerRow)
    if only is not None:
        query = query.where(TrackerRow.id.in_(only))
    return {row.id: row for row in session.scalars(query)}
