"""The cards of a backtest's alerts: the posts of an episode and of the time before it, read from the lake."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np

from groundswell.query import parse
from groundswell.watch.closing import alert_of
from groundswell.watch.contract import DAY, AlertRecord, Pairs, TrackerSpec, WatchParams
from groundswell.watch.episodes import Episode
from groundswell.watch.evidence import Case, collect
from groundswell.watch.frames import ring_of
from groundswell.watch.frozen import freeze
from groundswell.watch.judging import share_of
from groundswell.watch.lakefeed import LakeFeed
from groundswell.watch.profiles import Profile, learn_all
from groundswell.watch.recent import LEARNED, Recent, learned_columns, remember

if TYPE_CHECKING:
    from groundswell.watch.backtest import Tested
    from groundswell.watch.rerun import Ended

#: Of how many of the posts before an episode a card says what they are usually like.
PAST: Final = 2_000
#: How far it goes back for them.
_PAST_US: Final = 28 * DAY


class Cards:
    """Makes the alerts of one tracker."""

    def __init__(
        self, feed: LakeFeed, tested: Tested, tracker: TrackerSpec, params: WatchParams, pool: ThreadPoolExecutor
    ) -> None:
        self._feed = feed
        self._tested = tested
        self._tracker = tracker
        self._params = params
        self._pool = pool
        self._words = parse(tracker.query).words

    def alert(self, ended: Ended) -> AlertRecord:
        """The alert of an episode, with its card as the live watch makes it."""
        episode, params = ended.episode, self._params
        windows = next(one for one in self._tested.windows if one.window_us == episode.window_us)
        points = windows.before(ended.at_us, ring_of(episode.window_us, params), self._tracker.id)
        begin_us = max(min(episode.started_us, episode.peak.start), episode.end_us - params.keep_us)
        arrivals = self._feed.between(begin_us, episode.end_us, self._pool)
        rows = np.arange(len(arrivals))
        starts = arrivals.event_us // params.base_us * params.base_us
        recent = remember(Recent.empty(), arrivals, Pairs(np.zeros_like(rows), rows), starts, params.keep_of_each(1))
        posts, identities = recent.of(0, begin_us, episode.end_us)
        case = Case(
            tracker=self._tracker,
            episode=episode,
            windows=points,
            posts=posts,
            profile=self._past(episode),
            own_words=self._words,
            params=params.at(episode.window_us),
            learned_windows=int(np.searchsorted(windows.starts, episode.peak.start)),
            identities=identities,
            needed_days=self._tested.needed_days(self._tracker.promise_days) / share_of("posts", params),
        )
        episode.evidence, episode.case = collect(case), freeze(case)
        return alert_of(self._tracker, episode, ended.at_us, params)

    def _past(self, episode: Episode) -> Profile:
        """What the posts before the episode were like."""
        base = self._tested.windows[0]
        before = int(np.searchsorted(base.starts, episode.started_us))
        enough = np.cumsum(base.closed.count[:before][::-1]) >= PAST
        first = before - 1 - int(np.argmax(enough)) if enough.any() else 0
        begin_us = max(int(base.starts[first]), episode.started_us - _PAST_US)
        profile = Profile()
        past = self._feed.between(begin_us, episode.started_us, self._pool, PAST)
        learn_all(profile, learned_columns(past.take(np.arange(len(past))).select(LEARNED)))
        return profile
