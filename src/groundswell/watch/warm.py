"""Warm start: history goes through the same kernels, so that a new tracker knows its week in windows of every size."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.watch.contract import Ints, TrackerSpec, WatchParams
from groundswell.watch.detector import Detector
from groundswell.watch.frames import ABSENT, Frame, absent, ring_of
from groundswell.watch.levels import Levels
from groundswell.watch.pastcounts import Counted, count_stream
from groundswell.watch.profiles import learn_all
from groundswell.watch.recent import learned_columns
from groundswell.watch.rerun import windows_of
from groundswell.watch.signals import SIGNALS
from groundswell.watch.state import WatchState, align
from groundswell.watch.sweep import Swept, learned, sweep
from groundswell.watch.windows import NEVER

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Trackers that are swept at once: eight weeks of windows of a minute take about 20 MB each meanwhile.
_TOGETHER: Final = 16


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
    """Teach trackers from counts of their posts in windows of the smallest size, all at once.

    The given `state` is used up. `check` is called every now and then; what it raises ends the work.

    Windows in which the whole stream was empty though posts were expected teach nothing. Trackers that the
    state does not know yet are added to it.
    """
    trackers = [history.tracker for history in histories]
    if not histories:
        return state
    counts, totals, first_us = _grid(histories, params.base_us)
    counted = count_stream(first_us, totals, len(trackers), params)
    for one in counted:
        one.signals = {}
        window = (first_us + np.arange(len(totals)) * params.base_us - one.starts[:1]) // one.window_us
        inside = window < len(one.starts)
        np.add.at(one.posts[:, 1:], window[inside], counts[inside])
    begun = np.array([NEVER, *(history.first_window_us for history in histories)])
    return teach_counted(state, trackers, counted, begun, params, check=check)


def teach_counted(
    state: WatchState,
    trackers: Sequence[TrackerSpec],
    counted: Sequence[Counted],
    begun_us: Ints,
    params: WatchParams,
    *,
    check: Callable[[], None] = lambda: None,
) -> WatchState:
    """Teach trackers what was counted (column n + 1 is that of tracker n). The given `state` is used up.

    A window that begins before `begun_us` (one a column) was not watched from its start. What the stream's rows know
    is taken where it is more than they knew. Trackers that the state does not know yet are added to it.
    """
    take_up(state, trackers, params)
    row = {key: number for number, key in enumerate(state.keys)}
    slots = [row[tracker.id, tracker.version] for tracker in trackers]
    # By all of them, whichever are swept together.
    whole = [replace(one, heard=_heard(one)) for one in counted]
    swept: list[Swept] = []
    for begin in range(0, len(trackers), _TOGETHER):
        some = slice(begin, begin + _TOGETHER)
        begun = np.concatenate((begun_us[:1], begun_us[1:][some]))
        mine = [one.of(some) for one in whole]
        swept = sweep(mine, params, begun, check, [tracker.country for tracker in trackers[some]], told=False)
        _teach(state, trackers[some], slots[some], swept, params)
    # What is measured is learned window by window, in as much time for one tracker as for some hundred.
    for one, last in zip(counted, swept, strict=False):
        taught = ~((one.starts[:, None] < begun_us) | last.hole[:, None]) & last.scored[:, None]
        for name in one.signals.keys() & state.frame(one.window_us).levels.keys():
            found = learned(name, one, params, taught, check)
            for number, slot in enumerate(slots):
                _copy_row(found, number + 1, state.frame(one.window_us).levels[name], slot + 1)
    return state


def _heard(one: Counted) -> dict[str, Bools]:
    """Of each signal that is counted in which windows any tracker has something to say."""
    counts = {name: values for name, values in one.signals.items() if SIGNALS[name].kind == "count"}
    return {name: np.asarray(~np.isnan(values).all(axis=1)) for name, values in counts.items()}


def _teach(
    state: WatchState,
    trackers: Sequence[TrackerSpec],
    slots: Sequence[int],
    found: Sequence[Swept],
    params: WatchParams,
) -> None:
    """Take what the counts of some trackers taught, which are in these `slots` of `state`. Changes `state`."""
    for swept in found:
        frame = state.frame(swept.window_us)
        for name, detector in swept.detectors.items():
            known = frame.detectors[name]
            if detector.seen[0] > known.seen[0]:
                _copy_row(detector, 0, known, 0)
            for number, slot in enumerate(slots):
                _copy_row(detector, number + 1, known, slot + 1)
        _fill_ring(frame, trackers, slots, swept, params)


def teach_posts(state: WatchState, tracker: TrackerSpec, posts: pa.Table) -> WatchState:
    """Teach a tracker what its posts are usually like from past ones (columns `recent.LEARNED`)."""
    at = state.keys.index((tracker.id, tracker.version))
    learn_all(state.series[at].profile, learned_columns(posts))
    return state


def _grid(histories: Sequence[History], width: int) -> tuple[Ints, Ints, int]:
    """Counts (windows, histories) and totals on one grid of windows, and its start."""
    first = min(history.first_window_us for history in histories)
    length = max((history.first_window_us - first) // width + len(history.counts) for history in histories)
    counts, totals = np.zeros((length, len(histories)), np.int64), np.zeros(length, np.int64)
    for number, history in enumerate(histories):
        begin = (history.first_window_us - first) // width
        rows = slice(begin, begin + len(history.counts))
        counts[rows, number] = history.counts
        totals[rows] = np.maximum(totals[rows], history.totals)
    return counts, totals, first


def _copy_row(source: Detector | Levels, row: int, target: Detector | Levels, at: int) -> None:
    for name in source.ARRAYS:
        getattr(target, name)[at] = getattr(source, name)[row]


def _fill_ring(
    frame: Frame, trackers: Sequence[TrackerSpec], slots: Sequence[int], swept: Swept, params: WatchParams
) -> None:
    """Put the last windows of history before what the trackers have seen themselves."""
    ring, at = ring_of(frame.window_us, params), np.array(slots, dtype=np.int64)
    numbers = np.flatnonzero(swept.scored)[-ring:]
    closed = [
        windows_of(swept, number + 1, tracker.promise_days, params).closed for number, tracker in enumerate(trackers)
    ]
    counts, states = (np.stack([getattr(one, name)[numbers] for one in closed]) for name in ("count", "state"))
    reals = np.stack([one.reals[numbers] for one in closed])
    held = {one.start: one for one in frame.ring}
    begun = np.full(len(at), np.iinfo(np.int64).max)
    for start, one in held.items():
        begun[one.state[at] != ABSENT] = np.minimum(begun[one.state[at] != ABSENT], start)
    for number, start in enumerate(swept.counted.starts[numbers].tolist()):
        mine = np.flatnonzero(start < begun)
        if not len(mine):
            break
        window = held.get(start)
        if window is None:
            window = held[start] = absent(start, len(frame.detectors["posts"]) - 1)
        rows = at[mine]
        window.count[rows], window.late[rows] = counts[mine, number], 0
        window.state[rows], window.reals[rows] = states[mine, number], reals[mine, number]
    frame.ring = deque(held[start] for start in sorted(held)[-ring:])
