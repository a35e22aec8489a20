"""Backtest: the watch's own step over the lake's history, so that it says what the watch would have said.

One query stands in the state several times, with one promise each, so that one pass over history tells how many alerts
each promise would have given. The posts come from the lake as they were first observed; that there is nothing of the
future in them is the feed's part (`lakefeed`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
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
from groundswell.watch.closing import Written, close_windows
from groundswell.watch.contract import DAY, AlertRecord, Ints, Pairs, SeriesPoint, TrackerSpec, WatchParams
from groundswell.watch.counting import count_pairs
from groundswell.watch.frames import MOST_PLATFORMS, Window
from groundswell.watch.judging import Watched
from groundswell.watch.lakefeed import Blind, LakeFeed, Piece
from groundswell.watch.plan import params_of
from groundswell.watch.state import WatchState, align
from groundswell.watch.windows import StreamClock

if TYPE_CHECKING:
    from groundswell.settings import Settings

#: Promises whose alerts are counted besides the one that is asked for, days.
PROMISES: Final = (1.0, 3.0, 7.0, 14.0, 30.0, 90.0, 365.0)
#: How long before the tested time the detector learns, as a new tracker does.
LEARN_DAYS: Final = 56
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
    alerts: dict[float, dict[str, AlertRecord]] = field(default_factory=dict)
    """By promise and id."""
    points: dict[tuple[int, int], SeriesPoint] = field(default_factory=dict)
    """Windows of the asked promise by size (seconds) and start."""
    lake_version: int | None = None
    seconds: float = 0.0
    tracker_name: str = NAME


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
        _watch(feed, tested, since_us, bar)
    tested.seconds = time.perf_counter() - begun
    return tested


def _until(lake: Lake, asked: Asked, now_us: int) -> int:
    """The end of what is tested: never after now."""
    if asked.until is not None:
        return min(now_us, (asked.until - moment(0)) // timedelta(microseconds=1))
    newest = [time for time in lake.snapshot("posts").latest if time <= now_us]
    return max(newest, default=now_us)


def _watch(feed: LakeFeed, tested: Tested, since_us: int, bar: _Bar) -> None:
    params = tested.params
    promises = sorted({*PROMISES, tested.promise_days})
    specs = [
        TrackerSpec(
            TRACKER if promise == tested.promise_days else f"{promise:g}",
            1,
            tested.asked.query,
            tested.asked.query,
            promise,
            country=tested.asked.country,
        )
        for promise in promises
    ]
    first_us = feed.volumes.first_us
    tested.since_us = max(since_us, first_us)
    tested.learned_us = tested.since_us - first_us
    tested.alerts = {promise: {} for promise in promises}
    promise_of = {spec.id: spec.promise_days for spec in specs}
    state = _fresh(first_us, feed.volumes.platforms)
    # The budget is that of a desk with its trackers; one query alone has its promise.
    alone = msgspec.structs.replace(params, budget=None)
    others = frozenset(spec.id for spec in specs) - {TRACKER}
    watched = Watched(specs, [feed.queries[0]] * len(specs), None, alone, without_evidence=others)
    align(state, specs, alone)
    with ThreadPoolExecutor(os.cpu_count() or 1, "backtest") as pool:
        for piece in feed.pieces(pool):
            if isinstance(piece, Blind):
                tested.blind += piece.posts
                continue
            written = _step(state, piece, watched)
            for point in written.points.values():
                if point.tracker_id == TRACKER and point.start >= tested.since_us:
                    tested.points[point.window_s, point.start] = point
            for alert in written.alerts.values():
                if alert.started_at >= tested.since_us:
                    tested.alerts[promise_of[alert.tracker_id]][alert.id] = alert
            bar.at(f"testing {moment(piece.since_us):%Y-%m-%d}")
    base_s = params.base_us // 1_000_000
    tested.posts = sum(point.count for (size, _), point in tested.points.items() if size == base_s)
    within = max(0, -(-(tested.since_us - first_us) // params.base_us))
    tested.stream_posts = int(feed.volumes.totals[within:].sum())


def _fresh(first_us: int, platforms: tuple[str, ...]) -> WatchState:
    """The state of a watch that begins with the window at `first_us`."""
    state = WatchState.empty()
    state.first_us = state.next_window = state.last_post = first_us
    state.platforms = list(platforms[:MOST_PLATFORMS])
    return state


def _step(state: WatchState, piece: Piece, watched: Watched) -> Written:
    """The watch over a piece of history: what it counted is put into its windows, and they are closed.

    What a step does besides (posts that come twice, late, or too early) the feed has done.
    """
    params, trackers = watched.params, len(watched.trackers)
    width = params.base_us
    for number in np.flatnonzero(piece.stream.any(axis=1)).tolist():
        volumes = _told_apart(piece.stream[number])
        window = Window.empty(trackers)
        window.counts[0], window.volumes = volumes.sum(), volumes
        state.open[piece.since_us + number * width] = window
    posts = len(piece.arrivals)
    pairs = Pairs(np.tile(np.arange(trackers), posts), np.repeat(np.arange(posts), trackers))
    count_pairs(state, piece.arrivals, pairs, piece.arrivals.event_us[pairs.row] // width * width, params)
    # Nothing more comes for these windows.
    state.clock = StreamClock(piece.until_us + params.lateness_us, piece.until_us, piece.until_us)
    written = Written()
    close_windows(state, watched, written)
    return written


def _told_apart(volumes: Ints) -> Ints:
    """Posts of the platforms that the watch tells apart; the last place is for all others."""
    if len(volumes) <= MOST_PLATFORMS:
        return volumes
    return np.append(volumes[: MOST_PLATFORMS - 1], volumes[MOST_PLATFORMS - 1 :].sum())


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
