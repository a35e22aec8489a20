"""What rises as a document: that of `groundswell trends --json`, and what is kept of a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from groundswell.marts.export import documents
from groundswell.marts.trends import By, Trends
from groundswell.platforms.definitions import DEFINITIONS, Definition, crossed


def document(found: Trends, by: By, width: timedelta) -> dict[str, Any]:
    """`found` as plain JSON values: the windows, what was measured on them, and the rows."""
    return {
        "by": by.value,
        "window_s": width.total_seconds(),
        "windows": [{"after": _iso(w.start), "to": _iso(w.end)} for w in found.windows],
        "posts": found.posts,
        "voices": found.voices,
        "posts_before": found.posts_before,
        "voices_before": found.voices_before,
        "definitions": [one.document() for one in changed(found)],
        "lake_version": found.lake_version,
        "items": list(documents(found.rows)),
    }


def changed(found: Trends) -> tuple[Definition, ...]:
    """Changes of what a counter means on the platforms that were looked at, within the windows that are compared."""
    if not found.windows:
        return ()
    first, last = min(w.start for w in found.windows), max(w.end for w in found.windows)
    return crossed(found.platforms, {one.metric for one in DEFINITIONS}, first, last)


def _iso(moment: Any) -> str:
    text: str = moment.isoformat()
    return text.replace("+00:00", "Z")
