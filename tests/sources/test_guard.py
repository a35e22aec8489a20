from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from groundswell.errors import UsageError
from groundswell.sources import guard

QUICK = httpx.Timeout(5.0)


@contextmanager
def listening(answer: bytes = b"", *, drip_s: float = 0.0) -> Iterator[tuple[int, list[bytes]]]:
    """A server of plain bytes: its port, and what was sent to it."""
    heard: list[bytes] = []
    ended = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                heard.append(connection.recv(65536))
                for at in range(0, len(answer), 1 if drip_s else len(answer)):
                    try:
                        connection.sendall(answer[at : at + 1] if drip_s else answer)
                    except OSError:
                        break
                    if ended.wait(drip_s):
                        break

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], heard
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def told(*addresses: str) -> Any:
    """A name service that gives one answer after the other."""
    left = list(addresses)

    def look_up(_host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        address = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    return look_up


def test_a_name_that_changes_its_mind_between_look_and_connection_reaches_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with listening(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (port, heard):
        monkeypatch.setattr(socket, "getaddrinfo", told("93.184.215.14", "127.0.0.1"))
        url = f"http://rebound.example:{port}/"
        guard.check_host("http", "rebound.example", port, private=False)
        with (
            guard.client_for(url, private=False, timeout=QUICK) as client,
            pytest.raises(UsageError, match=r"127\.0\.0\.1 is not a public address"),
        ):
            client.post(url, content=b"secret")
    assert heard == []


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(socket.AF_INET, 1, 6, "", (a, 80)) for a in ("93.184.215.14", "192.168.0.7")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(UsageError, match=r"192\.168\.0\.7"):
        guard.connect("two.example", 80, private=False, timeout=1)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0", "169.254.169.254", "::ffff:10.0.0.1", "100.64.0.1"])  # noqa: S104 - a text; nothing is bound to it
def test_addresses_of_no_public_network_are_refused(host: str) -> None:
    with pytest.raises(UsageError, match="GROUNDSWELL_PRIVATE_URLS"):
        guard.check_host("https", host, 443, private=False)


def test_what_the_setting_allows_is_reached() -> None:
    with listening(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as (port, heard):
        url = f"http://127.0.0.1:{port}/"
        with guard.client_for(url, private=True, timeout=QUICK) as client:
            assert client.post(url, content=b"hello").text == "ok"
    assert heard[0].startswith(b"POST / HTTP/1.1")


def test_a_server_that_drips_is_left_when_the_whole_has_taken_too_long() -> None:
    with listening(b"HTTP/1.1 200 OK\r\n" + b"X-Long: 1\r\n" * 500, drip_s=0.02) as (port, _):
        url = f"http://127.0.0.1:{port}/"
        began = time.monotonic()
        with (
            guard.client_for(url, private=True, timeout=QUICK, total_s=0.3) as client,
            pytest.raises(httpx.TimeoutException),
        ):
            client.get(url)
        assert time.monotonic() - began < 3


def test_through_a_proxy_names_of_this_machine_are_still_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    guard.check_host("http", "anything.example", 80, private=False)
    for host in ("localhost", "printer.local", "10.0.0.1"):
        with pytest.raises(UsageError):
            guard.check_host("http", host, 80, private=False)
