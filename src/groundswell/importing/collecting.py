"""Collecting from a platform's API: answers go through the journal into the lake like any other stream."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from groundswell.bus import Bus, open_bus
from groundswell.desk import Desk, open_desk, quotas
from groundswell.desk.clock import Clock, iso, wall_us
from groundswell.engines import open_engine
from groundswell.errors import ConflictError, UsageError
from groundswell.importing.stream import journal_to_lake
from groundswell.lake import Lake
from groundswell.sources.youtube import SERVICE, Collected, Wait, YouTubeCollector, pacific_day, renewal
from groundswell.sources.youtube_api import YouTubeApi

if TYPE_CHECKING:
    from groundswell.marts.raw_documents import RawDocuments
    from groundswell.settings import Settings
    from groundswell.sources.youtube_tasks import Job

#: Variables that may hold the key, the first that is set counts.
KEYS: Final = ("GROUNDSWELL_YOUTUBE_KEY", "YOUTUBE_API_KEY")
_NAMES: Final = ("records", "stored", "known", "rejected", "ignored")

Tell = Callable[[str, Collected, int], None]
"""Told after each request what it was about, the numbers so far, and the units left."""


def key_of(environment: Mapping[str, str] = os.environ) -> str:
    """The API key of the environment.

    Raises:
        UsageError: there is none.
    """
    for name in KEYS:
        if environment.get(name, "").strip():
            return environment[name].strip()
    what = "no key for the YouTube Data API"
    raise UsageError(
        what, hint=f"set {KEYS[1]} (or {KEYS[0]}) in the environment; see docs/guide/collect-from-youtube.md"
    )


def collect_youtube(
    job: Job,
    settings: Settings,
    stop: threading.Event,
    *,
    key: str | None = None,
    tell: Tell | None = None,
    wait: Wait | None = None,
    now: Clock = wall_us,
    to: RawDocuments | None = None,
) -> dict[str, Any]:
    """Collect a job, or what is left of it, and take what came into the lake.

    With `to` the items of the answers go there as they came, besides the lake or (`to.only`) instead.

    Returns:
        The document of `groundswell collect youtube --json`.

    Raises:
        UsageError: there is no key, or YouTube does not understand what is asked for.
        UnavailableError: the client is not installed, YouTube cannot be reached or refuses; what came is in the lake.
    """
    begun = time.monotonic()
    api = YouTubeApi(key or key_of(), settings.youtube_endpoint)
    with open_desk(settings) as desk, open_bus(settings, desk) as journal:
        collector = YouTubeCollector(job, api, desk, settings.youtube_quota, now=now, wait=wait)
        if to is not None:
            collector.also, collector.only = (lambda items: to.put(items, now())), to.only
        if tell is not None:
            collector.tell = lambda what, done: tell(what, done, _left(desk, settings, now()))
        try:
            collector.run(journal, stop)
        finally:
            api.close()
            sums = _into_the_lake(journal, desk, settings)
        units = _units(desk, settings, collector.result, now())
    raw = None if to is None else to.document()
    return _document(job, collector.result, units, sums, time.monotonic() - begun) | {"raw": raw}


def _into_the_lake(journal: Bus, desk: Desk, settings: Settings) -> dict[str, int] | None:
    """What became of the records that wait in the journal; null where another process takes them to the lake."""
    sums = dict.fromkeys(_NAMES, 0)
    engine = open_engine(settings)
    try:
        while (batch := journal_to_lake(journal, Lake.open(settings), desk, engine, settings, wait_s=2.0)) is not None:
            for name in _NAMES:
                sums[name] += getattr(batch, name)
    except ConflictError:
        return None  # `serve` or an import holds the lake; the journal keeps what came
    finally:
        engine.close()
    return sums


def _left(desk: Desk, settings: Settings, now_us: int) -> int:
    with desk.reading() as session:
        return max(settings.youtube_quota - quotas.spent(session, SERVICE, pacific_day(now_us)), 0)


def _units(desk: Desk, settings: Settings, done: Collected, now_us: int) -> dict[str, Any]:
    left = _left(desk, settings, now_us)
    return {
        "day": pacific_day(now_us),
        "limit": settings.youtube_quota,
        "this_run": done.units,
        "spent": settings.youtube_quota - left,
        "left": left,
        "renewed_at": iso(round(renewal(now_us).timestamp() * 1e6)),
    }


def _document(
    job: Job, done: Collected, units: dict[str, Any], sums: dict[str, int] | None, seconds: float
) -> dict[str, Any]:
    lake = None
    if sums is not None:
        lake = {"read": sums["records"], **{name: sums[name] for name in _NAMES[1:]}}
    return {
        "platform": SERVICE,
        "job": job.id,
        "state": done.state,
        "resumed": done.resumed,
        "requests": done.requests,
        "unchanged": done.unchanged,
        "retries": done.retries,
        "videos": done.videos,
        "items": done.records,
        "skipped": [{"what": what, "reason": reason} for what, reason in done.skipped],
        "units": units,
        "lake": lake,
        "seconds": seconds,
    }
