"""Outliers by a stated rule: bounds from a distribution, each metric of each platform its own. Pure.

`robust_z` (default limit 3.5): the modified z-score of Iglewicz and Hoaglin ("How to Detect and Handle Outliers", ASQC
1993), of y = log10(1 + x), because counters span decades: z = 0.6745 · (y - median) / MAD. Where more than half of the
values are alike the MAD is 0, and 1.253314 times the mean absolute deviation stands for MAD / 0.6745, as they propose.

`iqr` (default limit 1.5): Tukey's fences, Q1 - k · IQR and Q3 + k · IQR, of the values themselves ("Exploratory Data
Analysis", 1977); `iqr_log` the same of y.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from groundswell.errors import UsageError
from groundswell.marts.distribution import Distribution, weighted_quantiles

Floats = npt.NDArray[np.float64]

#: 0.75 quantile of the normal distribution: what makes the MAD comparable with a standard deviation.
NORMAL_MAD: Final = 0.6745
_MEAN_DEVIATION: Final = 1.253314
#: With fewer values no bounds are given.
LEAST_VALUES: Final = 10


class Rule(StrEnum):
    """How bounds are found."""

    ROBUST_Z = "robust_z"
    IQR = "iqr"
    IQR_LOG = "iqr_log"


#: Limit of each rule if none is given.
LIMITS: Final = {Rule.ROBUST_Z: 3.5, Rule.IQR: 1.5, Rule.IQR_LOG: 1.5}


@dataclass(frozen=True, slots=True)
class Bounds:
    """A value below `lower` or above `upper` is an outlier; both null: none can be told, and `why` says it."""

    rule: Rule
    limit: float
    lower: float | None
    upper: float | None
    centre: float | None
    """Median, on the scale of the rule."""

    spread: float | None
    """What a z of 1 is (robust_z) or the IQR, on the scale of the rule."""

    values: int
    why: str | None = None

    def outside(self, values: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which values are outliers; NaN is not."""
        given = np.asarray(values, np.float64)
        mask = np.zeros(given.shape, np.bool_)
        if self.lower is not None:
            mask |= given < self.lower
        if self.upper is not None:
            mask |= given > self.upper
        return mask


def find_bounds(values: Distribution, rule: Rule = Rule.ROBUST_Z, limit: float | None = None) -> Bounds:
    """The bounds of one metric of one platform.

    Raises:
        UsageError: the limit is not above 0.
    """
    k = LIMITS[rule] if limit is None else limit
    if not k > 0:
        wrong = f"{k} is no limit for outliers"
        raise UsageError(wrong, hint="give a number above 0; 3.5 is usual for robust_z, 1.5 for iqr")
    if values.count < LEAST_VALUES:
        return Bounds(rule, k, None, None, None, None, values.count, f"fewer than {LEAST_VALUES} values")
    found, weights = values.weighted()
    scaled = found if rule is Rule.IQR else np.log10(1 + found)
    centre = float(weighted_quantiles(scaled, weights, np.array([0.5]))[0])
    if rule is Rule.ROBUST_Z:
        spread = _robust_deviation(scaled, weights, centre)
        low, high = centre - k * spread, centre + k * spread
    else:
        first, third = (float(q) for q in weighted_quantiles(scaled, weights, np.array([0.25, 0.75])))
        spread = third - first
        low, high = first - k * spread, third + k * spread
    if spread == 0:
        return Bounds(rule, k, None, None, centre, 0.0, values.count, "the values do not spread")
    if rule is not Rule.IQR:
        low, high = 10**low - 1, 10**high - 1
    return Bounds(rule, k, low if low > 0 else None, high, centre, spread, values.count)


def robust_z(values: npt.ArrayLike, centre: float, spread: float) -> Floats:
    """Modified z-scores of counters: (log10(1 + x) - centre) / spread; NaN stays NaN."""
    scores: Floats = (np.log10(1 + np.asarray(values, np.float64)) - centre) / spread
    return scores


def _robust_deviation(scaled: Floats, weights: npt.NDArray[np.int64], centre: float) -> float:
    """What a modified z-score of 1 is on the scale of `scaled`."""
    away = np.abs(scaled - centre)
    order = np.argsort(away)
    mad = float(weighted_quantiles(away[order], weights[order], np.array([0.5]))[0])
    if mad > 0:
        return mad / NORMAL_MAD
    return _MEAN_DEVIATION * float((away * weights).sum() / weights.sum())
