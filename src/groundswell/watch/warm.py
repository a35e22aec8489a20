"""Warm start: history's counts go through the same kernel, so that a new tracker knows its day and week."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.watch.contract import SeriesPoint, TrackerSpec, WatchParams
from groundswell.watch.detector import Detector, Scores, learn, score
from groundswell.watch.frames import Frame, absent, ring_of
from groundswell.watch.profiles import learn_all
from groundswell.watch.recent import learned_columns
from groundswell.watch.state import WatchState, align

Ints = npt.NDArray[np.int64]

#: Windows between two looks whether to go on.
_CHECK_EVERY = 500


@dataclass(frozen=True)
class History:
    """Counts of a tracker and of the whole stream per window, from `first_window_us` on without holes."""

    tracker: TrackerSpec
    counts: Ints
    totals: Ints
    first_window_us: int


def warm_start(
    state: WatchState,
    tracker: TrackerSpec,
    counts: Ints,
    totals: Ints,
    first_window_us: int,
    params: WatchParams,
) -> WatchState:
    """Teach one tracker from history, and the stream if the history knows more of it; as `warm_start_all`."""
    return warm_start_all(state, [History(tracker, counts, totals, first_window_us)], params)


def take_up(state: WatchState, trackers: Sequence[TrackerSpec], params: WatchParams) -> None:
    """Add trackers that `state` does not know yet; they know nothing. Changes `state`."""
    known = [tracker for series in state.series if (tracker := series.tracker) is not None]
    keys = {(tracker.id, tracker.version) for tracker in known}
    align(state, [*known, *(one for one in trackers if (one.id, one.version) not in keys)], params)


def warm_start_all(
    state: WatchState,
    histories: Sequence[History],
    params: WatchParams,
    *,
    check: Callable[[], None] = lambda: None,
) -> WatchState:
    """Teach trackers from their histories, all at once. The given `state` is used up.

    `check` is called every now and then; what it raises ends the work.

    Windows in which the whole stream was empty though posts were expected teach nothing. Trackers that the
    state does not know yet are added to it.
    """
    take_up(state, [history.tracker for history in histories], params)
    if not histories:
        return state
    counts, present, first = _grid(histories, params)
    row = {key: number for number, key in enumerate(state.keys)}
    slots = [row[(history.tracker.id, history.tracker.version)] for history in histories]
    for frame in state.frames:
        if frame.window_us % params.window_us == 0:
            grid = _joined(counts, present, first, frame.window_us, params)
            _teach(frame, slots, grid, histories, params, check)
    return state


def _teach(
    frame: Frame,
    slots: Sequence[int],
    grid: tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], int],
    histories: Sequence[History],
    params: WatchParams,
    check: Callable[[], None],
) -> None:
    detector, points = _replay(*grid, histories, params.at(frame.window_us), check)
    known = frame.detectors["posts"]
    if detector.seen[0] > known.seen[0]:
        _copy_row(detector, 0, known, 0)
    for number, slot in enumerate(slots):
        _copy_row(detector, number + 1, known, slot + 1)
        _fill_ring(frame, slot, points[number], ring_of(frame.window_us, params))


def _joined(
    counts: npt.NDArray[np.float64], present: npt.NDArray[np.bool_], first: int, window_us: int, params: WatchParams
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], int]:
    """The grid in larger windows: whole ones only, each present where all its parts are."""
    parts = window_us // params.window_us
    skip = -(first // params.window_us) % parts
    length = max(len(counts) - skip, 0) // parts
    rows = slice(skip, skip + length * parts)
    shape = (length, parts, counts.shape[1])
    joined = counts[rows].reshape(shape).sum(axis=1)
    whole = np.asarray(present[rows].reshape(shape).all(axis=1), dtype=np.bool_)
    return joined, whole, first + skip * params.window_us


def teach_posts(state: WatchState, tracker: TrackerSpec, posts: pa.Table) -> WatchState:
    """Teach a tracker what its posts are usually like from past ones (columns `recent.LEARNED`)."""
    at = state.keys.index((tracker.id, tracker.version))
    learn_all(state.series[at].profile, learned_columns(posts))
    return state


def _grid(
    histories: Sequence[History], params: WatchParams
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], int]:
    """Counts on one grid of windows: (windows, 1 + histories), where each history is present, and its start."""
    width = params.window_us
    first = min(h.first_window_us for h in histories)
    length = max((h.first_window_us - first) // width + len(h.counts) for h in histories)
    counts = np.zeros((length, len(histories) + 1))
    present = np.zeros(counts.shape, dtype=np.bool_)
    for number, history in enumerate(histories, start=1):
        begin = (history.first_window_us - first) // width
        rows = slice(begin, begin + len(history.counts))
        counts[rows, number] = history.counts
        counts[rows, 0] = np.maximum(counts[rows, 0], history.totals)
        present[rows, number] = present[rows, 0] = True
    return counts, present, first


def _replay(
    counts: npt.NDArray[np.float64],
    present: npt.NDArray[np.bool_],
    first: int,
    histories: Sequence[History],
    params: WatchParams,
    check: Callable[[], None],
) -> tuple[Detector, list[list[SeriesPoint]]]:
    detector = Detector.empty(counts.shape[1])
    points: list[list[SeriesPoint]] = [[] for _ in histories]
    silent = 0
    for number in range(len(counts)):
        if number % _CHECK_EVERY == 0:
            check()
        start = first + number * params.window_us
        silent = 0 if counts[number, 0] else silent + 1
        hole = silent > params.silence_windows or (silent > 0 and _was_expected(detector, params))
        if len(counts) - number <= params.ring:
            scores = score(detector, counts[number], start, params)
            _note(points, histories, counts[number], present[number] & ~hole, scores, start, params)
        if not hole:
            learn(detector, counts[number], start, params, present[number])
    return detector, points


def _was_expected(detector: Detector, params: WatchParams) -> bool:
    rate = detector.level_posts[0] / (detector.level_windows[0] + 1.0)
    return bool(rate >= params.hole_expected)


def _note(
    points: list[list[SeriesPoint]],
    histories: Sequence[History],
    counts: npt.NDArray[np.float64],
    present: npt.NDArray[np.bool_],
    scores: Scores,
    start: int,
    params: WatchParams,
) -> None:
    length = params.window_us // 1_000_000
    for at, history in enumerate(histories):
        row = at + 1
        name, count = history.tracker.id, int(counts[row])
        if not present[row]:
            points[at].append(SeriesPoint(name, length, start, count, None, None, None, None, None, None, "gap"))
            continue
        expected, lower, upper = (float(v[row]) for v in (scores.expected, scores.lower, scores.upper))
        p_value = float(scores.p_drop[row] if scores.drop[row] else scores.p_burst[row])
        days, ratio = float(scores.return_days[row]), scores.platform_ratio
        points[at].append(
            SeriesPoint(name, length, start, count, expected, lower, upper, p_value, days, ratio, "usual")
        )


def _copy_row(source: Detector, row: int, target: Detector, at: int) -> None:
    for name in Detector.ARRAYS:
        getattr(target, name)[at] = getattr(source, name)[row]


def _fill_ring(frame: Frame, slot: int, points: list[SeriesPoint], ring: int) -> None:
    """Put history before what the tracker has seen itself."""
    held = {closed.start: closed for closed in frame.ring}
    seen = min((start for start, closed in held.items() if closed.is_there(slot)), default=None)
    trackers = len(frame.detectors["posts"]) - 1
    for point in points:
        if seen is None or point.start < seen:
            held.setdefault(point.start, absent(point.start, trackers)).put(slot, point)
    frame.ring = deque(held[start] for start in sorted(held)[-ring:])
