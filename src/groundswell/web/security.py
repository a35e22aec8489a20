"""Who may talk to the server: host and origin are checked, and from beyond this machine a token is needed.

A page of another site that is open in a browser on this machine must reach nothing here: its requests carry another
`Origin`, and a name of its own that it lets point to 127.0.0.1 (DNS rebinding) is not among the known hosts.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from groundswell.desk import tokens
from groundswell.web.problems import problem_response

if TYPE_CHECKING:
    from groundswell.desk import Desk

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
#: Close codes of a refused socket.
REFUSED: Final = 4403
NO_TOKEN: Final = 4401
#: How long a token that was found is believed without asking the desk again, seconds.
_BELIEVE_S: Final = 2.0


def is_loopback(address: str | None) -> bool:
    """Whether an address or host name means this machine; a socket without address (a pipe) does.

    >>> is_loopback("127.0.0.9"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if address is None or address in LOOPBACK:
        return True
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_loopback)


def host_name(host: str) -> str | None:
    """The name in a Host header (`name`, `name:port`, `[::1]:port`), lower-case; null where it is none.

    >>> host_name("LocalHost:8765"), host_name("[::1]:8765"), host_name("a b")
    ('localhost', '::1', None)
    """
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    if parts.username is not None or parts.path or " " in host:
        return None
    return parts.hostname


class Guard:
    """ASGI middleware in front of everything."""

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str] = ()) -> None:
        """`hosts` are names besides the loopback ones that the server answers to; `*` for every one."""
        self._app = app
        self._hosts = {host.strip().lower().strip("[]") for host in hosts if host.strip()}
        self._believed: dict[bytes, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        refusal = await self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await refusal(scope, receive, send)
        else:
            await receive()
            # Accepted first, because a browser shows no reason of a handshake that was refused.
            await send({"type": "websocket.accept"})
            code = NO_TOKEN if refusal.status_code == 401 else REFUSED
            await send({"type": "websocket.close", "code": code, "reason": "not allowed; see the server's docs"})

    async def _refusal(self, scope: Scope) -> JSONResponse | None:
        headers = Headers(scope=scope)
        where = scope["path"]
        name = host_name(headers.get("host", ""))
        if not self._is_known(name):
            hint = "use http://127.0.0.1 or http://localhost, or add the name to GROUNDSWELL_ALLOWED_HOSTS"
            return problem_response(421, "this server does not answer to that host name", instance=where, hint=hint)
        if not self._same_origin(scope, headers):
            return problem_response(403, "requests from pages of other sites are refused", instance=where)
        client = scope.get("client")
        if is_loopback(client[0] if client else None) or await self._has_token(scope, headers):
            return None
        hint = "make one with `groundswell token create NAME` and send it as `Authorization: Bearer TOKEN`"
        challenge = {"WWW-Authenticate": 'Bearer realm="groundswell"'}
        return problem_response(
            401, "a token is needed from another machine", instance=where, hint=hint, headers=challenge
        )

    def _is_known(self, name: str | None) -> bool:
        return name is not None and (name in LOOPBACK or is_loopback(name) or name in self._hosts or "*" in self._hosts)

    def _same_origin(self, scope: Scope, headers: Mapping[str, str]) -> bool:
        if scope["type"] == "http" and scope["method"] in _SAFE:
            return True
        origin = headers.get("origin")
        if origin is None:
            # Not a browser, or a browser that says by this header that the request is its own.
            return headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"}
        parts = urlsplit(origin)
        return parts.scheme in {"http", "https"} and parts.netloc.lower() == headers.get("host", "").lower()

    async def _has_token(self, scope: Scope, headers: Mapping[str, str]) -> bool:
        kind, _, secret = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            secret = ""
        if not secret and scope["type"] == "websocket":
            # A browser cannot set headers of a WebSocket.
            secret = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        secret = secret.strip()
        if not secret:
            return False
        digest = tokens.digest(secret)
        now = time.monotonic()
        if self._believed.get(digest, 0.0) > now:
            return True
        desk: Desk = scope["app"].state.services.desk
        if not await asyncio.to_thread(_is_token, desk, secret):
            return False
        self._believed = {known: until for known, until in self._believed.items() if until > now}
        self._believed[digest] = now + _BELIEVE_S
        return True


def _is_token(desk: Desk, secret: str) -> bool:
    # The database finds it by its SHA-256, so that the time of that says nothing about the secret.
    with desk.reading() as session:
        row = tokens.find(session, secret)
    return row is not None and hmac.compare_digest(row.digest, tokens.digest(secret))


class SafeHeaders:
    """ASGI middleware that tells browsers to trust nothing but this server."""

    #: ECharts sets styles on elements; scripts, fonts, images and connections are this server's own.
    POLICY: Final = (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    HEADERS: Final = (
        (b"content-security-policy", POLICY.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
    )

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers to every answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self.HEADERS]
            await send(message)

        await self._app(scope, receive, send_safely)
