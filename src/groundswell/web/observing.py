"""Each request as a count, a length, a line of the log (level debug) and, where traces are wanted, a span."""

from __future__ import annotations

import logging
import time
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from groundswell import telemetry
from groundswell.telemetry import tracing
from groundswell.telemetry.logs import FIELDS
from groundswell.telemetry.metrics import HTTP_SECONDS

log = logging.getLogger("groundswell.web.access")

#: What a path is called that no route has; paths of strangers are no labels.
NO_ROUTE: Final = "(none)"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Observed:
    """ASGI middleware around everything, also around refusals."""

    def __init__(self, app: ASGIApp, *, prefix: str = "") -> None:
        """`prefix`: what stands before the paths of routes that do not name it themselves."""
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and say how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        tracer = tracing.active()
        span = None if tracer is None else tracer.request(scope["method"], Headers(scope=scope))
        status = 500
        begun = time.perf_counter()

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            seconds = time.perf_counter() - begun
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            route = route_of(scope, self._prefix)
            telemetry.count("http_requests", 1, method, route, str(status))
            HTTP_SECONDS.labels(method, route).observe(seconds)
            if tracer is not None and span is not None:
                said = {
                    "http.request.method": method,
                    "http.route": route,
                    "http.response.status_code": status,
                    "url.path": scope["path"],
                }
                tracer.answered(span, f"{method} {route}", said, failed=status >= 500)
            if log.isEnabledFor(logging.DEBUG):
                _write(scope, status, seconds)


def route_of(scope: Scope, prefix: str = "") -> str:
    """The template of the route that answered (`/api/v1/topics/{topic}`)."""
    path = getattr(scope.get("route"), "path", None)
    if not path:
        return NO_ROUTE
    is_below = bool(prefix) and scope["path"].startswith(f"{prefix}/") and not path.startswith(f"{prefix}/")
    return f"{prefix}{path}" if is_below else str(path)


def _write(scope: Scope, status: int, seconds: float) -> None:
    client = scope.get("client")
    fields = {
        "http.request.method": scope["method"],
        "url.path": scope["path"],
        "http.response.status_code": status,
        "event.duration": round(seconds * 1e9),
        "client.address": client[0] if client else None,
    }
    log.debug("%s %s %d", scope["method"], scope["path"], status, extra={FIELDS: fields})
