"""The shape of a day and of a week, learned per series and shrunk to the whole stream's while young.

Two kinds of day (Monday to Friday, weekend; UTC) times 24 hours are 48 bins. Between the centres of the hours
the season is interpolated, so that it does not jump.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from groundswell.watch.contract import DAY, HOUR

Floats = npt.NDArray[np.float64]

BINS: Final = 48
#: How many posts the profile that a series is shrunk to is worth.
PRIOR_POSTS: Final = 30.0
#: The first of January 1970 was a Thursday; days are counted from Monday.
_THURSDAY: Final = 3


def bin_of(at_us: int) -> int:
    """The bin of an instant: 0 to 23 the hour on a weekday, 24 to 47 on a weekend.

    >>> bin_of(0), bin_of(2 * DAY + 13 * HOUR)
    (0, 37)
    """
    weekend = (at_us // DAY + _THURSDAY) % 7 >= 5
    return int(at_us // HOUR % 24) + 24 * int(weekend)


def neighbours(middle_us: int) -> tuple[int, int, float]:
    """The two bins whose centres surround an instant, and the weight of the second."""
    before = middle_us - HOUR // 2
    return bin_of(before), bin_of(before + HOUR), before % HOUR / HOUR


def profile(posts: Floats, windows: Floats) -> Floats:
    """Season factors of the whole stream, shape (48,), mean about 1; hours never seen are 1.

    `posts` and `windows` are the stream's discounted sums per bin.
    """
    by_hour = posts.reshape(2, 24).sum(axis=0)
    windows_by_hour = windows.reshape(2, 24).sum(axis=0)
    seen = windows_by_hour > 0
    if not seen.any() or by_hour.sum() <= 0:
        return np.ones(BINS)
    mean = float(np.mean(by_hour[seen] / windows_by_hour[seen]))
    hour = (by_hour + PRIOR_POSTS) / (mean * windows_by_hour + PRIOR_POSTS)
    prior = np.tile(hour, 2)
    return (posts + PRIOR_POSTS * prior) / (mean * windows + PRIOR_POSTS)


def factors(posts: Floats, windows: Floats, stream: Floats) -> Floats:
    """Season factors of many series, shape (series, 48), shrunk to the stream's profile.

    `posts` and `windows` have shape (series, 48).
    """
    exposure = (windows * stream).sum(axis=1)  # not `@`: a row must not depend on how many others there are
    mean = np.divide(posts.sum(axis=1), exposure, out=np.zeros(len(posts)), where=exposure > 0)[:, None]
    season: Floats = (posts + PRIOR_POSTS * stream) / (mean * windows + PRIOR_POSTS)
    return season
