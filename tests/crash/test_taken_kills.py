"""What cannot be read again: a push that was answered is kept, and a pipe loses only what was in flight."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from groundswell.bus import Journal
from groundswell.lake import Lake
from groundswell.settings import load_settings

COMMAND = [sys.executable, "-c", "from groundswell.cli import main; main()"]
PATIENCE_S = 120.0


def record(number: int) -> bytes:
    text = f"post number {number}"
    row = {"id": str(number), "text": text, "user_name": f"u{number % 40}", "created_at": "2026-03-02T12:00:00Z"}
    return json.dumps(row).encode()


class Pushers:
    """Some clients that push ten records at a time, and the same ten again until they are answered."""

    def __init__(self, count: int) -> None:
        self.address = ""
        self.answered: set[int] = set()
        self.sent = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _work(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                numbers = range(self.sent, self.sent + 10)
                self.sent += 10
            while not self._push(numbers):
                # Also after the end: what has begun is sent until it is answered.
                self._stop.wait(0.02) or threading.Event().wait(0.02)

    def _push(self, numbers: Sequence[int]) -> bool:
        body = b"\n".join(record(number) for number in numbers)
        try:
            answer = httpx.post(f"{self.address}/api/v1/records", content=body, timeout=10)
        except (httpx.TransportError, httpx.UnsupportedProtocol):
            return False
        if answer.status_code != 202:
            return False
        with self._lock:
            self.answered.update(numbers)
        return True

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def pushers() -> Iterator[Pushers]:
    found = Pushers(3)
    yield found
    found.stop()


def serve(home: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [*COMMAND, "--home", str(home), "serve", "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "GROUNDSWELL_COMMIT_EVERY": "0.5", "GROUNDSWELL_THREADS": "1"},
    )
    said = ""
    for line in process.stdout or ():
        said += line
        if line.startswith("}"):
            break
    return process, str(json.loads(said)["address"])


def kill_servers(home: Path, pushers: Pushers, kills: int, seed: int) -> None:
    chance, pause = random.Random(seed), threading.Event()  # noqa: S311 - not for secrets
    for _ in range(kills):
        process, pushers.address = serve(home)
        pause.wait(chance.uniform(0.2, 3.0))
        process.kill()
        process.communicate()
    process, pushers.address = serve(home)
    pushers.stop()
    settings = load_settings(home=home)
    deadline = time.monotonic() + PATIENCE_S
    while not Lake.open(settings).count() >= len(pushers.answered) and time.monotonic() < deadline:
        pause.wait(0.2)
    process.terminate()
    process.communicate(timeout=60)
    assert pushers.answered == set(range(pushers.sent))
    posts = Lake.open(settings).read("posts", ["post_id"])["post_id"].to_pylist()
    assert len(posts) == len(set(posts)), "a post was stored twice"
    assert {int(post) for post in posts} == pushers.answered
    ledger = Lake.open(settings).read("ledger")
    sums = {name: sum(ledger[name].to_pylist()) for name in ("received", "stored", "known", "rejected", "ignored")}
    assert (sums["stored"], sums["rejected"], sums["ignored"]) == (len(posts), 0, 0)
    with Journal(settings.journal_path) as journal:
        assert sums["received"] == journal.next_record() == sums["stored"] + sums["known"]


@pytest.mark.service
def test_what_was_answered_is_stored_once_however_often_the_server_is_killed(tmp_path: Path, pushers: Pushers) -> None:
    kill_servers(tmp_path / "home", pushers, 3, 1)


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", range(2, 5))
def test_thirty_kills_of_a_server_lose_nothing(seed: int, tmp_path: Path, pushers: Pushers) -> None:
    kill_servers(tmp_path / "home", pushers, 10, seed)


@pytest.mark.service
def test_a_killed_reader_of_a_pipe_has_what_it_read_in_order_and_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = load_settings(home=home)
    had = 0
    for turn in range(3):
        process = subprocess.Popen(
            [*COMMAND, "--home", str(home), "watch", "run", "--source", "-"], stdin=subprocess.PIPE
        )
        assert process.stdin is not None
        # A producer that knows what has arrived goes on from there.
        for number in range(had, had + 3_000):
            process.stdin.write(record(number) + b"\n")
        process.stdin.flush()
        with Journal(settings.journal_path) as journal:
            deadline = time.monotonic() + PATIENCE_S
            while journal.next_record() <= had + turn * 500 and time.monotonic() < deadline:
                threading.Event().wait(0.01)
            process.kill()
            process.wait()
            had = journal.next_record()
            records = [r for block in journal.read(0, 1 << 30, 1 << 40) for r in block.records]
        process.stdin.close()
        assert records == [record(number) for number in range(had)]
