"""A server whose lake is in a store that answers 503 and 500 for a while: it goes on, says so, and loses nothing."""

from __future__ import annotations

import itertools
import json
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.conftest import wait_until
from tests.services.faults import Faults, faults_before
from tests.services.servers import Minio
from tests.web.conftest import Process

from groundswell.doctor import parts as doctor
from groundswell.errors import UnavailableError
from groundswell.lake import Lake
from groundswell.settings import load_settings

pytestmark = pytest.mark.service

PATIENCE_S = 90.0
#: What works under load is not asked a hundred times a second.
ASK_S = 0.2


def record(number: int) -> bytes:
    row = {"id": str(number), "text": "side effects again", "user_name": f"u{number}"}
    return json.dumps({**row, "created_at": datetime.now(UTC).isoformat()}).encode()


@pytest.fixture
def store(minio: Minio, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    with faults_before(minio.port) as proxy:
        named = {"GROUNDSWELL_S3_ENDPOINT": proxy.endpoint, "GROUNDSWELL_LAKE": f"s3://{minio.new_bucket()}/lake"}
        for name, value in (minio.environment() | named).items():
            monkeypatch.setenv(name, value)
        yield proxy


class Live:
    """A server that watches, and what is pushed to it."""

    def __init__(self, home: Path, **environment: str) -> None:
        quick = {"GROUNDSWELL_COMMIT_EVERY": "0.5", "GROUNDSWELL_THREADS": "1", "GROUNDSWELL_WINDOW": "60"}
        self.settings = load_settings(home=home)
        self.process = Process(home, "--port", "0", environment={**os.environ, **quick, **environment})
        self.api = httpx.Client(base_url=f"{self.process.address()}/api/v1", timeout=20)
        self.api.post("/trackers", json={"name": "effects", "query": '"side effects"'}).raise_for_status()
        self._numbers = itertools.count()
        self.sent = 0

    def push(self, count: int = 100) -> None:
        body = b"\n".join(record(number) for number in itertools.islice(self._numbers, count))
        assert self.api.post("/records", content=body).status_code == 202
        self.sent += count

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get("/status").json()
        return found

    def parts(self) -> dict[str, dict[str, Any]]:
        return {part["name"]: part for part in self.api.get("/health").json()["parts"]}

    def done(self, name: str) -> bool:
        """Whether the watch or the lake has done all that was pushed."""
        behind = {reader["reader"]: reader["behind"] for reader in self.status()["readers"]}
        return bool(behind[name] == 0)


@pytest.fixture
def live(store: Faults, tmp_path: Path) -> Iterator[Callable[..., Live]]:
    running: list[Live] = []

    def begin(**environment: str) -> Live:
        running.append(Live(tmp_path / "home", **environment))
        return running[-1]

    yield begin
    for one in running:
        one.api.close()
        one.process.process.kill()
        one.process.process.communicate()


def until(condition: Callable[[], bool], what: str) -> None:
    pause = threading.Event()
    wait_until(lambda: condition() or pause.wait(ASK_S), PATIENCE_S, what)


def _goes_through(live: Live, store: Faults, seconds: float) -> str:
    """Push before, while and after the store is away; what the server logged."""
    live.push()
    until(lambda: live.status()["posts_total"] == live.sent, "the first posts in the lake")
    until(lambda: live.done("watch"), "the watch has begun")
    pause = threading.Event()
    for status in (503, 500):
        store.fail(status)
        live.push()
        until(lambda: not live.parts()["lake"]["ok"], "the server says that its store is away")
        until(lambda: live.status()["lake_trouble"] is not None, "the head of the page says it")
        assert live.status()["posts_total"] >= 100
        # Its past lies in the store; nothing waits for it.
        live.api.post("/trackers", json={"name": f"late {status}", "query": "again"}).raise_for_status()
        until(lambda: "do without their past" in live.parts()["watch"]["detail"], "the new tracker is watched")
        until(lambda: live.done("watch"), "the watch goes on meanwhile")
        assert not live.done("lake")
        pause.wait(seconds / 2)
    with pytest.raises(UnavailableError, match=r"the S3 store cannot be reached .it answers 500"):
        doctor.lake(live.settings)
    live.push()
    store.fail(None)
    until(lambda: live.done("lake"), "all posts in the lake")
    until(lambda: live.status()["lake_trouble"] is None, "the page says nothing any more")
    until(lambda: "do without" not in live.parts()["watch"]["detail"], "the new trackers have learned their past")
    assert all(part["ok"] for part in live.parts().values())
    code, said = live.process.end()
    assert code == 0, said
    lake = Lake.open(live.settings)
    assert sorted(map(int, lake.read("posts", ["post_id"])["post_id"].to_pylist())) == list(range(live.sent))
    ledger = lake.read("ledger")
    assert sum(ledger["received"].to_pylist()) == sum(ledger["stored"].to_pylist()) == live.sent
    assert "trying again" in said, said
    assert "trackers have learned their past" in said, said
    return said


@pytest.mark.slow
def test_a_server_goes_on_while_its_store_answers_503_and_500(live: Callable[..., Live], store: Faults) -> None:
    assert "the S3 store answers again after" in _goes_through(live(), store, 0.0)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_server_goes_on_after_half_a_minute(live: Callable[..., Live], store: Faults) -> None:
    assert "the S3 store answers again after" in _goes_through(live(), store, 30.0)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_store_that_is_away_for_longer_than_it_is_waited_for_is_written_again(
    live: Callable[..., Live], store: Faults
) -> None:
    said = _goes_through(live(GROUNDSWELL_S3_PATIENCE="4"), store, 30.0)
    assert "the lake is not written" in said
    assert "the lake is written again" in said
