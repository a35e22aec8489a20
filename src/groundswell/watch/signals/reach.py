"""How many people those who post have behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from groundswell.watch.signals.base import Floats, Kind, Matched
from groundswell.watch.signals.tally import Tally

#: Posts with known followers below which their sum says nothing.
LEAST_POSTS: Final = 5.0


@dataclass(frozen=True)
class Reach:
    """Followers of those who posted, together."""

    name: str = "reach"
    label: str = "followers of those who post"
    kind: Kind = "positive"
    weight: float = 0.05
    drops: bool = False
    least: float = 3.0
    keep: int = 0

    def tally(self, matched: Matched) -> Tally:
        """The sum of followers."""
        return Tally.of_sums(matched.slot, matched.arrivals.reach[matched.row], matched.trackers)

    def values(self, tally: Tally, posts: Floats) -> Floats:
        """The sum."""
        number, total = tally.sums.T
        return np.where((number >= LEAST_POSTS) & (total > 0), total, np.nan)
