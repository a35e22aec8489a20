"""Metrics for Prometheus, at the address where it looks for them."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from groundswell.telemetry.metrics import exposition
from groundswell.web.metrics import everything
from groundswell.web.services import ServicesOf

#: Beside the API and not within: Prometheus asks for `/metrics`, and what it gets is no JSON.
router = APIRouter(include_in_schema=False)


@router.get("/metrics")
def show_metrics(services: ServicesOf, request: Request) -> Response:
    """Everything that can be measured here, in the format that the caller accepts."""
    body, kind = exposition(everything(services.metrics), request.headers.get("accept", ""))
    return Response(body, media_type=kind)
