"""How often alerts were worth it: the verdicts of a period, and alerts a day against what was promised."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from groundswell.desk import trackers
from groundswell.desk.clock import iso
from groundswell.desk.tables import AlertRow, SeriesRow, TrackerRow

_DAY_US: Final = 86_400_000_000
#: Two-sided 95 %.
_Z: Final = 1.959963984540054


def wilson(good: int, all_: int) -> tuple[float, float] | None:
    """The 95 % interval of a proportion (Wilson 1927); null where nothing was judged.

    >>> [round(end, 3) for end in wilson(8, 10)]
    [0.49, 0.943]
    """
    if all_ == 0:
        return None
    share, z2 = good / all_, _Z**2
    middle = (share + z2 / (2 * all_)) / (1 + z2 / all_)
    half = _Z / (1 + z2 / all_) * math.sqrt(share * (1 - share) / all_ + z2 / (4 * all_**2))
    # At the ends the exact interval ends there too; rounding must not take it beyond.
    return (0.0 if good == 0 else max(middle - half, 0.0), 1.0 if good == all_ else min(middle + half, 1.0))


def newest_us(session: Session) -> int | None:
    """The latest event time that the desk knows of: the start of the newest window, or end of an alert."""
    found = (session.scalar(select(func.max(SeriesRow.start))), session.scalar(select(func.max(AlertRow.updated_at))))
    return max((each for each in found if each is not None), default=None)


def report(session: Session, since_us: int, until_us: int, tracker_id: str | None = None) -> dict[str, Any]:
    """The report (`web.alert_models.Precision`) on alerts that opened in [since, until), by event time.

    Trackers with alerts that were removed since are in it. Those with the most false alerts come first.
    """
    begun = _begun(session)
    query = select(AlertRow.tracker_id, AlertRow.verdict, func.count()).where(
        AlertRow.opened_at >= since_us, AlertRow.opened_at < until_us
    )
    if tracker_id is not None:
        query = query.where(AlertRow.tracker_id == tracker_id)
    counts: dict[str, dict[str, int]] = {}
    for tracker, verdict, number in session.execute(query.group_by(AlertRow.tracker_id, AlertRow.verdict)):
        counts.setdefault(tracker, {})[verdict or "none"] = number
    rows = [
        row
        for row in trackers.by_id(session).values()
        if (row.id == tracker_id if tracker_id is not None else row.removed_at is None or row.id in counts)
    ]
    lines = []
    for row in rows:
        watched = max(until_us - max(since_us, begun.get(row.id, until_us)), 0) / _DAY_US
        lines.append(_line(row, counts.get(row.id, {}), watched, 1 / row.promise_days))
    lines.sort(key=lambda line: (-line["verdicts"]["false"], -line["alerts"], line["name"].casefold()))
    return {
        "since": iso(since_us),
        "until": iso(until_us),
        "all": _together(lines),
        "trackers": lines,
    }


def _begun(session: Session) -> dict[str, int]:
    """Since when each tracker is watched, by event time: its first window that is kept, or its first alert."""
    begun: dict[str, int] = {}
    for column, owner in ((SeriesRow.start, SeriesRow.tracker_id), (AlertRow.started_at, AlertRow.tracker_id)):
        for tracker, first in session.execute(select(owner, func.min(column)).group_by(owner)):
            begun[tracker] = min(first, begun.get(tracker, first))
    for row in trackers.by_id(session).values():
        # Windows are kept for some weeks; a tracker older than that was watched since it was added.
        if row.id in begun:
            begun[row.id] = min(begun[row.id], row.created_at)
    return begun


def _line(row: TrackerRow | None, verdicts: Mapping[str, int], days: float, promised: float) -> dict[str, Any]:
    full = {name: verdicts.get(name, 0) for name in ("real", "false", "known", "none")}
    alerts, judged = sum(full.values()), full["real"] + full["false"] + full["known"]
    good = judged - full["false"]
    interval = wilson(good, judged)
    return {
        "tracker": None if row is None else row.id,
        "name": "all trackers" if row is None else row.name,
        "promise_days": None if row is None else row.promise_days,
        "days": round(days, 3),
        "alerts": alerts,
        "alerts_per_day": round(alerts / days, 5) if days >= 1 else None,
        "promised_per_day": round(promised, 5),
        "false_per_day": round(full["false"] / days, 5) if days >= 1 and judged else None,
        "verdicts": full,
        "judged": judged,
        "precision": round(good / judged, 4) if judged else None,
        "low": None if interval is None else round(interval[0], 4),
        "high": None if interval is None else round(interval[1], 4),
    }


def _together(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All trackers as one: alerts and promises add up, over the longest time that one was watched."""
    verdicts = {name: sum(line["verdicts"][name] for line in lines) for name in ("real", "false", "known", "none")}
    days = max((float(line["days"]) for line in lines), default=0.0)
    return _line(None, verdicts, days, sum(float(line["promised_per_day"]) for line in lines))
