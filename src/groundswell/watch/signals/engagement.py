"""How much people react to a post: likes, comments, shares and saves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from groundswell.watch.signals.base import Floats, Kind, Matched
from groundswell.watch.signals.tally import Tally

#: Posts with counters, and reactions in all, below which the mean says nothing: a stream of new posts has none yet.
LEAST_POSTS: Final = 5.0
LEAST_REACTIONS: Final = 50.0


@dataclass(frozen=True)
class Engagement:
    """Reactions per post, of those posts whose counters are known."""

    name: str = "engagement"
    label: str = "engagement per post"
    kind: Kind = "positive"
    weight: float = 0.05
    drops: bool = False
    least: float = 3.0
    keep: int = 0

    def tally(self, matched: Matched) -> Tally:
        """The sum of reactions."""
        return Tally.of_sums(matched.slot, matched.arrivals.engagement[matched.row], matched.trackers)

    def values(self, tally: Tally, posts: Floats) -> Floats:
        """The mean."""
        number, total = tally.sums.T
        enough = (number >= LEAST_POSTS) & (total >= LEAST_REACTIONS)
        return np.where(enough, total / np.maximum(number, 1.0), np.nan)
