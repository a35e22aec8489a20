"""What is counted in all windows of a history: their values for every size and signal, each window by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from groundswell.query import Matcher
from groundswell.watch.arrivals import TableArrivals
from groundswell.watch.contract import Arrivals, Ints, Pairs, WatchParams
from groundswell.watch.frames import measured_of, signals_of
from groundswell.watch.signals import SIGNALS, Matched
from groundswell.watch.trends import Places

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


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
    heard: dict[str, Bools] = field(default_factory=dict)
    """Of signals in which windows anybody has something to say, where trackers beside these have a say in it."""

    def of(self, trackers: slice) -> Counted:
        """The whole stream and some of the trackers."""
        posts = np.concatenate((self.posts[:, :1], self.posts[:, 1:][:, trackers]), axis=1)
        signals = {name: values[:, trackers] for name, values in self.signals.items()}
        return replace(self, posts=posts, signals=signals)


def count_windows(
    first_us: int,
    totals: Ints,
    portions: Iterable[Arrivals],
    trackers: int,
    matcher: Matcher | None,
    params: WatchParams,
    opened_us: int | None = None,
    places: Places | None = None,
) -> list[Counted]:
    """Count a history in windows of every size.

    `totals` are the posts of the whole stream per smallest window from `first_us` on; `portions` the posts that
    trackers match, none of which divides a window. Without a `matcher` each post matches the only tracker.
    `opened_us` is the start of the first window that was open, where that is before `first_us`. With `places` it is
    counted on which platforms the posts of the only tracker are.
    """
    if opened_us is not None and opened_us < first_us:
        totals = np.concatenate((np.zeros((first_us - opened_us) // params.base_us, np.int64), totals))
        first_us = opened_us
    counted = count_stream(first_us, totals, trackers, params)
    for arrivals in portions:
        if not len(arrivals):
            continue
        if places is not None:
            _place(places, arrivals, params)
        pairs = pairs_of(arrivals, matcher)
        for one in counted:
            _count(one, arrivals, pairs, trackers)
    return counted


def _place(places: Places, arrivals: Arrivals, params: WatchParams) -> None:
    number_of = {name: number for number, name in enumerate(places.platforms)}
    numbers = np.array([number_of.get(name, len(number_of) - 1) for name in arrivals.platforms] or [0])
    window = (arrivals.event_us - places.first_us) // params.base_us
    inside = (window >= 0) & (window < len(places.own))
    np.add.at(places.own, (window[inside], numbers[arrivals.platform[inside]]), 1.0)


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
