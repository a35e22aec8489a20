"""Backtest: the watch's own kernels over the lake's history, so that it says what the watch would have said.

The posts come from the lake as they were first observed; that there is nothing of the future in them is the feed's part
(`lakefeed`). What is counted in windows, and how rare it is, is found in one pass (`sweep`) whatever the promise; which
of it is an alert is asked of each promise (`rerun`). Only what alerts show is read whole.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from groundswell.desk.clock import Clock, moment, wall_us
from groundswell.desk.trackers import tracker_id
from groundswell.lake import Lake
from groundswell.query import parse
from groundswell.watch.arrivals import TableArrivals
from groundswell.watch.backtest_cards import Cards
from groundswell.watch.contract import DAY, AlertRecord, TrackerSpec, WatchParams
from groundswell.watch.lakefeed import LakeFeed, Portion
from groundswell.watch.pastcounts import count_windows
from groundswell.watch.plan import params_of
from groundswell.watch.rerun import Ended, Rerun, Windows
from groundswell.watch.sweep import sweep
from groundswell.watch.trends import Places
from groundswell.watch.windows import NEVER

if TYPE_CHECKING:
    from groundswell.settings import Settings

#: Promises whose alerts are counted besides the one that is asked for, days.
PROMISES: Final = (1.0, 3.0, 7.0, 14.0, 30.0, 90.0, 365.0)
#: How long before the tested time the detector learns, as a new tracker does.
LEARN_DAYS: Final = 56
#: Alerts that get a card, the newest.
MOST_CARDS: Final = 40
#: Name of the tracker that is tested.
NAME: Final = "backtest"
TRACKER: Final = tracker_id(NAME)

Progress = Callable[[str, float], None]
"""Told what is done now and the fraction that is done; what it raises ends the work."""


@dataclass(frozen=True)
class Asked:
    """What is to be tested."""

    query: str
    days: float = 90.0
    until: datetime | None = None
    """The last moment; null: the newest post in the lake."""
    promise_days: float | None = None
    platforms: tuple[str, ...] = ()
    country: str | None = None


@dataclass
class Tested:
    """What came of it."""

    asked: Asked
    promise_days: float
    params: WatchParams
    since_us: int | None
    """The first moment that was scored; null: nothing was."""
    until_us: int
    learned_us: int = 0
    """How long the lake had posts before that, as far back as was learned from."""
    posts: int = 0
    stream_posts: int = 0
    blind: int = 0
    episodes: dict[float, list[Ended]] = field(default_factory=dict)
    """By promise, in order."""
    alerts: list[AlertRecord] = field(default_factory=list)
    """Those of the asked promise with their cards, the newest `MOST_CARDS`, in order."""
    windows: list[Windows] = field(default_factory=list)
    """Those of the asked promise, sizes ascending; also those that only taught."""
    lake_version: int | None = None
    seconds: float = 0.0


def backtest(settings: Settings, asked: Asked, progress: Progress = lambda _doing, _done: None) -> dict[str, Any]:
    """What `run` found, as the document of `groundswell backtest --json`."""
    from groundswell.watch.backtest_document import document  # noqa: PLC0415 - it needs `Tested`

    return document(settings, run(settings, asked, progress))


def run(
    settings: Settings,
    asked: Asked,
    progress: Progress = lambda _doing, _done: None,
    *,
    now: Clock = wall_us,
) -> Tested:
    """Test a query over the lake of `settings`.

    Raises:
        QuerySyntaxError: the query does not parse.
        UnavailableError: the lake cannot be read.
    """
    begun = time.perf_counter()
    query = parse(asked.query)
    lake, params = Lake.open(settings), params_of(settings)
    promise = asked.promise_days or settings.promise
    until_us = _until(lake, asked, now()) // params.base_us * params.base_us
    tested = Tested(asked, promise, params, None, until_us)
    bar = _Bar(progress)
    since_us = until_us - round(asked.days * DAY)
    feed = LakeFeed(lake, [query], params, since_us - LEARN_DAYS * DAY, until_us, asked.platforms, bar.read)
    tested.lake_version = None if feed.stream.version < 0 else feed.stream.version
    bar.total = feed.rows
    if len(feed.volumes.totals):
        _test(feed, tested, since_us, bar)
    tested.seconds = time.perf_counter() - begun
    return tested


def _until(lake: Lake, asked: Asked, now_us: int) -> int:
    """The end of what is tested: never after now."""
    if asked.until is not None:
        return min(now_us, (asked.until - moment(0)) // timedelta(microseconds=1))
    newest = [time for time in lake.snapshot("posts").latest if time <= now_us]
    return max(newest, default=now_us)


def _test(feed: LakeFeed, tested: Tested, since_us: int, bar: _Bar) -> None:
    # The budget is that of a desk with its trackers; one query alone has its promise.
    params = msgspec.structs.replace(tested.params, budget=None)
    first_us = feed.volumes.first_us
    tested.since_us = max(since_us, first_us)
    tested.learned_us = tested.since_us - first_us
    with ThreadPoolExecutor(os.cpu_count() or 1, "backtest") as pool:
        portions = _seen(feed.portions(pool), tested, bar)
        begun_us = feed.begun_us(pool)
        volumes, opened_us = feed.volumes, feed.opened_us(begun_us)
        stream = volumes.counts.astype(np.float64)
        places = (
            Places(volumes.platforms, first_us, stream, np.zeros_like(stream)) if len(volumes.platforms) > 1 else None
        )
        counted = count_windows(first_us, volumes.totals, portions, 1, None, params, opened_us, places)
        bar.at("testing")
        swept = sweep(
            counted, params, np.array([begun_us, NEVER]), lambda: bar.at("testing"), [tested.asked.country], places
        )
        for promise in sorted({*PROMISES, tested.promise_days}):
            bar.at(f"testing a promise of {promise:g} days")
            spec = _spec(tested.asked, promise)
            rerun = Rerun(swept, 1, spec, params)
            asked = promise == tested.promise_days
            ended = list(rerun.episodes(tested.since_us, cards=asked))
            tested.episodes[promise] = ended
            if asked:
                tested.windows = rerun.windows
        cards = Cards(feed, tested, _spec(tested.asked, tested.promise_days), params, pool)
        found = tested.episodes[tested.promise_days]
        for number, one in enumerate(found[-MOST_CARDS:]):
            bar.at(f"card {number + 1} of {min(len(found), MOST_CARDS)}")
            tested.alerts.append(cards.alert(one))
    base, begin = counted[0], int(np.searchsorted(counted[0].starts, tested.since_us))
    tested.stream_posts, tested.posts = (int(column.sum()) for column in base.posts[begin:].T)


def _spec(asked: Asked, promise: float) -> TrackerSpec:
    return TrackerSpec(TRACKER, 1, name_of(asked.query), asked.query, promise, country=asked.country)


def name_of(query: str) -> str:
    """What headlines call the query: a phrase without its quotes.

    >>> name_of('"side effects"'), name_of('"side effects" OR dose')
    ('side effects', '"side effects" OR dose')
    """
    inner = query.strip()[1:-1]
    return inner if query.strip() == f'"{inner}"' and '"' not in inner else query.strip()[:200]


def _seen(portions: Iterator[Portion], tested: Tested, bar: _Bar) -> Iterator[TableArrivals]:
    for portion in portions:
        tested.blind += portion.blind
        bar.at("reading posts")
        yield portion.arrivals


@dataclass
class _Bar:
    """How far it is, by the rows that were read."""

    progress: Progress
    total: int = 1
    done: int = 0
    doing: str = "counting the stream"

    def read(self, rows: int) -> None:
        self.done += rows
        self.at(self.doing)

    def at(self, doing: str) -> None:
        self.doing = doing
        self.progress(doing, min(self.done / max(self.total, 1), 1.0))
