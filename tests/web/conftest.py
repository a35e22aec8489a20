"""A server of the test's own: in a thread with a real socket, or in another process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from groundswell.desk import Desk
from groundswell.settings import Settings
from groundswell.web.app import create_app
from groundswell.web.server import Server, listen
from groundswell.web.services import Services


class Served:
    """An application that answers on a port of 127.0.0.1, without a watch of its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app = create_app(settings, runner=False)
        self._listener = listen("127.0.0.1", 0)
        self.port = self._listener.getsockname()[1]
        ready = threading.Event()
        self._server = Server(self.app, started=ready.set)
        self._server.capture_signals = _no_signals  # type: ignore[method-assign,assignment] # only the main thread can
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]})
        self._thread.start()
        assert ready.wait(60)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}/api/v1", timeout=60)

    @property
    def services(self) -> Services:
        services: Services = self.app.state.services
        return services

    def live(self, **query: object) -> str:
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return f"ws://127.0.0.1:{self.port}/api/v1/live?{asked}"

    def stop(self) -> None:
        self.client.close()
        self._server.should_exit = True
        self._thread.join(60)
        self._listener.close()
        assert not self._thread.is_alive()


class _no_signals:
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
def served(settings: Settings) -> Iterator[Served]:
    server = Served(settings)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def client(served: Served) -> httpx.Client:
    return served.client


@pytest.fixture
def store(served: Served) -> Desk:
    """The desk of the server."""
    return served.services.desk


class Process:
    """`groundswell serve` in a process of its own."""

    def __init__(self, home: Path, *options: str, environment: dict[str, str] | None = None) -> None:
        command = [sys.executable, "-c", "from groundswell.cli import main; main()", "--home", str(home)]
        self.process = subprocess.Popen(
            [*command, "serve", "--json", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        )

    def address(self) -> str:
        """Where it is, once it is ready."""
        assert self.process.stdout is not None
        text = ""
        for line in self.process.stdout:
            text += line
            if line.startswith("}"):
                return str(json.loads(text)["address"])
        raise AssertionError(self.process.communicate()[1])

    def end(self, with_signal: int = signal.SIGTERM) -> tuple[int, str]:
        """Stop it; its exit code and what it said on stderr."""
        self.process.send_signal(with_signal)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Starts `groundswell serve` on this test's home; all are ended with the test."""
    running: list[Process] = []

    def begin(*options: str, **environment: Any) -> Process:
        process = Process(tmp_path / "home", *options, environment=environment)
        running.append(process)
        return process

    yield begin
    for each in running:
        if each.process.poll() is None:
            each.process.kill()
        each.process.communicate()
