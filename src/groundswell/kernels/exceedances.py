"""The tail of the exceedances of a series, compiled; its plain twin `groundswell.watch.plain` says what it is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from groundswell.kernels.columns import (
    TAIL_CALM,
    TAIL_CLUSTERS,
    TAIL_OPEN,
    TAIL_SQUARE,
    TAIL_SUM,
    TAIL_WINDOWS,
)

Floats = npt.NDArray[np.float64]


@njit(cache=True, nogil=True, inline="always")
def recalibrated(log_p: float, core: Floats, side: int, c: Any) -> float:
    """Log probability by the series' own tail; a theoretical one that it had not yet many exceedances of."""
    u = -log_p
    prior = c.tail_prior
    clusters = core[side + TAIL_CLUSTERS]
    rate = (clusters + prior) / (core[side + TAIL_WINDOWS] + prior * math.exp(c.tail_from))
    log_rate = math.log(rate)
    if u <= c.tail_from:
        return float(-u * (-log_rate / c.tail_from))
    mean = (core[side + TAIL_SUM] + prior) / (clusters + prior)
    square = (core[side + TAIL_SQUARE] + 2.0 * prior) / (clusters + prior)
    variance = max(square - mean * mean, 1e-9)
    shape = min(max(0.5 * (1.0 - mean * mean / variance), 0.0), c.tail_shape)
    scale = mean * (1.0 - shape)
    excess = u - c.tail_from
    if shape > 1e-9:
        return float(log_rate - math.log1p(shape * excess / scale) / shape)
    return float(log_rate - excess / scale)


@njit(cache=True, nogil=True, inline="always")
def learn_tail(row: Floats, side: int, log_p: float, window: float, keep: float, c: Any) -> None:
    """Exceedances within `tail_gap` of each other are one, of the size of the largest."""
    for column in range(TAIL_OPEN):
        row[side + column] *= keep
    row[side + TAIL_WINDOWS] += 1.0
    excess = -log_p - c.tail_from
    if excess > 0:
        row[side + TAIL_OPEN] = max(row[side + TAIL_OPEN], excess)
        row[side + TAIL_CALM] = 0.0
    elif row[side + TAIL_OPEN] > 0:
        row[side + TAIL_CALM] += 1.0
        if row[side + TAIL_CALM] * window >= c.tail_gap:
            top = row[side + TAIL_OPEN]
            row[side + TAIL_CLUSTERS] += 1.0
            row[side + TAIL_SUM] += top
            row[side + TAIL_SQUARE] += top * top
            row[side + TAIL_OPEN] = 0.0
            row[side + TAIL_CALM] = 0.0
