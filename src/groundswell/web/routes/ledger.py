"""What came in: the sources, each of them over time, and the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from groundswell.errors import UsageError
from groundswell.web.books import read_ledger
from groundswell.web.data_models import Inflow, Ledger, Sources
from groundswell.web.inflow import QUARTER_US, read_inflow, read_sources
from groundswell.web.services import ServicesOf

router = APIRouter(tags=["accounts"])
#: Stretches of one source in one answer.
_MOST = 5_000


@router.get("/sources")
def list_sources(services: ServicesOf) -> Sources:
    """Every source: when it was heard of last, what became of its records, whether it is connected."""
    return read_sources(services)


@router.get("/inflow")
def show_inflow(
    services: ServicesOf,
    hours: Annotated[float, Query(gt=0, le=24 * 366, description="How far back, from the stream's clock or now.")] = 72,
    step: Annotated[
        int, Query(ge=900, le=86_400 * 7, description="Length of a stretch, seconds: a multiple of 900.")
    ] = (3600),
) -> Inflow:
    """What each source brought in equal stretches of time; a stretch in which it was not connected is a gap."""
    if step * 1_000_000 % QUARTER_US:
        what = f"a stretch of {step} s is no multiple of 900 s, in which the ledger counts"
        raise UsageError(what, hint="for example step=900, 3600 or 86400")
    if hours * 3600 / step > _MOST:
        what = f"{hours * 3600 / step:,.0f} stretches are too many for one answer"
        raise UsageError(what, hint=f"choose a longer step, or fewer hours: at most {_MOST:,}")
    return read_inflow(services, hours, step)


@router.get("/ledger")
def show_ledger(
    services: ServicesOf,
    source: Annotated[str | None, Query(description="Only this source.")] = None,
    since: Annotated[datetime | None, Query(description="Quarter hours that start at or after this time.")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 500,
) -> Ledger:
    """Received, stored, known, rejected and ignored records by source and quarter hour, newest first."""
    return read_ledger(services.books, services.journal, source, since, limit)
