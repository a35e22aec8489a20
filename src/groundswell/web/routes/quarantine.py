"""What was set aside, and reading it again."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from groundswell.errors import UsageError
from groundswell.web.data_models import Quarantine, QuarantineRecord, Retried, RetryRequest
from groundswell.web.held import Filter
from groundswell.web.installed import known_layouts
from groundswell.web.services import ServicesOf

router = APIRouter(prefix="/quarantine", tags=["accounts"])


@router.get("")
def list_quarantine(
    services: ServicesOf,
    reason: Annotated[str | None, Query(description="Only this reason.")] = None,
    origin: Annotated[str | None, Query(description="Only this file or partition.")] = None,
    layout: Annotated[str | None, Query(description="Only this layout; empty: records that no layout claims.")] = None,
    state: Annotated[Literal["held", "resolved"] | None, Query(description="Held, or read by a retry since.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Quarantine:
    """Records set aside, newest first, and how many are held by reason, origin and layout."""
    return services.quarantine.page(Filter(reason, origin, layout, state), limit)


@router.get("/{record}")
def show_quarantined(
    services: ServicesOf, record: Annotated[str, Path(description="Its id, or the beginning of it.", min_length=6)]
) -> QuarantineRecord:
    """One record set aside, with what is kept of its bytes as text."""
    return services.quarantine.one(record)


@router.post("/retry")
def retry_quarantine(services: ServicesOf, request: RetryRequest) -> Retried:
    """Read held records again; what is readable now is stored. The answer comes when that is done."""
    if request.layout is not None:
        known_layouts(services.settings).get(request.layout)
    if request.map and request.layout not in {None, "generic.table"}:
        what = "a map is for `generic.table` only"
        raise UsageError(what, hint="leave out `layout`, or the map")
    order = {
        "ids": request.ids,
        "reason": request.reason,
        "origin": request.origin,
        "options": {"layout": request.layout, "map": request.map},
    }
    return Retried(**services.uploads.retry(order))
