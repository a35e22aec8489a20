"""When the share of records in which a field has a value has fallen: the rule, as pure functions.

Days (and, of the newest day, the imports before the newest) are groups with counts (k filled of n). How much shares
differ from group to group anyway is estimated as the intra-class correlation rho of a beta-binomial distribution by
the method of moments (Williams 1982, eq. 2.6, as ANOVA estimator), and shrunk towards `RHO` with the weight of
`WEIGHT` groups, because a young series has few. The newest records have fallen if a beta-binomial with the mean and
the rho of the past gives so few filled ones (or fewer) with a probability below `LEAST_P`, and the fall is large
enough to matter, and there are enough records on both sides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

#: Records that the newest share, and that all of the past, must rest on.
LEAST_NOW: Final = 100
LEAST_BEFORE: Final = 200
#: A field that fewer records than this had is not watched; shares are fractions.
LEAST_SHARE: Final = 0.05
#: A fall is at least so many points, and at least this part of what was.
LEAST_FALL: Final = 0.05
LEAST_PART: Final = 0.25
#: At 16,000 tests a day (45 fields, a stream that is checked every four minutes) one false notice in two months.
LEAST_P: Final = 1e-6
RHO: Final = 0.02
WEIGHT: Final = 4.0
_MOST: Final = 5_000


@dataclass(frozen=True, slots=True)
class Group:
    """Some records taken in together, and in how many of them the field had a value."""

    records: int
    filled: int


@dataclass(frozen=True, slots=True)
class Fall:
    """A share that fell: before and now (fractions), the records behind them, and how probable so few are by chance."""

    before: float
    records_before: int
    now: float
    records_now: int
    p_value: float


def fall_of(past: Sequence[Group], now: Group) -> Fall | None:
    """Whether the share has fallen; null if not, or if too few records say so.

    >>> fall_of([Group(1000, 990), Group(800, 792)], Group(500, 3)).now
    0.006
    >>> fall_of([Group(1000, 990)], Group(40, 0)) is None
    True
    """
    records = sum(group.records for group in past)
    if now.records < LEAST_NOW or records < LEAST_BEFORE:
        return None
    before, share = sum(group.filled for group in past) / records, now.filled / now.records
    if before < LEAST_SHARE or before - share < max(LEAST_FALL, LEAST_PART * before):
        return None
    p = lower_tail(now, (sum(g.filled for g in past) + 0.5) / (records + 1), correlation(past))
    return Fall(before, records, share, now.records, p) if p < LEAST_P else None


def is_back(before: float, fallen_to: float, now: Group) -> bool:
    """Whether the share is nearer to what it was than to what it fell to."""
    return now.records >= LEAST_NOW and now.filled / now.records >= (before + fallen_to) / 2


def correlation(past: Sequence[Group]) -> float:
    """How alike the records of one group are (rho, 0 to 1), shrunk towards `RHO`."""
    n = np.array([group.records for group in past if group.records], dtype=np.float64)
    k = np.array([group.filled for group in past if group.records], dtype=np.float64)
    free = len(n) - 1
    if free < 1:
        return RHO
    mean = (k.sum() + 0.5) / (n.sum() + 1)
    spread = float((n * (k / n - mean) ** 2).sum() / (mean * (1 - mean)))
    room = float(n.sum() - (n**2).sum() / n.sum()) - free
    found = min(max((spread - free) / room, 0.0), 0.9) if room > 0 else RHO
    return (RHO * WEIGHT + found * free) / (WEIGHT + free)


def lower_tail(now: Group, mean: float, rho: float) -> float:
    """Probability of at most `now.filled` of `now.records` under a beta-binomial of that mean and correlation."""
    n, k = now.records, now.filled
    if n > _MOST:
        # Beyond some thousands only rho makes a difference.
        n, k = _MOST, round(k * _MOST / n)
    a, b = mean * (1 - rho) / rho, (1 - mean) * (1 - rho) / rho
    # From each term to the next by their ratio, in logarithms: SciPy's functions would take half a second to load.
    i = np.arange(k)
    ratios = np.log((n - i) * (i + a)) - np.log((i + 1) * (n - i - 1 + b))
    none = math.lgamma(n + b) + math.lgamma(a + b) - math.lgamma(b) - math.lgamma(n + a + b)
    terms = none + np.concatenate(([0.0], np.cumsum(ratios)))
    return float(min(1.0, np.exp(terms).sum()))
