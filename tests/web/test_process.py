"""`groundswell serve` as a process: resuming after a kill, two of them on one home, ending as asked."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

pytestmark = pytest.mark.service


def record(number: int, text: str = "side effects again") -> bytes:
    now = datetime.now(UTC).isoformat()
    return json.dumps({"id": str(number), "text": text, "created_at": now, "user_name": f"u{number}"}).encode()


def live(address: str, **query: object) -> str:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return f"{address.replace('http', 'ws')}/api/v1/live?{asked}"


def api(address: str) -> httpx.Client:
    return httpx.Client(base_url=f"{address}/api/v1", timeout=60)


def told(address: str, after: int, count: int) -> list[int]:
    """Numbers of the next lasting changes."""
    with connect(live(address, after=after)) as line:
        return told_by(line, count)


def told_by(line: ClientConnection, count: int) -> list[int]:
    got: list[int] = []
    while len(got) < count:
        change = json.loads(line.recv(timeout=60))
        if change["kind"] != "status":
            got.append(change["seq"])
    return got


def test_a_page_resumes_on_a_server_that_was_killed(start: Callable[..., Any]) -> None:
    first = start("--port", "0", "--no-runner")
    address = first.address()
    with api(address) as client:
        for name in ("a", "b", "c"):
            client.post("/trackers", json={"name": name, "query": name})
        assert client.post("/records", content=record(1)).status_code == 202
    assert told(address, 0, 2) == [1, 2]
    with connect(live(address, after=3)) as line:
        first.end(signal.SIGKILL)
        with pytest.raises(ConnectionClosed):
            told_by(line, 1)

    second = start("--port", "0", "--no-runner")
    address = second.address()

    assert told(address, 2, 1) == [3]
    with api(address) as client:
        assert client.post("/records", content=record(2)).json() == {"received": 1, "first": 1, "last": 1}
        assert len(client.get("/trackers").json()["items"]) == 3


def test_one_watches_the_other_takes_over_when_it_is_killed(start: Callable[..., Any], until: Any) -> None:
    first = start("--port", "0")
    one = api(first.address())
    until(lambda: one.get("/status").json()["runner"] == "here", what="the first to watch")
    one.close()
    second = start("--port", "0")
    other = api(second.address())
    assert other.get("/status").json()["runner"] == "elsewhere"
    health = {part["name"]: part for part in other.get("/health").json()["parts"]}
    assert health["watch"]["ok"]
    assert str(first.process.pid) in health["watch"]["detail"]

    first.end(signal.SIGKILL)

    until(lambda: other.get("/status").json()["runner"] == "here", what="the second to take over")
    assert other.post("/records", content=record(1)).status_code == 202
    code, said = second.end()
    assert code == 0, said
    other.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_as_asked_while_clients_follow(start: Callable[..., Any], number: signal.Signals) -> None:
    server = start("--port", "0")
    address = server.address()
    with connect(live(address)), api(address) as client, client.stream("GET", "/events"):
        code, said = server.end(number)

    assert code == 0, said
    assert "stopped" in said
    assert "Traceback" not in said


def test_what_was_pushed_is_found_and_counted(start: Callable[..., Any], until: Any) -> None:
    server = start("--port", "0", GROUNDSWELL_COMMIT_EVERY="0.5")
    with api(server.address()) as client:
        client.post("/trackers", json={"name": "effects", "query": '"side effects"'})
        body = b"\n".join([*map(record, range(20)), record(20, "something else"), record(3), b"{oops"])
        assert client.post("/records", content=body).json()["received"] == 23

        until(lambda: client.get("/status").json()["posts_total"] >= 21, what="the posts in the lake")
        found = client.get("/posts", params={"q": '"side effects"', "limit": 100}).json()
        assert sorted(int(post["post_id"]) for post in found["items"]) == list(range(20))
        assert found["lake_version"] is not None

        (row,) = client.get("/ledger").json()["items"]
        assert row["received"] == 23
        assert row["stored"] + row["known"] == 22
        assert row["rejected"] == 1
        (held,) = client.get("/quarantine").json()["items"]
        assert held["example"] == "{oops"


def test_a_port_in_use_is_said(start: Callable[..., Any]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = start("--port", str(taken.getsockname()[1]))
        _, said = server.process.communicate(timeout=60)

    assert server.process.returncode == 1
    assert "is in use" in said
    assert "--port" in said


def test_an_address_beyond_this_machine_is_refused_without_a_token(start: Callable[..., Any]) -> None:
    server = start("--port", "0", "--host", "0.0.0.0")  # noqa: S104 - refused
    _, said = server.process.communicate(timeout=60)

    assert server.process.returncode == 2
    assert "groundswell token create" in said


def test_pushing_goes_on_while_pages_follow(start: Callable[..., Any]) -> None:
    server = start("--port", "0", "--no-runner")
    address = server.address()
    taken: list[int] = []

    def push(worker: int) -> None:
        with api(address) as client:
            for number in range(20):
                body = b"\n".join(record(worker * 1000 + number * 10 + i) for i in range(10))
                answer = client.post("/records", params={"source": f"s{worker % 2}"}, content=body).json()
                taken.extend(range(answer["first"], answer["last"] + 1))

    workers = [threading.Thread(target=push, args=(worker,)) for worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(taken) == list(range(800))
