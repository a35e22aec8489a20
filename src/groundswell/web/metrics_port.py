"""The metrics of a process that serves nothing else: `groundswell watch run --metrics-port N`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterator, Iterator

from fastapi import FastAPI

from groundswell.bus import open_bus
from groundswell.desk import open_desk
from groundswell.desk.clock import wall_us
from groundswell.lake import Lake
from groundswell.settings import Settings
from groundswell.telemetry import metrics as counted
from groundswell.web.books import Books
from groundswell.web.metrics import HomeMetrics
from groundswell.web.observing import Observed
from groundswell.web.problems import add_problem_handlers
from groundswell.web.routes import metrics
from groundswell.web.security import Guard, SafeHeaders
from groundswell.web.server import Server, address_of, check_reach, listen


class MetricsServices:
    """What the route of the metrics and the guard before it ask of an application."""

    def __init__(self, settings: Settings) -> None:
        """Open the home.

        Raises:
            UnavailableError: the desk, the journal or the lake cannot be opened.
        """
        lake = Lake.open(settings)
        self.desk = open_desk(settings)
        self.journal = open_bus(settings, self.desk)
        self.metrics = HomeMetrics(self.desk, self.journal, lake, Books(lake), now=wall_us)

    def close(self) -> None:
        """Close what was opened."""
        self.journal.close()
        self.desk.close()


def metrics_app(settings: Settings) -> FastAPI:
    """An application that answers `GET /metrics` and nothing else, behind the same guard as `serve`."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = MetricsServices(settings)
        app.state.services = services
        try:
            yield
        finally:
            services.close()

    app = FastAPI(title="Groundswell metrics", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(metrics.router)
    add_problem_handlers(app)
    app.add_middleware(Guard, hosts=(settings.host, *settings.allowed_hosts.split(",")))
    app.add_middleware(SafeHeaders)
    app.add_middleware(Observed)
    return app


@contextlib.contextmanager
def metrics_served(settings: Settings, port: int) -> Iterator[str]:
    """Serve the metrics of this process and its home in a thread for the length of the block; gives the address.

    Raises:
        UsageError: the host of the settings is beyond loopback and no token is in force.
        ConflictError: the port is in use.
        UnavailableError: the address is not one of this machine.
    """
    with open_desk(settings) as desk:
        check_reach(desk, settings.host)
    counted.listen()
    with listen(settings.host, port) as listener:
        ready = threading.Event()
        server = _Threaded(metrics_app(settings), started=ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="metrics", daemon=True)
        thread.start()
        ready.wait(10)
        try:
            yield f"{address_of(listener, settings.host)}/metrics"
        finally:
            server.should_exit = True
            thread.join(10)


class _Threaded(Server):
    """Signals belong to the verb that it is part of, and to the main thread."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield
