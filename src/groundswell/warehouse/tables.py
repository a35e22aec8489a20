"""Small tables of the desk and the counts of the lake, as rows of the warehouse."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from sqlalchemy import select

from groundswell.desk.tables import AlertRow, TrackerRow
from groundswell.marts.volumes import volumes

if TYPE_CHECKING:
    from groundswell.desk import Desk
    from groundswell.lake import Lake

HOUR_US: Final = 3_600_000_000
_STAMP: Final = pa.timestamp("us", "UTC")
_ALERT: Final = {
    "alert": "id",
    "tracker": "tracker_id",
    "signal": "signal",
    "window_s": "window_s",
    "direction": "direction",
    "phase": "phase",
    "started_at": "started_at",
    "opened_at": "opened_at",
    "updated_at": "updated_at",
    "closed_at": "closed_at",
    "observed": "observed",
    "expected": "expected",
    "return_days": "return_days",
    "posts": "posts",
    "headline": "headline",
    "verdict": "verdict",
    "verdict_at": "verdict_at",
    "acknowledged_at": "acknowledged_at",
    "story": "group_id",
}
_TRACKER: Final = {"tracker": "id", "name": "name", "query": "query", "created_at": "created_at"} | {
    "removed_at": "removed_at"
}


def trackers(desk: Desk) -> pa.Table:
    """All trackers, also removed ones."""
    with desk.reading() as session:
        return _table(session.scalars(select(TrackerRow).order_by(TrackerRow.id)), _TRACKER)


def alerts(desk: Desk) -> pa.Table:
    """All alerts."""
    with desk.reading() as session:
        return _table(session.scalars(select(AlertRow).order_by(AlertRow.id)), _ALERT)


def baselines(lake: Lake) -> pa.Table:
    """Posts of each platform in each hour that has any, each post once."""
    counted = volumes(lake, HOUR_US, 0, time.time_ns() // 1_000 + HOUR_US)
    windows, platforms = np.nonzero(counted.counts)
    starts = counted.first_us + windows.astype(np.int64) * HOUR_US
    names = np.array(counted.platforms or ("",))
    return pa.table(
        {
            "platform": pa.array(names[platforms].tolist(), pa.string()),
            "hour": pa.array(starts, pa.int64()).cast(_STAMP),
            "posts": pa.array(counted.counts[windows, platforms], pa.int64()),
        }
    )


def _table(rows: Any, columns: dict[str, str]) -> pa.Table:
    """Rows of the desk with other names; its times (µs since 1970) as times."""
    found = [{name: getattr(row, attribute) for name, attribute in columns.items()} for row in rows]
    out = {}
    for name in columns:
        values = [row[name] for row in found]
        out[name] = pa.array(values, pa.int64()).cast(_STAMP) if name.endswith("_at") else pa.array(values)
    return pa.table(out)
