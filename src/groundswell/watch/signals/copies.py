"""How much of it is the same text again, or nearly: copies show a campaign whoever posts them.

A text's sign is made of the least hashes of its words under three fixed permutations (MinHash), so two texts have the
same sign with the cube of the probability that a word of either is a word of both: copies with another link or name
mostly do, other texts about the same thing do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from groundswell.watch.contract import Ints, Terms
from groundswell.watch.signals.base import Floats, Kind, Matched
from groundswell.watch.signals.tally import Tally

#: Posts below which a share says nothing.
LEAST_POSTS: Final = 20.0
_PERMUTATIONS: Final = tuple(np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))
_MIXED: Final = np.uint64(0xD6E8FEB86659FD93)


@dataclass(frozen=True)
class Copies:
    """Share of the posts whose text, or nearly the same, another post of the window has."""

    name: str = "copies"
    label: str = "share of near-duplicate texts"
    kind: Kind = "share"
    weight: float = 0.05
    drops: bool = False
    least: float = 0.3
    keep: int = 512

    def tally(self, matched: Matched) -> Tally:
        """The signs of the texts that have words."""
        rows, at = np.unique(matched.row, return_inverse=True)
        sign, known = signs(matched.arrivals.terms(), rows)
        mine = known[at]
        slot = matched.slot[mine]
        keys = Tally.of_keys(slot, sign[at][mine], matched.trackers, self.keep)
        return keys.and_also(Tally.of_sums(slot, np.ones(len(slot)), matched.trackers), self.keep)

    def values(self, tally: Tally, posts: Floats) -> Floats:
        """Posts that are not the first with their text, as a share."""
        told = tally.sums[:, 0]
        share = np.maximum(1.0 - tally.distinct(self.keep) / np.maximum(told, 1.0), 0.0)
        return np.where(told >= LEAST_POSTS, share, np.nan)


def signs(terms: Terms, rows: Ints) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """The sign of the texts of some posts (`rows` ascending), and which have a word at all."""
    begin = np.searchsorted(terms.row, rows, side="left")
    end = np.searchsorted(terms.row, rows, side="right")
    length = end - begin
    known = length > 0
    out = np.zeros(len(rows), dtype=np.uint64)
    if not known.any():
        return out, known
    starts = np.cumsum(length[known]) - length[known]
    at = np.arange(int(length.sum())) - np.repeat(starts, length[known]) + np.repeat(begin[known], length[known])
    words = terms.hash[at]
    sign = np.zeros(int(known.sum()), dtype=np.uint64)
    for odd in _PERMUTATIONS:
        least = np.minimum.reduceat((words ^ (words >> np.uint64(29))) * odd, starts)
        sign = (sign ^ least) * _MIXED
        sign ^= sign >> np.uint64(32)
    out[known] = sign * _MIXED
    return out, known
