"""The watch's kernels over all windows of a history at once: what a stream's watch does window by window.

What is counted in a window does not depend on other windows, so the values of all of them are made together, with the
number of the window in the place of the tracker's. The detectors go over them one after the other, in one call. What is
told of a window (`judging`) and what becomes of it (`closing`) are the functions of the live watch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from groundswell.query import Matcher
from groundswell.watch import levels
from groundswell.watch.contract import Arrivals, Ints, Pairs, WatchParams
from groundswell.watch.detector import Detector, Scores, run
from groundswell.watch.frames import measured_of, signals_of
from groundswell.watch.holidays import Calendar
from groundswell.watch.levels import Levels
from groundswell.watch.signals import SIGNALS, Matched
from groundswell.watch.thin import StreamLevels, is_thin, levels_of

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Windows that are run between two copies of a detector.
CHUNK: Final = 2_000
#: Empty windows are told from holes by what was expected, which depends on the holes before: so often at most.
_MOST_ROUNDS: Final = 12


@dataclass
class Counted:
    """What was counted in the windows of one size."""

    window_us: int
    starts: Ints
    posts: Floats
    """Shape (windows, 1 + trackers); the first column is the whole stream."""
    signals: dict[str, Floats]
    """Of each other signal that is scored, shape (windows, trackers); NaN: too little to say."""
    parts: Ints
    """Windows of the smallest size that lie in each."""


@dataclass
class Swept:
    """What the detectors say of the windows of one size."""

    counted: Counted
    gap: Bools
    """Shape (windows, 1 + trackers): not watched, or not whole."""
    scores: dict[str, Scores]
    """By signal; arrays of shape (windows, 1 + trackers)."""
    missing: dict[str, Bools]
    """By signal: which series had too little to say, as `scores`."""
    before: dict[str, list[Detector]]
    """By signal: the detector before each `CHUNK` windows."""
    detectors: dict[str, Detector]
    """After the last window."""
    scored: Bools
    """Shape (windows,): small windows of a thin stream are not."""
    stream: StreamLevels | None
    """What was known of the stream, where it is thin."""
    free: Bools
    """Shape (windows, 3, series): who is on a holiday; no series where none is known."""
    levels_of: dict[str, Levels] = field(default_factory=dict)
    """Of measured signals what is known after the last window."""

    @property
    def window_us(self) -> int:
        """Size of the windows."""
        return self.counted.window_us

    def values(self, name: str) -> Floats:
        """What was scored: shape (windows, 1 + trackers), 0 where there was too little to say."""
        return _values(self.counted, name)[0]

    def ratio(self, number: int) -> float | None:
        """The whole stream against its expectation in a window; null while it is not known."""
        posts = self.scores["posts"]
        if posts.learning[number, 0]:
            return None
        return float(self.counted.posts[number, 0] / posts.expected[number, 0])

    def detector(self, name: str, number: int, params: WatchParams) -> Detector:
        """The detector of a signal as it was before a window."""
        chunk = number // CHUNK
        found = copy_of(self.before[name][chunk])
        rows = slice(chunk * CHUNK, number)
        if rows.stop > rows.start:
            taught = ~self.gap[rows] & ~self.missing[name][rows] & self.scored[rows, None]
            sized = params.at(self.window_us)
            run(found, self.values(name)[rows], self.counted.starts[rows], sized, taught, self.free[rows])
        return found

    def window(self, name: str, number: int) -> Scores:
        """What was said of one window; arrays of shape (1 + trackers,)."""
        cut = of_scores([self.scores[name]], lambda arrays: arrays[0][..., number, :])
        return dataclasses.replace(cut, platform_ratio=self.ratio(number))


def of_scores(parts: Sequence[Scores], make: Callable[[list[Any]], Any]) -> Scores:
    """Scores whose arrays are made of the same arrays of some others."""
    made: dict[str, Any] = {
        field.name: make([getattr(part, field.name) for part in parts])
        for field in dataclasses.fields(Scores)
        if isinstance(getattr(parts[0], field.name), np.ndarray)
    }
    if parts[0].edges is not None:
        made["edges"] = (make([part.lower for part in parts]), make([part.upper for part in parts]))
    return dataclasses.replace(parts[0], **made)


def copy_of(detector: Detector) -> Detector:
    """Another detector that knows the same."""
    return detector.rows(np.arange(len(detector)))


def count_windows(
    first_us: int,
    totals: Ints,
    portions: Iterable[Arrivals],
    trackers: int,
    matcher: Matcher | None,
    params: WatchParams,
    opened_us: int | None = None,
) -> list[Counted]:
    """Count a history in windows of every size.

    `totals` are the posts of the whole stream per smallest window from `first_us` on; `portions` the posts that
    trackers match, none of which divides a window. Without a `matcher` each post matches the only tracker.
    `opened_us` is the start of the first window that was open, where that is before `first_us`.
    """
    if opened_us is not None and opened_us < first_us:
        totals = np.concatenate((np.zeros((first_us - opened_us) // params.base_us, np.int64), totals))
        first_us = opened_us
    counted = count_stream(first_us, totals, trackers, params)
    for arrivals in portions:
        if not len(arrivals):
            continue
        pairs = pairs_of(arrivals, matcher)
        for one in counted:
            _count(one, arrivals, pairs, trackers)
    return counted


def pairs_of(arrivals: Arrivals, matcher: Matcher | None) -> Pairs:
    """Which tracker matches which post; without a matcher each post the only tracker."""
    if matcher is not None:
        return arrivals.pairs(matcher)
    rows = np.arange(len(arrivals))
    return Pairs(np.zeros_like(rows), rows)


def count_stream(first_us: int, totals: Ints, trackers: int, params: WatchParams) -> list[Counted]:
    """Windows of every size with the posts of the whole stream and none of trackers."""
    end_us = first_us + len(totals) * params.base_us
    return [_empty(size, first_us, end_us, totals, trackers, params) for size in params.sizes]


def sweep(
    counted: Sequence[Counted],
    params: WatchParams,
    begun_us: Ints,
    check: Callable[[], None] = lambda: None,
    countries: Sequence[str | None] = (),
) -> list[Swept]:
    """Let fresh detectors score every window and learn from it, sizes ascending.

    A window that begins before `begun_us` (one a column) was not watched from its start. `check` is called often.
    `countries` are those of the trackers, whose public holidays are no usual days (none: not known).
    """
    calendar = Calendar((None, *countries))
    main = next((one for one in counted if one.window_us == params.window_us), counted[-1])
    if not is_thin(main.posts[:, 0], params.base_us, params):
        return _sweep(counted, params, begun_us, (None, calendar), check)
    gap = main.starts < begun_us[0]
    for _ in range(_MOST_ROUNDS):
        check()
        stream = levels_of(main.posts[:, 0], main.starts, ~gap, params)
        out = _sweep(counted, params, begun_us, (stream, calendar), check)
        found = next(one.gap[:, 0] for one in out if one.counted is main)
        if (found == gap).all():
            break
        gap = found
    return out


def _sweep(
    counted: Sequence[Counted],
    params: WatchParams,
    begun_us: Ints,
    around: tuple[StreamLevels | None, Calendar],
    check: Callable[[], None],
) -> list[Swept]:
    out: list[Swept] = []
    stream, calendar = around
    for one in counted:
        check()
        sized = params.at(one.window_us)
        whole = one.parts * params.base_us == one.window_us
        fixed = ~whole | (_holes_in(out[0], one, params) if out else _silent(one, sized))
        scored = np.ones(len(fixed), np.bool_)
        if stream is not None and one.window_us < params.window_us:
            scored = stream.scored(one.starts, one.window_us, params)
        begun = one.starts[:, None] < begun_us
        free = _free(calendar, one)
        posts, gap, before, detector = _posts(one, sized, fixed, (begun, scored, free), check)
        swept = Swept(one, gap, {"posts": posts}, {}, {"posts": before}, {"posts": detector}, scored, stream, free)
        swept.missing["posts"] = np.zeros(one.posts.shape, np.bool_)
        for name in one.signals:
            check()
            values, missing = _values(one, name)
            if SIGNALS[name].kind != "count":
                taught = ~gap & ~missing & scored[:, None]
                swept.scores[name], swept.levels_of[name] = _measured(name, values, one.starts, sized, taught)
                swept.missing[name] = missing
                continue
            fresh = Detector.empty(values.shape[1])
            taught = ~gap & ~missing & scored[:, None]
            swept.scores[name], swept.before[name] = _run(fresh, values, one.starts, sized, (taught, free))
            swept.missing[name], swept.detectors[name] = missing, fresh
        out.append(swept)
    return out


def _empty(size: int, first_us: int, end_us: int, totals: Ints, trackers: int, params: WatchParams) -> Counted:
    begin = first_us // size
    length = max(end_us // size - begin, 0)
    smallest = (first_us + np.arange(len(totals)) * params.base_us) // size - begin
    mine = smallest < length
    posts = np.zeros((length, 1 + trackers))
    posts[:, 0] = np.bincount(smallest[mine], weights=totals[mine], minlength=length)
    parts = np.bincount(smallest[mine], minlength=length)
    signals = {
        name: SIGNALS[name].values(SIGNALS[name].tally(_no_posts(trackers)), np.zeros(trackers))
        for name in (*signals_of(size, params), *measured_of(size, params))
        if name != "posts"
    }
    nothing = {name: np.tile(values, (length, 1)) for name, values in signals.items()}
    return Counted(size, (begin + np.arange(length)) * size, posts, nothing, parts)


def _no_posts(trackers: int) -> Matched:
    from groundswell.watch.arrivals import TableArrivals  # noqa: PLC0415 - a table of no posts

    none = np.zeros(0, np.int64)
    return Matched(TableArrivals.empty(), none, none, trackers)


def _count(one: Counted, arrivals: Arrivals, pairs: Pairs, trackers: int) -> None:
    """Count posts into their windows; a window is given by one call alone. Changes `one`."""
    window = arrivals.event_us[pairs.row] // one.window_us - one.starts[0] // one.window_us if len(one.starts) else None
    if window is None:
        return
    inside = (window >= 0) & (window < len(one.starts))
    window, slot, row = window[inside], pairs.slot[inside], pairs.row[inside]
    if not len(window):
        return
    first, last = int(window.min()), int(window.max()) + 1
    shape = (last - first, trackers)
    virtual = (window - first) * trackers + slot
    posts = np.bincount(virtual, minlength=shape[0] * trackers).astype(np.float64)
    one.posts[first:last, 1:] += posts.reshape(shape)
    matched = Matched(arrivals, virtual, row, shape[0] * trackers)
    for name, values in one.signals.items():
        signal = SIGNALS[name]
        values[first:last] = signal.values(signal.tally(matched), posts).reshape(shape)


def _values(one: Counted, name: str) -> tuple[Floats, Bools]:
    """What is scored of a signal, and where there is too little; the stream's column is its posts, as in the watch."""
    if name == "posts":
        return one.posts, np.zeros(one.posts.shape, np.bool_)
    if SIGNALS[name].kind != "count":
        values = np.concatenate((np.full((len(one.starts), 1), np.nan), one.signals[name]), axis=1)
        return values, np.isnan(values)
    values = np.concatenate((one.posts[:, :1], one.signals[name]), axis=1)
    missing = np.isnan(values)
    # Where no tracker has anything to say the watch does not ask, so the stream's row learns nothing either.
    missing[:, 0] = missing[:, 1:].all(axis=1)
    return np.where(missing, 0.0, values), missing


def _free(calendar: Calendar, one: Counted) -> Bools:
    if not calendar.known or not len(one.starts):
        return np.zeros((len(one.starts), 3, 0), np.bool_)
    return np.stack([calendar.free(start, one.window_us) for start in one.starts.tolist()])


def _holes_in(base: Swept, one: Counted, params: WatchParams) -> Bools:
    """Larger windows of which too much was a hole."""
    number = base.counted.starts // one.window_us - one.starts[0] // one.window_us if len(one.starts) else None
    if number is None:
        return np.zeros(0, np.bool_)
    inside = (number >= 0) & (number < len(one.starts))
    holes = np.bincount(number[inside], weights=base.gap[inside, -1], minlength=len(one.starts))
    too_many: Bools = holes > (1 - params.cover) * one.parts
    return too_many


def _silent(one: Counted, params: WatchParams) -> Bools:
    """Windows of a stream that was not there for long: the watch leaves them out."""
    number = np.arange(len(one.starts))
    last = np.maximum.accumulate(np.where(one.posts[:, 0] > 0, number, 0))
    silent: Bools = number - last > params.silence_windows
    return silent


def _posts(
    one: Counted, params: WatchParams, fixed: Bools, context: tuple[Bools, Bools, Bools], check: Callable[[], None]
) -> tuple[Scores, Bools, list[Detector], Detector]:
    """Run over the posts. An empty window where many were expected is a hole, which no window before it depends on.

    `context`: which windows a series did not watch from their start, which are scored, and the holidays.
    """
    begun, scored, free = context
    empty = one.posts[:, 0] == 0
    hole = fixed
    for _ in range(_MOST_ROUNDS):
        check()
        detector = Detector.empty(one.posts.shape[1])
        gap = begun | hole[:, None]
        scores, before = _run(detector, one.posts, one.starts, params, (~gap & scored[:, None], free))
        missed = scored & empty & ~scores.learning[:, 0] & (scores.expected[:, 0] >= params.hole_expected)
        again = fixed | missed
        if (again == hole).all():
            break
        hole = again
    return scores, gap, before, detector


def _run(
    detector: Detector, values: Floats, starts: Ints, params: WatchParams, context: tuple[Bools, Bools]
) -> tuple[Scores, list[Detector]]:
    """All windows, and the detector before each `CHUNK` of them. Changes `detector`. `context`: taught and holidays."""
    taught, free = context
    parts, before = [], []
    for begin in range(0, max(len(starts), 1), CHUNK):
        rows = slice(begin, begin + CHUNK)
        before.append(copy_of(detector))
        parts.append(run(detector, values[rows], starts[rows], params, np.ascontiguousarray(taught[rows]), free[rows]))
    if len(parts) == 1:
        return parts[0], before
    return of_scores(parts, lambda arrays: np.concatenate(arrays, axis=-2)), before


def _measured(name: str, values: Floats, starts: Ints, params: WatchParams, taught: Bools) -> tuple[Scores, Levels]:
    """Run over the windows in which somebody has a value; in the others nothing is said."""
    known = Levels.empty(values.shape[1], "share" if SIGNALS[name].kind == "share" else "positive")
    rows = np.flatnonzero(taught.any(axis=1))
    if not len(rows):
        # As of one window in which nobody has a value.
        nothing = levels.score(known, np.full(values.shape[1], np.nan), 0, params)

        def nowhere(arrays: list[Any]) -> Any:
            return np.zeros((*arrays[0].shape[:-1], len(starts), values.shape[1]), arrays[0].dtype)

        return of_scores([nothing], nowhere), known
    found = levels.run(known, values[rows], starts[rows], params, taught[rows])

    def spread(arrays: list[Any]) -> Any:
        whole = np.zeros((*arrays[0].shape[:-2], len(starts), values.shape[1]), arrays[0].dtype)
        whole[..., rows, :] = arrays[0]
        return whole

    return of_scores([found], spread), known
