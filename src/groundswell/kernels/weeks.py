"""The shape of a week, compiled; `groundswell.watch.season` is the plain twin and says what it means."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from groundswell.kernels.columns import DAYS

Floats = npt.NDArray[np.float64]

HOUR: Final = 3_600_000_000
DAY: Final = 86_400_000_000


@njit(cache=True, nogil=True)
def place(at: int) -> tuple[int, int]:
    """Hour of the day and day of the week (Monday: 0) of an instant, UTC."""
    return at // HOUR % 24, (at // DAY + 3) % 7


@njit(cache=True, nogil=True)
def weights(start: int, window: int) -> tuple[float, float, float]:
    """What the hour before, the hour itself and the hour after a window's middle weigh in its season."""
    if window > HOUR:
        return 0.0, 1.0, 0.0
    x = (start + window // 2) % HOUR / HOUR - 0.5
    width = window / HOUR
    bend = 0.5 * (x * x + (width * width - 1.0) / 12.0)
    return bend - 0.5 * x, 1.0 - 2.0 * bend, bend + 0.5 * x


@njit(cache=True, nogil=True)
def stream_profile(posts: Floats, windows: Floats, rough: float, c: Any, by_bin: Floats, by_kind: Floats) -> None:
    """Season factors of the whole stream into `by_bin` (168) and, weekday and weekend, `by_kind` (48)."""
    prior, day_prior = rough * c.season_prior, rough * c.season_day_prior
    mean, seen = 0.0, 0
    for hour in range(24):
        hour_posts = hour_windows = 0.0
        for day in range(DAYS):
            hour_posts += posts[hour * DAYS + day]
            hour_windows += windows[hour * DAYS + day]
        if hour_windows > 0:
            mean += hour_posts / hour_windows
            seen += 1
    if seen == 0 or mean <= 0:
        by_bin[:] = 1.0
        by_kind[:] = 1.0
        return
    mean /= seen
    for hour in range(24):
        kind_posts = np.zeros(2)
        kind_windows = np.zeros(2)
        for day in range(DAYS):
            kind_posts[day // 5] += posts[hour * DAYS + day]
            kind_windows[day // 5] += windows[hour * DAYS + day]
        hour_factor = (kind_posts.sum() + prior) / (mean * kind_windows.sum() + prior)
        for kind in range(2):
            by_kind[hour * 2 + kind] = (kind_posts[kind] + prior * hour_factor) / (mean * kind_windows[kind] + prior)
        for day in range(DAYS):
            number = hour * DAYS + day
            kind_factor = by_kind[hour * 2 + day // 5]
            by_bin[number] = (posts[number] + day_prior * kind_factor) / (mean * windows[number] + day_prior)


@njit(cache=True, nogil=True, inline="always")
def factor(  # noqa: PLR0913, PLR0917 - a loop takes its arrays one by one
    posts: Floats,
    windows: Floats,
    mean: float,
    rough: float,
    hour: int,
    day: int,
    by_bin: Floats,
    by_kind: Floats,
    c: Any,
) -> tuple[float, float]:
    """Season factor of one bin, shrunk to the series' kind of day and that to the stream's; and the posts behind it."""
    kind_posts = kind_windows = 0.0
    base = hour * DAYS
    kind = day // 5
    for other in range(5 if kind else 0, DAYS if kind else 5):
        kind_posts += posts[base + other]
        kind_windows += windows[base + other]
    stream_kind = by_kind[hour * 2 + kind]
    prior = rough * c.season_prior
    own_kind = (kind_posts + prior * stream_kind) / (mean * kind_windows + prior)
    shape = own_kind * by_bin[base + day] / stream_kind
    prior = rough * c.season_day_prior
    return (posts[base + day] + prior * shape) / (mean * windows[base + day] + prior), kind_posts
