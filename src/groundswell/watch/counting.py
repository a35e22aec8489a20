"""Counting the posts of a batch into the windows that are open, and keeping those that an alert may have to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from groundswell.query import Matcher
from groundswell.watch.contract import DAY, Arrivals, Hashes, Ints, Pairs, TrackerSpec, WatchParams
from groundswell.watch.frames import MOST_PLATFORMS, PLATFORMS, Window, summed, together
from groundswell.watch.recent import remember
from groundswell.watch.rules import Hit, find_hits
from groundswell.watch.signals import SIGNALS, Matched, Tally
from groundswell.watch.state import WatchState
from groundswell.watch.windows import NEVER, is_late, window_of

Bools = npt.NDArray[np.bool_]

#: A tally numbers trackers and windows together with so many numbers at most.
_NUMBERS: Final = 1 << 22
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Counted:
    """What became of the posts of a batch."""

    new: Bools
    """Neither seen before nor in the future; one a post, as all that follow up to `windows`."""
    late: Bools
    """After its window was closed."""
    windows: Ints
    """Start of its window of the smallest size."""
    pairs: Pairs
    """Matches that count in a window that is open."""
    stamps: Ints
    """The time at which each of `pairs` counts."""
    late_pairs: Pairs
    """Matches of new posts that came late, not so late that their window is not held any more."""
    late_starts: Ints
    """Start of the smallest window of each of `late_pairs`."""
    hits: list[Hit]

    @property
    def taken(self) -> Bools:
        """Which posts count for the whole stream."""
        return self.new & ~self.late


def count(
    state: WatchState,
    arrivals: Arrivals,
    before: Ints,
    ahead: Bools,
    matcher: Matcher,
    trackers: Sequence[TrackerSpec],
    params: WatchParams,
) -> Counted:
    """Count posts into their windows and keep those that match. Changes `state`.

    `before` is how far the stream was before each post, `ahead` says which lie in the future.
    """
    found = _sorted_out(state, arrivals, before, ahead, matcher, trackers, params)
    count_pairs(state, arrivals, found.pairs, window_of(found.stamps, params.at(params.base_us)), params)
    count_stream(state, arrivals, found.windows, found.taken)
    return found


def _sorted_out(
    state: WatchState,
    arrivals: Arrivals,
    before: Ints,
    ahead: Bools,
    matcher: Matcher,
    trackers: Sequence[TrackerSpec],
    params: WatchParams,
) -> Counted:
    base = params.at(params.base_us)
    windows = window_of(arrivals.event_us, base)
    late = is_late(windows, before, base)
    horizon = np.where(before == NEVER, NEVER, window_of(before - params.lateness_us, base))
    checked = ~ahead & (~late | (windows >= horizon - params.dedup_us))
    new = ~ahead
    new[checked] = state.seen.add(windows[checked], arrivals.identity[checked])
    pairs = arrivals.pairs(matcher)
    stamps, fresh = arrivals.event_us[pairs.row], new[pairs.row]
    observed = np.array([one.count_by == "observed_at" for one in trackers], dtype=np.bool_)[pairs.slot]
    if observed.any():
        stamps = np.where(observed, arrivals.observed_us[pairs.row], stamps)
        fresh[observed] = _fresh(state, arrivals, pairs, stamps, ahead, observed)
    starts = window_of(stamps, base)
    behind = is_late(starts, before[pairs.row], base)
    mine = fresh & ~behind
    held = fresh & behind & (starts >= horizon[pairs.row] - params.ring * params.window_us)
    state.books.add(arrivals, windows, new & ~late)
    taken = Pairs(pairs.slot[mine], pairs.row[mine])
    return Counted(
        new=new,
        late=late & new,
        windows=windows,
        pairs=taken,
        stamps=stamps[mine],
        late_pairs=Pairs(pairs.slot[held], pairs.row[held]),
        late_starts=starts[held],
        hits=find_hits(state.books, arrivals, taken, stamps[mine], horizon[taken.row], trackers),
    )


def _fresh(
    state: WatchState, arrivals: Arrivals, pairs: Pairs, stamps: Ints, ahead: Bools, observed: Bools
) -> npt.NDArray[np.bool_]:
    """Which matches of trackers that count by observation were not observed before on the same day."""
    slots, rows = pairs.slot[observed], pairs.row[observed]
    names: Hashes = arrivals.identity[rows] ^ (slots.astype(np.uint64) + np.uint64(1)) * _ODD
    days = stamps[observed] // DAY * DAY
    good = ~ahead[rows] & (stamps[observed] <= arrivals.received_us[rows] + DAY)
    fresh = np.zeros(len(rows), dtype=np.bool_)
    fresh[good] = state.observed.add(days[good], names[good])
    return fresh


def count_stream(state: WatchState, arrivals: Arrivals, windows: Ints, taken: Bools) -> None:
    """Count the posts in `taken` for the whole stream and its platforms. Changes `state`."""
    numbers = _numbers_of(state, arrivals)
    starts, number = np.unique(windows[taken], return_inverse=True)
    width = max(len(state.platforms), 1)
    cell = number * width + numbers[arrivals.platform[taken]]
    volumes = np.bincount(cell, minlength=len(starts) * width).reshape(len(starts), width)
    for start, volume in zip(starts.tolist(), volumes.astype(np.int64), strict=True):
        window = _open(state, start)
        window.counts = np.concatenate(([window.counts[0] + volume.sum()], window.counts[1:]))
        window.volumes = summed(window.volumes, volume)


def _numbers_of(state: WatchState, arrivals: Arrivals) -> Ints:
    """Number in `state.platforms` of each platform of the batch; new ones are added, the last place is for the rest."""
    for name in arrivals.platforms:
        if name not in state.platforms and len(state.platforms) < MOST_PLATFORMS:
            state.platforms.append(name)
    last = MOST_PLATFORMS - 1
    known = {name: number for number, name in enumerate(state.platforms)}
    return np.array([known.get(name, last) for name in arrivals.platforms] or [0], dtype=np.int64)


def _open(state: WatchState, start: int) -> Window:
    held = state.open.get(start)
    if held is None:
        held = state.open[start] = Window.empty(len(state.keys))
    return held


def count_pairs(state: WatchState, arrivals: Arrivals, pairs: Pairs, starts: Ints, params: WatchParams) -> None:
    """Count matches into the windows that begin at `starts` (one a pair), for every signal, and keep their posts.

    Changes `state`.
    """
    if not len(pairs.row):
        return
    trackers = len(state.keys)
    numbers = _numbers_of(state, arrivals)
    scored = {name for frame in state.frames for name in (*frame.detectors, *frame.levels)} - {"posts"}
    state.recent = remember(state.recent, arrivals, pairs, starts, params.keep_of_each(trackers))
    distinct = np.unique(starts)
    step = max(1, _NUMBERS // trackers)
    for first in range(0, len(distinct), step):
        some = distinct[first : first + step]
        mine = (starts >= some[0]) & (starts <= some[-1])
        virtual = np.searchsorted(some, starts[mine]) * trackers + pairs.slot[mine]
        matched = Matched(arrivals, virtual, pairs.row[mine], len(some) * trackers)
        platform = numbers[arrivals.platform[matched.row]].astype(np.uint64)
        tallies = {PLATFORMS: Tally.of_numbers(virtual, platform, matched.trackers)}
        tallies |= {name: SIGNALS[name].tally(matched) for name in sorted(scored)}
        counts = np.bincount(virtual, minlength=matched.trackers).reshape(len(some), trackers)
        parts = {name: tally.split(trackers) for name, tally in tallies.items()}
        for at, start in enumerate(some.tolist()):
            window = _open(state, start)
            window.counts = np.concatenate((window.counts[:1], window.counts[1:] + counts[at]))
            window.tallies = together(window.tallies, {name: found[at] for name, found in parts.items()})
