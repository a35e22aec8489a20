"""The server: the REST API under /api/v1, the live line, and the page beside them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Final

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from groundswell import __version__
from groundswell.settings import Settings
from groundswell.web.frontend import Frontend
from groundswell.web.observing import Observed
from groundswell.web.openapi import operation_id
from groundswell.web.problems import add_problem_handlers
from groundswell.web.quick_push import QuickPush
from groundswell.web.routes import (
    alerts,
    backtests,
    channels,
    days,
    drift,
    health,
    imports,
    layouts,
    ledger,
    live,
    metrics,
    multiples,
    posts,
    quarantine,
    queries,
    raw,
    records,
    reference,
    topics,
    trackers,
)
from groundswell.web.security import Guard, SafeHeaders
from groundswell.web.services import Services

API: Final = "/api/v1"
_ROUTES: Final = (
    *(health, records, imports, layouts, raw, posts, queries, trackers, multiples, backtests),
    *(alerts, topics, days, channels, ledger, quarantine, drift, live, reference),
)


def create_app(settings: Settings, *, runner: bool = True) -> FastAPI:
    """The ASGI application. It opens the home when it is started, not before.

    With `runner` it runs the watch, unless another process does; then it shows that one's data and takes over
    when it ends.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = Services(settings, runner=runner)
        app.state.services = services
        async with services.running():
            yield

    app = FastAPI(
        title="Groundswell",
        version=__version__,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
    )
    for module in _ROUTES:
        app.include_router(module.router, prefix=API)
    app.include_router(metrics.router)
    app.router.default = Frontend()
    app.add_middleware(QuickPush, path=f"{API}/records")
    add_problem_handlers(app)
    # Series and evidence are repetitive: a tenth of their size on the wire. Small answers and events stay as they are.
    app.add_middleware(GZipMiddleware, minimum_size=2048, compresslevel=4)
    app.add_middleware(Guard, hosts=(settings.host, *settings.allowed_hosts.split(",")))
    app.add_middleware(SafeHeaders)
    app.add_middleware(Observed, prefix=API)
    return app
