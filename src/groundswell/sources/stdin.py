"""Records on standard input, one a line: `producer | groundswell watch run --source -`."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

from groundswell.bus import Bus
from groundswell.desk.clock import Clock, wall_us
from groundswell.errors import UnavailableError
from groundswell.sources.feed import CHUNK, POLL_S, Feed
from groundswell.sources.records import LineCutter

NAME: Final = "stdin"
#: How long a watch that does not keep up is waited for before more is read, and how often it is asked, seconds.
_PATIENCE_S: Final = 1.0
_STEP_S: Final = 0.02


class StdinSource:
    """Reads lines from a pipe until it ends. Cannot replay: what the pipe gave is not given again."""

    name = NAME
    kind = "stdin"

    def __init__(
        self,
        max_record: int,
        *,
        descriptor: int | None = None,
        now: Clock = wall_us,
        may_append: Callable[[], bool] = lambda: True,
    ) -> None:
        """`may_append` says whether the watch keeps up; a pipe that gives more than that is read more slowly."""
        self._max_record = max_record
        self._descriptor = descriptor
        self._now = now
        self._may_append = may_append

    def run(self, journal: Bus, stop: threading.Event) -> None:
        """Append every line as soon as it is there; the last one also without its end of line.

        Raises:
            UnavailableError: standard input is closed.
        """
        descriptor = self._open()
        feed = Feed(journal, self.name, now=self._now)
        cutter = LineCutter(self._max_record, origin=self.name)
        while not stop.is_set():
            feed.beat()
            if not select.select([descriptor], [], [], POLL_S)[0]:
                continue
            self._give_way(stop)
            lines = cutter.read(lambda room: _read_into(descriptor, room), CHUNK)
            if lines is None:
                feed.append(list(cutter.flush()))
                return
            feed.append(lines)

    def _give_way(self, stop: threading.Event) -> None:
        # Not for ever: what a pipe gave is nowhere else, and whoever writes to it may not be able to wait.
        until = time.monotonic() + _PATIENCE_S
        while not self._may_append() and time.monotonic() < until and not stop.wait(_STEP_S):
            pass

    def _open(self) -> int:
        try:
            return sys.stdin.fileno() if self._descriptor is None else self._descriptor
        except (OSError, ValueError, AttributeError) as error:
            what = "standard input is closed"
            raise UnavailableError(what, hint="pipe records into the command, or name a file or folder") from error


def _read_into(descriptor: int, room: memoryview) -> int:
    """Read what is there; of a pipe that is written quickly more than it holds at once, for the journal's sake."""
    at = 0
    while at < len(room):
        found = os.readv(descriptor, [room[at:]])
        at += found
        if not found or not select.select([descriptor], [], [], 0)[0]:
            break
    return at
