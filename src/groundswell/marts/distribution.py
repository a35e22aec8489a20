"""The distribution of a counter in bounded memory: every value up to 1,023 exactly, above that to 0.1 %.

Bins of constant relative width above the exact ones, as in DDSketch (Masson, Rim and Lee, VLDB 2019): a quantile is
off by at most `ACCURACY` of its value, however many values there are and however they are spread. Distributions of
parts add up to that of the whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Greatest relative error of a value that a bin stands for.
ACCURACY: Final = 0.001
_EXACT: Final = 1024
_WIDTH: Final = np.log((1 + ACCURACY) / (1 - ACCURACY))
_BINS: Final = _EXACT + int(np.ceil((63 * np.log(2) - np.log(_EXACT)) / _WIDTH)) + 1
_CENTRES: Final = np.concatenate(
    [np.arange(_EXACT), _EXACT * np.exp((np.arange(_BINS - _EXACT) + 0.5) * _WIDTH)]
).astype(np.float64)


@dataclass(slots=True)
class Distribution:
    """Counts of values that are 0 or more; `least` and `greatest` are exact.

    Values that are not whole are kept in whole parts of 1/`scale`.
    """

    scale: int = 1
    bins: Ints = field(default_factory=lambda: np.zeros(_BINS, np.int64))
    count: int = 0
    total: float = 0.0
    least: float | None = None
    greatest: float | None = None

    def add(self, values: npt.ArrayLike) -> None:
        """Add values, none of them negative or missing."""
        given = np.asarray(values, np.float64)
        if not len(given):
            return
        scaled = given * self.scale
        above = scaled >= _EXACT
        places = np.minimum(scaled, _EXACT).astype(np.int64)
        places[above] = _EXACT + (np.log(scaled[above] / _EXACT) / _WIDTH).astype(np.int64)
        self.bins += np.bincount(np.minimum(places, _BINS - 1), minlength=_BINS)
        self.count += len(given)
        self.total += float(given.sum())
        low, high = float(given.min()), float(given.max())
        self.least = low if self.least is None else min(self.least, low)
        self.greatest = high if self.greatest is None else max(self.greatest, high)

    def merge(self, other: Distribution) -> None:
        """Add all values of another distribution of the same scale."""
        if other.least is None or other.greatest is None:
            return
        self.bins += other.bins
        self.count += other.count
        self.total += other.total
        self.least = other.least if self.least is None else min(self.least, other.least)
        self.greatest = other.greatest if self.greatest is None else max(self.greatest, other.greatest)

    @property
    def mean(self) -> float | None:
        """Arithmetic mean; null without values."""
        return self.total / self.count if self.count else None

    def quantiles(self, at: npt.ArrayLike) -> Floats:
        """The values below which the fractions `at` lie (the lower of two neighbours); NaN without values."""
        values, weights = self.weighted()
        found = weighted_quantiles(values, weights, np.asarray(at, np.float64))
        return np.round(found) if self.scale == 1 else found

    def weighted(self) -> tuple[Floats, Ints]:
        """The values that occur, ascending, and how often; a bin's centre stands for its values."""
        held = np.flatnonzero(self.bins)
        values = _CENTRES[held] / self.scale
        if self.least is not None and self.greatest is not None:
            values = np.clip(values, self.least, self.greatest)
        return values, self.bins[held]

    def histogram(self) -> list[tuple[float, float, int]]:
        """Counts by powers of ten, empty ones between others too: (from, below, count); zero is a class of its own."""
        values, weights = self.weighted()
        lowest = -round(np.log10(self.scale))
        above = np.maximum(values, 10.0**lowest)
        classes = np.where(values < 10.0**lowest, 0, 1 - lowest + np.floor(np.log10(above) + 1e-12)).astype(np.int64)
        counts = np.bincount(classes, weights=weights).tolist() if len(values) else []
        edges = [0.0, *(10.0**k for k in range(lowest, 21))]
        first = int(classes.min()) if len(values) else 0
        return [(edges[k], edges[k + 1], int(counts[k])) for k in range(first, len(counts))]


def weighted_quantiles(values: Floats, weights: Ints, at: Floats) -> Floats:
    """The least value such that at least the fraction `at` of the weight is at or below it; `values` ascend."""
    if not len(values):
        return np.full(at.shape, np.nan)
    below = np.cumsum(weights)
    places = np.searchsorted(below, np.maximum(at * below[-1], 1e-9) - 1e-9, side="left")
    found: Floats = values[np.minimum(places, len(values) - 1)]
    return found
