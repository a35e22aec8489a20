"""Backtests that the page asked for: one after the other, each in a process of its own, kept while the server runs."""

from __future__ import annotations

import logging
import queue
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

from groundswell.errors import GroundswellError, NotFoundError
from groundswell.query import parse
from groundswell.settings import Settings
from groundswell.web.backtest_models import Backtest, BacktestJob, BacktestState, NewBacktest
from groundswell.web.children import Child, EndedError
from groundswell.web.problems import BusyError

log = logging.getLogger("groundswell.web")

#: Finished ones that are kept.
KEPT: Final = 20
#: More than this many waiting are too many.
MOST_WAITING: Final = 20
_OVER: Final = frozenset({"done", "failed", "cancelled"})


@dataclass
class _Job:
    request: NewBacktest
    child: Child
    state: BacktestState = "waiting"
    progress: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    hint: str | None = None
    result: Backtest | None = None


class Backtests:
    """The backtests of this server. Its methods may be called from any thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._turn = threading.Lock()
        self._jobs: OrderedDict[str, _Job] = OrderedDict()
        self._waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closing = False

    def ask(self, request: NewBacktest) -> BacktestJob:
        """Put a backtest into the line.

        Raises:
            QuerySyntaxError: the query does not parse.
            BusyError: too many wait already.
        """
        parse(request.query)
        order = {
            "do": "backtest",
            "settings": self._settings.model_dump(mode="json"),
            "request": request.model_dump(mode="json"),
        }
        with self._turn:
            if sum(job.state == "waiting" for job in self._jobs.values()) >= MOST_WAITING:
                what = f"{MOST_WAITING} backtests wait already"
                raise BusyError(what, retry_s=10)
            identity = secrets.token_hex(8)
            self._jobs[identity] = _Job(request, Child(order))
            self._forget_old()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="backtests", daemon=True)
                self._thread.start()
        self._waiting.put(identity)
        return self.read(identity)

    def read(self, identity: str) -> BacktestJob:
        """One backtest as it stands.

        Raises:
            NotFoundError: there is none with that id (any more).
        """
        with self._turn:
            return _document(identity, self._job(identity))

    def listed(self) -> list[BacktestJob]:
        """All that are kept, newest first, without their results."""
        with self._turn:
            jobs = [_document(identity, job) for identity, job in reversed(self._jobs.items())]
        return [job.model_copy(update={"result": None}) for job in jobs]

    def cancel(self, identity: str) -> None:
        """Give one up; one that is over is forgotten.

        Raises:
            NotFoundError: there is none with that id (any more).
        """
        with self._turn:
            job = self._job(identity)
            if job.state in _OVER:
                del self._jobs[identity]
                return
            job.state = "cancelled"
        job.child.end()  # nothing is written by a backtest, so that nothing is left half done

    def close(self) -> None:
        """End what runs, as the end of the server does."""
        self._closing = True
        self._waiting.put(None)
        with self._turn:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.child.end()
        if self._thread is not None:
            self._thread.join()

    def _job(self, identity: str) -> _Job:
        job = self._jobs.get(identity)
        if job is None:
            what = "no such backtest"
            raise NotFoundError(what, where=identity, hint="ask for it again: only the newest are kept")
        return job

    def _forget_old(self) -> None:
        over = [identity for identity, job in self._jobs.items() if job.state in _OVER]
        for identity in over[: max(0, len(self._jobs) - KEPT)]:
            del self._jobs[identity]

    def _work(self) -> None:
        while (identity := self._waiting.get()) is not None and not self._closing:
            with self._turn:
                job = self._jobs.get(identity)
                if job is None or job.state != "waiting":
                    continue
                job.state = "running"
            self._run(job)

    def _run(self, job: _Job) -> None:
        state: BacktestState = "failed"
        try:
            job.result = Backtest.model_validate(job.child.run(job.progress.update))
            state = "done"
        except EndedError as error:
            job.error, job.hint = error.what, error.hint
        except GroundswellError as error:
            job.error, job.hint = str(error), error.hint
        except Exception as error:
            log.exception("a backtest failed")
            job.error = f"the backtest failed ({error!r})"
        with self._turn:
            if job.state == "running":
                job.state = state
            else:  # cancelled meanwhile
                job.error = job.hint = job.result = None


def _document(identity: str, job: _Job) -> BacktestJob:
    return BacktestJob(
        id=identity,
        state=job.state,
        request=job.request,
        progress=1.0 if job.state == "done" else job.progress.get("done"),
        doing=job.progress.get("doing") if job.state == "running" else None,
        error=job.error,
        hint=job.hint,
        result=job.result,
    )
