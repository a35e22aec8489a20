"""Any count series through the watch's kernel: how rare each row is, and on which rows an alert opens.

The series is the whole stream of its own little watch. It is counted in windows of one row and of a few longer sizes
at once, which overlap, as the live watch does: a slow development is seen as well as a sudden one, whenever it begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from groundswell.watch.constants import CONSTANTS, Constants
from groundswell.watch.contract import DAY, HOUR, MINUTE, SECOND, SeriesPoint, WatchParams
from groundswell.watch.detector import Detector, Scores, run
from groundswell.watch.episodes import Episode, Voice, begin, extend, is_unusual, join, proceed
from groundswell.watch.holidays import Calendar
from groundswell.watch.running import slide_of, spent_by

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: Sizes of windows that rows may be put together to …
LADDER: Final = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY)
#: … where they hold no more rows than this, or last no longer than an hour.
MOST_ROWS: Final = 12


@dataclass(frozen=True)
class Sized:
    """Windows of one size: what they say, and the row with which each ends."""

    window_us: int
    starts: Ints
    counts: Floats
    ends: Ints
    scores: Scores
    """Arrays of shape (windows, 1)."""
    teaches: Bools
    """Which of them begin with the clock; the others are running windows."""

    def column(self, name: str) -> Floats:
        """Numbers of the scores, shape (windows,)."""
        return np.asarray(getattr(self.scores, name), dtype=np.float64)[:, 0]

    @property
    def told(self) -> Bools:
        """Windows about which something can be said."""
        return ~self.scores.learning[:, 0]


@dataclass(frozen=True)
class Opened:
    """An episode: the row on which its alert opens, and what it was in the end."""

    row: int
    episode: Episode


@dataclass(frozen=True)
class Detected:
    """What the kernel says of each row; arrays of shape (rows,), NaN where nothing can be said."""

    score: Floats
    """By which power of ten a row is rarer than what keeps an alert open; 0 if its stretch had a rarer one."""
    expected: Floats
    lower: Floats
    upper: Floats
    return_days: Floats
    """About once in so many days the series is so unusual, in a window of any size that ends with the row."""
    alerts: list[Opened]
    sizes: tuple[int, ...]
    step_us: int


def sizes_of(step_us: int) -> tuple[int, ...]:
    """The sizes of windows that a series with this step is counted in, ascending.

    >>> [size // MINUTE for size in sizes_of(5 * MINUTE)], [size // HOUR for size in sizes_of(HOUR)]
    ([5, 15, 60], [1, 6])
    """
    longest = max(HOUR, MOST_ROWS * step_us)
    return (step_us, *(size for size in LADDER if step_us < size <= longest and size % step_us == 0))


def step_of(times_us: Ints) -> int:
    """The usual time between two rows; `times_us` ascending."""
    return int(np.median(np.diff(times_us))) if len(times_us) > 1 else 0


def detect(
    times_us: Ints,
    counts: Floats,
    promise_days: float,
    *,
    country: str | None = None,
    params: WatchParams | None = None,
    constants: Constants = CONSTANTS,
) -> Detected:
    """Score a series.

    `times_us` are the starts of its windows, strictly ascending; `counts` are not negative, NaN where not known;
    `country` is the ISO code of the public holidays that count as Sundays.
    """
    step = step_of(times_us)
    sizes = sizes_of(step) if step > 0 else ()
    known = np.flatnonzero(~np.isnan(counts))
    base = WatchParams() if params is None else params
    shown = max((size for size in sizes if size <= max(step, base.window_us)), default=step)
    base = base.at(shown)
    calendar = Calendar([country])
    sized = [_sized(times_us[known], counts[known], known, size, sizes, base, calendar, constants) for size in sizes]
    sized = [one for one in sized if len(one.starts)]
    spent = spent_by(sizes)
    rows = len(times_us)
    expected, lower, upper, return_days = np.full((4, rows), np.nan)
    if sized:
        first = sized[0]
        for name, array in (("expected", expected), ("lower", lower), ("upper", upper)):
            array[first.ends[first.told]] = first.column(name)[first.told]
    for one in sized:
        ends = one.ends[one.told]
        return_days[ends] = np.fmax(return_days[ends], one.column("return_days")[one.told] / spent)
    if not step:
        return Detected(np.zeros(rows), expected, lower, upper, return_days, [], sizes, step)
    calm = max(1, round(base.close_after * base.window_us / step))
    score = news(return_days, base.window_us / DAY / base.stay_p / spent, calm)
    return Detected(
        score, expected, lower, upper, return_days, episodes(sized, promise_days * spent, base), sizes, step
    )


def _sized(
    times: Ints,
    counts: Floats,
    rows: Ints,
    size: int,
    sizes: tuple[int, ...],
    params: WatchParams,
    calendar: Calendar,
    constants: Constants,
) -> Sized:
    """The series in windows of one size, through the kernel."""
    starts, sums, ends = times, counts, rows
    teaches = np.ones(len(starts), dtype=np.bool_)
    if size > sizes[0]:
        offsets = range(0, size, slide_of(size, sizes))
        found = [_joined(times, counts, rows, (size, sizes[0], offset), params) for offset in offsets]
        starts, sums, ends = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        teaches = np.arange(len(starts)) < len(found[0][0])
        order = np.argsort(starts)
        starts, sums, ends, teaches = starts[order], sums[order], ends[order], teaches[order]
    days = np.stack([calendar.free(start, size) for start in starts.tolist()]) if calendar.known else None
    scores = run(Detector.empty(1), sums[:, None], starts, params.at(size), teaches[:, None], days, constants=constants)
    return Sized(size, starts, sums, ends, scores, teaches)


def _joined(
    times: Ints, counts: Floats, rows: Ints, shape: tuple[int, int, int], params: WatchParams
) -> tuple[Ints, Floats, Ints]:
    """Rows in larger windows; only those that are covered, as the watch does with holes.

    `shape` is their size, the step between rows, and by how much they begin after the clock.
    """
    size, step, offset = shape
    window = (times - offset + step // 2) // size
    begins, first, parts = np.unique(window, return_index=True, return_counts=True)
    whole = parts >= params.cover * (size // step)
    sums = np.add.reduceat(counts, first) if len(first) else np.zeros(0)
    # A window that lacks a row or two is taken as if these had been like the others.
    sums = np.round(sums * (size / step) / np.maximum(parts, 1))
    return begins[whole] * size + offset, sums[whole], rows[(first + parts - 1)[whole]]


def news(return_days: Floats, stays: float, calm_rows: int) -> Floats:
    """What each row says that the last stretch has not: log10 of its return period against `stays` (days), or 0.

    A stretch goes on while rows are rarer than `stays`, and ends after `calm_rows` that are not. Within it only a row
    that is rarer than all before it counts, so one development is one peak of the
    score, whatever threshold it is read at.
    """
    rarity = np.log10(np.maximum(np.nan_to_num(return_days, nan=0.0), 1e-6) / stays)
    out = np.zeros(len(rarity))
    top, latest = 0.0, -calm_rows
    for row in np.flatnonzero(rarity > 0).tolist():
        if row - latest > calm_rows:
            top = 0.0
        if rarity[row] > top:
            top = out[row] = rarity[row]
        latest = row
    return out


def episodes(sized: list[Sized], required: float, params: WatchParams) -> list[Opened]:
    """The episodes of a series by the watch's own rule; `required` is the return period, in days, that opens one."""
    voiced = [_worth(one, required, params) for one in sized]
    order = sorted(
        (int(one.ends[at]), one.window_us, number, at)
        for number, (one, worth) in enumerate(zip(sized, voiced, strict=True))
        for at in np.flatnonzero(worth).tolist()
    )
    found: list[Opened] = []
    told, row = np.iinfo(np.int64).min, -1
    for end, window, number, at in order:
        one = sized[number]
        if end < row or int(one.starts[at]) < told:
            continue
        episode = begin([_voice(one, at, required)], _point(one, at), params)
        row = _go_on(sized, voiced, episode, (end, window), required, params)
        found.append(Opened(end, episode))
        told = episode.end_us
    return found


def _worth(one: Sized, required: float, params: WatchParams) -> Bools:
    excess = one.counts - one.column("expected")
    far = np.where(one.scores.drop[:, 0], -excess, excess) >= params.min_excess
    return np.asarray((one.column("return_days") >= required) & one.told & far, dtype=np.bool_)


def _go_on(
    sized: list[Sized],
    voiced: list[Bools],
    episode: Episode,
    after: tuple[int, int],
    required: float,
    params: WatchParams,
) -> int:
    """Take the windows that close after the opening one into the episode, until it is over; the row of the last."""
    at = [_next(one, after) for one in sized]
    while episode.phase != "closed":
        coming = [
            (int(one.ends[at[number]]), one.window_us, number)
            for number, one in enumerate(sized)
            if at[number] < len(one.ends)
        ]
        if not coming:
            break
        end, window, number = min(coming)
        one, window_at = sized[number], at[number]
        at[number] += 1
        after = (end, window)
        point = _point(one, window_at)
        mine = [_voice(one, window_at, required)] if voiced[number][window_at] else []
        mine = [voice for voice in mine if voice.direction == episode.direction]
        join(episode, mine, point)
        if window == episode.pace_us and one.teaches[window_at]:
            proceed(episode, point, bool(mine) or is_unusual(episode, point, params), params)
        elif mine and window <= episode.pace_us:
            episode.calm = 0
            extend(episode, point.start + window)
    return after[0]


def _next(one: Sized, after: tuple[int, int]) -> int:
    side = "right" if one.window_us <= after[1] else "left"
    return int(np.searchsorted(one.ends, after[0], side=side))  # type: ignore[call-overload]  # a str where the stub wants its literals


def _point(one: Sized, at: int) -> SeriesPoint:
    scores, drop = one.scores, bool(one.scores.drop[at, 0])
    return SeriesPoint(
        tracker_id="",
        window_s=one.window_us // SECOND,
        start=int(one.starts[at]),
        count=int(one.counts[at]),
        expected=float(scores.expected[at, 0]),
        lower=None,
        upper=None,
        p_value=float((scores.p_drop if drop else scores.p_burst)[at, 0]),
        return_days=float(scores.return_days[at, 0]),
        platform_ratio=None,
        state="learning" if scores.learning[at, 0] else "usual",
    )


def _voice(one: Sized, at: int, required: float) -> Voice:
    point, scores = _point(one, at), one.scores
    return Voice(
        signal="posts",
        window_us=one.window_us,
        start=point.start,
        direction="drop" if scores.drop[at, 0] else "burst",
        observed=float(one.counts[at]),
        expected=float(scores.expected[at, 0]),
        lower=0.0,
        upper=0.0,
        p_value=float(point.p_value or 0.0),
        return_days=float(scores.return_days[at, 0]),
        rarity=float(scores.return_days[at, 0]) / required,
    )
