"""What works, what comes in and how far the watch is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundswell.web.models import Health, Status

if TYPE_CHECKING:
    from groundswell.web.services import Services


def read_health(services: Services) -> Health:
    """Each part and whether it works."""
    raise NotImplementedError


def read_status(services: Services) -> Status:
    """What the head of the page says."""
    raise NotImplementedError
