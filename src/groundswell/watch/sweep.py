"""The watch's kernels over all windows of a history at once: what a stream's watch does window by window.

What is counted in a window does not depend on other windows, so the values of all of them are made together, with the
number of the window in the place of the tracker's. The detectors go over them one after the other, in one call. What is
told of a window (`judging`) and what becomes of it (`closing`) are the functions of the live watch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from groundswell.watch import levels
from groundswell.watch.contract import Ints, WatchParams
from groundswell.watch.detector import Detector, Scores, run
from groundswell.watch.holes import UNKNOWN, Coverage, holes_in, silent
from groundswell.watch.holidays import Calendar
from groundswell.watch.levels import Levels
from groundswell.watch.pastcounts import Counted
from groundswell.watch.running import slide_of
from groundswell.watch.signals import SIGNALS
from groundswell.watch.thin import StreamLevels, is_thin, levels_of
from groundswell.watch.trends import Places

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Windows that are run between two copies of a detector.
CHUNK: Final = 2_000
#: Empty windows are told from holes by what was expected, which depends on the holes before: so often at most.
_MOST_ROUNDS: Final = 12


@dataclass
class Swept:
    """What the detectors say of the windows of one size."""

    counted: Counted
    gap: Bools
    """Shape (windows, 1 + trackers): not watched, or not whole."""
    hole: Bools
    """Shape (windows,): not watched by anybody."""
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
    trend: Floats | None
    """The macro trend, shape (windows, 2, series); null: that of the whole stream."""
    levels_of: dict[str, Levels] = field(default_factory=dict)
    """Of measured signals what is known after the last window."""
    running: Swept | None = None
    """The running windows of the same size, posts alone; null where all need not be told."""
    teaches: Swept | None = None
    """Of running windows: those whose detector scored them."""

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
        if self.teaches is not None:
            ends = self.teaches.counted.starts + self.window_us
            by = int(np.searchsorted(ends, int(self.counted.starts[number]) + self.window_us, side="right"))
            return self.teaches.detector(name, by, params)
        chunk = min(number // CHUNK, len(self.before[name]) - 1)
        found = copy_of(self.before[name][chunk])
        rows = slice(chunk * CHUNK, number)
        if rows.stop > rows.start:
            taught = ~self.gap[rows] & ~self.missing[name][rows] & self.scored[rows, None]
            sized = params.at(self.window_us)
            around = None if self.trend is None else self.trend[rows]
            run(found, self.values(name)[rows], self.counted.starts[rows], sized, taught, self.free[rows], around)
        return found

    def window(self, name: str, number: int) -> Scores:
        """What was said of one window; arrays of shape (1 + trackers,)."""
        cut = of_scores([self.scores[name]], lambda arrays: arrays[0][..., number, :])
        return replace(cut, platform_ratio=self.ratio(number))


def of_scores(parts: Sequence[Scores], make: Callable[[list[Any]], Any]) -> Scores:
    """Scores whose arrays are made of the same arrays of some others."""
    made: dict[str, Any] = {
        field.name: make([getattr(part, field.name) for part in parts])
        for field in dataclasses.fields(Scores)
        if isinstance(getattr(parts[0], field.name), np.ndarray)
    }
    if parts[0].edges is not None:
        made["edges"] = (make([part.lower for part in parts]), make([part.upper for part in parts]))
    return replace(parts[0], **made)


def copy_of(detector: Detector) -> Detector:
    """Another detector that knows the same."""
    return detector.rows(np.arange(len(detector)))


def sweep(
    counted: Sequence[Counted],
    params: WatchParams,
    begun_us: Ints,
    check: Callable[[], None] = lambda: None,
    countries: Sequence[str | None] = (),
    places: Places | None = None,
    *,
    coverage: Coverage = UNKNOWN,
    told: bool = True,
) -> list[Swept]:
    """Let fresh detectors score every window and learn from it, sizes ascending.

    A window that begins before `begun_us` (one a column) was not watched from its start. `check` is called often.
    `countries` are those of the trackers, whose public holidays are no usual days (none: not known). `places` say where
    the only tracker lives; without, the whole stream is what it is held against. Where `coverage` says when sources
    were connected, it decides what was a hole; elsewhere one is empty though many posts were expected. Unless all is to
    be `told`, measured signals are left out, and of the others but posts only what is known after the last one is kept.
    """
    calendar = Calendar((None, *countries))
    main = next((one for one in counted if one.window_us == params.window_us), counted[-1])
    if not is_thin(main.posts[:, 0], params.base_us, params):
        return _sweep(counted, params, begun_us, (None, calendar, places, coverage), check, told=told)
    gap = main.starts < begun_us[0]
    # What was a hole is a question of the stream alone.
    alone = [replace(one, posts=one.posts[:, :1], signals={}) for one in counted]
    for _ in range(_MOST_ROUNDS):
        check()
        stream = levels_of(main.posts[:, 0], main.starts, ~gap, params)
        swept = _sweep(alone, params, begun_us[:1], (stream, Calendar((None,)), None, coverage), check)
        found = next(one.gap[:, 0] for one in swept if one.window_us == main.window_us)
        if (found == gap).all():
            break
        gap = found
    return _sweep(counted, params, begun_us, (stream, calendar, places, coverage), check, told=told)


def _sweep(
    counted: Sequence[Counted],
    params: WatchParams,
    begun_us: Ints,
    around: tuple[StreamLevels | None, Calendar, Places | None, Coverage],
    check: Callable[[], None],
    *,
    told: bool = True,
) -> list[Swept]:
    out: list[Swept] = []
    stream, calendar, places, coverage = around
    for one in counted:
        check()
        sized = params.at(one.window_us)
        whole = one.parts * params.base_us == one.window_us
        known = coverage.known(one.starts, one.window_us)
        if out:
            fixed = ~whole | holes_in(out[0].counted, out[0].hole, one, coverage, params)
        else:
            fixed = ~whole | silent(one, sized) | (known & ~coverage.covers(one.starts, one.window_us, params.cover))
        scored = np.ones(len(fixed), np.bool_)
        if stream is not None and one.window_us < params.window_us:
            scored = stream.scored(one.starts, one.window_us, params)
        begun = one.starts[:, None] < begun_us
        free = _free(calendar, one)
        hole = _holes(one, sized, fixed, (begun[:, 0], known), scored, check)
        gap = begun | hole[:, None]
        trend = None if places is None else places.exposure(one.starts, one.window_us, params, gap[:, 0] | ~scored)
        detector = Detector.empty(one.posts.shape[1])
        posts, before = _run(detector, one.posts, one.starts, sized, (~gap & scored[:, None], free, trend))
        detectors = {"posts": detector}
        swept = Swept(one, gap, hole, {"posts": posts}, {}, {"posts": before}, detectors, scored, stream, free, trend)
        swept.missing["posts"] = np.zeros(one.posts.shape, np.bool_)
        for name in one.signals:
            check()
            if SIGNALS[name].kind != "count":
                if told:
                    _add_measured(swept, name, sized)
                continue
            values, missing = _values(one, name)
            fresh = Detector.empty(values.shape[1])
            taught = ~gap & ~missing & scored[:, None]
            scores, before = _run(fresh, values, one.starts, sized, (taught, free, trend))
            swept.detectors[name] = fresh
            if told:
                swept.scores[name], swept.before[name], swept.missing[name] = scores, before, missing
        source = next((held for held in out if held.window_us == slide_of(one.window_us, params.sizes)), None)
        if told and source is not None:
            swept.running = _run_between(swept, source, out[0], begun_us, params, (calendar, places, coverage))
        out.append(swept)
    return out


def _run_between(
    swept: Swept,
    source: Swept,
    base: Swept,
    begun_us: Ints,
    params: WatchParams,
    context: tuple[Calendar, Places | None, Coverage],
) -> Swept:
    """The running windows of a size, scored by its detector; `source` are the windows that they are made of.

    `base` are those of the smallest size, `context` the holidays, where the tracker lives, and connections.
    """
    calendar, places, coverage = context
    size, slide = swept.window_us, source.window_us
    first = int(source.counted.starts[0]) if len(source.counted.starts) else 0
    last = first + len(source.counted.starts) * slide
    starts = np.arange(first, last - size + 1, slide, dtype=np.int64)
    starts = starts[starts % size != 0]
    begin = (starts - first) // slide

    def summed(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        reached = np.concatenate((np.zeros_like(values[:1]), np.cumsum(values, axis=0)))
        return np.asarray(reached[begin + size // slide] - reached[begin])

    counted = Counted(size, starts, summed(source.counted.posts), {}, summed(source.counted.parts))
    fixed = (counted.parts * params.base_us != size) | holes_in(base.counted, base.hole, counted, coverage, params)
    scored = np.ones(len(starts), np.bool_)
    if swept.stream is not None and size < params.window_us:
        scored = swept.stream.scored(starts, size, params)
    whole = np.concatenate((swept.counted.starts, starts))
    order = np.argsort(whole, kind="stable")
    mine = np.flatnonzero(order >= len(swept.counted.starts))
    taught = np.concatenate((~swept.gap & swept.scored[:, None], np.zeros(counted.posts.shape, np.bool_)))[order]
    free = np.concatenate((swept.free, _free(calendar, counted)))[order]
    posts = np.concatenate((swept.counted.posts, counted.posts))[order]
    trend = None
    if places is not None:
        trend = places.exposure(whole[order], size, params, ~taught[:, 0])
    fresh = Detector.empty(posts.shape[1])
    scores, _ = _run(fresh, posts, whole[order], params.at(size), (taught, free, trend))
    found = of_scores([scores], lambda arrays: arrays[0][..., mine, :])
    expected = ~found.learning[:, 0] & (found.expected[:, 0] >= params.hole_expected)
    hole = fixed | ((counted.posts[:, 0] == 0) & expected & ~coverage.known(starts, size))
    gap = (starts[:, None] < begun_us) | hole[:, None]
    around = None if trend is None else trend[mine]
    missing = {"posts": np.zeros(counted.posts.shape, np.bool_)}
    return Swept(
        counted, gap, hole, {"posts": found}, missing, {}, {}, scored, swept.stream, free[mine], around, teaches=swept
    )


def _add_measured(swept: Swept, name: str, params: WatchParams) -> None:
    values, missing = _values(swept.counted, name)
    taught = ~swept.gap & ~missing & swept.scored[:, None]
    swept.scores[name], swept.levels_of[name] = _measured(name, values, swept.counted.starts, params, taught)
    swept.missing[name] = missing


def learned(name: str, one: Counted, params: WatchParams, taught: Bools, check: Callable[[], None]) -> Levels:
    """What is known of a measured signal after the last of the windows in which a series is `taught`."""
    known = _fresh(name, one.posts.shape[1])
    sized, values = params.at(one.window_us), one.signals[name]
    for number in range(len(one.starts)):
        if not number % CHUNK:
            check()
        found = np.concatenate(([np.nan], values[number]))
        some = taught[number] & ~np.isnan(found)
        if some.any():
            levels.learn(known, found, int(one.starts[number]), sized, some)
    return known


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
    missing[:, 0] = ~one.heard[name] if name in one.heard else missing[:, 1:].all(axis=1)
    return np.where(missing, 0.0, values), missing


def _free(calendar: Calendar, one: Counted) -> Bools:
    if not calendar.known or not len(one.starts):
        return np.zeros((len(one.starts), 3, 0), np.bool_)
    return np.stack([calendar.free(start, one.window_us) for start in one.starts.tolist()])


def _holes(
    one: Counted, params: WatchParams, fixed: Bools, said: tuple[Bools, Bools], scored: Bools, check: Callable[[], None]
) -> Bools:
    """Which windows nobody watched: an empty one where many posts were expected, which none before it depends on.

    `said`: in which windows the stream was not watched from their start, and of which connections are known (then
    they alone decide); `scored`: which are scored.
    """
    begun, connected = said
    posts = one.posts[:, :1]
    nobody, hole = np.zeros((len(posts), 3, 0), np.bool_), fixed
    for _ in range(_MOST_ROUNDS):
        check()
        taught = ~(begun | hole) & scored
        scores, _ = _run(Detector.empty(1), posts, one.starts, params, (taught[:, None], nobody, None))
        many = ~scores.learning[:, 0] & (scores.expected[:, 0] >= params.hole_expected)
        again = fixed | (scored & (posts[:, 0] == 0) & many & ~connected)
        if (again == hole).all():
            break
        hole = again
    return hole


def _run(
    detector: Detector, values: Floats, starts: Ints, params: WatchParams, context: tuple[Bools, Bools, Floats | None]
) -> tuple[Scores, list[Detector]]:
    """All windows, and the detector before each `CHUNK` of them. Changes `detector`.

    `context`: what is taught, the holidays and the macro trend.
    """
    taught, free, trend = context
    parts, before = [], []
    for begin in range(0, max(len(starts), 1), CHUNK):
        rows = slice(begin, begin + CHUNK)
        before.append(copy_of(detector))
        around = None if trend is None else trend[rows]
        some = np.ascontiguousarray(taught[rows])
        parts.append(run(detector, values[rows], starts[rows], params, some, free[rows], around))
    if len(parts) == 1:
        return parts[0], before
    return of_scores(parts, lambda arrays: np.concatenate(arrays, axis=-2)), before


def _fresh(name: str, series: int) -> Levels:
    return Levels.empty(series, "share" if SIGNALS[name].kind == "share" else "positive")


def _measured(name: str, values: Floats, starts: Ints, params: WatchParams, taught: Bools) -> tuple[Scores, Levels]:
    """Run over the windows in which somebody has a value; in the others nothing is said."""
    known = _fresh(name, values.shape[1])
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
