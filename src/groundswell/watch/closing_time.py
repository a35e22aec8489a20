"""The moment in which a window closes: the watch meets it with a small batch, and others let it go first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from groundswell.desk.clock import Clock
from groundswell.watch.contract import SECOND

#: A live watch lets records gather for so many seconds, because a batch of one costs almost as much as one of a
#: thousand; so much later may an alert be.
GATHER_S: Final = 0.1
#: So long after a window may close a record that closes it is on the disk, in a stream that flows …
_FLOWING_S: Final = 0.03
#: … and if it was not, it is looked for again as soon.
_AGAIN_S: Final = 0.01
#: So long before a window may close nothing is begun that takes about as long, seconds …
BEFORE_S: Final = 0.3
#: … and so long after it at most, whether people were told or not.
AFTER_S: Final = 0.7
_LONG_S: Final = 60.0


class ClosingTime:
    """When the next window may close, and what that means for who works. Threads may share it."""

    def __init__(self, due_us: Callable[[], int | None], now: Clock) -> None:
        """`due_us` says when the next window may close (µs by the clock `now`); null: nobody knows."""
        self._due_us = due_us
        self._now = now
        self._told = threading.Event()
        self._ended = False

    def gather_s(self) -> float:
        """How long to let records gather, so that a batch begins just when a window may close, and is a small one."""
        due = self._due_us()
        left = _LONG_S if due is None else (due - self._now()) / SECOND
        if -AFTER_S < left <= 0:
            return _AGAIN_S
        if left <= 0 or left >= 2 * GATHER_S + _FLOWING_S:
            return GATHER_S
        return left - GATHER_S if left > GATHER_S + _FLOWING_S else left + _FLOWING_S

    def told(self) -> None:
        """Say that people were told of something; it may have been the windows that closed."""
        self._told.set()

    def end(self) -> None:
        """Let nobody wait any more: there is no watch that would close a window."""
        self._ended = True
        self._told.set()

    def wait(self) -> None:
        """Return at once, or if a window is about to close as soon as people were told of it."""
        due = self._due_us()
        if due is None or due - self._now() > BEFORE_S * SECOND:
            return
        while not self._ended and (left := (due - self._now()) / SECOND + AFTER_S) > 0:
            self._told.clear()
            if self._ended or not self._told.wait(left) or (self._due_us() or due) > due + SECOND:
                return
