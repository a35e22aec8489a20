"""The ledger and the quarantine as the REST API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from groundswell.web.models import Ledger, Quarantine

if TYPE_CHECKING:
    from groundswell.web.services import Services


def read_ledger(services: Services, source: str | None, since: datetime | None, limit: int) -> Ledger:
    """Sums by source and quarter hour, newest first, and the intervals in which sources were connected."""
    raise NotImplementedError


def read_quarantine(services: Services, reason: str | None, limit: int) -> Quarantine:
    """Records set aside, newest first, and the number of them per reason."""
    raise NotImplementedError
