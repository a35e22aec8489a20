"""What came in and what was set aside."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from groundswell.web.accounts import read_ledger, read_quarantine
from groundswell.web.models import Ledger, Quarantine
from groundswell.web.services import ServicesOf

router = APIRouter(tags=["accounts"])


@router.get("/ledger")
def show_ledger(
    services: ServicesOf,
    source: Annotated[str | None, Query(description="Only this source.")] = None,
    since: Annotated[datetime | None, Query(description="Quarter hours that start at or after this time.")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 500,
) -> Ledger:
    """Received, stored, known, rejected and ignored records by source and quarter hour, newest first."""
    return read_ledger(services.lake, services.journal, source, since, limit)


@router.get("/quarantine")
def list_quarantine(
    services: ServicesOf,
    reason: Annotated[str | None, Query(description="Only this reason.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Quarantine:
    """Records set aside, newest first, and how many there are per reason."""
    return read_quarantine(services.lake, reason, limit)
