"""Threads: posts of the web API."""

from __future__ import annotations

from groundswell.platforms.threads.api import API

LAYOUTS = (API,)

__all__ = ["API", "LAYOUTS"]
