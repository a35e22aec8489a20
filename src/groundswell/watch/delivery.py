"""The lake writer beside the watch: its own thread, its own cursor in the journal, its own engine."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from groundswell.bus import Bus
from groundswell.desk import Desk, alert_cases, checkpoints
from groundswell.desk.clock import Clock
from groundswell.errors import ConflictError, GroundswellError
from groundswell.stores import until

if TYPE_CHECKING:
    from groundswell.settings import Settings

log = logging.getLogger("groundswell.watch")

#: While more than this many records wait for the lake, it is written without a pause. Not sooner: the fewer commits
#: a lake has, the less is to be done for each of them and for joining them.
_BACKLOG: Final = 50_000
#: How often the backlog is looked at, and how long one try waits for an import that writes the lake, seconds.
_LOOK_S: Final = 1.0
#: How often it is looked at after a backlog was written, seconds: the next one grows in less than a second.
_SOON_S: Final = 0.1
#: An import may hold the lake this long before it is called trouble, seconds.
PATIENCE_S: Final = 15.0
_HOUR_US: Final = 3_600_000_000

Deliver = Callable[[float], bool]
"""Writes the next batch of journal blocks to the lake, waiting so many seconds for another writer.

False when there was nothing to write; raises ConflictError when the other one is not done in that time.
"""


class Delivery:
    """Brings the journal into the lake every `commit_every` seconds and cuts it behind both readers.

    A commit that fails is tried again at the next turn: the journal keeps the records. `trouble` is the last
    failure, null once a commit has worked.
    """

    def __init__(  # noqa: PLR0913 - each tells it of another part of the watch
        self,
        settings: Settings,
        desk: Desk,
        journal: Bus,
        deliver: Deliver,
        *,
        now: Clock,
        lake_state: Callable[[], tuple[int, int]] | None = None,
        waiting: Callable[[], str | None] = lambda: None,
        hasten: Callable[[], None] = lambda: None,
        wanted: Callable[[], bool] = lambda: False,
    ) -> None:
        """`lake_state` gives the lake's version and the greatest number of its rows, for alerts to refer to.

        `waiting` says why the lake's store is waited for at this moment. `hasten` is called when the watch has ended:
        nobody lets it go first any more. `wanted` says whether somebody waits for it to write just now.
        """
        self._settings = settings
        self._desk = desk
        self._journal = journal
        self._deliver = deliver
        self._now = now
        self._lake_state = lake_state
        self._waiting = waiting
        self._hasten = hasten
        self._wanted = wanted
        self._turn = threading.Lock()
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._rests = False
        self._thread: threading.Thread | None = None
        self.trouble: GroundswellError | None = None

    def said(self) -> str | None:
        """Why the lake is not written, or waited for; null while all is well."""
        return self._waiting() if self.trouble is None else str(self.trouble)

    def start(self) -> None:
        """Begin writing."""
        self._thread = threading.Thread(target=self._run, name="lake writer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the commit that is under way."""
        self._stop.set()
        self._wake.set()
        self._hasten()
        if self._thread is not None:
            self._thread.join()

    def drain(self) -> None:
        """Write everything that the journal holds now.

        Raises:
            GroundswellError: the lake cannot be written; the journal keeps the records.
        """
        with self._turn:
            self._write(self._journal.last_block(), PATIENCE_S, lambda: True)

    def write_some(self) -> None:
        """Write one batch, unless somebody else writes the lake just now; the journal keeps the rest.

        Raises:
            GroundswellError: the lake cannot be written.
        """
        if not self._turn.acquire(blocking=False):
            return
        try:
            self._deliver(0.0)
            self._settle()
        except ConflictError:
            return
        finally:
            self._turn.release()

    def bring(self, block: int) -> None:
        """Write one batch if the lake does not have all of the journal up to a block; see `write_some`."""
        if not self.has(block):
            self.write_some()

    def come(self) -> bool:
        """Let it write now, however little waits; whether it will, because it only rests and nothing is in its way."""
        if not self._rests or self.trouble is not None or self._stop.is_set() or not self._has_work():
            return False
        self._wake.set()
        return True

    def _run(self) -> None:
        # Whoever stops it does not wait for a store that is away; the journal keeps what was not written.
        with until(self._stop):
            self._keep_on()

    def _keep_on(self) -> None:
        waited = refused = 0.0
        pause = look = _LOOK_S
        while not self._stop.is_set():
            rested, called = self._rest(pause, may_come=not refused)
            waited += rested
            pause = look
            try:
                many = self.waiting() >= _BACKLOG
                if waited < self._settings.commit_every and not many and not called:
                    continue
                look = _SOON_S if many else _LOOK_S
                with self._turn:
                    # Not beyond what is there now: a stream never ends, and its commits would get ever smaller.
                    self._write(self._journal.last_block(), _LOOK_S, lambda: not self._stop.is_set())
                pause = 0.0 if self.waiting() >= _BACKLOG else look
            except ConflictError as error:
                refused += pause + _LOOK_S
                if refused >= PATIENCE_S:
                    self._note(error)
                continue
            except GroundswellError as error:
                self._note(error)
            waited = refused = 0.0

    def _rest(self, seconds: float, *, may_come: bool) -> tuple[float, bool]:
        """Wait, unless somebody calls; how long that took, and whether somebody did."""
        begun = time.monotonic()
        self._rests = may_come
        # Who waits since before this rest has not called, or in vain.
        called = may_come and self.trouble is None and self._wanted() and self._has_work()
        called = called or self._wake.wait(seconds)
        self._rests = False
        self._wake.clear()
        return time.monotonic() - begun, called

    def _has_work(self) -> bool:
        try:
            return self.behind() > 0
        except GroundswellError:
            return False  # whoever writes next says what is the matter

    def _write(self, until_block: int, wait_s: float, go_on: Callable[[], bool]) -> None:
        while go_on() and self._done() < until_block and self._deliver(wait_s):
            if self.trouble is not None:
                log.warning("the lake is written again")
            self.trouble = None
        self._settle()
        self._cut()

    def _note(self, error: GroundswellError) -> None:
        if self.trouble is None:
            log.error("the lake is not written: %s", error)
        self.trouble = error

    def behind(self) -> int:
        """How many blocks of the journal the lake does not have yet."""
        return self._journal.last_block() - self._done()

    def has(self, block: int) -> bool:
        """Whether the lake has all of the journal up to a block."""
        return self._done() >= block

    def waiting(self) -> int:
        """How many records the lake does not have yet."""
        return sum(each.records for each in self._journal.arrivals(self._done()))

    def _done(self) -> int:
        with self._desk.reading() as session:
            row = checkpoints.get(session, "lake")
        return 0 if row is None else row.block

    def _settle(self) -> None:
        """Note with alerts whose posts are all in the lake now which version that is."""
        if self._lake_state is None:
            return
        done = self._done()
        with self._desk.reading() as session:
            blocks = self._journal.between(done, done) if alert_cases.waiting(session) else []
        if blocks:
            version, seq = self._lake_state()
            with self._desk.session() as session:
                alert_cases.settle(session, blocks[-1].first_record + blocks[-1].count - 1, version, seq)

    def _cut(self) -> None:
        with self._desk.reading() as session:
            rows = [checkpoints.get(session, name) for name in ("watch", "lake")]
        done = min(0 if row is None else row.block for row in rows)
        self._journal.cut(done + 1, self._now() - round(self._settings.journal_keep * _HOUR_US))
