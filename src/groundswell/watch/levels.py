"""How unusual a measured value is: the detector's sibling for positive quantities and shares.

Reach and engagement are positive and span decades, shares lie between 0 and 1: they are scored on a log and a logit
scale, where their noise is about as large at every level. There a value is Student-t around level plus hour of the day:
the predictive distribution of a normal mean and variance that are both learned (West & Harrison, ch. 4). Its tail is
recalibrated by the series' own exceedances as that of counts is. A window without a value is NaN: it is neither scored
nor learned from.

The functions have the names and arguments of `groundswell.watch.detector`. There is no exposure: what the stream does
tells nothing about a share. Only high values are looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from groundswell.kernels import columns as at
from groundswell.watch import plain
from groundswell.watch.constants import CONSTANTS, Constants
from groundswell.watch.contract import DAY, WatchParams
from groundswell.watch.detector import LONGEST_RETURN, Scores, put_rows, untouched
from groundswell.watch.season import place, surroundings

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

Kind = Literal["positive", "share"]

#: Hours of a weekday and of a weekend.
HOURS: Final = 48
#: Shares closer to 0 and 1 than this are as good as 0 and 1.
_EDGE: Final = 0.01
#: Values that the hour's own mean is shrunk to the level by.
_SEASON_PRIOR: Final = 12.0
#: Standard deviation, on the transformed scale, of a series of which nothing is known …
_SPREAD_PRIOR: Final = 0.5
#: … and the windows that it is worth.
_SPREAD_PRIOR_WEIGHT: Final = 10.0
#: Fewest values before anything is scored.
_KNOWN_VALUES: Final = 30.0
_LEAST_SPREAD: Final = 0.02


@dataclass
class Levels:
    """What is known of every series; all arrays have one row a series."""

    kind: Kind
    core: Floats
    """Discounted sums; columns as in `groundswell.kernels.columns`, values in the place of posts."""
    bin_sums: Floats
    """Discounted deviations from the level by hour and kind of day, shape (series, 48), hour by hour in memory …"""
    bin_windows: Floats
    """… and how many."""

    #: Names of the arrays.
    ARRAYS: ClassVar[tuple[str, ...]] = ("core", "bin_sums", "bin_windows")

    @classmethod
    def empty(cls, series: int, kind: Kind = "positive") -> Levels:
        """What is known of `series` series before anything was seen."""
        return cls(kind, np.zeros((series, at.COLUMNS)), untouched(series, HOURS), untouched(series, HOURS))

    def rows(self, kept: Ints) -> Levels:
        """Those of other rows; -1 is a series of which nothing is known."""
        fresh = Levels.empty(len(kept), self.kind)
        for name in self.ARRAYS:
            put_rows(getattr(fresh, name), getattr(self, name), kept)
        return fresh

    def __len__(self) -> int:
        return len(self.core)

    @property
    def seen(self) -> Floats:
        """Windows learned from."""
        return self.core[:, at.SEEN]


def transform(values: Floats, kind: Kind) -> Floats:
    """Values on the scale on which they are scored; NaN stays NaN.

    >>> transform(np.array([0.0, 0.5]), "share").round(2).tolist()
    [-4.6, 0.0]
    """
    if kind == "share":
        return np.asarray(special.logit(np.clip(values, _EDGE, 1 - _EDGE)), dtype=np.float64)
    return np.log1p(np.maximum(values, 0.0))


def untransform(values: Floats, kind: Kind) -> Floats:
    """The inverse of `transform`."""
    if kind == "share":
        return np.asarray(special.expit(values), dtype=np.float64)
    return np.expm1(np.minimum(values, 700.0))


def _bins(start_us: int, window_us: int) -> tuple[int, int, float]:
    hour0, day0, hour1, day1, weight = surroundings(start_us, window_us)
    return hour0 * 2 + day0 // 5, hour1 * 2 + day1 // 5, weight


def forecast(
    levels: Levels,
    start_us: int,
    params: WatchParams,
    free: Bools | None = None,
    constants: Constants = CONSTANTS,
) -> Floats:
    """Median and variance on the transformed scale, season, and degrees of freedom; shape (4, series)."""
    first, second, weight = _bins(start_us, params.window_us)
    now, following = (levels.bin_sums[:, n] / (levels.bin_windows[:, n] + _SEASON_PRIOR) for n in (first, second))
    season = (1 - weight) * now + weight * following
    core = levels.core
    windows = core[:, at.LEVEL_WINDOWS]
    level = core[:, at.LEVEL_POSTS] / np.maximum(windows, 1e-9)
    known = core[:, at.SPREAD_WEIGHT] + _SPREAD_PRIOR_WEIGHT
    variance = (core[:, at.SPREAD_SUM] + _SPREAD_PRIOR**2 * _SPREAD_PRIOR_WEIGHT) / known
    behind = (1 - weight) * levels.bin_windows[:, first] + weight * levels.bin_windows[:, second]
    variance = np.maximum(variance, _LEAST_SPREAD**2) * (1 + 1 / (windows + 1) + 1 / (behind + _SEASON_PRIOR))
    return np.stack((level + season, variance, season, known))


def score(
    levels: Levels,
    values: Floats,
    start_us: int,
    params: WatchParams,
    known: Floats | None = None,
    exposure: tuple[Floats, Floats] | None = None,
    constants: Constants = CONSTANTS,
) -> Scores:
    """How unusual the values of the window that starts at `start_us` are; NaN is not unusual. Learns nothing."""
    known = forecast(levels, start_us, params, constants=constants) if known is None else known
    centre, variance, _, freedom = known
    spread = np.sqrt(variance)
    there = ~np.isnan(values)
    t = np.where(there, transform(np.where(there, values, 0.0), levels.kind) - centre, 0.0) / spread
    # A normal deviate that is as rare as the Student-t one (Wallace 1959).
    z = np.sign(t) * (8 * freedom + 1) / (8 * freedom + 3) * np.sqrt(freedom * np.log1p(t * t / freedom))
    high, low = special.log_ndtr(-z), special.log_ndtr(z)
    p_burst = np.exp(plain.recalibrated(high, levels.core, at.BURST, constants))
    p_drop = np.exp(plain.recalibrated(low, levels.core, at.DROP, constants))
    days = np.minimum(params.window_us / DAY / np.maximum(p_burst, 1e-300), LONGEST_RETURN)
    days = np.where(there, days, 0.0)
    none = np.zeros(len(values), dtype=np.bool_)
    return Scores(
        expected=untransform(centre, levels.kind),
        extra=variance,
        dispersion=np.ones(len(values)),
        p_burst=p_burst,
        p_drop=p_drop,
        p_alone=p_burst,
        return_days=days,
        drop=none,
        learning=levels.seen < _KNOWN_VALUES,
        platform_ratio=None,
        platform_rise=np.ones(len(values)),
        alone_days=days,
        surprise=np.stack((high, low)),
        edges=(untransform(centre - 1.96 * spread, levels.kind), untransform(centre + 1.96 * spread, levels.kind)),
    )


def learn(  # noqa: PLR0913, PLR0917 - the arguments of `detector.learn`
    levels: Levels,
    values: Floats,
    start_us: int,
    params: WatchParams,
    taught: Bools,
    known: Floats | None = None,
    scores: Scores | None = None,
    free: Bools | None = None,
    constants: Constants = CONSTANTS,
) -> None:
    """Let the window teach the series in `taught` that have a value. Changes `levels`."""
    known = forecast(levels, start_us, params, free, constants) if known is None else known
    scores = score(levels, values, start_us, params, known, constants=constants) if scores is None else scores
    taught = taught & ~np.isnan(values)
    core, window, c = levels.core, params.window_us, constants
    centre, variance, season, _ = known
    x = np.where(taught, transform(np.where(taught, values, 0.0), levels.kind), centre)
    spread, seen = np.sqrt(variance), core[:, at.SEEN].copy()
    young = seen < _KNOWN_VALUES
    off = x - centre
    outside = ~young & (np.abs(off) > c.level_clip * spread)
    runs = np.where(outside, core[:, at.OUTSIDE] + 1, np.maximum(core[:, at.OUTSIDE] - 3, 0.0))
    shifted = (runs * window >= c.shift_after) & (runs >= 3)
    runs = np.where(shifted, np.minimum(runs, max(c.shift_after / window, 3.0) + 3), runs)
    free_to_move = young | shifted
    moved = np.where(free_to_move, off, np.clip(off, -c.level_clip * spread, c.level_clip * spread))
    half = np.minimum(max(c.level_half_life / window, 4 * c.level_windows), np.maximum(seen / 2, 6.0))
    keep = np.exp2(-1.0 / half) * np.where(shifted, c.shift_forgets, 1.0)
    plain.put(core, at.LEVEL_POSTS, keep * core[:, at.LEVEL_POSTS] + centre - season + moved, taught)
    plain.put(core, at.LEVEL_WINDOWS, keep * core[:, at.LEVEL_WINDOWS] + 1.0, taught)
    # The first values tell the level; how far from it they lie is known only afterwards.
    wide = np.clip(off, -c.spread_clip * spread, c.spread_clip * spread)
    longest = max(c.spread_half_life / window, 5 * c.level_windows)
    fade = np.exp2(-1.0 / np.minimum(longest, np.maximum(seen / 2, 20.0)))
    steady = taught & ~shifted & (seen >= 3)
    plain.put(core, at.SPREAD_SUM, fade * core[:, at.SPREAD_SUM] + wide**2, steady)
    plain.put(core, at.SPREAD_WEIGHT, fade * core[:, at.SPREAD_WEIGHT] + 1.0, steady)
    _learn_season(
        levels, season + np.clip(off, -c.season_clip * spread, c.season_clip * spread), start_us, params, taught
    )
    plain.learn_tail(core, at.BURST, scores.surprise[0], taught & ~young, window, c)
    plain.put(core, at.OUTSIDE, runs, taught)
    plain.put(core, at.SEEN, seen + 1.0, taught)


def _learn_season(levels: Levels, off: Floats, start_us: int, params: WatchParams, taught: Bools) -> None:
    hour, day = place(start_us + params.window_us // 2)
    number = hour * 2 + day // 5
    fade = 1.0 - 2.0 ** (-min(params.window_us * 24, DAY) / CONSTANTS.season_half_life)
    for array, new in ((levels.bin_sums, off), (levels.bin_windows, np.ones(len(off)))):
        array[:, number] += np.where(taught, new - fade * array[:, number], 0.0)


def run(
    levels: Levels,
    values: Floats,
    starts_us: Ints | Sequence[int],
    params: WatchParams,
    taught: Bools | None = None,
    constants: Constants = CONSTANTS,
) -> Scores:
    """Forecast, score and learn window after window; arrays of shape (windows, series) as in `detector.run`."""
    everyone = np.ones(values.shape[1], dtype=np.bool_)
    found = []
    for number, start in enumerate(np.asarray(starts_us, dtype=np.int64).tolist()):
        known = forecast(levels, start, params, constants=constants)
        scores = score(levels, values[number], start, params, known, constants=constants)
        learn(levels, values[number], start, params, everyone if taught is None else taught[number], known, scores)
        found.append(scores)
    return stacked(found)


def stacked(found: Sequence[Scores]) -> Scores:
    """The scores of windows as those of a run."""
    names = ("expected", "extra", "dispersion", "p_burst", "p_drop", "p_alone", "return_days", "drop", "learning")
    arrays: dict[str, Any] = {
        name: np.stack([getattr(one, name) for one in found]) for name in (*names, "platform_rise", "alone_days")
    }
    edges = (np.stack([one.lower for one in found]), np.stack([one.upper for one in found]))
    surprise = np.stack([one.surprise for one in found], axis=1)
    return replace(found[0], **arrays, surprise=surprise, edges=edges)
