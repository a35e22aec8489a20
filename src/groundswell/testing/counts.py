"""Count series with a day and a week, for tests and benchmarks of the detector."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from groundswell.watch.contract import DAY, MINUTE

Floats = npt.NDArray[np.float64]

WINDOW = 5 * MINUTE
PER_DAY = DAY // WINDOW
#: Posts per window of the stream besides the series.
REST = 5_000


def shape_of(days: int) -> Floats:
    """How a day and a week go, window by window, 1 on average; the first window is that of a Monday, 00:00."""
    at = np.arange(days * PER_DAY) / PER_DAY
    season = np.exp(0.6 * np.sin(2 * np.pi * (at - 0.3)) + 0.2 * np.sin(4 * np.pi * at))
    season *= np.where(at.astype(int) % 7 >= 5, 0.8, 1.0)
    return np.asarray(season / season.mean(), dtype=np.float64)


def quiet_counts(rate: float, size: float | None, series: int, days: int, rng: np.random.Generator) -> Floats:
    """Counts of shape (windows, 1 + series); column 0 is the whole stream.

    `rate` is the mean of a window; `size` that of the negative binomial (None: Poisson). The first window is
    that of a Monday, 00:00.
    """
    season = shape_of(days)
    mean = np.outer(season, np.full(series, rate))
    if size is not None:
        mean = mean * rng.gamma(size, 1 / size, mean.shape)
    counts = rng.poisson(mean)
    rest = rng.poisson(season * REST)[:, None]
    return np.hstack((rest + counts.sum(axis=1, keepdims=True), counts)).astype(float)
