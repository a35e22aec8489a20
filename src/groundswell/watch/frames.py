"""Windows of one size: what the detectors know, the last closed windows, and the window that is being put together."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Final

import numpy as np
import numpy.typing as npt

from groundswell.watch.contract import SECOND, Ints, SeriesPoint, WatchParams, WindowState
from groundswell.watch.detector import Detector
from groundswell.watch.levels import Levels
from groundswell.watch.signals import SIGNALS, Tally
from groundswell.watch.windows import NEVER

Floats = npt.NDArray[np.float64]

STATES: Final[tuple[WindowState, ...]] = ("learning", "usual", "unusual", "macro", "gap")
STATE_NUMBER: Final = {name: number for number, name in enumerate(STATES)}
ABSENT: Final = -1
#: Numbers of a closed window that may be missing, in the order of `Closed.reals`.
REALS: Final = ("expected", "lower", "upper", "p_value", "return_days", "platform_ratio")


#: Name of the tally of a tracker's posts per platform.
PLATFORMS: Final = "platforms"
#: Platforms that are told apart; the last one is all others.
MOST_PLATFORMS: Final = 32


@dataclass
class Window:
    """What was counted in one window, per tracker."""

    counts: Ints
    """Posts; the first number is of the whole stream, counted or not."""
    volumes: Ints
    """Posts of each platform of the state's list; it may know fewer than the state does by now."""
    tallies: dict[str, Tally]
    parts: int = 1
    """Windows of the smallest size that it was put together from."""
    holes: int = 0
    """Those of them in which sources were not connected."""

    @classmethod
    def empty(cls, trackers: int) -> Window:
        """A window without a post."""
        return cls(np.zeros(trackers + 1, dtype=np.int64), np.zeros(0, dtype=np.int64), {})

    def and_also(self, other: Window) -> Window:
        """Both together."""
        if not other.counts[0] and not other.tallies:
            return replace(self, parts=self.parts + other.parts, holes=self.holes + other.holes)
        return Window(
            self.counts + other.counts,
            summed(self.volumes, other.volumes),
            together(self.tallies, other.tallies),
            self.parts + other.parts,
            self.holes + other.holes,
        )

    def rows(self, source: Ints) -> Window:
        """The window of other trackers: number n was `source[n]` before; -1 is new."""
        rows = np.concatenate(([0], np.where(source >= 0, source + 1, -1)))
        counts = np.where(rows >= 0, self.counts[rows], 0)
        return replace(self, counts=counts, tallies={name: one.rows(source) for name, one in self.tallies.items()})


def summed(first: Ints, second: Ints) -> Ints:
    """The sum of two arrays of which one may be longer."""
    long, short = (first, second) if len(first) >= len(second) else (second, first)
    out = long.copy()
    out[: len(short)] += short
    return out


def together(first: dict[str, Tally], second: dict[str, Tally]) -> dict[str, Tally]:
    """The tallies of two windows as those of one."""
    out = first | second
    for name in first.keys() & second.keys():
        out[name] = first[name].and_also(second[name], keep_of(name))
    return out


def keep_of(name: str) -> int:
    """How many keys a tally keeps of a tracker: those of a signal, or `PLATFORMS`."""
    return MOST_PLATFORMS if name == PLATFORMS else SIGNALS[name].keep


@dataclass
class Closed:
    """One closed window of all trackers."""

    start: int
    count: Ints
    late: Ints
    state: npt.NDArray[np.int8]
    """Number into `STATES`, or `ABSENT`."""
    reals: Floats
    """Shape (trackers, 6): `REALS`; NaN: not known."""

    def rows(self, source: Ints) -> Closed:
        """The window of other trackers: number n was `source[n]` before; -1 is new."""
        kept = source >= 0
        at = np.maximum(source, 0)
        if not len(self.count):
            return absent(self.start, len(source))
        return Closed(
            self.start,
            np.where(kept, self.count[at], 0),
            np.where(kept, self.late[at], 0),
            np.where(kept, self.state[at], np.int8(ABSENT)).astype(np.int8),
            np.where(kept[:, None], self.reals[at], np.nan),
        )

    def is_there(self, slot: int) -> bool:
        """Whether the tracker was watched already."""
        return bool(self.state[slot] != ABSENT)

    def point(self, slot: int, tracker_id: str, window_us: int) -> SeriesPoint:
        """The window of one tracker, which must have been there."""
        numbers = [None if np.isnan(value) else value for value in self.reals[slot].tolist()]
        expected, lower, upper, p_value, return_days, platform_ratio = numbers
        return SeriesPoint(
            tracker_id=tracker_id,
            window_s=window_us // SECOND,
            start=self.start,
            count=int(self.count[slot]),
            expected=expected,
            lower=lower,
            upper=upper,
            p_value=p_value,
            return_days=return_days,
            platform_ratio=platform_ratio,
            state=STATES[int(self.state[slot])],
            late=int(self.late[slot]),
        )

    def points(self, tracker_ids: Sequence[str], window_us: int) -> list[SeriesPoint]:
        """The window of every tracker, all of which must have been there."""
        known = self.reals.astype(object)
        known[np.isnan(self.reals)] = None
        size, start = window_us // SECOND, self.start
        columns = (known.tolist(), self.count.tolist(), self.state.tolist(), self.late.tolist())
        return [
            SeriesPoint(tracker_id, size, start, count, a, b, c, d, e, f, STATES[state], late)
            for tracker_id, (a, b, c, d, e, f), count, state, late in zip(tracker_ids, *columns, strict=True)
        ]

    def put(self, slot: int, point: SeriesPoint) -> None:
        """Make the window of one tracker that of `point`."""
        self.count[slot], self.late[slot] = point.count, point.late
        self.state[slot] = STATE_NUMBER[point.state]
        for number, name in enumerate(REALS):
            value = getattr(point, name)
            self.reals[slot, number] = np.nan if value is None else value


def absent(start: int, trackers: int) -> Closed:
    """A closed window in which no tracker was there."""
    return Closed(
        start,
        np.zeros(trackers, dtype=np.int64),
        np.zeros(trackers, dtype=np.int64),
        np.full(trackers, ABSENT, dtype=np.int8),
        np.full((trackers, len(REALS)), np.nan),
    )


@dataclass
class Frame:
    """Windows of one size."""

    window_us: int
    detectors: dict[str, Detector]
    """By signal; row 0 is the whole stream, then one row a tracker."""
    platforms: Detector
    """Row 0 is the whole stream, then one row a platform of the state's list."""
    ring: deque[Closed] = field(default_factory=deque)
    """Closed windows, oldest first, at most `ring_of`."""
    levels: dict[str, Levels] = field(default_factory=dict)
    """As `detectors`, of the signals that are measured and not counted."""
    start: int = NEVER
    """Start of the window that is being put together (sizes other than the smallest)."""
    partial: Window | None = None
    passed: deque[Window] = field(default_factory=deque)
    """The last windows of the next smaller size, without tallies, oldest first: no more than make up one of this …"""
    passed_us: int = NEVER
    """… and the end of the newest."""

    @classmethod
    def empty(cls, window_us: int, trackers: int, params: WatchParams) -> Frame:
        """A size of window of which nothing is known."""
        detectors = {name: Detector.empty(trackers + 1) for name in signals_of(window_us, params)}
        levels = {
            name: Levels.empty(trackers + 1, "share" if SIGNALS[name].kind == "share" else "positive")
            for name in measured_of(window_us, params)
        }
        return cls(window_us, detectors, Detector.empty(1), levels=levels)

    def rows(self, source: Ints) -> None:
        """Make the trackers others: number n was `source[n]` before; -1 is new. Changes the frame."""
        rows = np.concatenate(([0], np.where(source >= 0, source + 1, -1)))
        self.detectors = {name: one.rows(rows) for name, one in self.detectors.items()}
        self.levels = {name: one.rows(rows) for name, one in self.levels.items()}
        self.ring = deque(closed.rows(source) for closed in self.ring)
        if self.partial is not None:
            self.partial = self.partial.rows(source)
        self.passed = deque(window.rows(source) for window in self.passed)

    def points(self, slot: int, tracker_id: str) -> list[SeriesPoint]:
        """The closed windows of one tracker, oldest first."""
        there = [closed for closed in self.ring if closed.is_there(slot)]
        if not there:
            return []
        reals = np.array([closed.reals[slot] for closed in there])
        known = reals.astype(object)
        known[np.isnan(reals)] = None
        size = self.window_us // SECOND
        return [
            SeriesPoint(
                tracker_id,
                size,
                closed.start,
                int(closed.count[slot]),
                expected,
                lower,
                upper,
                p_value,
                return_days,
                platform_ratio,
                STATES[closed.state[slot]],
                int(closed.late[slot]),
            )
            for closed, (expected, lower, upper, p_value, return_days, platform_ratio) in zip(
                there, known.tolist(), strict=True
            )
        ]

    def pass_by(self, start: int, size: int, window: Window) -> None:
        """Keep a window of the next smaller size for the running windows of this one. Changes the frame."""
        if start != self.passed_us:  # the stream was away
            self.passed.clear()
        self.passed.append(replace(window, tallies={}))
        self.passed_us = start + size
        while len(self.passed) * size > self.window_us:
            self.passed.popleft()

    def running(self, end: int, size: int) -> Window | None:
        """The window of this size that ends at `end`, put together from those of `size`; null: some are missing."""
        if self.passed_us != end or len(self.passed) * size != self.window_us:
            return None
        return reduce(Window.and_also, self.passed)

    def closed(self, start: int) -> Closed | None:
        """The closed window that starts at `start`, if it is still held."""
        for held in reversed(self.ring):
            if held.start <= start:
                return held if held.start == start else None
        return None


def ring_of(window_us: int, params: WatchParams) -> int:
    """How many closed windows of a size are kept: half as many of those smaller than the one that is shown first."""
    return params.ring if window_us >= params.window_us else max(params.ring // 2, 1)


def signals_of(window_us: int, params: WatchParams) -> list[str]:
    """Signals that are counted in windows of a size: small ones hold too few posts for any but `posts`."""
    return [
        name
        for name in params.signals
        if SIGNALS[name].kind == "count" and (name == "posts" or window_us >= params.window_us)
    ]


def measured_of(window_us: int, params: WatchParams) -> list[str]:
    """Signals that are measured and not counted, in windows of a size."""
    return [name for name in params.signals if SIGNALS[name].kind != "count" and window_us >= params.window_us]
