"""How unusual a closed window is: one vectorised kernel for all series, pure and without I/O.

The count of a window is negative binomial around level times season. What is not known for certain widens it:
the predictive distribution of a gamma-Poisson model with discounted sums (West & Harrison, *Bayesian
Forecasting and Dynamic Models*, ch. 14) has the extra variation

    v = overdispersion + 1 / posts behind the level + 1 / posts behind the season's hour

so a young series has a wide band and an old one a narrow one. Row 0 is the whole stream. The rest of the
stream is an exposure: a tracker must exceed what the rise of everything else explains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from groundswell.watch.contract import DAY, HOUR, WatchParams
from groundswell.watch.season import BINS, PRIOR_POSTS, bin_of, factors, neighbours, profile
from groundswell.watch.tails import burst_tail, drop_tail, quantile

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

Forecast = tuple[Floats, Floats, Floats]
"""What is expected of a window, its extra variation and its season factor; one row a series."""

LEVEL_HALF_LIFE: Final = DAY
"""Memory of the level where posts are plenty."""
LEVEL_LONGEST: Final = 14 * DAY
LEVEL_POSTS: Final = 150.0
"""A rare word's level remembers about this many posts, if `LEVEL_LONGEST` allows."""
SEASON_HALF_LIFE: Final = 21 * DAY
SPREAD_HALF_LIFE: Final = 7 * DAY

PRIOR_LEVEL: Final = 0.5
"""Posts that every series is taken to have had (Jeffreys' prior of a Poisson rate)."""
PRIOR_SPREAD: Final = 0.05
"""Overdispersion of a series of which nothing is known …"""
PRIOR_SPREAD_WEIGHT: Final = 400.0
"""… and what that is worth: about sixteen windows of 10 posts."""

LEVEL_CLIP: Final = 3.0
"""A window teaches the level at most this many standard deviations."""
SPREAD_CLIP: Final = 6.0
SHIFT_AFTER: Final = 6 * HOUR
"""Outside its band for this long, a series has a new level."""
SHIFT_FORGETS: Final = 0.9

KNOWN_STREAM: Final = DAY
"""Before this much is seen of the stream, nothing is scored."""
KNOWN_SERIES: Final = HOUR
"""A tracker borrows the stream's season, so it is scored after this; the band is wide at first."""

PLATFORM_PRIOR: Final = 25.0
"""Posts by which the stream's rise is shrunk towards none."""
DROP_SHARE: Final = 0.2
"""Part of the promise that is spent on drops, where they are looked for."""
LONGEST_RETURN: Final = 365_000.0
_LEAST_P: Final = 1e-300
_LEAST_DROP: Final = 1e-16


@dataclass
class Detector:
    """What is known of every series; row 0 is the whole stream. All arrays have one row a series."""

    seen: Floats
    """Windows learned from."""
    level_posts: Floats
    level_windows: Floats
    spread_sum: Floats
    spread_weight: Floats
    spread_variance: Floats
    outside: Floats
    """Windows outside the band, in a row or nearly."""
    bin_posts: Floats
    bin_windows: Floats
    season: Floats
    """Season factors as of the last hour that began, shape (series, 48)."""
    season_hour: int = -1

    #: Names of the arrays.
    ARRAYS: ClassVar[tuple[str, ...]] = (
        "seen",
        "level_posts",
        "level_windows",
        "spread_sum",
        "spread_weight",
        "spread_variance",
        "outside",
        "bin_posts",
        "bin_windows",
        "season",
    )

    @classmethod
    def empty(cls, series: int) -> Detector:
        """A detector that knows nothing of `series` series."""
        arrays: dict[str, Any] = {name: np.zeros(series) for name in cls.ARRAYS[:7]}
        return cls(
            **arrays,
            bin_posts=np.zeros((series, BINS)),
            bin_windows=np.zeros((series, BINS)),
            season=np.ones((series, BINS)),
        )

    def rows(self, kept: npt.NDArray[np.int64]) -> Detector:
        """The detector of other rows; -1 is a series of which nothing is known."""
        fresh = Detector.empty(len(kept))
        old = kept >= 0
        for name in self.ARRAYS:
            getattr(fresh, name)[old] = getattr(self, name)[kept[old]]
        fresh.season_hour = -1
        return fresh

    def __len__(self) -> int:
        return len(self.seen)


@dataclass(frozen=True)
class Scores:
    """What the kernel says of one window; arrays with one row a series."""

    expected: Floats
    extra: Floats
    lower: Floats
    upper: Floats
    p_burst: Floats
    """Probability of so many or more, given what the whole stream did."""
    p_drop: Floats
    p_alone: Floats
    """Probability of so many or more (or so few, for a drop), the stream left out of account."""
    return_days: Floats
    drop: Bools
    """Whether the rarer side is the low one."""
    learning: Bools
    platform_ratio: float | None
    platform_rise: Floats
    """For each series by what factor the rest of the stream is above its expectation, beyond chance."""
    alone_days: Floats
    """Return period with the stream left out of account; where only this is long, the state is `macro`."""


def refresh_season(detector: Detector, start_us: int) -> None:
    """Recompute the season's factors if an hour began since they were made."""
    hour = start_us // HOUR
    if detector.season_hour == hour:
        return
    stream = profile(detector.bin_posts[0], detector.bin_windows[0])
    detector.season = factors(detector.bin_posts, detector.bin_windows, stream)
    detector.season[0] = stream
    detector.season_hour = hour


def forecast(detector: Detector, start_us: int, params: WatchParams) -> Forecast:
    """Expected count, extra variation and season factor of the window that starts at `start_us`."""
    refresh_season(detector, start_us)
    first, second, weight = neighbours(start_us + params.window_us // 2)
    season = (1 - weight) * detector.season[:, first] + weight * detector.season[:, second]
    posts = detector.level_posts + PRIOR_LEVEL
    expected = posts / (detector.level_windows + 1.0) * season
    behind = (1 - weight) * detector.bin_posts[:, first] + weight * detector.bin_posts[:, second]
    known = detector.spread_weight + PRIOR_SPREAD_WEIGHT
    spread = (detector.spread_sum + PRIOR_SPREAD * PRIOR_SPREAD_WEIGHT) / known
    prior_variance = (PRIOR_SPREAD * PRIOR_SPREAD_WEIGHT) ** 2
    unsure = np.sqrt(detector.spread_variance + prior_variance) / known
    extra = np.maximum(spread, 0.0) + unsure + 1.0 / posts + 1.0 / (behind + PRIOR_POSTS)
    return expected, extra, season


def score(
    detector: Detector, counts: Floats, start_us: int, params: WatchParams, known: Forecast | None = None
) -> Scores:
    """How unusual the counts of the window that starts at `start_us` are. Learns nothing.

    `known` is the window's `forecast`, where the caller has it already.
    """
    expected, extra, _ = known or forecast(detector, start_us, params)
    stream_known = bool(detector.seen[0] * params.window_us >= KNOWN_STREAM)
    learning = (detector.seen * params.window_us < KNOWN_SERIES) | (not stream_known)
    others = _platform_rise(counts, expected, float(extra[0]))
    burst_alone = burst_tail(counts, expected, extra)
    drop_alone = np.maximum(1.0 - burst_alone, _LEAST_DROP)
    p_burst, p_drop = burst_alone.copy(), drop_alone.copy()
    up, down = np.flatnonzero(others > 1), np.flatnonzero(others < 1)
    p_burst[up] = burst_tail(counts[up], (expected * others)[up], extra[up])
    p_drop[down] = drop_tail(counts[down], (expected * others)[down], extra[down])
    looked = expected >= params.drop_expected
    share = np.where(looked, DROP_SHARE, 0.0)
    days = params.window_us / DAY
    burst_days = days * (1 - share) / np.maximum(p_burst, _LEAST_P)
    drop_days = days * share / np.maximum(p_drop, _LEAST_P)
    drop = drop_days > burst_days
    alone_days = days * np.where(
        drop, share / np.maximum(drop_alone, _LEAST_P), (1 - share) / np.maximum(burst_alone, _LEAST_P)
    )
    # Both ends at once: for few series the calls cost more than the numbers.
    ends = np.repeat((0.025, 0.975), len(expected))
    lower, upper = quantile(ends, np.tile(expected, 2), np.tile(extra, 2)).reshape(2, -1)
    return Scores(
        expected=expected,
        extra=extra,
        lower=lower,
        upper=upper,
        p_burst=p_burst,
        p_drop=p_drop,
        p_alone=np.where(drop, drop_alone, burst_alone),
        return_days=np.minimum(np.maximum(burst_days, drop_days), LONGEST_RETURN),
        drop=drop,
        learning=learning,
        platform_ratio=float(counts[0] / expected[0]) if stream_known else None,
        platform_rise=others,
        alone_days=np.minimum(alone_days, LONGEST_RETURN),
    )


def _platform_rise(counts: Floats, expected: Floats, stream_extra: float) -> Floats:
    """By what factor the rest of the stream is above its expectation, as far as that is no chance.

    The chance part is taken out as James and Stein do: a rise within one standard error is none.
    """
    rest = np.maximum(expected[0] - expected, 0.0)
    rise = (counts[0] - counts + PLATFORM_PRIOR) / (rest + PLATFORM_PRIOR) - 1.0
    chance = stream_extra + 1.0 / (rest + PLATFORM_PRIOR)
    factor = 1.0 + rise * np.maximum(0.0, 1.0 - chance / np.maximum(rise**2, 1e-12))
    factor[0] = 1.0
    return np.asarray(factor, dtype=np.float64)


def learn(
    detector: Detector,
    counts: Floats,
    start_us: int,
    params: WatchParams,
    taught: Bools,
    known: Forecast | None = None,
) -> None:
    """Let the window teach the series in `taught`. Changes `detector`. `known` as in `score`.

    An unusual window teaches no more than `LEVEL_CLIP` standard deviations, until the series has been outside
    its band for `SHIFT_AFTER`: then it is believed, and the old level forgotten.
    """
    expected, extra, season = known or forecast(detector, start_us, params)
    deviation = np.sqrt(expected + extra * expected**2)
    window = float(params.window_us)
    young = detector.seen * window < KNOWN_SERIES
    outside = ~young & (np.abs(counts - expected) > LEVEL_CLIP * deviation + 1.0)
    runs = np.where(outside, detector.outside + 1, np.maximum(detector.outside - 3, 0.0))
    shifted = runs * window >= SHIFT_AFTER
    runs = np.where(shifted, np.minimum(runs, SHIFT_AFTER / window + 3), runs)
    reach = LEVEL_CLIP * deviation + 2.0
    clipped = np.where(young | shifted, counts, np.clip(counts, expected - reach, expected + reach))
    wide = np.where(young, counts, np.minimum(counts, expected + SPREAD_CLIP * deviation + 3.0))

    keep = _level_memory(detector, window) * np.where(shifted, SHIFT_FORGETS, 1.0)
    _update(detector.level_posts, keep * detector.level_posts + clipped, taught)
    _update(detector.level_windows, keep * detector.level_windows + season, taught)
    _learn_spread(detector, wide, expected, extra, taught & ~shifted & ~young, window)
    _learn_season(detector, clipped, start_us, taught, params)
    _update(detector.outside, runs, taught)
    detector.seen[taught] += 1.0


def _update(array: Floats, new: Floats, where: Bools) -> None:
    np.copyto(array, new, where=where)


def _level_memory(detector: Detector, window: float) -> Floats:
    """What is kept of the level per window: half-life a day, more for rare words, less while young."""
    rate = (detector.level_posts + PRIOR_LEVEL) / (detector.level_windows + 1.0)
    half_life = np.clip(LEVEL_POSTS / rate, LEVEL_HALF_LIFE / window, LEVEL_LONGEST / window)
    half_life = np.minimum(half_life, np.maximum(detector.seen / 2, HOUR / window))
    keep: Floats = np.exp2(-1.0 / half_life)
    return keep


def _learn_spread(
    detector: Detector, counts: Floats, expected: Floats, extra: Floats, taught: Bools, window: float
) -> None:
    """Overdispersion by weighted moments; the weights are about the inverse variances of the single estimates."""
    half_life = np.minimum(SPREAD_HALF_LIFE / window, np.maximum(detector.seen / 3, DAY / window))
    keep = np.exp2(-1.0 / half_life)
    weight = (expected / (1.0 + 0.1 * expected)) ** 2
    spread = (detector.spread_sum + PRIOR_SPREAD * PRIOR_SPREAD_WEIGHT) / (detector.spread_weight + PRIOR_SPREAD_WEIGHT)
    posts = detector.level_posts + PRIOR_LEVEL
    single = ((counts - expected) ** 2 - expected) / np.maximum(expected, 1e-9) ** 2 - 1.0 / posts
    variance = 2.0 * (1.0 / np.maximum(expected, 1e-9) + np.maximum(spread, 0.0)) ** 2
    _update(detector.spread_sum, keep * detector.spread_sum + weight * single, taught)
    _update(detector.spread_weight, keep * detector.spread_weight + weight, taught)
    _update(detector.spread_variance, keep**2 * detector.spread_variance + weight**2 * variance, taught)


def _learn_season(detector: Detector, counts: Floats, start_us: int, taught: Bools, params: WatchParams) -> None:
    # A bin is met for an hour, then not for a day or a week: it forgets by the windows that it was met in.
    keep = 2.0 ** (-params.window_us * 24 / SEASON_HALF_LIFE)
    number = bin_of(start_us + params.window_us // 2)
    for array, new in ((detector.bin_posts, np.maximum(counts, 0.0)), (detector.bin_windows, np.ones(len(counts)))):
        column = array[:, number]
        array[:, number] = np.where(taught, keep * column + new, column)
