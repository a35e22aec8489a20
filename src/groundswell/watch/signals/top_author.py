"""How much of it one author writes: a campaign or a machine looks like this before the volume does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from groundswell.watch.signals.base import Floats, Kind, Matched
from groundswell.watch.signals.tally import Tally

#: Posts below which a share says nothing.
LEAST_POSTS: Final = 20.0
#: Authors are counted in this many groups: an author who dominates shows in any.
_GROUPS: Final = 512
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class TopAuthor:
    """Share of the posts beyond the first that the most frequent author wrote."""

    name: str = "top_author"
    label: str = "share of the top author"
    kind: Kind = "share"
    weight: float = 0.05
    drops: bool = False
    least: float = 0.3
    keep: int = _GROUPS

    def tally(self, matched: Matched) -> Tally:
        """Posts per group of authors."""
        author = matched.arrivals.author[matched.row]
        known = author != 0
        group = (author[known] * _ODD) >> np.uint64(64 - 9)
        return Tally.of_numbers(matched.slot[known], group, matched.trackers)

    def values(self, tally: Tally, posts: Floats) -> Floats:
        """0 where nobody wrote twice, 1 where one wrote all."""
        told = np.bincount(tally.slots, weights=tally.counts, minlength=len(posts))
        share = (tally.greatest() - 1.0) / np.maximum(told - 1.0, 1.0)
        return np.where(told >= LEAST_POSTS, np.maximum(share, 0.0), np.nan)
