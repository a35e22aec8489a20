"""What the watch knows between two steps: plain arrays, tables and structs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from groundswell.watch.contract import Ints, SeriesPoint, TrackerSpec, WatchParams
from groundswell.watch.detector import Detector
from groundswell.watch.emerging.state import Emerging
from groundswell.watch.episodes import Episode
from groundswell.watch.frames import Frame, Window
from groundswell.watch.profiles import Profile
from groundswell.watch.recent import KeptPairs, Recent
from groundswell.watch.rules import Books, Notice
from groundswell.watch.seen import Seen
from groundswell.watch.windows import NEVER, StreamClock

Key = tuple[str, int]
"""A series: tracker id and version."""


@dataclass
class Series:
    """What is known of one tracker besides its rows in the frames."""

    tracker: TrackerSpec | None = None
    """As it was last given."""
    first_us: int = NEVER
    """Windows that start before this were not watched from their start."""
    profile: Profile = field(default_factory=Profile)
    episode: Episode | None = None
    told_us: int = NEVER
    """End of its last episode: windows that start before it have been told."""
    notice: Notice | None = None
    """The open alert of the rule that does not wait for a window."""
    untaught: bool = False
    """Its past could not be read: it is to be taught as soon as it can be."""


@dataclass
class WatchState:
    """The state of the watch. Row 0 of every detector is the whole stream."""

    keys: list[Key] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    """One a size of window, ascending; none before the first step."""
    platforms: list[str] = field(default_factory=list)
    """Platforms in the order in which they were first met."""
    mix: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    """Posts of each tracker (row) on each platform (column), the past fading."""
    clock: StreamClock = field(default_factory=StreamClock)
    first_us: int = NEVER
    """Event time of the first record: windows that start before it were not watched from their start."""
    next_window: int = NEVER
    """Start of the first window of the smallest size that is not closed."""
    last_post: int = NEVER
    """The latest closed window in which the stream had a post."""
    open: dict[int, Window] = field(default_factory=dict)
    """What was counted in windows of the smallest size that are not closed, by their start."""
    late: dict[tuple[int, int, int], int] = field(default_factory=dict)
    """Posts that came late for a window that is not closed yet: by size of window, start and tracker's number."""
    seen: Seen = field(default_factory=Seen)
    observed: Seen = field(default_factory=Seen)
    """Posts of trackers that count by the time of observation, by day."""
    recent: Recent = field(default_factory=Recent.empty)
    books: Books = field(default_factory=Books.empty)
    """How far the posts of each platform reach."""
    topics: Emerging = field(default_factory=Emerging.empty)
    named: tuple[object, object] = field(default=(None, None), compare=False, repr=False)
    """The trackers that it was last aligned with and the `keys` since: the same objects need not be compared again."""

    @classmethod
    def empty(cls) -> WatchState:
        """The state before the first record."""
        return cls()

    def frame(self, window_us: int) -> Frame:
        """The frame of that size.

        Raises:
            KeyError: there is none.
        """
        for frame in self.frames:
            if frame.window_us == window_us:
                return frame
        raise KeyError(window_us)

    def points(self, slot: int, window_us: int) -> list[SeriesPoint]:
        """The closed windows of that size of a tracker, oldest first."""
        return self.frame(window_us).points(slot, self.keys[slot][0])


def align(state: WatchState, trackers: Sequence[TrackerSpec], params: WatchParams) -> list[tuple[Key, Series]]:
    """Make the rows of `state` those of `trackers`, in their order; returns the series that went away.

    A tracker that is new (or has another version) starts with the first window that begins from now on.
    """
    _fit(state, params)
    if isinstance(trackers, tuple) and state.named[0] is trackers and state.named[1] is state.keys:
        return []
    keys: list[Key] = [(tracker.id, tracker.version) for tracker in trackers]
    if keys == state.keys:
        _name(state, trackers)
        return []
    old = {key: number for number, key in enumerate(state.keys)}
    source = np.array([old.get(key, -1) for key in keys], dtype=np.int64)
    fresh_from = state.clock.now(params)
    gone = [(key, state.series[number]) for key, number in old.items() if key not in set(keys)]
    state.series = [state.series[at] if at >= 0 else Series(first_us=fresh_from) for at in source.tolist()]
    for frame in state.frames:
        frame.rows(source)
    state.open = {start: window.rows(source) for start, window in state.open.items()}
    state.mix = np.where(source[:, None] >= 0, state.mix[source], 0.0) if len(state.keys) else np.zeros((len(keys), 0))
    target = _targets(source, len(state.keys))
    state.recent = _remap(state.recent, target)
    state.late = {
        (size, start, int(target[slot])): count
        for (size, start, slot), count in state.late.items()
        if target[slot] >= 0
    }
    state.keys = keys
    _name(state, trackers)
    return gone


def _fit(state: WatchState, params: WatchParams) -> None:
    """Make the frames those of the sizes that are counted; what is known of a size that stays is kept."""
    sizes = params.sizes
    if tuple(frame.window_us for frame in state.frames) == sizes:
        return
    held = {frame.window_us: frame for frame in state.frames}
    trackers = len(state.keys)
    state.frames = [held.get(size) or Frame.empty(size, trackers, params) for size in sizes]
    platforms = len(state.platforms) + 1
    for frame in state.frames:
        frame.start, frame.partial = NEVER, None
        frame.passed.clear()
        if len(frame.platforms) < platforms:
            frame.platforms = Detector.empty(platforms)
    if held and state.next_window != NEVER:
        # What was counted in open windows was so in windows of another size.
        state.open, state.late, state.seen, state.recent = {}, {}, Seen(), Recent.empty()
        state.next_window = state.next_window // params.base_us * params.base_us
        now = state.clock.now(params)
        state.first_us = max(state.first_us, now)
        for series in state.series:
            series.first_us = max(series.first_us, now)


def _name(state: WatchState, trackers: Sequence[TrackerSpec]) -> None:
    for series, tracker in zip(state.series, trackers, strict=True):
        series.tracker = tracker
    state.named = (trackers, state.keys)


def _targets(source: Ints, before: int) -> Ints:
    target = np.full(before, -1, dtype=np.int64)
    target[source[source >= 0]] = np.flatnonzero(source >= 0)
    return target


def _remap(recent: Recent, target: Ints) -> Recent:
    pairs = recent.pairs
    if len(pairs.slot) == 0:
        return recent
    slot = target[pairs.slot]
    moved = KeptPairs(slot, pairs.window, pairs.row, pairs.reach, pairs.identity)
    return Recent(recent.posts, moved.take(slot >= 0))
