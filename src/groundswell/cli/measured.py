"""Metrics on a port beside a verb that runs for long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from groundswell.cli.app import messages

if TYPE_CHECKING:
    from groundswell.settings import Settings


@contextmanager
def measured(settings: Settings, port: int | None) -> Iterator[None]:
    """Serve /metrics for the length of the block, where a port was asked for."""
    if port is None:
        yield
        return
    from groundswell.web.metrics_port import metrics_served

    with metrics_served(settings, port) as address:
        messages.print(f"metrics are at {address}", soft_wrap=True)
        yield
