"""Processes that the server has something done in: one order each, see `work.py`."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import IO, Any, Final

from groundswell.errors import GroundswellError, UnavailableError
from groundswell.telemetry import tracing

#: How long a child may take to give up by itself, seconds.
PATIENCE_S: Final = 5.0

COMMAND: Final = (sys.executable, "-m", "groundswell.web.work")


class ToldError(GroundswellError):
    """What a child said went wrong, with the status of its error."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        super().__init__(str(said["what"]), where=said["where"], hint=said["hint"])
        self.status = int(said["status"])


class EndedError(UnavailableError):
    """The child ended before it had said how it went: it was ended, or it broke."""


class Child:
    """One process with one order. `run` belongs to one thread; `give_up` and `end` may come from any."""

    def __init__(self, order: Mapping[str, Any]) -> None:
        self._order = order
        self._process: subprocess.Popen[str] | None = None
        self._turn = threading.Lock()
        self._asked = False

    def run(self, progress: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """The result of the order.

        Raises:
            ToldError: what went wrong there.
            EndedError: it ended without a word.
        """
        with self._turn:
            if self._asked:
                what = "it was ended before it began"
                raise EndedError(what)
            self._process = self._start()
        with self._process as process:
            try:
                return self._listen(process, progress)
            finally:
                process.kill()

    def _start(self) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(  # noqa: S603 - a fixed command; the order goes over its standard input
                COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                bufsize=1,
                env={**os.environ, **tracing.here()},
            )
        except OSError as error:
            what = f"a process cannot be started ({error.strerror or error})"
            raise UnavailableError(
                what, hint="see how many processes and how much memory this machine has left"
            ) from error

    def _listen(self, process: subprocess.Popen[str], progress: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        with contextlib.suppress(BrokenPipeError):  # it ended already; what it said is below
            _pipe(process.stdin).write(json.dumps(self._order) + "\n")
        for line in _pipe(process.stdout):
            message: dict[str, Any] = json.loads(line)
            if "progress" in message:
                progress(message["progress"])
            elif "error" in message:
                raise ToldError(message["error"])
            else:
                result: dict[str, Any] = message["result"]
                return result
        what = f"the process that did it ended without a word (exit code {process.wait()})"
        raise EndedError(
            what, hint="the server's log may have the reason; what was begun is taken up when it is tried again"
        )

    def give_up(self) -> None:
        """Ask it to stop in order, and end it if it does not within some seconds."""
        with self._turn:
            self._asked = True
            process = self._process
        if process is None or process.poll() is not None:
            return
        with contextlib.suppress(OSError, ValueError):
            _pipe(process.stdin).write("give up\n")
            _pipe(process.stdin).flush()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_S)
            return
        process.kill()

    def end(self) -> None:
        """End it at once, as a power cut would: what it had begun is taken up later."""
        with self._turn:
            self._asked = True
            process = self._process
        if process is not None:
            process.kill()


def _pipe(end: IO[str] | None) -> IO[str]:
    if end is None:
        what = "the process was started without a pipe"
        raise EndedError(what)
    return end
