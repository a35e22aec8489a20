"""Tails of the negative binomial as logarithms, so that no burst is too rare to be told from another.

With size s = 1/extra, x = mean/(s + mean) and f the probability of a count y, P(Y ≥ y) = f × K and P(Y < y) = f × L,
where K and L are continued fractions of the incomplete beta function (Press et al., *Numerical Recipes*, §6.4).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from groundswell.kernels.normal import ABOVE, LEAST_EXTRA, LEAST_MEAN, PER_UNIT, USUAL

#: Below this extra variation the distribution is Poisson to six digits for any mean that a window can have.
_LEAST_EXTRA: Final = 1e-7
_LEAST_MEAN: Final = 1e-9
_TINY: Final = 1e-300
_TERMS: Final = 10_000
_CLOSE: Final = 1e-11


@njit(cache=True, nogil=True)
def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of I_x(a, b); converges quickly for x < (a + 1) / (a + b + 2)."""
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    value = d
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        d = 1.0 + even * d
        c = 1.0 + even / c
        d = 1.0 / (d if abs(d) > _TINY else _TINY)
        c = c if abs(c) > _TINY else _TINY
        value *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        d = 1.0 + odd * d
        c = 1.0 + odd / c
        d = 1.0 / (d if abs(d) > _TINY else _TINY)
        c = c if abs(c) > _TINY else _TINY
        step = d * c
        value *= step
        if abs(step - 1.0) < _CLOSE:
            break
    return value


@njit(cache=True, nogil=True)
def log_tails(count: float, mean: float, extra: float) -> tuple[float, float]:
    """Logarithms of the mid-p of a high and of a low count: P(Y > y) + P(Y = y)/2 and P(Y < y) + P(Y = y)/2."""
    size = 1.0 / max(extra, _LEAST_EXTRA)
    mean = max(mean, _LEAST_MEAN)
    x, rest = mean / (size + mean), size / (size + mean)
    # log(1 - x), exact also where the mean is tiny beside the size.
    log_rest = -math.log1p(mean / size)
    if count <= 0:
        at_zero = size * log_rest
        return math.log1p(-0.5 * math.exp(at_zero)), at_zero - math.log(2.0)
    at = log_choose(count, size) + count * math.log(x) + size * log_rest
    if count > mean:
        high = at + math.log(_fraction(count, size, x) - 0.5)
        return min(high, 0.0), math.log1p(-min(math.exp(high), 1.0 - 1e-16))
    # P(Y < y) = f × (y / size) × the fraction of the other side.
    low = at + math.log(count / size * _fraction(size, count, rest) + 0.5)
    return math.log1p(-min(math.exp(low), 1.0 - 1e-16)), min(low, 0.0)


@njit(cache=True, nogil=True)
def log_choose(count: float, size: float) -> float:
    """Log of Γ(count + size) / (Γ(size) Γ(count + 1)), also where size is far larger than count."""
    if size > 1e5 and count < 1e-2 * size:
        # The difference of two large logarithms would lose its digits (Stirling, to third order).
        mid = size + 0.5 * (count - 1.0)
        return count * math.log(mid) - count * (count * count - 1.0) / (24.0 * mid * mid) - math.lgamma(count + 1.0)
    return math.lgamma(count + size) - math.lgamma(size) - math.lgamma(count + 1.0)


@njit(cache=True, nogil=True, inline="always")
def deviate(count: float, mean: float, extra: float) -> float:
    """The count as a normal deviate (Wilson & Hilferty 1931), or 9 where that is too far or too rough."""
    if mean < LEAST_MEAN:
        return 9.0
    shape = 1.0 / (extra + 1.0 / mean)
    z = float((np.cbrt(count / mean) - 1.0 + 1.0 / (9.0 * shape)) * 3.0 * math.sqrt(shape))
    return z if abs(z) < USUAL else 9.0


@njit(cache=True, nogil=True, inline="always")
def above_of(z: float) -> float:
    """Probability of more than a normal deviate between -2 and 2."""
    at = (z + USUAL) * PER_UNIT
    low = int(at)
    return float(ABOVE[low] + (at - low) * (ABOVE[low + 1] - ABOVE[low]))


@njit(cache=True, nogil=True, inline="always")
def small_above(count: float, mean: float, extra: float) -> float:
    """Mid-p of so many or more of a small count: its few probabilities one by one."""
    size = 1.0 / max(extra, LEAST_EXTRA)
    some = max(mean, 1e-9)
    x = some / (size + some)
    one = math.exp(-size * math.log1p(some / size))
    below = 0.0
    for k in range(int(count)):
        below += one
        one *= (size + k) / (k + 1.0) * x
    return 1.0 - below - 0.5 * one
