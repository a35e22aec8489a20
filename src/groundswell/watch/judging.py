"""What the detectors say of a closed window: how rare each signal is, and which of that is worth an alert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from groundswell.query import Query
from groundswell.watch import levels
from groundswell.watch.contract import DAY, TrackerSpec, WatchParams
from groundswell.watch.detector import Detector, Scores, forecast, learn, score
from groundswell.watch.episodes import Voice
from groundswell.watch.frames import STATE_NUMBER, Closed, Frame, Window, measured_of, signals_of
from groundswell.watch.holidays import Calendar
from groundswell.watch.levels import Levels
from groundswell.watch.running import spent_by
from groundswell.watch.signals import SIGNALS, Tally
from groundswell.watch.state import WatchState
from groundswell.watch.windows import is_covered

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Around = tuple[Floats, Floats]

#: Signals other than posts are worth an alert only where the window holds so many posts.
LEAST_POSTS: Final = 10
#: Windows smaller than the one that is shown first are scored where the stream has so many posts in one on average.
LEAST_STREAM: Final = 0.2


@dataclass(frozen=True)
class Watched:
    """The trackers in force and their parsed queries."""

    trackers: Sequence[TrackerSpec]
    queries: Sequence[Query]
    covered: Sequence[tuple[int, int]] | None
    params: WatchParams
    without_evidence: frozenset[str] = frozenset()
    """Trackers whose alerts need no card."""
    only_learn: bool = False
    """Windows teach, but open no episode: a warm start."""

    @property
    def calendar(self) -> Calendar:
        """The public holidays of the whole stream (none) and of each tracker."""
        return _calendar((None, *(tracker.country for tracker in self.trackers)))

    @cached_property
    def promises(self) -> Floats:
        """Days of each tracker's promise, longer where all of them together would break the desk's budget."""
        days = np.array([tracker.promise_days for tracker in self.trackers])
        a_day = float((1.0 / days).sum())
        tighter = 1.0 if not self.params.budget else max(1.0, a_day / self.params.budget)
        return days * tighter


@lru_cache(maxsize=4)
def _calendar(countries: tuple[str | None, ...]) -> Calendar:
    return Calendar(countries)


@dataclass(frozen=True)
class Heard:
    """One signal in one window."""

    detector: Detector | Levels
    values: Floats
    """One a series, row 0 the whole stream."""
    known: Any
    """The kernel's forecast."""
    scores: Scores
    missing: Bools
    """Which windows had too little to say."""
    free: Bools = field(default_factory=lambda: np.zeros((3, 0), dtype=np.bool_))
    """Which series are on a public holiday, as `holidays.Calendar.free`."""
    around: Around | None = None
    """What was seen and what was expected of the platforms of each series; null: of the whole stream."""

    def learn(self, start: int, params: WatchParams, taught: Bools) -> None:
        """Let the window teach the series in `taught`."""
        if isinstance(self.detector, Levels):
            levels.learn(self.detector, self.values, start, params, taught, self.known, self.scores, self.free)
        else:
            learn(self.detector, self.values, start, params, taught & ~self.missing, self.known, self.scores, self.free)


@dataclass(frozen=True)
class Judged:
    """A closed window of one size."""

    heard: dict[str, Heard]
    gap: Bools
    """One a series: the window was not watched, or not whole."""
    closed: Closed
    voices: dict[int, list[Voice]]
    """What is rare enough for an alert, by tracker's number."""


def judge(
    state: WatchState,
    frame: Frame,
    start: int,
    window: Window,
    around: Around | None,
    watched: Watched,
    *,
    running: bool = False,
) -> Judged:
    """Score a window. Changes neither `state` nor `frame`, but says in `window.holes` whether it is one.

    `around` is what was seen and what was expected of the platforms of each series; null: of the whole stream. Of a
    `running` window nothing but posts is known.
    """
    params = watched.params.at(frame.window_us)
    free = watched.calendar.free(start, frame.window_us)
    counted, measured = (["posts"], []) if running else (list(frame.detectors), list(frame.levels))
    asked = {name: _hear(name, frame, start, window, (around, free), params) for name in counted}
    asked |= {name: _measure(name, frame, start, window, free, params) for name in measured}
    heard = {name: one for name, one in asked.items() if one is not None}
    posts = heard["posts"]
    gap = gap_of(state, frame, start, window, posts.scores, watched)
    voices: dict[int, list[Voice]] = {}
    required: dict[str, Floats] = {}
    for name, one in heard.items():
        required[name] = watched.promises / share_of(name, watched.params)
        if watched.only_learn:
            continue
        for slot, voice in _voices(name, one, gap, posts.values, required[name], start, params):
            voices.setdefault(slot, []).append(voice)
    return Judged(heard, gap, _closed(start, posts, gap, required["posts"], params), voices)


def is_scored(state: WatchState, frame: Frame, params: WatchParams) -> bool:
    """Whether windows of a size are scored: small ones of a stream that fills hardly any of them say nothing more."""
    if frame.window_us >= params.window_us:
        return True
    known = state.frame(params.window_us).detectors["posts"]
    if known.seen[0] * params.window_us < DAY:
        return True
    a_window = known.level_posts[0] / (known.level_windows[0] + 1.0) * frame.window_us / params.window_us
    return bool(a_window >= LEAST_STREAM)


def gap_of(
    state: WatchState, frame: Frame, start: int, window: Window, scores: Scores | None, watched: Watched
) -> Bools:
    """Which series did not watch a window from its start, or not at all; says in `window.holes` if nobody did."""
    begun = np.array([state.first_us, *(series.first_us for series in state.series)], dtype=np.int64)
    return (begun > start) | _is_hole(frame, start, window, scores, watched)


@lru_cache(maxsize=256)
def share_of(name: str, params: WatchParams) -> float:
    """The part of a tracker's promise that one signal spends in windows of one size; `params` of the whole watch.

    Parts are by the weights of signals. Windows of several sizes hold the same posts, so that k sizes together spend
    less than k times what one does.
    """
    scored = [[*signals_of(size, params), *measured_of(size, params)] for size in params.sizes]
    total = sum(SIGNALS[each].weight for each in {each for names in scored for each in names})
    sizes = [size for size, names in zip(params.sizes, scored, strict=True) if name in names]
    return SIGNALS[name].weight / total / spent_by(sizes)


def _hear(
    name: str, frame: Frame, start: int, window: Window, context: tuple[Around | None, Bools], params: WatchParams
) -> Heard | None:
    """A signal that is counted; `context` is the macro trend and who is on a holiday. Null: nobody has one."""
    around, free = context
    posts = window.counts.astype(np.float64)
    values = posts
    if name != "posts":
        tally = window.tallies.get(name) or Tally.empty(len(posts) - 1)
        values = np.concatenate((posts[:1], SIGNALS[name].values(tally, posts[1:])))
    missing = np.isnan(values)
    if missing[1:].all() and name != "posts":
        return None
    values = np.where(missing, 0.0, values)
    detector = frame.detectors[name]
    known = forecast(detector, start, params, free)
    scores = score(detector, values, start, params, known, around)
    return Heard(detector, values, known, scores, missing, free, around)


def _measure(name: str, frame: Frame, start: int, window: Window, free: Bools, params: WatchParams) -> Heard | None:
    """A signal that is measured. Null: nobody has one."""
    trackers = len(window.counts) - 1
    tally = window.tallies.get(name)
    if tally is None:
        return None
    found = SIGNALS[name].values(tally, window.counts[1:].astype(np.float64))
    values = np.concatenate(([np.nan], found))
    missing = np.isnan(values)
    if not trackers or missing.all():
        return None
    known_of = frame.levels[name]
    known = levels.forecast(known_of, start, params, free)
    return Heard(known_of, values, known, levels.score(known_of, values, start, params, known), missing, free)


def _is_hole(frame: Frame, start: int, window: Window, scores: Scores | None, watched: Watched) -> bool:
    """Whether the window was not watched; says so in `window.holes` too."""
    params = watched.params
    if window.parts * params.base_us < frame.window_us:
        return True
    if watched.covered is not None:
        hole = not is_covered(start, watched.covered, params.at(frame.window_us))
    else:
        expected = 0.0 if scores is None or scores.platform_ratio is None else float(scores.expected[0])
        hole = bool(window.counts[0] == 0 and expected >= params.hole_expected)
        hole = hole or window.holes > (1 - params.cover) * window.parts
    if frame.window_us == params.base_us:
        window.holes = int(hole)
    return hole


def _closed(start: int, posts: Heard, gap: Bools, required: Floats, params: WatchParams) -> Closed:
    """The window of each tracker as the detector sees it; episodes may call it unusual later."""
    scores, counts = posts.scores, posts.values[1:]
    expected, learning, missing = scores.expected[1:], scores.learning[1:], gap[1:]
    days, alone = scores.return_days[1:], scores.alone_days[1:]
    macro = (days < required) & (required <= alone) & (np.abs(counts - expected) >= params.min_excess)
    state = np.where(macro, STATE_NUMBER["macro"], STATE_NUMBER["usual"])
    state = np.where(learning, STATE_NUMBER["learning"], state)
    state = np.where(missing, STATE_NUMBER["gap"], state)
    p_value = np.where(scores.drop, scores.p_drop, scores.p_burst)[1:]
    ratio = np.full(len(counts), np.nan if scores.platform_ratio is None else scores.platform_ratio)
    known = np.stack((expected, scores.lower[1:], scores.upper[1:], p_value, days), axis=1)
    known[learning | missing] = np.nan
    reals = np.concatenate((known, ratio[:, None]), axis=1)
    late = np.zeros(len(counts), dtype=np.int64)
    return Closed(start, counts.astype(np.int64), late, state.astype(np.int8), reals)


def _voices(
    name: str, one: Heard, gap: Bools, posts: Floats, required: Floats, start: int, params: WatchParams
) -> list[tuple[int, Voice]]:
    """What of a signal is rare enough for an alert: the tracker's number and the voice."""
    signal, scores = SIGNALS[name], one.scores
    days = scores.return_days[1:]
    worth = (days >= required) & ~gap[1:] & ~scores.learning[1:] & ~one.missing[1:]
    excess = (one.values - scores.expected)[1:]
    if signal.kind == "count":
        burst, drop = excess >= params.min_excess, -excess >= params.min_excess
    else:
        clear = one.values[1:] >= (signal.least if signal.kind == "share" else signal.least * scores.expected[1:])
        burst, drop = (excess > 0) & clear, np.zeros(len(excess), dtype=np.bool_)
    if name != "posts":
        worth &= posts[1:] >= LEAST_POSTS
    worth &= np.where(scores.drop[1:], drop & signal.drops, burst)
    found = []
    for slot in np.flatnonzero(worth).tolist():
        row = slot + 1
        is_drop = bool(scores.drop[row])
        voice = Voice(
            signal=name,
            window_us=params.window_us,
            start=start,
            direction="drop" if is_drop else "burst",
            observed=float(one.values[row]),
            expected=float(scores.expected[row]),
            lower=float(scores.lower[row]),
            upper=float(scores.upper[row]),
            p_value=float(scores.p_drop[row] if is_drop else scores.p_burst[row]),
            return_days=float(days[slot]),
            rarity=float(days[slot] / required[slot]),
        )
        found.append((slot, voice))
    return found
