from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import httpx
import pytest
from starlette.types import Message

from groundswell.desk import Desk, tokens
from groundswell.errors import UsageError
from groundswell.settings import Settings, load_settings
from groundswell.web.app import create_app
from groundswell.web.security import host_name, is_loopback
from groundswell.web.server import check_reach

FAR = ("203.0.113.7", 4711)
NEAR = ("127.0.0.1", 4711)


def ask(
    settings: Settings,
    method: str = "GET",
    path: str = "/api/v1/trackers",
    *,
    peer: tuple[str, int] = NEAR,
    headers: dict[str, str] | None = None,
    base: str = "http://127.0.0.1:8765",
) -> httpx.Response:
    async def talk() -> httpx.Response:
        app = create_app(settings, runner=False)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app, client=peer)
            async with httpx.AsyncClient(transport=transport, base_url=base) as client:
                return await client.request(method, path, headers=headers)

    return anyio.run(talk)


def connect(settings: Settings, path: str, *, peer: tuple[str, int], headers: dict[str, str]) -> list[Message]:
    """What the server sends to a WebSocket that opens and goes."""
    sent: list[Message] = []

    async def talk() -> None:
        app = create_app(settings, runner=False)
        incoming: list[Message] = [
            {"type": "websocket.connect"},
            {"type": "websocket.disconnect", "code": 1000},
        ]

        async def receive() -> Message:
            return incoming.pop(0)

        async def send(message: Message) -> None:
            sent.append(message)

        route, _, query = path.partition("?")
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "scheme": "ws",
            "path": route,
            "raw_path": route.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": peer,
            "server": ("127.0.0.1", 8765),
            "subprotocols": [],
        }
        async with app.router.lifespan_context(app):
            run: Callable[..., Awaitable[None]] = app
            await run(scope, receive, send)

    anyio.run(talk)
    return sent


@pytest.fixture
def secret(desk: Desk) -> str:
    with desk.session() as session:
        return tokens.create(session, "test")[0]


def test_from_this_machine_no_token_is_needed(settings: Settings) -> None:
    assert ask(settings).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/trackers", "/api/v1/health", "/api/v1/openapi.json", "/", "/assets/a.js"])
def test_from_another_machine_everything_needs_a_token(settings: Settings, secret: str, path: str) -> None:
    answer = ask(settings, path=path, peer=FAR)

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert "groundswell token create" in answer.json()["hint"]
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_opens_the_door_until_it_is_revoked(settings: Settings, desk: Desk, secret: str) -> None:
    headers = {"Authorization": f"Bearer {secret}"}
    assert ask(settings, peer=FAR, headers=headers).status_code == 200

    with desk.session() as session:
        tokens.revoke(session, tokens.listed(session)[0].id)

    assert ask(settings, peer=FAR, headers=headers).status_code == 401


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "Basic {secret}", "{secret}"])
def test_anything_else_does_not(settings: Settings, secret: str, header: str) -> None:
    headers = {"Authorization": header.format(secret=secret)}

    assert ask(settings, peer=FAR, headers=headers).status_code == 401


def test_a_token_in_the_address_is_not_taken_over_http(settings: Settings, secret: str) -> None:
    assert ask(settings, path=f"/api/v1/trackers?token={secret}", peer=FAR).status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8765"])
def test_a_name_that_points_here_is_not_answered(settings: Settings, host: str) -> None:
    answer = ask(settings, headers={"Host": host})

    assert answer.status_code == 421
    assert "GROUNDSWELL_ALLOWED_HOSTS" in answer.json()["hint"]


@pytest.mark.parametrize("host", ["localhost:8765", "LOCALHOST", "[::1]:8765", "127.0.0.1", "watch.example:443"])
def test_names_of_this_machine_and_allowed_ones_are(tmp_path: object, host: str) -> None:
    settings = load_settings(home=tmp_path, allowed_hosts="watch.example, other.example")

    assert ask(settings, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 404),
        ({"Origin": "http://127.0.0.1:8765"}, 404),
        ({"Origin": "http://localhost:8765"}, 403),
        ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 404),
    ],
)
def test_pages_of_other_sites_change_nothing(settings: Settings, headers: dict[str, str], status: int) -> None:
    answer = ask(settings, "DELETE", "/api/v1/trackers/none", headers=headers)

    assert answer.status_code == status


def test_pages_of_other_sites_may_not_read_either(settings: Settings) -> None:
    answer = ask(settings, headers={"Origin": "https://evil.example"})

    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_browsers_are_told_to_load_nothing_from_elsewhere(settings: Settings) -> None:
    headers = ask(settings, path="/").headers

    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert "script-src" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


HERE = {"Host": "127.0.0.1:8765"}


def test_a_socket_of_the_page_itself_is_accepted(settings: Settings) -> None:
    sent = connect(settings, "/api/v1/live", peer=NEAR, headers={**HERE, "Origin": "http://127.0.0.1:8765"})

    assert [message["type"] for message in sent] == ["websocket.accept"]


@pytest.mark.parametrize(
    ("peer", "headers", "code"),
    [
        (NEAR, {**HERE, "Origin": "https://evil.example"}, 4403),
        (NEAR, {"Host": "evil.example"}, 4403),
        (FAR, HERE, 4401),
    ],
)
def test_a_socket_that_is_not_allowed_is_closed_with_a_code(
    settings: Settings, peer: tuple[str, int], headers: dict[str, str], code: int
) -> None:
    sent = connect(settings, "/api/v1/live", peer=peer, headers=headers)

    assert sent[-1]["type"] == "websocket.close"
    assert sent[-1]["code"] == code


def test_a_socket_may_bring_its_token_in_the_address(settings: Settings, secret: str) -> None:
    sent = connect(settings, f"/api/v1/live?token={secret}", peer=FAR, headers=HERE)

    assert [message["type"] for message in sent] == ["websocket.accept"]


def test_an_address_beyond_this_machine_is_refused_while_no_token_exists(desk: Desk) -> None:
    check_reach(desk, "127.0.0.1")
    with pytest.raises(UsageError, match="groundswell token create"):
        check_reach(desk, "0.0.0.0")  # noqa: S104 - a text; nothing is bound to it


def test_it_is_not_refused_once_there_is_one(desk: Desk, secret: str) -> None:
    check_reach(desk, "0.0.0.0")  # noqa: S104 - a text; nothing is bound to it


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        (None, True),
        ("0.0.0.0", False),  # noqa: S104 - a text; nothing is bound to it
        ("::", False),
        ("192.168.1.2", False),
        ("::ffff:10.0.0.1", False),
        ("example.org", False),
    ],
)
def test_loopback_is_told_from_everything_else(address: str | None, here: bool) -> None:
    assert is_loopback(address) is here


@pytest.mark.parametrize("host", ["", "a b", "a:b", "user@127.0.0.1", "127.0.0.1/x", "[::1"])
def test_what_is_no_host_has_no_name(host: str) -> None:
    assert not host_name(host)
