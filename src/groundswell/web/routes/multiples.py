"""Small multiples: what the page Live draws beside each tracker that is in view."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from groundswell.desk import trackers
from groundswell.web.multiples import Multiples, multiples
from groundswell.web.services import ServicesOf

router = APIRouter(tags=["trackers"])


@router.get("/multiples")
def list_multiples(
    services: ServicesOf,
    tracker: Annotated[
        list[str] | None, Query(max_length=100, description="Ids of the trackers, repeated; absent: the first 100.")
    ] = None,
    window_s: Annotated[
        int | None, Query(ge=1, le=86_400, description="Size of the windows in seconds; absent: that of `/status`.")
    ] = None,
    windows: Annotated[int, Query(ge=1, le=2_000, description="How many windows back from the newest.")] = 144,
) -> Multiples:
    """The newest windows of some trackers as columns, on one time axis. An unknown id has no windows."""
    size = window_s or services.settings.window
    with services.desk.reading() as session:
        chosen = tracker or [row.id for row in trackers.list_active(session)][:100]
        return multiples(session, chosen, size, windows)
