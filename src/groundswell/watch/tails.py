"""Tails and quantiles of the negative binomial, vectorised.

A count with mean m and squared coefficient of extra variation v (variance m + v m²) is negative binomial with
size 1/v; v → 0 is Poisson. Tail probabilities are regularised incomplete beta functions (Johnson, Kemp & Kotz,
*Univariate Discrete Distributions*, 3rd ed., §5.6), a tenth of a microsecond each.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]

#: Below this extra variation the distribution is Poisson to six digits for any mean that a window can have.
_LEAST_EXTRA: Final = 1e-7
_LEAST_MEAN: Final = 1e-9


def _size(extra: Floats) -> Floats:
    return 1.0 / np.maximum(extra, _LEAST_EXTRA)


def upper_tail(count: Floats, mean: Floats, extra: Floats) -> Floats:
    """P(Y ≥ count).

    >>> float(upper_tail(np.array([0.0]), np.array([3.0]), np.array([0.1]))[0])
    1.0
    """
    size = _size(extra)
    mean = np.maximum(mean, _LEAST_MEAN)
    tail = special.betainc(np.maximum(count, 1.0), size, mean / (size + mean))
    return np.where(count <= 0, 1.0, tail).astype(np.float64)


def lower_tail(count: Floats, mean: Floats, extra: Floats) -> Floats:
    """P(Y ≤ count)."""
    size = _size(extra)
    mean = np.maximum(mean, _LEAST_MEAN)
    return np.asarray(special.betainc(size, count + 1.0, size / (size + mean)), dtype=np.float64)


def burst_tail(count: Floats, mean: Floats, extra: Floats) -> Floats:
    """Mid-p of a count that is high: P(Y > count) + P(Y = count) / 2.

    Counts are discrete, so that P(Y ≥ count) reaches a given rarity less often than it promises; the mid-p
    keeps the promise on average (Lancaster 1961).
    """
    return 0.5 * (upper_tail(count, mean, extra) + upper_tail(count + 1, mean, extra))


def drop_tail(count: Floats, mean: Floats, extra: Floats) -> Floats:
    """Mid-p of a count that is low: P(Y < count) + P(Y = count) / 2, not less than 1e-16."""
    return np.maximum(1.0 - burst_tail(count, mean, extra), 1e-16)


def quantile(probability: float | Floats, mean: Floats, extra: Floats) -> Floats:
    """The least count whose distribution function reaches `probability` (one for all, or one for each row).

    Starts from the gamma distribution of the same mean and variance (Wilson & Hilferty 1931) and walks to the
    exact count; where means are so large that the start is a few counts off, it may stay one or two counts off.
    """
    mean = np.maximum(mean, _LEAST_MEAN)
    wanted = np.broadcast_to(np.asarray(probability, dtype=np.float64), mean.shape)
    z = special.ndtri(wanted)
    shape = 1.0 / (extra + 1.0 / mean)
    root = np.maximum(1 - 1 / (9 * shape) + z / (3 * np.sqrt(shape)), 0.0)
    count: Floats = np.floor(mean * root**3)
    rising = np.arange(len(count))
    falling = rising
    for _ in range(4):
        rising = rising[lower_tail(count[rising], mean[rising], extra[rising]) < wanted[rising]]
        if not len(rising):
            break
        count[rising] += 1
    for _ in range(4):
        falling = falling[count[falling] > 0]
        falling = falling[lower_tail(count[falling] - 1, mean[falling], extra[falling]) >= wanted[falling]]
        if not len(falling):
            break
        count[falling] -= 1
    return count
