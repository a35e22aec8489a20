"""The detector's formulas, all series of a window at once; `groundswell.kernels.counting` does the same, compiled.

The count of a window is negative binomial around level times season. What is not known for certain widens it:
the predictive distribution of a gamma-Poisson model with discounted sums (West & Harrison, *Bayesian
Forecasting and Dynamic Models*, ch. 14) has the extra variation

    v = overdispersion + rough / posts behind the level + rough / posts behind the season's hour

so a young series has a wide band and an old one a narrow one; `rough` is by what factor counts vary more than chance.
Real series are rougher than that, each in its own way, so what the distribution says of a rare window is recalibrated
by the series' own exceedances of a threshold: a generalised Pareto tail (Pickands 1975; Davison & Smith 1990), the
theoretical one until enough of them were seen.

Arrays are changed in place and have one row a series; the columns of `core` are those of `groundswell.kernels.columns`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from groundswell.kernels import columns as at
from groundswell.kernels import normal
from groundswell.watch.constants import Constants
from groundswell.watch.contract import DAY, HOUR
from groundswell.watch.season import DAYS, factor, of_kind, place, stream_profile, weights
from groundswell.watch.tails import log_tails

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SUNDAY: Final = 6
LEAST_OF_HOUR: Final = 0.5
LEAST_DISPERSION: Final = 0.1
_LEAST_SEASON: Final = 0.05


def shaped(spread: Floats, season: Floats, most: float) -> Floats:
    """How the overdispersion at a time of day compares with that on average.

    Up to `most` it is a rate that wobbles, by the same fraction at every hour (negative binomial, variance m + v m²).
    What is above comes from bursts, whose size does not follow the time of day: variance in proportion to the mean, as
    in quasi-Poisson surveillance (Farrington et al. 1996). So thirty posts instead of ten at four in the morning weigh
    less than three hundred instead of a hundred at noon.
    """
    some = np.maximum(spread, 1e-12)
    return np.where(spread <= most, 1.0, (most + (spread - most) / np.maximum(season, _LEAST_SEASON)) / some)


def forecast_rows(
    core: Floats,
    bin_posts: Floats,
    bin_windows: Floats,
    start: int,
    window: int,
    free: Bools,
    c: Constants,
    out: Floats,
    *_: int,
) -> None:
    """What is expected, its extra variation, its season factor and its dispersion, into `out` (4, series).

    Does all series; the compiled loops are told which.
    """
    rough = _roughness(core, c)
    profile = stream_profile(bin_posts[:, 0], bin_windows[:, 0], float(rough[0]), c)
    total, longer = core[:, at.TOTAL_POSTS], core[:, at.TOTAL_WINDOWS]
    mean = np.divide(total, longer, out=np.zeros(len(core)), where=longer > 0)

    def of_hour(middle: int, away: int) -> tuple[Floats, Floats]:
        hour, day = place(middle)
        days = np.full(len(core), day)
        if free.shape[1]:
            days[free[away]] = SUNDAY
        return factor(bin_posts.T, bin_windows.T, mean, rough, hour, days, profile, c)

    middle = start + window // 2
    season, behind = of_hour(middle, 2)
    first, second, third = weights(start, window)
    if first or third:
        before, after = of_hour(middle - HOUR, 0)[0], of_hour(middle + HOUR, 1)[0]
        least = LEAST_OF_HOUR * np.minimum(np.minimum(before, season), after)
        season = np.maximum(first * before + second * season + third * after, least)
    posts = core[:, at.LEVEL_POSTS] + c.level_prior
    # What is known before anything is seen, half a post in a window, is worth the less the more was seen.
    expected = posts / (core[:, at.LEVEL_WINDOWS] + 1.0 / (1.0 + core[:, at.LEVEL_POSTS])) * season
    spread, known = _spread(core, c)
    unsure = np.sqrt(core[:, at.SPREAD_VARIANCE] + (c.spread_prior * c.spread_prior_weight) ** 2) / known
    wide = np.where(spread >= 0, (spread + unsure) * shaped(spread, season, c.spread_prior), spread + unsure)
    out[0] = expected
    out[1] = rough * (1.0 / posts + 1.0 / (behind + rough * c.season_prior)) + np.maximum(wide, 0.0)
    out[2] = season
    out[3] = np.where(wide < 0, np.maximum(1.0 + wide * expected, LEAST_DISPERSION), 1.0)


def _spread(core: Floats, c: Constants) -> tuple[Floats, Floats]:
    known = core[:, at.SPREAD_WEIGHT] + c.spread_prior_weight
    return (core[:, at.SPREAD_SUM] + c.spread_prior * c.spread_prior_weight) / known, known


def _roughness(core: Floats, c: Constants) -> Floats:
    """By what factor counts vary more than chance, at the usual level."""
    spread, _ = _spread(core, c)
    level = (core[:, at.LEVEL_POSTS] + c.level_prior) / (core[:, at.LEVEL_WINDOWS] + 1.0)
    return np.asarray(1.0 + np.clip(spread, 0.0, 1.0) * level, dtype=np.float64)


def recalibrated(log_p: Floats, core: Floats, side: int, c: Constants) -> Floats:
    """Log probability by the series' own tail, shrunk to the theoretical one.

    The excess of -log p over the threshold is exponential with mean 1 where the theory holds. Rate, mean and shape come
    from the moments of the exceedances (Hosking & Wallis 1987), `tail_prior` theoretical ones among them.
    """
    prior = c.tail_prior
    clusters = core[:, side + at.TAIL_CLUSTERS]
    log_rate = np.log((clusters + prior) / (core[:, side + at.TAIL_WINDOWS] + prior * np.exp(c.tail_from)))
    mean = (core[:, side + at.TAIL_SUM] + prior) / (clusters + prior)
    square = (core[:, side + at.TAIL_SQUARE] + 2.0 * prior) / (clusters + prior)
    variance = np.maximum(square - mean * mean, 1e-9)
    shape = np.clip(0.5 * (1.0 - mean * mean / variance), 0.0, c.tail_shape)
    scale = mean * (1.0 - shape)
    excess = np.maximum(-log_p - c.tail_from, 0.0)
    heavy = np.log1p(shape * excess / scale) / np.maximum(shape, 1e-9)
    beyond = log_rate - np.where(shape > 1e-9, heavy, excess / scale)
    return np.asarray(np.where(-log_p <= c.tail_from, log_p * (-log_rate / c.tail_from), beyond), dtype=np.float64)


def rise_of(
    count: Floats, expected: Floats, total: Floats, total_expected: Floats, extra: float, prior: float
) -> Floats:
    """By what factor the rest of the stream is above its expectation, as far as that is no chance.

    The chance part is taken out as James and Stein do: a rise within one standard error is none.
    """
    rest = np.maximum(total_expected - expected, 0.0) + prior
    rise = (total - count + prior) / rest - 1.0
    chance = extra + 1.0 / rest
    return np.asarray(1.0 + rise * np.maximum(0.0, 1.0 - chance / np.maximum(rise**2, 1e-12)), dtype=np.float64)


def _tails(count: Floats, mean: Floats, extra: Floats, core: Floats, c: Constants) -> tuple[Floats, ...]:
    """Probability of so many or more and of so few or fewer, and the logarithms of both before recalibration.

    Nearly all windows are closer than two standard deviations to what was expected. Their probability comes from a
    normal deviate (Wilson & Hilferty 1931), within a few percent, and is not recalibrated: nothing depends on it. Nor
    are small counts, as most series have them most of the time.
    """
    shape = 1.0 / (extra + 1.0 / np.maximum(mean, 1e-9))
    z = (np.cbrt(count / np.maximum(mean, 1e-9)) - 1.0 + 1.0 / (9.0 * shape)) * 3.0 * np.sqrt(shape)
    usual = (mean >= normal.LEAST_MEAN) & (np.abs(z) < normal.USUAL)
    above = np.interp(z, normal.GRID, normal.ABOVE)
    high, low = np.full(len(count), normal.NO_SURPRISE), np.full(len(count), normal.NO_SURPRISE)
    p_high, p_low = above.copy(), 1.0 - above
    small = (mean < normal.LEAST_MEAN) & (count <= normal.MOST_SMALL) & (count == np.floor(count))
    summed = _small(np.where(small, count, 0.0), mean, extra)
    small &= summed > normal.LEAST_SMALL
    p_high, p_low = np.where(small, summed, p_high), np.where(small, 1.0 - summed, p_low)
    far = np.flatnonzero(~usual & ~small)
    if len(far):
        high[far], low[far] = log_tails(count[far], mean[far], extra[far])
        p_high[far] = np.exp(recalibrated(high[far], core[far], at.BURST, c))
        p_low[far] = np.exp(recalibrated(low[far], core[far], at.DROP, c))
    return p_high, p_low, high, low


def _small(count: Floats, mean: Floats, extra: Floats) -> Floats:
    """Mid-p of so many or more of a small count: its few probabilities one by one."""
    size, some = 1.0 / np.maximum(extra, normal.LEAST_EXTRA), np.maximum(mean, 1e-9)
    x, one = some / (size + some), np.exp(-size * np.log1p(some / size))
    below = np.zeros(len(count))
    for k in range(int(count.max(initial=0.0))):
        more = count > k
        below = np.where(more, below + one, below)
        one = np.where(more, one * ((size + k) / (k + 1.0) * x), one)
    return np.asarray(1.0 - below - 0.5 * one, dtype=np.float64)


def score_rows(
    core: Floats,
    counts: Floats,
    known: Floats,
    exposure: Floats,
    days: float,
    drop_expected: float,
    c: Constants,
    out: Floats,
    *_: int,
) -> None:
    """How unusual each count is, into `out` (9, series); its rows are named in `groundswell.kernels.columns`.

    `exposure` has shape (2, series): what was seen and expected of the platforms that a series lives on; row 0 has
    none. `days` is the length of a window.
    """
    expected, extra, _, dispersion = known
    rise = rise_of(counts, expected, exposure[0], exposure[1], float(known[1, 0]), c.platform_prior)
    rise[:1] = 1.0
    count, mean = counts / dispersion, expected / dispersion
    p_high, p_low, high, low = _tails(count, mean, extra, core, c)
    alone_high, alone_low = p_high.copy(), p_low.copy()
    for side, changed in ((0, rise > 1), (1, rise < 1)):
        rows = np.flatnonzero(changed)
        if len(rows):
            again = _tails(count[rows], (mean * rise)[rows], extra[rows], core[rows], c)
            (p_high, p_low)[side][rows] = again[side]
            (high, low)[side][rows] = again[2 + side]
    share = np.where(expected >= drop_expected, c.drop_share, 0.0)
    burst_days = days * (1 - share) / np.maximum(p_high, at.LEAST_P)
    drop_days = days * share / np.maximum(p_low, at.LEAST_P)
    drop = drop_days > burst_days
    p_alone = np.where(drop, alone_low, alone_high)
    out[at.P_BURST], out[at.P_DROP], out[at.P_ALONE] = p_high, p_low, p_alone
    out[at.RETURN_DAYS] = np.minimum(np.maximum(burst_days, drop_days), at.LONGEST_RETURN)
    alone = days * np.where(drop, share, 1 - share) / np.maximum(p_alone, at.LEAST_P)
    out[at.ALONE_DAYS] = np.minimum(alone, at.LONGEST_RETURN)
    out[at.IS_DROP], out[at.RISE], out[at.LOG_HIGH], out[at.LOG_LOW] = drop, rise, high, low


def stream_of(core: Floats, bin_posts: Floats, bin_windows: Floats, window: int, c: Constants) -> Floats:
    """What the whole stream's row says for all others: its season by bin (168), and 1 if it is known well enough."""
    by_bin, _ = stream_profile(bin_posts[:, 0], bin_windows[:, 0], float(_roughness(core[:1], c)[0]), c)
    known = core[0, at.SEEN] >= max(c.known_stream / window, c.known_windows)
    return np.append(by_bin, float(known))


def learn_rows(  # noqa: PLR0913, PLR0917 - a loop takes its arrays one by one
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
    c: Constants,
    stream: Floats,
    *_: int,
) -> None:
    """Let the window teach the series in `taught`; `logs` are the two probabilities before recalibration (2, series).

    An unusual window teaches no more than `level_clip` standard deviations, until the series has been outside its band
    for `shift_after`: then it is believed, and the old level forgotten.
    """
    expected, extra, season, dispersion = known
    deviation = np.sqrt(expected * dispersion + extra * expected**2)
    seen = core[:, at.SEEN].copy()
    young = seen * window < c.known_series
    outside = ~young & (np.abs(counts - expected) > c.level_clip * deviation + 1.0)
    runs = np.where(outside, core[:, at.OUTSIDE] + 1, np.maximum(core[:, at.OUTSIDE] - 3, 0.0))
    shifted = (runs * window >= c.shift_after) & (runs >= 3)
    runs = np.where(shifted, np.minimum(runs, max(c.shift_after / window, 3.0) + 3), runs)
    reach = c.level_clip * deviation + 2.0
    clipped = np.where(young | shifted, counts, np.clip(counts, expected - reach, expected + reach))

    hour, day = place(start + window // 2)
    number = hour * DAYS + day
    rough = _roughness(core, c)
    posts = core[:, at.LEVEL_POSTS] + c.level_prior
    keep = _level_memory(core, window, seen, c) * np.where(shifted, c.shift_forgets, 1.0)
    behind = of_kind(bin_posts.T, hour, np.full(len(core), day))
    doubt = rough * (1.0 / posts + 1.0 / (behind + rough * c.season_prior))
    wide = np.minimum(counts, expected + c.spread_clip * deviation + 3.0)
    _learn_spread(core, wide, known, doubt, taught & ~(young | shifted), window, c)
    put(core, at.LEVEL_POSTS, keep * core[:, at.LEVEL_POSTS] + clipped, taught)
    put(core, at.LEVEL_WINDOWS, keep * core[:, at.LEVEL_WINDOWS] + season, taught)
    met = bin_windows[number] * window / HOUR
    narrow = np.maximum(c.season_clip * deviation + 1.0, c.season_young * expected / (1.0 + met))
    usual = np.where(young | shifted, counts, np.clip(counts, expected - narrow, expected + narrow))
    # A public holiday teaches nothing about the day that it falls on.
    weekly = taught & ~free[2] if free.shape[1] else taught
    _learn_season(core, bin_posts, bin_windows, np.maximum(usual, 0.0), number, stream[number], weekly, window, c)
    if stream[-1]:
        learned = taught & ~young
        learn_tail(core, at.BURST, logs[0], learned, window, c)
        learn_tail(core, at.DROP, logs[1], learned & (expected >= drop_expected), window, c)
    put(core, at.OUTSIDE, runs, taught)
    put(core, at.SEEN, seen + 1.0, taught)


def put(core: Floats, column: int, new: Floats, where: Bools) -> None:
    """Replace a column where asked."""
    np.copyto(core[:, column], new, where=where)


def _level_memory(core: Floats, window: int, seen: Floats, c: Constants) -> Floats:
    """What is kept of the level per window: half-life a day, more for rare words, less while young."""
    rate = (core[:, at.LEVEL_POSTS] + c.level_prior) / (core[:, at.LEVEL_WINDOWS] + 1.0)
    half = np.maximum(c.level_posts / rate, max(c.level_half_life / window, c.level_windows))
    half = np.minimum(half, max(c.level_longest / window, c.level_windows))
    half = np.minimum(half, np.maximum(seen / 2, HOUR / window))
    return np.asarray(np.exp2(-1.0 / half), dtype=np.float64)


def _learn_spread(
    core: Floats, counts: Floats, known: Floats, doubt: Floats, where: Bools, window: int, c: Constants
) -> None:
    """Overdispersion by weighted moments; the weights are about the inverse variances of the single estimates."""
    expected, _, season, _ = known
    some = np.maximum(expected, 1e-9)
    spread, _ = _spread(core, c)
    # The doubt about what was expected may be overstated: no window says that there is less than no variance.
    single = np.maximum(((counts - expected) ** 2 - expected) / some**2 - doubt, -1.0 / some)
    single /= shaped(spread, season, c.spread_prior)
    sure = 1.0 / some + np.maximum(spread, 0.0)
    weight = (some / (1.0 + c.spread_rough * some) * sure / (sure + doubt)) ** 2
    variance = 2.0 * (sure + doubt) ** 2
    longest = max(c.spread_half_life / window, 5 * c.level_windows)
    fade = np.exp2(-1.0 / np.minimum(longest, np.maximum(core[:, at.SEEN] / 3, DAY / window)))
    put(core, at.SPREAD_SUM, fade * core[:, at.SPREAD_SUM] + weight * single, where)
    put(core, at.SPREAD_WEIGHT, fade * core[:, at.SPREAD_WEIGHT] + weight, where)
    put(core, at.SPREAD_VARIANCE, fade**2 * core[:, at.SPREAD_VARIANCE] + weight**2 * variance, where)


def _learn_season(  # noqa: PLR0913, PLR0917 - a loop takes its arrays one by one
    core: Floats,
    bin_posts: Floats,
    bin_windows: Floats,
    counts: Floats,
    number: int,
    stream: float,
    where: Bools,
    window: int,
    c: Constants,
) -> None:
    # A bin is met for an hour, then not for a week: it forgets by the windows that it was met in.
    fade = 1.0 - 2.0 ** (-min(window * 24, DAY) / c.season_half_life)
    more = np.where(where, counts - fade * bin_posts[number], 0.0)
    longer = np.where(where, 1.0 - fade * bin_windows[number], 0.0)
    bin_posts[number] += more
    bin_windows[number] += longer
    core[:, at.TOTAL_POSTS] += more
    core[:, at.TOTAL_WINDOWS] += longer * stream


def learn_tail(core: Floats, side: int, log_p: Floats, where: Bools, window: int, c: Constants) -> None:
    """Exceedances within `tail_gap` of each other are one, of the size of the largest."""
    tail = core[:, side : side + 6]
    keep = 2.0 ** (-window / c.tail_half_life)
    tail[:, : at.TAIL_OPEN] *= np.where(where, keep, 1.0)[:, None]
    tail[:, at.TAIL_WINDOWS] += where
    excess = -log_p - c.tail_from
    above = where & (excess > 0)
    tail[:, at.TAIL_OPEN] = np.where(above, np.maximum(tail[:, at.TAIL_OPEN], excess), tail[:, at.TAIL_OPEN])
    calm = where & ~above & (tail[:, at.TAIL_OPEN] > 0)
    tail[:, at.TAIL_CALM] = np.where(above, 0.0, tail[:, at.TAIL_CALM] + calm)
    over = calm & (tail[:, at.TAIL_CALM] * window >= c.tail_gap)
    top = np.where(over, tail[:, at.TAIL_OPEN], 0.0)
    tail[:, at.TAIL_CLUSTERS] += over
    tail[:, at.TAIL_SUM] += top
    tail[:, at.TAIL_SQUARE] += top * top
    tail[over, at.TAIL_OPEN] = 0.0
    tail[over, at.TAIL_CALM] = 0.0


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
    c: Constants,
    known: Floats,
    out: Floats,
    young: Bools,
) -> None:
    """Forecast, score and learn window after window.

    `counts` and `taught` have shape (windows, series), `free` (windows, 3, series or 0), `known` (windows, 4, series),
    `exposure` (windows, 2, series), or (0, 2, series) for the stream's own; `out` (windows, 9, series), `young`
    (windows, series): whether the series was not yet known well enough.
    """
    around = np.empty((2, counts.shape[1]))
    for number, start in enumerate(starts.tolist()):
        forecast_rows(core, bin_posts, bin_windows, start, window, free[number], c, known[number])
        if len(exposure):
            around[:] = exposure[number]
        else:
            around[0], around[1] = counts[number, 0], known[number, 0, 0]
        unknown = core[0, at.SEEN] < max(c.known_stream / window, c.known_windows)
        young[number] = unknown | (core[:, at.SEEN] * window < c.known_series)
        score_rows(core, counts[number], known[number], around, window / DAY, drop_expected, c, out[number])
        logs, stream = out[number, at.LOG_HIGH : at.LOG_LOW + 1], stream_of(core, bin_posts, bin_windows, window, c)
        seen = (start, window, free[number], taught[number], known[number], logs, drop_expected, c, stream)
        learn_rows(core, bin_posts, bin_windows, counts[number], *seen)
