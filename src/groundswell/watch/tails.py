"""Tails and quantiles of the negative binomial, vectorised.

A count with mean m and squared coefficient of extra variation v (variance m + v m²) is negative binomial with
size 1/v; v → 0 is Poisson. Tail probabilities are regularised incomplete beta functions (Johnson, Kemp & Kotz,
*Univariate Discrete Distributions*, 3rd ed., §5.6). Where they are too small for a number they are known as logarithms.
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
#: Below this a probability is computed as a logarithm; it has lost digits to the subtraction of the mid-p before.
_UNDERFLOW: Final = 1e-250


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


def _fraction(a: Floats, b: Floats, x: Floats) -> Floats:
    """The continued fraction of I_x(a, b) (Press et al., *Numerical Recipes*, 3rd ed., §6.4)."""
    c, d = np.ones(len(a)), 1.0 / (1.0 - (a + b) * x / (a + 1.0))
    value = d.copy()
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        d, c = 1.0 / (1.0 + even * d), 1.0 + even / c
        value *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        d, c = 1.0 / (1.0 + odd * d), 1.0 + odd / c
        value *= d * c
        if np.all(np.abs(d * c - 1.0) < 1e-12):
            break
    return value


def log_probability(count: Floats, mean: Floats, extra: Floats) -> Floats:
    """Logarithm of P(Y = count); `count` need not be whole."""
    size = _size(extra)
    mean = np.maximum(mean, _LEAST_MEAN)
    # The difference of two large logarithms would lose its digits (Stirling, to third order).
    mid = size + 0.5 * (count - 1.0)
    near = count * np.log(np.maximum(mid, 1e-9)) - count * (count * count - 1.0) / (24.0 * mid * mid)
    exact = special.gammaln(count + size) - special.gammaln(size)
    ways = np.where((size > 1e5) & (count < 1e-2 * size), near, exact) - special.gammaln(count + 1.0)
    return np.asarray(ways + count * np.log(mean / (size + mean)) - size * np.log1p(mean / size), dtype=np.float64)


def log_tails(count: Floats, mean: Floats, extra: Floats) -> tuple[Floats, Floats]:
    """Logarithms of `burst_tail` and `drop_tail`, however rare the count is."""
    size, mean = _size(extra), np.maximum(mean, _LEAST_MEAN)
    x, rest = mean / (size + mean), size / (size + mean)
    count = np.maximum(count, 0.0)
    half = 0.5 * np.exp(log_probability(count, mean, extra))
    many = count > mean
    # The side that is rarer is computed, the other is what remains of 1.
    tail = (
        np.where(many, special.betainc(np.maximum(count, 1e-3), size, x), special.betainc(size, count + 1.0, rest))
        - half
    )
    tiny = np.flatnonzero(tail < _UNDERFLOW)
    rare = np.log(np.maximum(tail, _UNDERFLOW))
    if len(tiny):
        rare[tiny] = _log_tiny(count[tiny], mean[tiny], extra[tiny])
    common = np.log1p(-np.minimum(np.exp(rare), 1.0 - 1e-16))
    return np.where(many, rare, common), np.where(many, common, rare)


def _log_tiny(count: Floats, mean: Floats, extra: Floats) -> Floats:
    """Logarithm of the mid-p of the rarer side, by the continued fraction alone."""
    at = log_probability(count, mean, extra)
    size, many = _size(extra), count > mean
    x, rest = mean / (size + mean), size / (size + mean)
    some = np.maximum(count, 1e-3)
    above = _fraction(np.where(many, some, size), np.where(many, size, some), np.where(many, x, rest))
    return np.asarray(at + np.log(np.where(many, above - 0.5, count / size * above + 0.5)), dtype=np.float64)


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
