"""Running the application: the address it listens on, who may reach it, and how it ends."""

from __future__ import annotations

import contextlib
import errno
import signal
import socket
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final

import uvicorn
from fastapi import FastAPI

from groundswell.desk import Desk, tokens
from groundswell.errors import ConflictError, UnavailableError, UsageError
from groundswell.web.ending import Deadline
from groundswell.web.security import is_loopback
from groundswell.web.services import Services

#: How long open requests may take to end when the server stops, seconds.
GRACE_S: Final = 5
#: Clients of the live socket have nothing to say.
_MAX_MESSAGE: Final = 4096


def check_reach(desk: Desk, host: str) -> None:
    """Refuse an address that other machines reach while nobody could be told apart.

    Raises:
        UsageError: `host` is beyond loopback and no token is in force.
    """
    if is_loopback(host):
        return
    with desk.reading() as session:
        if tokens.any_active(session):
            return
    what = f"{host} is reachable from other machines and no token exists"
    raise UsageError(what, hint="make one first: `groundswell token create NAME`")


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on `host` and `port` (0: any free one).

    Raises:
        ConflictError: the port is in use.
        UnavailableError: the address is not one of this machine, or the port may not be used.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        what = f"cannot listen on {host} ({error.strerror})"
        raise UnavailableError(what, hint="give --host an address of this machine, such as 127.0.0.1") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(512)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            what = f"port {port} of {host} is in use"
            hint = "another `groundswell serve` may run already; stop it or choose another one with --port"
            raise ConflictError(what, hint=hint) from error
        what = f"cannot listen on {host}, port {port} ({error.strerror})"
        raise UnavailableError(what, hint="choose another address with --host or --port") from error
    return listener


def address_of(listener: socket.socket, host: str) -> str:
    """Where a browser finds the server.

    >>> with listen("127.0.0.1", 0) as listener:
    ...     address_of(listener, "localhost").startswith("http://localhost:")
    True
    """
    port = listener.getsockname()[1]
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 - compared, not bound
    return f"http://{name}:{port}"


class Server(uvicorn.Server):
    """Says when it is ready, lets live clients go first when it stops, and then ends without an error."""

    def __init__(self, app: FastAPI, *, started: Callable[[], None] | None = None) -> None:
        """`started` is called once requests are answered."""
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                ws_max_size=_MAX_MESSAGE,
                # Changes are small and few; compressing them for each client costs more than it saves.
                ws_per_message_deflate=False,
                ws_ping_interval=20.0,
                ws_ping_timeout=20.0,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self._application = app
        self._deadline = Deadline()
        self._when_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer requests."""
        await super().startup(sockets)
        if self.started and self._when_started is not None:
            self._when_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End: live clients are told first, because their requests never end by themselves."""
        services = getattr(self._application.state, "services", None)
        if isinstance(services, Services):
            services.hub.close()
        await super().shutdown(sockets)

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until it is told to end; from then on it takes no longer than `ending.END_S`."""
        try:
            super().run(sockets)
        finally:
            self._deadline.keep()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End on SIGINT and SIGTERM; having ended as asked is no failure, so they are not raised again."""
        before = {number: signal.signal(number, self._asked) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        self._deadline.begin()
        self.handle_exit(number, frame)
