"""Rows of the desk as the JSON documents of the REST API (`web.models`), for changes, the CLI and the API alike."""

from __future__ import annotations

from typing import Any, Final

from groundswell.desk.clock import iso
from groundswell.desk.tables import AlertRow, SeriesRow, TrackerRow

#: Posts expected in a window below which a ratio says nothing; as in `watch.evidence`.
LEAST_EXPECTED: Final = 0.5


def window(row: SeriesRow) -> dict[str, Any]:
    """A closed window (`web.models.Window`)."""
    return {
        "start": iso(row.start),
        "count": row.count,
        "expected": row.expected,
        "lower": row.lower,
        "upper": row.upper,
        "return_days": row.return_days,
        "platform_ratio": row.platform_ratio,
        "state": row.state,
        "late": row.late,
    }


def tracker(row: TrackerRow, last: SeriesRow | None, open_alert: str | None) -> dict[str, Any]:
    """A tracker with its last closed window (`web.models.Tracker`)."""
    return {
        "id": row.id,
        "name": row.name,
        "query": row.query,
        "version": row.version,
        "promise_days": row.promise_days,
        "country": row.country,
        "reach_followers": row.reach_followers,
        "reach_share": row.reach_share,
        "count_by": row.count_by,
        "created_at": iso(row.created_at),
        "last": None if last is None else window(last),
        "open_alert": open_alert,
    }


def ratio(row: AlertRow) -> float | None:
    """Posts of the strongest window over what was expected; null where almost nothing was."""
    return row.observed / row.expected if row.expected >= LEAST_EXPECTED else None


def alert_summary(row: AlertRow, of: TrackerRow, *, comments: int = 0) -> dict[str, Any]:
    """An alert without its evidence (`web.models.AlertSummary`); `comments` is how many it has."""
    headline, _, detail = row.headline.partition("\n")
    return {
        "id": row.id,
        "tracker": row.tracker_id,
        "tracker_name": of.name,
        "query": of.query,
        "signal": row.signal,
        "window_s": row.window_s,
        "direction": row.direction,
        "phase": row.phase,
        "started_at": iso(row.started_at),
        "opened_at": iso(row.opened_at),
        "updated_at": iso(row.updated_at),
        "closed_at": iso(row.closed_at),
        "observed": row.observed,
        "expected": row.expected,
        "ratio": ratio(row),
        "return_days": row.return_days,
        "p_value": row.p_value,
        "posts": row.posts,
        "authors": int(row.evidence.get("authors_total", 0)),
        "headline": headline,
        "detail": detail,
        "verdict": row.verdict,
        "verdict_note": row.verdict_note,
        "acknowledged_at": iso(row.acknowledged_at),
        "acknowledged_by": row.acknowledged_by,
        "snoozed_until": iso(of.snoozed_until),
        "comments": comments,
        "group": row.group_id,
        "members": [],
    }


def alert_member(row: AlertRow, of: TrackerRow) -> dict[str, Any]:
    """An alert as one of a group (`web.alert_models.AlertMember`)."""
    return {
        "id": row.id,
        "tracker": row.tracker_id,
        "tracker_name": of.name,
        "headline": row.headline.partition("\n")[0],
        "phase": row.phase,
        "started_at": iso(row.started_at),
        "return_days": row.return_days,
        "verdict": row.verdict,
    }
