"""Event-time windows: which record is late, how far the watermark is, which windows are closed.

Whether a record is late is decided by the records before it, never by where a batch ends. The watermark is the
greatest event time so far minus the allowed lateness. While nothing comes in, the clock moves it on at the
clock's speed, so that a stream's usual lag stays what it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from groundswell.watch.contract import WatchParams

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: Earlier than any event; far enough from the integer's end to be computed with.
NEVER: Final = -(1 << 62)


class StreamClock(msgspec.Struct, frozen=True):
    """How far the stream is: greatest event time, last receive time, and the last tick of the clock."""

    event_us: int = NEVER
    received_us: int = NEVER
    tick_us: int = NEVER

    def now(self, params: WatchParams) -> int:
        """Event time that the stream has reached, moved by the clock while it is quiet."""
        if self.event_us == NEVER:
            return NEVER
        return self.event_us + max(0, self.tick_us - self.received_us - params.quiet_us)

    def watermark(self, params: WatchParams) -> int | None:
        """No event before this is waited for any more; None before the first record."""
        return None if self.event_us == NEVER else self.now(params) - params.lateness_us

    def tick(self, clock_us: int) -> StreamClock:
        """The clock moved on; it never goes back."""
        return StreamClock(self.event_us, self.received_us, max(self.tick_us, clock_us))


def advance(clock: StreamClock, events: Ints, received: Ints, params: WatchParams) -> tuple[Ints, StreamClock]:
    """Event time that the stream had reached before each record, and the clock after them all.

    >>> minute = 60_000_000
    >>> before, clock = advance(StreamClock(), np.array([minute, 0, 3 * minute]), np.zeros(3, np.int64), WatchParams())
    >>> (before[1:] // minute).tolist(), clock.event_us // minute
    ([1, 1], 3)
    """
    if len(events) == 0:
        return events, clock
    heard = np.maximum.accumulate(np.maximum(received, clock.tick_us))
    previous = np.concatenate(([clock.received_us], heard[:-1]))
    pause = np.where(previous == NEVER, 0, np.maximum(heard - np.where(previous == NEVER, heard, previous), 0))
    gaps = np.maximum(pause - params.quiet_us, 0)
    moved = np.cumsum(gaps)
    reached = np.maximum.accumulate(np.concatenate(([clock.event_us], events - moved)))
    before = np.where(reached[:-1] == NEVER, NEVER, reached[:-1] + moved)
    last = max(int(reached[-1] + moved[-1]), int(events[-1]))
    return before, StreamClock(last, int(heard[-1]), clock.tick_us)


def window_of(events: Ints, params: WatchParams) -> Ints:
    """Start of the window of each event."""
    return events // params.window_us * params.window_us


def is_late(windows: Ints, before: Ints, params: WatchParams) -> Bools:
    """Which records came after their window was closed."""
    late: Bools = (before != NEVER) & (windows + params.window_us <= before - params.lateness_us)
    return late


def closing(
    first: int, watermark_us: int, last_post: int, with_posts: Sequence[int], params: WatchParams
) -> Iterator[int]:
    """Starts of the windows from `first` on that end by the watermark, in order.

    After `silence_windows` without a post (`last_post` is the latest window that had one) windows are left out
    until the next of `with_posts` (ascending): a stream that was not there for months has no empty windows.
    """
    width = params.window_us
    upcoming = [start for start in with_posts if start >= first]
    number, start = 0, first
    while start + width <= watermark_us:
        while number < len(upcoming) and upcoming[number] < start:
            number += 1
        if number < len(upcoming) and upcoming[number] == start:
            last_post = start
        elif start - last_post > params.silence_windows * width:
            ahead = upcoming[number] if number < len(upcoming) else watermark_us // width * width
            if ahead <= start:
                return
            start = ahead
            continue
        yield start
        start += width


def is_covered(start: int, intervals: Sequence[tuple[int, int]], params: WatchParams) -> bool:
    """Whether connections cover the window that starts at `start`."""
    end, reached, covered = start + params.window_us, start, 0
    for begin, until in sorted(intervals):
        left, right = max(begin, reached), min(until, end)
        if right > left:
            covered += right - left
            reached = right
    return covered >= params.cover * params.window_us
