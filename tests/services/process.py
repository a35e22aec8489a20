"""A server of the tests as a process: started on a free port, waited for, stopped, started again where it was."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_PATIENCE_S = 60.0


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts(port: int) -> bool:
    """Whether somebody listens on the port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@dataclass
class ServerProcess:
    """One server: its command, its log, and whether it answers (`ready`)."""

    command: Sequence[str]
    log: Path
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    account: Mapping[str, Any] = field(default_factory=dict)
    peace: signal.Signals = signal.SIGTERM
    power_cut: signal.Signals = signal.SIGKILL
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        # A server does not outlive tests that were killed, where the system can see to that.
        tied = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*tied, *self.command],
                stdout=log,
                stderr=log,
                cwd=self.log.parent,
                env={**os.environ, **self.environment},
                start_new_session=True,
                **self.account,
            )
        pause, deadline = threading.Event(), time.monotonic() + _PATIENCE_S
        while not self.ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{self.command[0]} does not answer: {self.log.read_text()[-2000:]}")
            pause.wait(0.02)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(self.power_cut)

    def stop(self) -> None:
        """End it in peace."""
        self._end(self.peace)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            os.killpg(self._process.pid, how)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None
