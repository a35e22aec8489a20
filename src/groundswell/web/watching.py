"""The watch inside the server: a thread that runs it unless another process does, and takes over when that one ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol

from sqlalchemy.orm import Session

from groundswell.desk import Desk, leases
from groundswell.errors import ConflictError, GroundswellError, UnavailableError

if TYPE_CHECKING:
    from groundswell.watch.runner import RunnerStatus

log = logging.getLogger("groundswell.web")

Where = Literal["here", "elsewhere", "none"]
LEASE = "watch"


class Watcher(Protocol):
    """What this file needs of `groundswell.watch.runner.Runner`."""

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop` is set; raises ConflictError while another process holds the lease."""
        ...

    def wake(self) -> None:
        """Say that there are new records; may be called from any thread."""
        ...

    def status(self) -> RunnerStatus | None:
        """How it does; null before it has begun."""
        ...


class Watching:
    """Keeps one `Watcher` going in a thread of its own."""

    def __init__(self, desk: Desk, make: Callable[[], Watcher] | None, *, retry_s: float = 2.0) -> None:
        """`make` opens a watcher; None: this server never watches itself."""
        self._desk = desk
        self._make = make
        self._retry_s = retry_s
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._watcher: Watcher | None = None
        self._trouble: GroundswellError | None = None
        self._said = ""

    def start(self) -> None:
        """Begin; does nothing where this server is not to watch."""
        if self._make is not None:
            self._thread = threading.Thread(target=self._keep, name="watch", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Say that there are new records."""
        watcher = self._watcher
        if watcher is not None:
            watcher.wake()

    def block(self) -> int | None:
        """The last journal block that the watch of this process has done; null while it does not run here."""
        status = self.status()
        return None if status is None else status.block

    def status(self) -> RunnerStatus | None:
        """How the watch of this process does; null while it does not run here."""
        watcher = self._watcher
        return None if watcher is None else watcher.status()

    def bus_trouble(self) -> str | None:
        """Why nothing comes in, where the watch of this process reads the bus; null while all is well."""
        status = self.status()
        return None if status is None else status.bus_trouble

    def failure(self) -> str | None:
        """Why the watch of this process does not run; null where it does, or is not to."""
        return None if self._trouble is None or self._watcher is not None else str(self._trouble)

    def stop(self) -> None:
        """Let the watcher commit what it has and end; waits for it."""
        self._stop.set()
        self.wake()
        if self._thread is not None:
            self._thread.join()

    def where(self, session: Session) -> Where:
        """Whether the watch runs here, in another process, or nowhere."""
        holder = leases.holder_of(session, LEASE)
        if holder is None:
            return "none"
        return "here" if holder == leases.this_process() else "elsewhere"

    def describe(self) -> str:
        """One line on how the watch does.

        Raises:
            GroundswellError: it should run here and fails.
        """
        with self._desk.reading() as session:
            holder = leases.holder_of(session, LEASE)
        if holder is not None and holder != leases.this_process():
            return f"runs in {leases.describe(holder)}"
        if holder is not None:
            return self._describe_here()
        if self._trouble is not None:
            raise self._trouble
        return "starts" if self._make is not None else "nobody watches; this server was started without"

    def _describe_here(self) -> str:
        status = self.status()
        if status is None:
            return "starts"
        waiting = f"; {status.untaught:,} trackers do without their past until the lake can be read"
        without = waiting if status.untaught else ""
        if status.trouble is not None:
            what = f"the lake is not written: {status.trouble}{without}"
            raise UnavailableError(what)
        return f"runs here, {status.behind_blocks:,} blocks of the journal to do{without}"

    def _keep(self) -> None:
        while not self._stop.is_set():
            try:
                self._run()
                self._trouble = None
            except ConflictError as error:
                self._trouble = None
                self._say(logging.INFO, f"{error.what}; this server shows its data, and takes over when it ends")
            except GroundswellError as error:
                self._trouble = error
                self._say(logging.ERROR, f"the watch does not run: {error}")
            except Exception as error:  # the server goes on, says so in /health, and tries again
                log.exception("the watch failed")
                what = f"the watch failed ({type(error).__name__})"
                self._trouble = UnavailableError(what, hint="see the server's log")
            self._stop.wait(self._retry_s)

    def _run(self) -> None:
        if self._make is None:
            return
        self._watcher = self._make()
        try:
            self._watcher.run(self._stop)
        finally:
            self._watcher = None

    def _say(self, level: int, what: str) -> None:
        """Log once what is the same at each try."""
        if what != self._said:
            log.log(level, what)
        self._said = what
