"""Series: the closed windows of each tracker, as the page draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from groundswell.desk.tables import SeriesRow
from groundswell.desk.upsert import upsert_all

#: So many windows of a size are kept (event time, against the newest one): 35 days of 5 minutes …
KEEP: Final = 10_080
#: … and fewer of the smallest sizes, which are looked at while they are fresh: 3 days of a minute.
KEEP_SMALL: Final = 4_320
_SMALL_S: Final = 300


def write(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert or update windows by tracker, size and start; each has all columns, and no two are the same window."""
    upsert_all(session, SeriesRow, rows)


def of_tracker(
    session: Session, tracker_id: str, window_s: int, *, since_us: int | None = None, until_us: int | None = None
) -> list[SeriesRow]:
    """The windows of one tracker that start in [since, until), oldest first."""
    query = select(SeriesRow).where(SeriesRow.tracker_id == tracker_id, SeriesRow.window_s == window_s)
    if since_us is not None:
        query = query.where(SeriesRow.start >= since_us)
    if until_us is not None:
        query = query.where(SeriesRow.start < until_us)
    return list(session.scalars(query.order_by(SeriesRow.start)))


def latest(session: Session, window_s: int) -> dict[str, SeriesRow]:
    """The newest window of each tracker, by tracker id."""
    newest = (
        select(SeriesRow.tracker_id, func.max(SeriesRow.start).label("start"))
        .where(SeriesRow.window_s == window_s)
        .group_by(SeriesRow.tracker_id)
        .subquery()
    )
    query = select(SeriesRow).join(
        newest, (SeriesRow.tracker_id == newest.c.tracker_id) & (SeriesRow.start == newest.c.start)
    )
    return {row.tracker_id: row for row in session.scalars(query.where(SeriesRow.window_s == window_s))}


def prune(session: Session, window_s: int, newest_us: int, keep: int | None = None) -> int:
    """Remove all but the last `keep` windows of a size before `newest_us`; how many."""
    keep = (KEEP if window_s >= _SMALL_S else KEEP_SMALL) if keep is None else keep
    before = newest_us - keep * window_s * 1_000_000
    old = delete(SeriesRow).where(SeriesRow.window_s == window_s, SeriesRow.start < before)
    return int(getattr(session.execute(old), "rowcount", 0))
