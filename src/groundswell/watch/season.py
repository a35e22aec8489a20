"""The shape of a week, learned per series and shrunk to the whole stream's while young.

Hour of the day × day of the week (UTC) are 168 bins. A bin is shrunk to its kind of day (Monday to Friday, weekend),
that of a series to the whole stream's and that of the stream to its day. The rougher a series, the less its posts tell
about its week. Within an hour the season follows the parabola that has the means of the hour and of its neighbours.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from groundswell.kernels.columns import BINS, DAYS
from groundswell.watch.constants import Constants
from groundswell.watch.contract import DAY, HOUR

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

__all__ = ["BINS", "DAYS", "factor", "of_kind", "place", "stream_profile", "surroundings", "weights"]

#: The first of January 1970 was a Thursday; days are counted from Monday.
_THURSDAY = 3


def place(at_us: int) -> tuple[int, int]:
    """Hour of the day and day of the week (Monday: 0) of an instant, UTC.

    >>> place(0), place(2 * DAY + 13 * HOUR)
    ((0, 3), (13, 5))
    """
    return at_us // HOUR % 24, (at_us // DAY + _THURSDAY) % 7


def surroundings(start_us: int, window_us: int) -> tuple[int, int, int, int, float]:
    """Hour and day of the two bins whose centres surround a window's middle, and the weight of the second.

    A window of an hour or more has one bin, that of its middle.
    """
    middle = start_us + window_us // 2
    if window_us >= HOUR:
        return *place(middle), *place(middle), 0.0
    before = middle - HOUR // 2
    return *place(before), *place(before + HOUR), before % HOUR / HOUR


def weights(start_us: int, window_us: int) -> tuple[float, float, float]:
    """What the hour before, the hour itself and the hour after a window's middle weigh in its season.

    They are the mean over the window of the parabola that has the means of the three hours (as in the piecewise
    parabolic method, Colella & Woodward 1984): linear interpolation between means cuts off tops and fills valleys. A
    window that is longer than an hour has one bin, that of its middle.

    >>> [round(one, 3) for one in weights(0, HOUR)], [round(one, 3) for one in weights(HOUR // 2, HOUR)]
    ([0.0, 1.0, 0.0], [0.375, 0.75, -0.125])
    """
    if window_us > HOUR:
        return 0.0, 1.0, 0.0
    x = (start_us + window_us // 2) % HOUR / HOUR - 0.5
    width = window_us / HOUR
    bend = 0.5 * (x * x + (width * width - 1.0) / 12.0)
    return bend - 0.5 * x, 1.0 - 2.0 * bend, bend + 0.5 * x


def stream_profile(posts: Floats, windows: Floats, rough: float, c: Constants) -> tuple[Floats, Floats]:
    """Season factors of the whole stream by bin (168) and by hour and kind of day (48); hours never seen are 1.

    `posts` and `windows` are the stream's discounted sums per bin; `rough` as in `factor`.
    """
    prior, day_prior = rough * c.season_prior, rough * c.season_day_prior
    by_day, windows_by_day = posts.reshape(24, DAYS), windows.reshape(24, DAYS)
    hour, windows_by_hour = by_day.sum(axis=1), windows_by_day.sum(axis=1)
    seen = windows_by_hour > 0
    mean = float(np.mean(hour[seen] / windows_by_hour[seen])) if seen.any() else 0.0
    if mean <= 0:
        return np.ones(BINS), np.ones(48)
    by_hour = (hour + prior) / (mean * windows_by_hour + prior)
    kinds = np.stack((by_day[:, :5].sum(axis=1), by_day[:, 5:].sum(axis=1)), axis=1)
    windows_by_kind = np.stack((windows_by_day[:, :5].sum(axis=1), windows_by_day[:, 5:].sum(axis=1)), axis=1)
    by_kind = (kinds + prior * by_hour[:, None]) / (mean * windows_by_kind + prior)
    spread_out = np.concatenate((np.repeat(by_kind[:, :1], 5, axis=1), np.repeat(by_kind[:, 1:], 2, axis=1)), axis=1)
    by_bin = (by_day + day_prior * spread_out) / (mean * windows_by_day + day_prior)
    return by_bin.ravel(), by_kind.ravel()


def factor(
    posts: Floats,
    windows: Floats,
    mean: Floats,
    rough: Floats,
    hour: int,
    days: Ints,
    stream: tuple[Floats, Floats],
    c: Constants,
) -> tuple[Floats, Floats]:
    """Season factors of all series at an hour and each one's day, and the posts behind them.

    They are shrunk to the series' kind of day and that to the stream's. `posts` and `windows` have shape (series, 168),
    `mean` are the posts that a series has in a window of factor 1, `rough` by what factor its counts vary more than
    chance: so many of its posts tell as much as one that comes by chance. Row 0 is the stream.
    """
    by_bin, by_kind = stream
    base, rows = hour * DAYS, np.arange(len(posts))
    kind_posts, kind_windows = of_kind(posts, hour, days), of_kind(windows, hour, days)
    stream_kind = by_kind[hour * 2 + (days >= 5)]
    prior = rough * c.season_prior
    own_kind = (kind_posts + prior * stream_kind) / (mean * kind_windows + prior)
    shape, prior = own_kind * by_bin[base + days] / stream_kind, rough * c.season_day_prior
    season = (posts[rows, base + days] + prior * shape) / (mean * windows[rows, base + days] + prior)
    season[0] = by_bin[base + days[0]]
    return np.asarray(season, dtype=np.float64), kind_posts


def of_kind(sums: Floats, hour: int, days: Ints) -> Floats:
    """Sums of an hour over the days of the same kind as each series' day; `sums` has shape (series, 168)."""
    base = hour * DAYS
    # In the order of the days, as the compiled loop adds them.
    work = sums[:, base] + sums[:, base + 1] + sums[:, base + 2] + sums[:, base + 3] + sums[:, base + 4]
    return np.where(days >= 5, sums[:, base + 5] + sums[:, base + 6], work)
