"""The layouts that are installed, loaded when a request first asks for them: a server should not start later for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from groundswell.platforms import Registry


def installed_layouts() -> Registry:
    """Every layout; the first call takes a second."""
    from groundswell.platforms import registry  # noqa: PLC0415 - loads Ibis and every platform

    return registry()
