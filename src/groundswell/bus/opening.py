"""Opening the bus that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundswell.bus.contract import Bus
from groundswell.bus.journal import Journal

if TYPE_CHECKING:
    from groundswell.desk import Desk
    from groundswell.settings import Settings


def open_bus(settings: Settings, desk: Desk | None = None) -> Bus:
    """The bus of the settings; `desk` is the open desk of this process, where it has one.

    Raises:
        UnavailableError: it cannot be opened.
    """
    return Journal(settings.journal_path)
