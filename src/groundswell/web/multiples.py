"""Small multiples: the last windows of some trackers as columns, a tenth of what objects would weigh."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import Field
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from groundswell.desk import documents
from groundswell.desk.clock import moment
from groundswell.desk.tables import SeriesRow, TrackerRow
from groundswell.web.models import Document, Window

_SECOND: Final = 1_000_000
#: One letter for each state of a window.
LETTERS: Final = {"learning": "l", "usual": "u", "unusual": "x", "macro": "m", "gap": "g"}


class Multiple(Document):
    """The newest windows of one tracker, oldest first; the columns are parallel."""

    tracker: str
    posts: int
    first: datetime | None
    """Start of the first window; null where none has closed."""
    steps: list[int]
    """Where each window is, in windows after `first`. One that is left out was not watched."""
    counts: list[int]
    lower: list[float | None]
    """The band of what is usual, in three digits; null while that is being learned."""
    upper: list[float | None]
    states: Annotated[str, Field(description="One letter a window: l learning, u usual, x unusual, m macro, g gap.")]
    last: Window | None


class Multiples(Document):
    """The newest windows of some trackers, for small multiples on one time axis."""

    window_s: int
    windows: int
    """How many windows the axis has."""
    until: datetime | None
    """End of the newest window of these trackers; null where none has closed."""
    items: list[Multiple]


def multiples(session: Session, identities: Sequence[str], window_s: int, windows: int) -> Multiples:
    """The last `windows` windows of `window_s` seconds of each tracker, counted from the newest of them all."""
    newest = _newest(session, identities, window_s)
    step = window_s * _SECOND
    until = max(newest.values()) + step if newest else None
    rows: dict[str, list[Any]] = {identity: [] for identity in identities}
    if until is not None:
        for row in _rows(session, list(newest), window_s, until - windows * step):
            rows[row.tracker_id].append(row)
    last = _last(session, newest, window_s)
    return Multiples(
        window_s=window_s,
        windows=windows,
        until=None if until is None else moment(until),
        items=[_multiple(identity, rows[identity], step, last.get(identity)) for identity in identities],
    )


def _newest(session: Session, identities: Sequence[str], window_s: int) -> dict[str, int]:
    """Start of the newest window of each tracker that has one: one step in the index for each."""
    of = aliased(SeriesRow)
    newest = select(func.max(of.start)).where(of.tracker_id == TrackerRow.id, of.window_s == window_s).scalar_subquery()
    pairs = session.execute(select(TrackerRow.id, newest).where(TrackerRow.id.in_(identities)))
    return {identity: start for identity, start in pairs if start is not None}


def _rows(session: Session, identities: Sequence[str], window_s: int, since: int) -> Sequence[Any]:
    of = SeriesRow
    columns = (of.tracker_id, of.start, of.count, of.lower, of.upper, of.state)
    chosen = (of.tracker_id.in_(identities), of.window_s == window_s, of.start >= since)
    return session.execute(select(*columns).where(*chosen).order_by(of.tracker_id, of.start)).all()


def _last(session: Session, newest: dict[str, int], window_s: int) -> dict[str, SeriesRow]:
    if not newest:
        return {}
    of = SeriesRow
    each = [and_(of.tracker_id == identity, of.start == start) for identity, start in newest.items()]
    return {row.tracker_id: row for row in session.scalars(select(of).where(of.window_s == window_s, or_(*each)))}


def _multiple(identity: str, rows: Sequence[Any], step: int, last: SeriesRow | None) -> Multiple:
    first = rows[0].start if rows else None
    return Multiple(
        tracker=identity,
        posts=sum(row.count for row in rows),
        first=None if first is None else moment(first),
        steps=[(row.start - first) // step for row in rows],
        counts=[row.count for row in rows],
        lower=[_short(row.lower) for row in rows],
        upper=[_short(row.upper) for row in rows],
        states="".join(LETTERS[row.state] for row in rows),
        last=None if last is None else Window.model_validate(documents.window(last)),
    )


def _short(value: float | None) -> float | None:
    """Three digits, which is finer than a pixel.

    >>> _short(18.04321), _short(123456.0)
    (18.0, 123000.0)
    """
    return None if value is None else float(f"{value:.3g}")
