"""How many people post: many voices are news where one loud one is not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from groundswell.watch.signals.base import Floats, Kind, Matched
from groundswell.watch.signals.tally import Tally


@dataclass(frozen=True)
class Authors:
    """Distinct authors in the window, exact up to 511, else within 4 %."""

    name: str = "authors"
    label: str = "distinct authors"
    kind: Kind = "count"
    weight: float = 0.1
    drops: bool = False
    least: float = 0.0
    keep: int = 512

    def tally(self, matched: Matched) -> Tally:
        """The authors that are known."""
        author = matched.arrivals.author[matched.row]
        known = author != 0
        return Tally.of_keys(matched.slot[known], author[known], matched.trackers, self.keep)

    def values(self, tally: Tally, posts: Floats) -> Floats:
        """Distinct authors; NaN where posts have none."""
        found = tally.distinct(self.keep)
        return np.where((found == 0) & (posts > 0), np.nan, found)
