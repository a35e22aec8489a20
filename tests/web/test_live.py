from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any, TypeVar

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from groundswell.desk import Desk, changes
from groundswell.web import sockets
from groundswell.web.hub import Hub
from groundswell.web.problems import GoneError

T = TypeVar("T")


def tell(desk: Desk, count: int = 1, kind: Any = "window") -> None:
    with desk.session() as session:
        for _ in range(count):
            changes.append(session, kind, "subject", {"number": count} if kind != "tracker" else {})


def run(scene: Coroutine[Any, Any, T]) -> T:
    """Run a scene in a thread of its own: a browser test of the same process may keep a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, scene).result()


def numbers(socket: Any, count: int) -> list[int]:
    """Numbers of the next `count` changes; what is only news of the moment does not count."""
    got: list[int] = []
    while len(got) < count:
        change = json.loads(socket.recv(timeout=60))
        if change["kind"] != "status":
            got.append(change["seq"])
    return got


def test_a_change_arrives_at_once(served: Any) -> None:
    with connect(served.live(after=0)) as socket:
        tell(served.services.desk)

        change = json.loads(socket.recv(timeout=60))

    assert (change["seq"], change["kind"], change["windows"]) == (1, "window", {"number": 1})


def test_what_was_missed_comes_first_then_what_happens(served: Any) -> None:
    tell(served.services.desk, 1200)
    with connect(served.live(after=5)) as socket:
        assert numbers(socket, 1195) == list(range(6, 1201))
        tell(served.services.desk, 3)
        assert numbers(socket, 3) == [1201, 1202, 1203]


def test_without_a_number_only_what_happens_from_now_on(served: Any, until: Any) -> None:
    tell(served.services.desk, 4)
    until(lambda: served.services.hub.seq == 4, what="the hub")
    with connect(served.live()) as socket:
        until(lambda: served.services.hub.listeners == 1, what="the listener")
        tell(served.services.desk)
        assert numbers(socket, 1) == [5]


def test_a_removed_tracker_is_told_as_null(served: Any) -> None:
    with connect(served.live(after=0)) as socket:
        tell(served.services.desk, kind="tracker")
        assert json.loads(socket.recv(timeout=60))["tracker"] is None


def test_the_page_hears_every_second_how_it_stands(served: Any) -> None:
    with connect(served.live()) as socket:
        change = json.loads(socket.recv(timeout=60))

    assert (change["kind"], change["seq"]) == ("status", 0)
    assert change["status"]["window_s"] == 300


def test_what_cannot_be_resumed_closes_with_its_own_code(served: Any) -> None:
    tell(served.services.desk, 10)
    with served.services.desk.session() as session:
        changes.prune(session, 3)
    for number in (2, 11):
        with connect(served.live(after=number)) as socket, pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=60)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4009


def test_a_client_that_goes_leaves_nothing_behind(served: Any, until: Any) -> None:
    with connect(served.live()):
        until(lambda: served.services.hub.listeners == 1, what="the listener")
    until(lambda: served.services.hub.listeners == 0, what="its end")


def test_a_client_that_does_not_read_is_let_go_with_a_code_and_can_resume(
    served: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience = sockets.SEND_S
    monkeypatch.setattr(sockets, "SEND_S", 0.2)
    let_go = threading.Event()
    close = sockets._close

    async def closing(*of: Any) -> None:
        let_go.set()
        await close(*of)

    monkeypatch.setattr(sockets, "_close", closing)
    with served.services.desk.session() as session:
        for _ in range(600):
            changes.append(session, "window", "subject", {"text": "x" * 100_000})
    until(lambda: served.services.hub.seq == 600, what="the hub")
    got: list[int] = []
    with connect(served.live(after=0), max_queue=1, max_size=None) as socket:
        assert let_go.wait(60)
        with pytest.raises(ConnectionClosed) as closed:
            got.extend(change for _ in range(600) for change in numbers(socket, 1))
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4008, f"connect again with after={len(got)}")
    assert got == list(range(1, len(got) + 1))
    assert len(got) < 600

    # This time it reads, though a busy machine may make it pause for longer than that.
    monkeypatch.setattr(sockets, "SEND_S", patience)
    with connect(served.live(after=got[-1]), max_size=None) as socket:
        assert numbers(socket, 600 - len(got)) == list(range(len(got) + 1, 601))


def events(client: httpx.Client, count: int, **options: Any) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    with client.stream("GET", "/events", **options) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        event: dict[str, str] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name in {"id", "data"}:
                event[name] = value
            elif not line and "data" in event:
                if json.loads(event["data"])["kind"] != "status":
                    found.append(event)
                event = {}
            if len(found) == count:
                break
    return found


def test_events_carry_their_number_and_go_on_after_the_last_one(served: Any) -> None:
    tell(served.services.desk, 5)

    assert [event["id"] for event in events(served.client, 5, params={"after": 0})] == ["1", "2", "3", "4", "5"]
    later = events(served.client, 2, headers={"Last-Event-ID": "3"}, params={"after": 0})
    assert [event["id"] for event in later] == ["4", "5"]


def test_events_that_are_not_kept_are_a_problem(served: Any) -> None:
    answer = served.client.get("/events", params={"after": 99})

    assert answer.status_code == 410
    assert "/api/v1/status" in answer.json()["hint"]


def test_the_server_stops_while_clients_follow(served: Any, until: Any) -> None:
    with connect(served.live()) as socket, served.client.stream("GET", "/events"):
        until(lambda: served.services.hub.listeners == 2, what="the listeners")
        served.stop()
        with pytest.raises(ConnectionClosed) as closed:
            numbers(socket, 1)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code in {1001, 1012}


def test_a_listener_whose_queue_is_full_reads_on_from_the_desk(desk: Desk) -> None:
    async def scene() -> list[int]:
        hub = Hub(desk, poll_s=0.01, queue=3)
        running = asyncio.create_task(hub.run())
        got: list[int] = []
        async with aclosing(hub.follow(None)) as follower:
            first = asyncio.ensure_future(anext(follower))
            while hub.listeners == 0:
                await asyncio.sleep(0)
            await asyncio.to_thread(tell, desk, 1)
            message = await first
            await asyncio.to_thread(tell, desk, 20)
            while hub.seq < 21:
                await asyncio.sleep(0.01)
            while message is not None and message.seq < 21:
                got.append(message.seq)
                message = await anext(follower)
        running.cancel()
        return got

    assert run(scene()) == list(range(1, 21))


def test_waking_the_hub_beats_its_poll(desk: Desk) -> None:
    async def scene() -> None:
        hub = Hub(desk, poll_s=60)
        running = asyncio.create_task(hub.run())
        async with aclosing(hub.follow(None)) as follower:
            first = asyncio.ensure_future(anext(follower))
            while hub.listeners == 0:
                await asyncio.sleep(0)
            await asyncio.to_thread(tell, desk, 1)
            await asyncio.to_thread(hub.wake)
            message = await asyncio.wait_for(first, 50)  # below the poll, whatever else this machine does
        running.cancel()
        assert message is not None
        assert message.seq == 1

    run(scene())


def test_who_follows_before_the_hub_has_begun_misses_nothing(desk: Desk) -> None:
    async def scene() -> None:
        hub = Hub(desk, poll_s=60)
        tell(desk, 3)
        async with aclosing(hub.follow(None)) as follower:
            first = asyncio.ensure_future(anext(follower))
            await asyncio.sleep(0)
            assert hub.listeners == 0, "it waits until it is known which change is the last"
            running = asyncio.create_task(hub.run())
            while hub.listeners == 0:
                await asyncio.sleep(0)
            await asyncio.to_thread(tell, desk, 1)
            hub.wake()
            message = await asyncio.wait_for(first, 50)
        running.cancel()
        assert message is not None
        assert message.seq == 4

    run(scene())


def test_a_number_of_another_home_is_gone(desk: Desk) -> None:
    async def scene() -> None:
        async with aclosing(Hub(desk).follow(7)) as follower:
            await anext(follower)

    with pytest.raises(GoneError, match="after change 7"):
        run(scene())
