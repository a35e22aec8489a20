"""What is left of an episode's strongest window without its loudest author and with copies counted once.

The detector that scored the window scores what remains, so a ratio is not all there is: the card says how rare the
window would have been, and whether it alone would have opened the alert.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from groundswell.watch.contract import WatchParams
from groundswell.watch.drivers import Row, top_author
from groundswell.watch.episodes import Episode
from groundswell.watch.whatif import return_days

_LABELS: Final = {
    "all": "All posts",
    "without_top_author": "Without the top author",
    "copies_once": "Copies counted once",
    "both": "Both",
}


def remains(
    episode: Episode, rows: Sequence[Row], groups: Sequence[Sequence[int]], params: WatchParams, needed_days: float
) -> list[dict[str, Any]]:
    """The lines of the card (`web.evidence_models.Remains`); none for a drop, or where no posts were kept.

    `groups` are the positions in `rows` of posts that say the same. Counts are those of the posts that were kept
    of the window, in proportion where more came than are kept.
    """
    peak = episode.peak
    if episode.direction != "burst" or not rows:
        return []
    inside = _in_window(rows, peak.start, params.window_us)
    loudest = top_author(rows)
    quiet = {at for at in inside if rows[at]["author"] != loudest or loudest is None}
    left = {
        "all": len(inside),
        "without_top_author": len(quiet),
        "copies_once": sum(not inside.isdisjoint(group) for group in groups),
        "both": sum(not quiet.isdisjoint(group) for group in groups),
    }
    counts = {name: round(peak.count * number / len(inside)) for name, number in left.items()}
    days = None if episode.tail is None else return_days(episode.tail, list(counts.values()), params)
    expected = peak.expected or 0.0
    return [
        {
            "name": name,
            "label": _LABELS[name],
            "observed": count,
            "ratio": round(count / expected, 3) if expected >= 0.5 else None,
            "return_days": None if days is None else round(days[at], 4),
            "holds": None if days is None else days[at] >= needed_days,
        }
        for at, (name, count) in enumerate(counts.items())
    ]


def _in_window(rows: Sequence[Row], start_us: int, window_us: int) -> set[int]:
    """Positions of the posts of the window; all, where none says a time in it (they count when they were observed)."""
    inside = {
        at
        for at, row in enumerate(rows)
        if row["created_us"] is not None and 0 <= row["created_us"] - start_us < window_us
    }
    return inside or set(range(len(rows)))
