"""Threads: posts of the web API, and as Zeeschuimer collects them."""

from __future__ import annotations

from groundswell.platforms.threads.api import API
from groundswell.platforms.threads.zeeschuimer import ITEMS as ZEESCHUIMER

LAYOUTS = (API, ZEESCHUIMER)

__all__ = ["API", "LAYOUTS", "ZEESCHUIMER"]
