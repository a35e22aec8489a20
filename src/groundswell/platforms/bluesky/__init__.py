"""Bluesky: events of the Jetstream, post views of the API, bare records, and flat tables."""

from __future__ import annotations

from groundswell.platforms.bluesky.jetstream import JETSTREAM
from groundswell.platforms.bluesky.posts import RECORDS, ROWS, VIEWS

LAYOUTS = (JETSTREAM, VIEWS, RECORDS, ROWS)

__all__ = ["LAYOUTS"]
