"""What the watch knows between two steps: plain arrays, tables and structs."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from groundswell.watch.contract import SeriesPoint, TrackerSpec, WatchParams
from groundswell.watch.detector import Detector
from groundswell.watch.episodes import Episode
from groundswell.watch.profiles import Profile
from groundswell.watch.recent import KeptPairs, Recent
from groundswell.watch.seen import Seen
from groundswell.watch.windows import NEVER, StreamClock

Key = tuple[str, int]
"""A series: tracker id and version."""


@dataclass
class Series:
    """What is known of one tracker besides the detector's row."""

    tracker: TrackerSpec | None = None
    """As it was last given."""
    first_us: int = NEVER
    """Windows that start before this were not watched from their start."""
    points: deque[SeriesPoint] = field(default_factory=deque)
    """Closed windows, oldest first, at most `WatchParams.ring`."""
    profile: Profile = field(default_factory=Profile)
    episode: Episode | None = None


@dataclass
class WatchState:
    """The state of the watch. Row 0 of the detector and of the counts is the whole stream."""

    keys: list[Key] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    detector: Detector = field(default_factory=lambda: Detector.empty(1))
    clock: StreamClock = field(default_factory=StreamClock)
    first_us: int = NEVER
    """Event time of the first record: windows that start before it were not watched from their start."""
    next_window: int = NEVER
    """Start of the first window that is not closed."""
    last_post: int = NEVER
    """The latest closed window in which the stream had a post."""
    counts: dict[int, npt.NDArray[np.int64]] = field(default_factory=dict)
    """Posts per series of the windows that are not closed, by their start."""
    seen: Seen = field(default_factory=Seen)
    recent: Recent = field(default_factory=Recent.empty)

    @classmethod
    def empty(cls) -> WatchState:
        """The state before the first record."""
        return cls()


def align(state: WatchState, trackers: Sequence[TrackerSpec], params: WatchParams) -> list[tuple[Key, Series]]:
    """Make the rows of `state` those of `trackers`, in their order; returns the series that went away.

    A tracker that is new (or has another version) starts with the first window that begins from now on.
    """
    keys: list[Key] = [(tracker.id, tracker.version) for tracker in trackers]
    if keys == state.keys:
        _name(state, trackers)
        return []
    old = {key: number for number, key in enumerate(state.keys)}
    source = np.array([old.get(key, -1) for key in keys], dtype=np.int64)
    fresh_from = state.clock.now(params)
    gone = [(key, state.series[number]) for key, number in old.items() if key not in set(keys)]
    state.series = [state.series[at] if at >= 0 else Series(first_us=fresh_from) for at in source.tolist()]
    rows = np.concatenate(([0], np.where(source >= 0, source + 1, -1)))
    state.detector = state.detector.rows(rows)
    for start, counts in state.counts.items():
        state.counts[start] = np.where(rows >= 0, counts[rows], 0)
    state.recent = _remap(state.recent, source, len(state.keys))
    state.keys = keys
    _name(state, trackers)
    return gone


def _name(state: WatchState, trackers: Sequence[TrackerSpec]) -> None:
    for series, tracker in zip(state.series, trackers, strict=True):
        series.tracker = tracker


def _remap(recent: Recent, source: npt.NDArray[np.int64], before: int) -> Recent:
    target = np.full(before, -1, dtype=np.int64)
    target[source[source >= 0]] = np.flatnonzero(source >= 0)
    pairs = recent.pairs
    if len(pairs.slot) == 0:
        return recent
    slot = target[pairs.slot]
    moved = KeptPairs(slot, pairs.window, pairs.row, pairs.reach, pairs.identity)
    return Recent(recent.posts, moved.take(slot >= 0))
