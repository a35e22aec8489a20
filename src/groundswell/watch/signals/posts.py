"""How many posts match: the signal that is drawn, and what the others are held against."""

from __future__ import annotations

from dataclasses import dataclass

from groundswell.watch.signals.base import Floats, Kind, Matched
from groundswell.watch.signals.tally import Tally


@dataclass(frozen=True)
class Posts:
    """Posts in the window. Their counts are kept by the watch itself, so the tally is empty."""

    name: str = "posts"
    label: str = "posts"
    kind: Kind = "count"
    weight: float = 0.7
    drops: bool = True
    least: float = 0.0
    keep: int = 0

    def tally(self, matched: Matched) -> Tally:
        """Nothing."""
        return Tally.empty(matched.trackers)

    def values(self, tally: Tally, posts: Floats) -> Floats:
        """The counts as they are."""
        return posts
