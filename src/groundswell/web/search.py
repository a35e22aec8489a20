"""The "latest" search of the REST API: one engine, used by one request at a time, over a snapshot of the lake."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from groundswell.settings import Settings
from groundswell.web.models import Posts

Sort = Literal["latest", "likes", "views", "engagement"]


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched: query, platforms (none: all), [since, until) by event time, order and number of posts."""

    query: str = ""
    platforms: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    sort: Sort = "latest"
    limit: int = 50


class PostSearch:
    """Runs searches; safe to call from several threads (they take turns, the engine is not shared)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._turn = threading.Lock()

    def run(self, search: Search) -> Posts:
        """The posts that match, each by its latest observation."""
        began = time.perf_counter()
        with self._turn:
            return Posts(
                items=[],
                query=search.query,
                limit=search.limit,
                seconds=time.perf_counter() - began,
                lake_version=None,
            )
