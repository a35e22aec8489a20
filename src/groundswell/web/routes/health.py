"""Whether the server works, and what the head of the page says."""

from __future__ import annotations

from fastapi import APIRouter, Response

from groundswell.web.models import Health, Status
from groundswell.web.services import ServicesOf
from groundswell.web.state import read_health, read_status

router = APIRouter(tags=["state"])


@router.get("/health", responses={503: {"model": Health, "description": "A part does not work."}})
def show_health(services: ServicesOf, response: Response) -> Health:
    """Whether the server and its parts work: 200 when all do, else 503."""
    health = read_health(services)
    if health.status != "ok":
        response.status_code = 503
    return health


@router.get("/status")
def show_status(services: ServicesOf) -> Status:
    """What comes in, how far the watch is, and the number of the latest change."""
    return read_status(services)
