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
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from groundswell.bus import Connected, connections_of
from groundswell.desk import open_desk, trackers
from groundswell.desk.clock import Clock, moment, wall_us
from groundswell.desk.trackers import tracker_id
from groundswell.lake import Lake
from groundswell.query import parse
from groundswell.watch.arrivals import TableArrivals
from groundswell.watch.backtest_cards import Cards
from groundswell.watch.backtest_reach import ReachRule, Told
from groundswell.watch.contract import DAY, AlertRecord, TrackerSpec, WatchParams
from groundswell.watch.holes import Coverage
from groundswell.watch.judging import Watched
from groundswell.watch.lakefeed import LakeFeed, Portion
from groundswell.watch.pastcounts import count_windows
from groundswell.watch.plan import params_of, spec_of
from groundswell.watch.rerun import Ended, Rerun, Windows
from groundswell.watch.sweep import sweep
from groundswell.watch.trackers import checked
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
    reach_followers: int | None = None
    reach_share: float | None = None
    """These two as `contract.TrackerSpec` has them."""


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
    others: list[TrackerSpec] = field(default_factory=list)
    """The desk's trackers, which share its budget."""
    by_sight: list[str] = field(default_factory=list)
    """Names of the desk's trackers of this very query that count posts when they were seen."""
    connections: list[Connected] = field(default_factory=list)
    """When sources were connected."""
    episodes: dict[float, list[Ended]] = field(default_factory=dict)
    """By promise, in order."""
    told: list[Told] | None = None
    """What the rule that does not wait for a window tells, in order; null: it was not asked for."""
    alerts: list[AlertRecord] = field(default_factory=list)
    """Those of the asked promise and of the rule with their cards, the newest `MOST_CARDS`, in order."""
    windows: list[Windows] = field(default_factory=list)
    """Those of the asked promise, sizes ascending; also those that only taught."""
    lake_version: int | None = None
    seconds: float = 0.0

    def needed_days(self, promise: float) -> float:
        """What a promise is in a desk whose budget the query shares with the other trackers, days."""
        trackers = [_spec(self.asked, promise), *self.others]
        return float(Watched(trackers, [], None, self.params).promises[0])


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
        UsageError: the rule of reach makes no sense.
        UnavailableError: the lake cannot be read.
    """
    begun = time.perf_counter()
    query = parse(asked.query)
    checked({"reach_followers": asked.reach_followers, "reach_share": asked.reach_share})
    lake, params = Lake.open(settings), params_of(settings)
    promise = asked.promise_days or settings.promise
    until_us = _until(lake, asked, now()) // params.base_us * params.base_us
    tested = Tested(asked, promise, params, None, until_us)
    with open_desk(settings) as desk:
        tested.connections = connections_of(settings, desk)
        with desk.reading() as session:
            specs = [spec_of(row) for row in trackers.list_active(session)]
    # A tracker of this very query is the one that is tested.
    same = [spec for spec in specs if str(parse(spec.query)) == str(query)]
    tested.others = [spec for spec in specs if spec not in same]
    tested.by_sight = [spec.name for spec in same if spec.count_by == "observed_at"]
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
    params, spec = tested.params, _spec(tested.asked, tested.promise_days)
    first_us = feed.volumes.first_us
    tested.since_us = max(since_us, first_us)
    tested.learned_us = tested.since_us - first_us
    with ThreadPoolExecutor(os.cpu_count() or 1, "backtest") as pool:
        rule = ReachRule(spec, params)
        columns = (*feed.columns, "followers") if rule.asked else None
        portions = _seen(feed.portions(pool, columns), tested, rule, bar)
        begun_us = feed.begun_us(pool)
        volumes, opened_us = feed.volumes, feed.opened_us(begun_us)
        stream = volumes.counts.astype(np.float64)
        places = (
            Places(volumes.platforms, first_us, stream, np.zeros_like(stream)) if len(volumes.platforms) > 1 else None
        )
        counted = count_windows(first_us, volumes.totals, portions, 1, None, params, opened_us, places)
        bar.at("testing")
        begun, countries = np.array([begun_us, NEVER]), [tested.asked.country]
        coverage = Coverage.of([(one.from_us, one.to_us) for one in tested.connections]).but_filled(
            first_us, volumes.totals, params
        )
        swept = sweep(counted, params, begun, lambda: bar.at("testing"), countries, places, coverage=coverage)
        for promise in sorted({*PROMISES, tested.promise_days}):
            bar.at(f"testing a promise of {promise:g} days")
            rerun = Rerun(swept, 1, _spec(tested.asked, promise), params, tested.needed_days(promise))
            asked = promise == tested.promise_days
            ended = list(rerun.episodes(tested.since_us, cards=asked))
            tested.episodes[promise] = ended
            if asked:
                tested.windows = rerun.windows
        if rule.asked:
            bar.at("looking for posts of great reach")
            tested.told = [one for one in rule.told(feed, pool) if one.first_us >= tested.since_us]
        cards = Cards(feed, tested, spec, params, pool)
        episodes = [(one.episode.opened_us, partial(cards.alert, one)) for one in tested.episodes[tested.promise_days]]
        notices = [(one.first_us, partial(rule.alert, one, feed, pool)) for one in tested.told or []]
        found = sorted([*episodes, *notices], key=lambda pair: pair[0])
        for number, (_, make) in enumerate(found[-MOST_CARDS:]):
            bar.at(f"card {number + 1} of {min(len(found), MOST_CARDS)}")
            tested.alerts.append(make())
    base, begin = counted[0], int(np.searchsorted(counted[0].starts, tested.since_us))
    tested.stream_posts, tested.posts = (int(column.sum()) for column in base.posts[begin:].T)


def _spec(asked: Asked, promise: float) -> TrackerSpec:
    return TrackerSpec(
        *(TRACKER, 1, name_of(asked.query), asked.query, promise),
        country=asked.country,
        reach_followers=asked.reach_followers,
        reach_share=asked.reach_share,
    )


def name_of(query: str) -> str:
    """What headlines call the query: a phrase without its quotes.

    >>> name_of('"side effects"'), name_of('"side effects" OR dose')
    ('side effects', '"side effects" OR dose')
    """
    inner = query.strip()[1:-1]
    return inner if query.strip() == f'"{inner}"' and '"' not in inner else query.strip()[:200]


def _seen(portions: Iterator[Portion], tested: Tested, rule: ReachRule, bar: _Bar) -> Iterator[TableArrivals]:
    for portion in portions:
        tested.blind += portion.blind
        bar.at("reading posts")
        rule.add(portion.arrivals)
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
