"""The "latest" search of the REST API: one engine, used by one request at a time, over a snapshot of the lake."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from groundswell.desk import Desk, alert_cases, alerts
from groundswell.engines import Engine, open_engine
from groundswell.errors import UnavailableError
from groundswell.lake import Lake
from groundswell.query import parse
from groundswell.settings import Settings
from groundswell.web.alert_models import Recomputed
from groundswell.web.models import Post, Posts

Sort = Literal["latest", "likes", "views", "engagement"]

#: How long a request waits for its turn, seconds.
_TURN_S: Final = 60.0
_SHOWN: Final = tuple(Post.model_fields)


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched: query, platforms (none: all), [since, until) by event time, order and number of posts."""

    query: str = ""
    platforms: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    sort: Sort = "latest"
    limit: int = 50
    origin: str | None = None
    """Only what came from this file, or from a member of this archive."""


class PostSearch:
    """Runs searches; safe to call from several threads (they take turns, the engine is not shared)."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is opened before the first search."""
        self._settings = settings
        self._lake = Lake.open(settings)
        self._turn = threading.Lock()
        self._engine: Engine | None = None

    def run(self, search: Search) -> Posts:
        """The posts that match, each by its latest observation.

        Raises:
            QuerySyntaxError: the query does not parse.
            UsageError: `since` is not before `until`.
            UnavailableError: the lake cannot be read, or other searches take too long.
        """
        # Ibis takes a second or two to import; a server should not start that much later for it.
        from groundswell.marts.export import documents  # noqa: PLC0415 - loads Ibis
        from groundswell.marts.latest import find_posts  # noqa: PLC0415 - loads Ibis
        from groundswell.marts.wanted import Wanted  # noqa: PLC0415 - loads Ibis

        began = time.perf_counter()
        query = parse(search.query) if search.query.strip() else None
        with self._my_turn() as engine:
            since, until = _aware(search.since), _aware(search.until)
            wanted = Wanted(query, search.platforms, since, until, search.origin)
            table, version = find_posts(engine, self._lake, wanted, search.sort, search.limit)
        items = [Post.model_validate(row) for row in documents(table.select(_SHOWN))]
        seconds = round(time.perf_counter() - began, 4)
        known = None if version is None or version < 0 else version
        return Posts(items=items, query=search.query, limit=search.limit, seconds=seconds, lake_version=known)

    def recompute(self, desk: Desk, alert: str) -> Recomputed:
        """The card of an alert, made again from the lake.

        Raises:
            NotFoundError: there is no such alert.
            UnavailableError: the lake cannot be read, or other searches take too long.
        """
        from groundswell.watch.recompute import recompute  # noqa: PLC0415 - loads Ibis

        with desk.reading() as session:
            row = alerts.get(session, alert)
            case = alert_cases.get(session, row.id)
        with self._my_turn() as engine:
            return Recomputed.model_validate(recompute(row, case, self._lake, engine))

    @contextmanager
    def _my_turn(self) -> Iterator[Engine]:
        if not self._turn.acquire(timeout=_TURN_S):
            what = "other searches are still running"
            raise UnavailableError(what, hint="try again in a minute")
        try:
            if self._engine is None:
                self._engine = open_engine(self._settings)
            yield self._engine
        finally:
            self._turn.release()

    def close(self) -> None:
        """Release the engine, after the search that runs."""
        with self._turn:
            if self._engine is not None:
                self._engine.close()
                self._engine = None


def _aware(time_: datetime | None) -> datetime | None:
    return time_ if time_ is None or time_.tzinfo else time_.replace(tzinfo=UTC)
