"""The lake writer beside the watch: its own thread, its own cursor in the journal, its own engine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from groundswell.bus import Journal
from groundswell.desk import Desk, checkpoints
from groundswell.desk.clock import Clock
from groundswell.errors import GroundswellError

if TYPE_CHECKING:
    from groundswell.settings import Settings

log = logging.getLogger("groundswell.watch")

#: While more than this many blocks wait for the lake, it is written without a pause.
_BACKLOG_BLOCKS: Final = 500
#: How often the backlog is looked at, seconds.
_LOOK_S: Final = 1.0
_HOUR_US: Final = 3_600_000_000

Deliver = Callable[[], bool]
"""Writes the next batch of journal blocks to the lake; false when there was nothing to write."""


class Delivery:
    """Brings the journal into the lake every `commit_every` seconds and cuts it behind both readers.

    A commit that fails is tried again at the next turn: the journal keeps the records. `trouble` is the last
    failure, null once a commit has worked.
    """

    def __init__(self, settings: Settings, desk: Desk, journal: Journal, deliver: Deliver, *, now: Clock) -> None:
        self._settings = settings
        self._desk = desk
        self._journal = journal
        self._deliver = deliver
        self._now = now
        self._turn = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.trouble: GroundswellError | None = None

    def start(self) -> None:
        """Begin writing."""
        self._thread = threading.Thread(target=self._run, name="lake writer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the commit that is under way."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def drain(self) -> None:
        """Write everything that the journal holds now.

        Raises:
            GroundswellError: the lake cannot be written; the journal keeps the records.
        """
        with self._turn:
            while self._deliver():
                self.trouble = None
            self._cut()

    def _run(self) -> None:
        waited = 0.0
        while not self._stop.wait(_LOOK_S):
            waited += _LOOK_S
            if waited < self._settings.commit_every and self.behind() < _BACKLOG_BLOCKS:
                continue
            waited = 0.0
            try:
                with self._turn:
                    while self._deliver() and not self._stop.is_set():
                        self.trouble = None
                    self._cut()
            except GroundswellError as error:
                if self.trouble is None:
                    log.error("the lake is not written: %s", error)
                self.trouble = error

    def behind(self) -> int:
        """How many blocks of the journal the lake does not have yet."""
        with self._desk.reading() as session:
            row = checkpoints.get(session, "lake")
        return self._journal.last_block() - (0 if row is None else row.block)

    def _cut(self) -> None:
        with self._desk.reading() as session:
            rows = [checkpoints.get(session, name) for name in ("watch", "lake")]
        done = min(0 if row is None else row.block for row in rows)
        self._journal.cut(done + 1, self._now() - round(self._settings.journal_keep * _HOUR_US))
