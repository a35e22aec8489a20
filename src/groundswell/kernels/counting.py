"""The detector's loops over series and windows; `groundswell.watch.detector` is the plain twin and says what they mean.

A row of `core` holds what is known of one series, in the columns of `groundswell.kernels.columns`; `bin_posts` and
`bin_windows` have a row for each hour of the week and a column for each series. `c` is
`groundswell.watch.constants.Constants`.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from groundswell.kernels.columns import (
    ALONE_DAYS,
    BINS,
    BURST,
    DAYS,
    DROP,
    IS_DROP,
    LEAST_P,
    LEVEL_POSTS,
    LEVEL_WINDOWS,
    LOG_HIGH,
    LOG_LOW,
    LONGEST_RETURN,
    OUTSIDE,
    P_ALONE,
    P_BURST,
    P_DROP,
    RETURN_DAYS,
    RISE,
    SEEN,
    SPREAD_SUM,
    SPREAD_VARIANCE,
    SPREAD_WEIGHT,
    TOTAL_POSTS,
    TOTAL_WINDOWS,
)
from groundswell.kernels.exceedances import learn_tail, recalibrated
from groundswell.kernels.negbinomial import above_of, deviate, log_tails, small_above
from groundswell.kernels.normal import LEAST_MEAN, LEAST_SMALL, MOST_SMALL, NO_SURPRISE
from groundswell.kernels.weeks import DAY, HOUR, factor, place, stream_profile, weights

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_SUNDAY: Final = 6
#: A bend between hours takes no part of an hour below this part of the least of them.
_LEAST_OF_HOUR: Final = 0.5


@njit(cache=True, nogil=True)
def forecast_rows(  # noqa: PLR0913, PLR0917 - a loop takes its arrays one by one
    core: Floats,
    bin_posts: Floats,
    bin_windows: Floats,
    start: int,
    window: int,
    free: Bools,
    c: Any,
    out: Floats,
    begin: int,
    end: int,
) -> None:
    """What is expected, its extra variation, its season factor and its dispersion, into `out` (4, series).

    Does the series from `begin` to `end`, so that two threads can do half each.
    """
    by_bin, by_kind = np.empty(BINS), np.empty(48)
    stream_profile(bin_posts[:, 0], bin_windows[:, 0], rough_of(core[0], c), c, by_bin, by_kind)
    middle = start + window // 2
    hour, day = place(middle)
    hour_before, day_before = place(middle - HOUR)
    hour_after, day_after = place(middle + HOUR)
    first, second, third = weights(start, window)
    bent = first != 0.0 or third != 0.0
    holidays = free.shape[1] > 0
    for i in range(begin, end):
        row, own_posts, own_windows = core[i], bin_posts[:, i], bin_windows[:, i]
        mean = row[TOTAL_POSTS] / row[TOTAL_WINDOWS] if row[TOTAL_WINDOWS] > 0 else 0.0
        rough = rough_of(row, c)
        one = _SUNDAY if holidays and free[2, i] else day
        season, behind = factor(own_posts, own_windows, mean, rough, hour, one, by_bin, by_kind, c)
        if i == 0:
            season = by_bin[hour * DAYS + one]
        if bent:
            one = _SUNDAY if holidays and free[0, i] else day_before
            before, _ = factor(own_posts, own_windows, mean, rough, hour_before, one, by_bin, by_kind, c)
            if i == 0:
                before = by_bin[hour_before * DAYS + one]
            one = _SUNDAY if holidays and free[1, i] else day_after
            after, _ = factor(own_posts, own_windows, mean, rough, hour_after, one, by_bin, by_kind, c)
            if i == 0:
                after = by_bin[hour_after * DAYS + one]
            least = _LEAST_OF_HOUR * min(before, season, after)
            season = max(first * before + second * season + third * after, least)
        posts = row[LEVEL_POSTS] + c.level_prior
        expected = posts / (row[LEVEL_WINDOWS] + 1.0 / (1.0 + row[LEVEL_POSTS])) * season
        known = row[SPREAD_WEIGHT] + c.spread_prior_weight
        spread = (row[SPREAD_SUM] + c.spread_prior * c.spread_prior_weight) / known
        unsure = math.sqrt(row[SPREAD_VARIANCE] + (c.spread_prior * c.spread_prior_weight) ** 2) / known
        uncertain = rough * (1.0 / posts + 1.0 / (behind + rough * c.season_prior))
        dispersion = 1.0
        extra = uncertain
        if spread >= 0:
            extra += (spread + unsure) * shaped(spread, season, c.spread_prior)
        elif spread + unsure >= 0:
            extra += spread + unsure
        else:
            dispersion = max(1.0 + (spread + unsure) * expected, 0.1)
        out[0, i] = expected
        out[1, i] = extra
        out[2, i] = season
        out[3, i] = dispersion


@njit(cache=True, nogil=True, inline="always")
def rough_of(row: Floats, c: Any) -> float:
    """By what factor counts vary more than chance."""
    spread = (row[SPREAD_SUM] + c.spread_prior * c.spread_prior_weight) / (row[SPREAD_WEIGHT] + c.spread_prior_weight)
    level = (row[LEVEL_POSTS] + c.level_prior) / (row[LEVEL_WINDOWS] + 1.0)
    return float(1.0 + min(max(spread, 0.0), 1.0) * level)


@njit(cache=True, nogil=True, inline="always")
def shaped(spread: float, season: float, most: float) -> float:
    """How the overdispersion at a time of day compares with that on average."""
    return float(1.0 if spread <= most else (most + (spread - most) / max(season, 0.05)) / spread)


@njit(cache=True, nogil=True, inline="always")
def rise_of(count: float, expected: float, total: float, total_expected: float, extra: float, prior: float) -> float:
    """By what factor the rest of the stream is above its expectation, as far as that is no chance."""
    rest = max(total_expected - expected, 0.0) + prior
    rise = (total - count + prior) / rest - 1.0
    chance = extra + 1.0 / rest
    return float(1.0 + rise * max(0.0, 1.0 - chance / max(rise * rise, 1e-12)))


@njit(cache=True, nogil=True)
def _tails(count: float, mean: float, extra: float, row: Floats, c: Any) -> tuple[float, float, float, float]:
    """Probability of so many or more and of so few or fewer, and the logarithms of both before recalibration."""
    if mean < LEAST_MEAN and count <= MOST_SMALL and count == math.floor(count):
        above = small_above(count, mean, extra)
        if above > LEAST_SMALL:
            return above, 1.0 - above, NO_SURPRISE, NO_SURPRISE
    z = deviate(count, mean, extra)
    if z < 9.0:
        above = above_of(z)
        return above, 1.0 - above, NO_SURPRISE, NO_SURPRISE
    high, low = log_tails(count, mean, extra)
    return math.exp(recalibrated(high, row, BURST, c)), math.exp(recalibrated(low, row, DROP, c)), high, low


@njit(cache=True, nogil=True)
def score_rows(  # noqa: PLR0913, PLR0917 - a loop takes its arrays one by one
    core: Floats,
    counts: Floats,
    known: Floats,
    exposure: Floats,
    days: float,
    drop_expected: float,
    c: Any,
    out: Floats,
    begin: int,
    end: int,
) -> None:
    """How unusual each count is, into `out` (9, series); its rows are named in `groundswell.kernels.columns`.

    `exposure` has shape (2, series): what was seen and expected of the platforms that a series lives on; row 0 has
    none. `days` is the length of a window.
    """
    for i in range(begin, end):
        expected, extra, dispersion = known[0, i], known[1, i], known[3, i]
        count = counts[i] / dispersion
        mean = expected / dispersion
        rise = 1.0
        if i > 0:
            rise = rise_of(counts[i], expected, exposure[0, i], exposure[1, i], known[1, 0], c.platform_prior)
        p_high, p_low, high, low = _tails(count, mean, extra, core[i], c)
        alone_high, alone_low = p_high, p_low
        if rise > 1:
            p_high, _, high, _ = _tails(count, mean * rise, extra, core[i], c)
        elif rise < 1:
            _, p_low, _, low = _tails(count, mean * rise, extra, core[i], c)
        share = c.drop_share if expected >= drop_expected else 0.0
        burst_days = days * (1 - share) / max(p_high, LEAST_P)
        drop_days = days * share / max(p_low, LEAST_P)
        drop = drop_days > burst_days
        p_alone = alone_low if drop else alone_high
        out[P_BURST, i] = p_high
        out[P_DROP, i] = p_low
        out[P_ALONE, i] = p_alone
        out[RETURN_DAYS, i] = min(max(burst_days, drop_days), LONGEST_RETURN)
        out[ALONE_DAYS, i] = min(days * (share if drop else 1 - share) / max(p_alone, LEAST_P), LONGEST_RETURN)
        out[IS_DROP, i] = 1.0 if drop else 0.0
        out[RISE, i] = rise
        out[LOG_HIGH, i] = high
        out[LOG_LOW, i] = low


@njit(cache=True, nogil=True)
def stream_of(core: Floats, bin_posts: Floats, bin_windows: Floats, window: int, c: Any) -> Floats:
    """What the whole stream's row says for all others: its season by bin (168), and 1 if it is known well enough."""
    out, by_kind = np.empty(BINS + 1), np.empty(48)
    stream_profile(bin_posts[:, 0], bin_windows[:, 0], rough_of(core[0], c), c, out[:BINS], by_kind)
    out[BINS] = 1.0 if core[0, SEEN] >= max(c.known_stream / window, c.known_windows) else 0.0
    return out


@njit(cache=True, nogil=True)
def learn_rows(  # noqa: PLR0913, PLR0917, PLR0915 - a loop takes its arrays one by one
    core: Floats,
    bin_posts: Floats,
    bin_windows: Floats,
    counts: Floats,
    start: int,
    window: int,
    free: Bools,
    taught: Bools,
    known: Floats,
    logs: Floats,
    drop_expected: float,
    c: Any,
    stream: Floats,
    begin: int,
    end: int,
) -> None:
    """Let the window teach the series in `taught`; `logs` (2, series) are the probabilities before recalibration.

    `stream` is that of `stream_of`, before any row has learned. Does the series from `begin` to `end`.
    """
    hour, day = place(start + window // 2)
    number = hour * DAYS + day
    stream_season, stream_known = stream[number], stream[BINS] > 0
    season_keep = 2.0 ** (-window * 24 / c.season_half_life) if window < HOUR else 2.0 ** (-DAY / c.season_half_life)
    tail_keep = 2.0 ** (-window / c.tail_half_life)
    spread_half = max(c.spread_half_life / window, 5 * c.level_windows)
    holidays = free.shape[1] > 0
    for i in range(begin, end):
        if not taught[i]:
            continue
        row = core[i]
        expected, extra, season, dispersion = known[0, i], known[1, i], known[2, i], known[3, i]
        count = counts[i]
        deviation = math.sqrt(expected * dispersion + extra * expected * expected)
        seen = row[SEEN]
        young = seen * window < c.known_series
        outside = not young and abs(count - expected) > c.level_clip * deviation + 1.0
        runs = row[OUTSIDE] + 1 if outside else max(row[OUTSIDE] - 3, 0.0)
        shifted = runs * window >= c.shift_after and runs >= 3
        if shifted:
            runs = min(runs, max(c.shift_after / window, 3.0) + 3)
        reach = c.level_clip * deviation + 2.0
        clipped = count if young or shifted else min(max(count, expected - reach), expected + reach)
        # Level.
        posts = row[LEVEL_POSTS] + c.level_prior
        rate = posts / (row[LEVEL_WINDOWS] + 1.0)
        half = max(c.level_half_life / window, c.level_windows)
        half = min(max(c.level_posts / rate, half), max(c.level_longest / window, c.level_windows))
        half = min(half, max(seen / 2, HOUR / window))
        keep = 2.0 ** (-1.0 / half)
        if shifted:
            keep *= c.shift_forgets
        # Spread.
        if not (young or shifted):
            weight_known = row[SPREAD_WEIGHT] + c.spread_prior_weight
            spread = (row[SPREAD_SUM] + c.spread_prior * c.spread_prior_weight) / weight_known
            behind = 0.0
            for other in range(5 if day >= 5 else 0, DAYS if day >= 5 else 5):
                behind += bin_posts[hour * DAYS + other, i]
            rough = rough_of(row, c)
            doubt = rough * (1.0 / posts + 1.0 / (behind + rough * c.season_prior))
            wide = min(count, expected + c.spread_clip * deviation + 3.0)
            some = max(expected, 1e-9)
            single = max(((wide - expected) ** 2 - expected) / some**2 - doubt, -1.0 / some)
            single /= shaped(spread, season, c.spread_prior)
            sure = 1.0 / some + max(spread, 0.0)
            weight = (some / (1.0 + c.spread_rough * some) * sure / (sure + doubt)) ** 2
            variance = 2.0 * (sure + doubt) ** 2
            fade = 2.0 ** (-1.0 / min(spread_half, max(seen / 3, DAY / window)))
            row[SPREAD_SUM] = fade * row[SPREAD_SUM] + weight * single
            row[SPREAD_WEIGHT] = fade * row[SPREAD_WEIGHT] + weight
            row[SPREAD_VARIANCE] = fade * fade * row[SPREAD_VARIANCE] + weight * weight * variance
        row[LEVEL_POSTS] = keep * row[LEVEL_POSTS] + clipped
        row[LEVEL_WINDOWS] = keep * row[LEVEL_WINDOWS] + season
        # Season; a public holiday teaches nothing about the day that it falls on.
        if not (holidays and free[2, i]):
            met = bin_windows[number, i] * window / HOUR
            narrow = max(c.season_clip * deviation + 1.0, c.season_young * expected / (1.0 + met))
            usual = count if young or shifted else min(max(count, expected - narrow), expected + narrow)
            more = max(usual, 0.0) - (1 - season_keep) * bin_posts[number, i]
            longer = 1.0 - (1 - season_keep) * bin_windows[number, i]
            bin_posts[number, i] += more
            bin_windows[number, i] += longer
            row[TOTAL_POSTS] += more
            row[TOTAL_WINDOWS] += longer * stream_season
        if stream_known and not young:
            learn_tail(row, BURST, logs[0, i], window, tail_keep, c)
            if expected >= drop_expected:
                learn_tail(row, DROP, logs[1, i], window, tail_keep, c)
        row[OUTSIDE] = runs
        row[SEEN] = seen + 1.0


@njit(cache=True, nogil=True)
def run_windows(  # noqa: PLR0913, PLR0917 - a loop takes its arrays one by one
    core: Floats,
    bin_posts: Floats,
    bin_windows: Floats,
    counts: Floats,
    starts: npt.NDArray[np.int64],
    window: int,
    free: Bools,
    taught: Bools,
    exposure: Floats,
    drop_expected: float,
    c: Any,
    known: Floats,
    out: Floats,
    young: Bools,
) -> None:
    """Forecast, score and learn window after window.

    `counts` and `taught` have shape (windows, series), `free` (windows, 3, series or 0), `known` (windows, 4, series),
    `exposure` (windows, 2, series), or (0, 2, series) for the stream's own; `out` (windows, 9, series), `young`
    (windows, series): whether the series was not yet known well enough.
    """
    series = counts.shape[1]
    around = np.empty((2, series))
    for number in range(len(starts)):
        start = starts[number]
        forecast_rows(core, bin_posts, bin_windows, start, window, free[number], c, known[number], 0, series)
        if len(exposure):
            around[:] = exposure[number]
        else:
            around[0] = counts[number, 0]
            around[1] = known[number, 0, 0]
        unknown = core[0, SEEN] < max(c.known_stream / window, c.known_windows)
        for i in range(series):
            young[number, i] = unknown or core[i, SEEN] * window < c.known_series
        score_rows(core, counts[number], known[number], around, window / DAY, drop_expected, c, out[number], 0, series)
        learn_rows(
            core,
            bin_posts,
            bin_windows,
            counts[number],
            start,
            window,
            free[number],
            taught[number],
            known[number],
            out[number, LOG_HIGH : LOG_LOW + 1],
            drop_expected,
            c,
            stream_of(core, bin_posts, bin_windows, window, c),
            0,
            series,
        )
