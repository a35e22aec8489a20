"""The server: routes under /api/v1, the page beside them."""

from __future__ import annotations

from fastapi import FastAPI

from groundswell import __version__
from groundswell.settings import Settings
from groundswell.web.openapi import document_of, operation_id
from groundswell.web.routes import alerts, health, ledger, live, posts, records, trackers

API = "/api/v1"
ROUTERS = (health.router, records.router, posts.router, trackers.router, alerts.router, ledger.router, live.router)


def create_app(settings: Settings, *, runner: bool = True) -> FastAPI:
    """The ASGI application; opens nothing before it is started."""
    app = FastAPI(
        title="Groundswell",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=operation_id,
    )
    for router in ROUTERS:
        app.include_router(router, prefix=API)
    return app
