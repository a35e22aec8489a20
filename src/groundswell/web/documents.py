"""From rows of the desk to the documents of the REST API. Reads only; every function takes an open session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, cast

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from groundswell.desk.tables import AlertRow, SeriesRow, TrackerRow
from groundswell.errors import NotFoundError, UsageError
from groundswell.web.models import (
    Alert,
    Alerts,
    AlertSummary,
    Evidence,
    Series,
    Tracker,
    Verdict,
    Window,
    WindowState,
)

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
AlertState = Literal["open", "closed", "all"]


def time_of(micros: int) -> datetime:
    """The UTC time of `micros` microseconds since 1970.

    >>> time_of(1_000_000).isoformat()
    '1970-01-01T00:00:01+00:00'
    """
    return EPOCH + micros * MICROSECOND


def micros_of(time: datetime) -> int:
    """Microseconds since 1970 of `time`; a time without a zone is UTC.

    >>> micros_of(datetime(1970, 1, 1, 0, 0, 1))
    1000000
    """
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return (aware - EPOCH) // MICROSECOND


def window_document(row: SeriesRow) -> Window:
    """One closed window."""
    return Window(
        start=time_of(row.start),
        count=row.count,
        expected=row.expected,
        lower=row.lower,
        upper=row.upper,
        return_days=row.return_days,
        platform_ratio=row.platform_ratio,
        state=cast("WindowState", row.state),
        late=row.late,
    )


def tracker_row(session: Session, identity: str) -> TrackerRow:
    """The tracker with this id or, if none has it, the one in force with this name.

    Raises:
        NotFoundError: neither exists.
    """
    row = session.get(TrackerRow, identity)
    if row is None:
        named = select(TrackerRow).where(TrackerRow.name == identity, TrackerRow.removed_at.is_(None))
        row = session.scalars(named).first()
    if row is None:
        raise NotFoundError("no such tracker", where=identity, hint="`GET /api/v1/trackers` lists them")
    return row


def tracker_documents(session: Session, window_s: int, rows: Iterable[TrackerRow] | None = None) -> list[Tracker]:
    """Trackers in force (or `rows`) with their last window; those with an open alert first, then by name."""
    if rows is None:
        rows = session.scalars(select(TrackerRow).where(TrackerRow.removed_at.is_(None)))
    trackers = list(rows)
    last = _last_windows(session, window_s, [row.id for row in trackers])
    alarmed = dict(
        session.execute(
            select(AlertRow.tracker_id, AlertRow.id).where(AlertRow.closed_at.is_(None)).order_by(AlertRow.opened_at)
        )
        .tuples()
        .all()
    )
    documents = [
        Tracker(
            id=row.id,
            name=row.name,
            query=row.query,
            version=row.version,
            promise_days=row.promise_days,
            created_at=time_of(row.created_at),
            last=last.get(row.id),
            open_alert=alarmed.get(row.id),
        )
        for row in trackers
    ]
    return sorted(documents, key=lambda document: (document.open_alert is None, document.name.casefold()))


def _last_windows(session: Session, window_s: int, trackers: Sequence[str]) -> dict[str, Window]:
    newest = (
        select(SeriesRow.tracker_id, func.max(SeriesRow.start).label("start"))
        .where(SeriesRow.window_s == window_s, SeriesRow.tracker_id.in_(trackers))
        .group_by(SeriesRow.tracker_id)
        .subquery()
    )
    rows = select(SeriesRow).join(
        newest,
        and_(
            SeriesRow.tracker_id == newest.c.tracker_id,
            SeriesRow.start == newest.c.start,
            SeriesRow.window_s == window_s,
        ),
    )
    return {row.tracker_id: window_document(row) for row in session.scalars(rows)}


def newest_window(session: Session, window_s: int) -> int | None:
    """Start of the newest closed window of any tracker, microseconds; null when none has closed."""
    return session.scalar(select(func.max(SeriesRow.start)).where(SeriesRow.window_s == window_s))


def series_documents(
    session: Session, trackers: Sequence[str], window_s: int, since: datetime, until: datetime
) -> list[Series]:
    """Closed windows that start in [since, until) of each of `trackers`, oldest first."""
    rows = session.scalars(
        select(SeriesRow)
        .where(
            SeriesRow.tracker_id.in_(trackers),
            SeriesRow.window_s == window_s,
            SeriesRow.start >= micros_of(since),
            SeriesRow.start < micros_of(until),
        )
        .order_by(SeriesRow.tracker_id, SeriesRow.start)
    )
    windows: dict[str, list[Window]] = {tracker: [] for tracker in trackers}
    for row in rows:
        windows[row.tracker_id].append(window_document(row))
    return [
        Series(tracker=tracker, window_s=window_s, posts=sum(w.count for w in items), items=items)
        for tracker, items in windows.items()
    ]


def in_minutes(seconds: int) -> str:
    """A window length as people say it.

    >>> in_minutes(300), in_minutes(60), in_minutes(7200), in_minutes(90)
    ('5 minutes', '1 minute', '2 hours', '90 seconds')
    """
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds % size == 0:
            number = seconds // size
            return f"{number} {unit}{'s' if number != 1 else ''}"
    return f"{seconds} seconds"


def alert_fields(row: AlertRow, tracker: TrackerRow) -> dict[str, Any]:
    """What `AlertSummary` and `Alert` share."""
    evidence: Mapping[str, Any] = row.evidence or {}
    usual = f"{row.lower:,.0f} to {row.upper:,.0f}"
    return {
        "id": row.id,
        "tracker": row.tracker_id,
        "tracker_name": tracker.name,
        "query": tracker.query,
        "signal": row.signal,
        "direction": row.direction,
        "phase": row.phase,
        "started_at": time_of(row.started_at),
        "opened_at": time_of(row.opened_at),
        "updated_at": time_of(row.updated_at),
        "closed_at": None if row.closed_at is None else time_of(row.closed_at),
        "observed": row.observed,
        "expected": row.expected,
        "ratio": row.observed / row.expected if row.expected > 0 else None,
        "return_days": row.return_days,
        "p_value": row.p_value,
        "posts": row.posts,
        "authors": int(evidence.get("authors_total", 0)),
        "headline": row.headline,
        "detail": f"{row.observed:,} posts in {in_minutes(row.window_s)}; usual at this hour: {usual}",
        "verdict": cast("Verdict | None", row.verdict),
    }


def alert_row(session: Session, identity: str) -> tuple[AlertRow, TrackerRow]:
    """The alert with this id and its tracker.

    Raises:
        NotFoundError: there is no such alert.
    """
    pair = session.execute(
        select(AlertRow, TrackerRow).join(TrackerRow, TrackerRow.id == AlertRow.tracker_id).where(AlertRow.id == identity)
    ).first()
    if pair is None:
        raise NotFoundError("no such alert", where=identity, hint="`GET /api/v1/alerts` lists them")
    return pair[0], pair[1]


def alert_document(session: Session, identity: str) -> Alert:
    """One alert with its frozen evidence."""
    row, tracker = alert_row(session, identity)
    return Alert(**alert_fields(row, tracker), evidence=Evidence.model_validate(row.evidence))


def alert_documents(session: Session, state: AlertState, tracker: str | None, limit: int, cursor: str | None) -> Alerts:
    """A page of alerts, newest first; `next` is the cursor of the page after it."""
    chosen: list[ColumnElement[bool]] = []
    if tracker is not None:
        chosen.append(AlertRow.tracker_id == tracker_row(session, tracker).id)
    opened = session.scalar(select(func.count()).select_from(AlertRow).where(AlertRow.closed_at.is_(None), *chosen))
    if state != "all":
        chosen.append(AlertRow.closed_at.is_(None) if state == "open" else AlertRow.closed_at.is_not(None))
    if cursor is not None:
        chosen.append(_older_than(cursor))
    pairs = session.execute(
        select(AlertRow, TrackerRow)
        .join(TrackerRow, TrackerRow.id == AlertRow.tracker_id)
        .where(*chosen)
        .order_by(AlertRow.opened_at.desc(), AlertRow.id.desc())
        .limit(limit + 1)
    ).all()
    shown = pairs[:limit]
    following = f"{shown[-1][0].opened_at}.{shown[-1][0].id}" if len(pairs) > limit else None
    items = [AlertSummary(**alert_fields(row, of)) for row, of in shown]
    return Alerts(items=items, open=opened or 0, next=following)


def _older_than(cursor: str) -> ColumnElement[bool]:
    micros, dot, identity = cursor.partition(".")
    if not dot or not micros.lstrip("-").isdigit():
        raise UsageError("not a cursor", where=cursor, hint="use `next` of the answer before, unchanged")
    opened_at = int(micros)
    return or_(AlertRow.opened_at < opened_at, and_(AlertRow.opened_at == opened_at, AlertRow.id < identity))
