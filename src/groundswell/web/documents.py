"""From rows of the desk to the documents of the REST API. Every function takes an open session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from groundswell.desk import alert_documents, alerts, documents, series, trackers
from groundswell.desk.alerts import AlertState
from groundswell.desk.tables import AlertRow, SeriesRow, TrackerRow
from groundswell.errors import NotFoundError, UsageError
from groundswell.web.models import Alert, Alerts, AlertSummary, Series, Tracker, Window

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def micros_of(time: datetime) -> int:
    """Microseconds since 1970 of `time`; a time without a zone is UTC.

    >>> micros_of(datetime(1970, 1, 1, 0, 0, 1))
    1000000
    """
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1)


def tracker_documents(session: Session, window_s: int) -> list[Tracker]:
    """Trackers in force with their last window; those with an open alert first, then by name."""
    last = series.latest(session, window_s)
    alarmed = alerts.open_by_tracker(session)
    rows = sorted(trackers.list_active(session), key=lambda row: row.id not in alarmed)
    return [Tracker.model_validate(documents.tracker(row, last.get(row.id), alarmed.get(row.id))) for row in rows]


def tracker_document(session: Session, row: TrackerRow, window_s: int) -> Tracker:
    """One tracker with its last window."""
    newest = session.scalars(
        select(SeriesRow)
        .where(SeriesRow.tracker_id == row.id, SeriesRow.window_s == window_s)
        .order_by(SeriesRow.start.desc())
        .limit(1)
    ).first()
    alarmed = alerts.open_by_tracker(session)
    return Tracker.model_validate(documents.tracker(row, newest, alarmed.get(row.id)))


def newest_window(session: Session, window_s: int) -> int | None:
    """Start of the newest closed window of any tracker, microseconds; null when none has closed."""
    return session.scalar(select(func.max(SeriesRow.start)).where(SeriesRow.window_s == window_s))


def series_documents(
    session: Session, identities: Sequence[str], window_s: int, since: datetime, until: datetime
) -> list[Series]:
    """Closed windows that start in [since, until) of each tracker, oldest first."""
    rows = session.scalars(
        select(SeriesRow)
        .where(
            SeriesRow.tracker_id.in_(identities),
            SeriesRow.window_s == window_s,
            SeriesRow.start >= micros_of(since),
            SeriesRow.start < micros_of(until),
        )
        .order_by(SeriesRow.tracker_id, SeriesRow.start)
    )
    windows: dict[str, list[Window]] = {identity: [] for identity in identities}
    for row in rows:
        windows[row.tracker_id].append(Window.model_validate(documents.window(row)))
    return [
        Series(tracker=identity, window_s=window_s, posts=sum(w.count for w in items), items=items)
        for identity, items in windows.items()
    ]


def alert_row(session: Session, identity: str) -> tuple[AlertRow, TrackerRow]:
    """The alert with this id (or a unique beginning of it) and its tracker, which may have been removed since.

    Raises:
        NotFoundError: there is no such alert.
    """
    row = alerts.get(session, identity)
    return row, session.get_one(TrackerRow, row.tracker_id)


def alert_document(session: Session, identity: str) -> Alert:
    """One alert with its frozen evidence and its life."""
    return Alert.model_validate(alert_documents.whole(session, alerts.get(session, identity)))


def alerts_document(
    session: Session, state: AlertState, tracker: str | None, limit: int, cursor: str | None, *, grouped: bool
) -> Alerts:
    """A page of alerts, newest first; `next` is the cursor of the page after it. With `grouped` a group is one line.

    Raises:
        NotFoundError: there is no such tracker.
        UsageError: the cursor is not one.
    """
    of = None if tracker is None else tracker_ever(session, tracker)
    before = None if cursor is None else _place(cursor)
    rows = alerts.page(session, state=state, tracker_id=of, before=before, grouped=grouped, limit=limit + 1)
    shown = rows[:limit]
    items = alert_documents.summaries(session, shown, with_members=grouped)
    return Alerts(
        items=[AlertSummary.model_validate(item) for item in items],
        open=alerts.open_count(session, of),
        next=f"{shown[-1].opened_at}.{shown[-1].id}" if len(rows) > limit else None,
    )


def tracker_ever(session: Session, name: str) -> str:
    """Id of a tracker in force or removed, by id or name: a removed one keeps its alerts."""
    for identity in (name, trackers.tracker_id(name)):
        if session.get(TrackerRow, identity) is not None:
            return identity
    what = "no such tracker"
    raise NotFoundError(what, where=name, hint="`GET /api/v1/trackers` lists them")


def _place(cursor: str) -> tuple[int, str]:
    micros, dot, identity = cursor.partition(".")
    if not dot or not micros.isascii() or not micros.removeprefix("-").isdigit() or len(micros) > 18:
        what = "not a cursor"
        raise UsageError(what, where=cursor, hint="use `next` of the answer before, unchanged")
    return int(micros), identity
