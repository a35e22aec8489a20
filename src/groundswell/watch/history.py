"""What the lake knows of trackers' past, taught to the detectors before their first batch counts."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from groundswell.errors import GroundswellError, UnavailableError
from groundswell.query import Matcher, parse
from groundswell.watch.contract import DAY, Ints, TrackerSpec, WatchParams
from groundswell.watch.profiles import Profile
from groundswell.watch.recent import LEARNED
from groundswell.watch.state import WatchState
from groundswell.watch.warm import take_up, teach_counted, teach_posts
from groundswell.watch.windows import NEVER

if TYPE_CHECKING:
    from groundswell.lake import Lake
    from groundswell.watch.lakefeed import LakeFeed
    from groundswell.watch.pastcounts import Counted

log = logging.getLogger("groundswell.watch")

#: How much of the past a tracker learns its day and week from.
WEEKS: Final = 8
#: Of how many of its newest posts a tracker learns what they are usually like.
POSTS: Final = 2_000
#: Trackers whose past is held in memory at once, about 2 MB each; each such group reads the lake anew.
_TOGETHER: Final = 256


class StoppedError(Exception):
    """The watch is to stop, so the teaching was given up; nothing was learned."""


def teach(
    state: WatchState,
    specs: Sequence[TrackerSpec],
    until_us: int,
    params: WatchParams,
    *,
    lake: Lake,
    stop: threading.Event,
) -> WatchState:
    """The state after `specs` have seen the posts of the last weeks before `until_us`, if the lake has any.

    The same lake gives the same state. The given `state` is used up. Trackers whose past cannot be read start
    without it, which the log says, and are marked as `untaught`: given once more, they are taught what they have met
    meanwhile together with what was before.

    Raises:
        StoppedError: `stop` was set meanwhile.
    """

    def check() -> None:
        if stop.is_set():
            raise StoppedError

    check()
    take_up(state, specs, params)
    for begin in range(0, len(specs), _TOGETHER):
        state = _teach(state, specs[begin : begin + _TOGETHER], until_us, params, lake, check)
    return state


def _teach(
    state: WatchState,
    specs: Sequence[TrackerSpec],
    until_us: int,
    params: WatchParams,
    lake: Lake,
    check: Callable[[], None],
) -> WatchState:
    try:
        past = None if lake.count() == 0 else Past(specs, until_us, params, lake, check)
        if past is not None and not past.is_empty:
            counted = past.count()
            check()
            state = teach_counted(state, specs, counted, past.begun_us, params, check=check)
            _forget_posts(state, specs)
            past.teach_posts(state, counted[0])
    except UnavailableError as error:
        return without_past(state, specs, params, str(error))
    except GroundswellError as error:
        log.warning("%d trackers start without a past: %s", len(specs), error)
    waited = _mark(state, specs, untaught=False)
    if waited:
        log.warning("the lake can be read: %d trackers have learned their past", waited)
    return state


def without_past(state: WatchState, specs: Sequence[TrackerSpec], params: WatchParams, why: str) -> WatchState:
    """The state after `specs` have begun without a past, which is to be taught later. The given `state` is used up."""
    take_up(state, specs, params)
    known = _mark(state, specs, untaught=True)
    if known < len(specs):
        said = "%d trackers start without a past, and learn it when the lake can be read: %s"
        log.warning(said, len(specs) - known, why)
    return state


def _mark(state: WatchState, specs: Sequence[TrackerSpec], *, untaught: bool) -> int:
    """Say of trackers whether their past is still to be taught; of how many it was said before. Changes `state`."""
    wanted = {(spec.id, spec.version) for spec in specs}
    mine = [series for key, series in zip(state.keys, state.series, strict=True) if key in wanted]
    before = sum(series.untaught for series in mine)
    for series in mine:
        series.untaught = untaught
    return before


def _forget_posts(state: WatchState, specs: Sequence[TrackerSpec]) -> None:
    """What trackers met before they were taught is in the lake as well. Changes `state`."""
    wanted = {(spec.id, spec.version) for spec in specs}
    for key, series in zip(state.keys, state.series, strict=True):
        if key in wanted:
            series.profile = Profile()


class Past:
    """The posts of trackers in the weeks before `until_us`, read in two passes over the lake."""

    def __init__(
        self, specs: Sequence[TrackerSpec], until_us: int, params: WatchParams, lake: Lake, check: Callable[[], None]
    ) -> None:
        from groundswell.watch.lakefeed import LakeFeed  # noqa: PLC0415 - reads the lake, which an idle watch does not

        queries = [parse(spec.query) for spec in specs]
        since_us = until_us - WEEKS * 7 * DAY
        self._specs = specs
        self._params = params
        self._check = check
        # What one query is asked for, it matches.
        self._matcher = Matcher([query.root for query in queries]) if len(queries) > 1 else None
        self._feed: LakeFeed = LakeFeed(lake, queries, params, since_us, until_us, check=lambda _rows: check())
        self.begun_us: Ints = np.zeros(0, np.int64)

    @property
    def is_empty(self) -> bool:
        """Whether the lake has no posts of that time."""
        return not len(self._feed.volumes.totals)

    def count(self) -> list[Counted]:
        """What they were in windows of every size.

        Raises:
            UnavailableError: the lake cannot be read.
        """
        from groundswell.watch.pastcounts import count_windows  # noqa: PLC0415 - see above

        feed, trackers = self._feed, len(self._specs)
        with ThreadPoolExecutor(os.cpu_count() or 1, "teaching") as pool:
            self.begun_us = np.array([feed.begun_us(pool), *[NEVER] * trackers])
            arrivals = (portion.arrivals for portion in feed.portions(pool))
            totals, first_us = feed.volumes.totals, feed.volumes.first_us
            return count_windows(first_us, totals, arrivals, trackers, self._matcher, self._params)

    def teach_posts(self, state: WatchState, smallest: Counted) -> None:
        """Teach trackers what their newest `POSTS` posts were like. Changes `state`."""
        found = smallest.posts[:, 1:].sum(axis=0).astype(np.int64)
        left = found - np.minimum(found, POSTS)
        newest = np.cumsum(smallest.posts[::-1, 1:], axis=0)[::-1] > POSTS
        # From this window on there are enough, or all.
        first = np.where(newest[0], np.sum(newest, axis=0) - 1, 0) if len(newest) else np.zeros(len(found), np.int64)
        if not found.any():
            return
        from groundswell.watch.pastcounts import pairs_of  # noqa: PLC0415 - see above

        begin = int(first[found > 0].min())
        seen = smallest.posts[:begin, 1:].sum(axis=0).astype(np.int64)
        feed = replace(self._feed, since_us=int(smallest.starts[begin]))
        with ThreadPoolExecutor(os.cpu_count() or 1, "teaching") as pool:
            for portion in feed.portions(pool, (*feed.columns, *LEARNED)):
                self._check()
                pairs = pairs_of(portion.arrivals, self._matcher)
                for slot in np.unique(pairs.slot).tolist():
                    rows = pairs.row[pairs.slot == slot]
                    wanted = rows[max(0, int(left[slot] - seen[slot])) :]
                    seen[slot] += len(rows)
                    if len(wanted):
                        posts = portion.arrivals.take(wanted).select(list(LEARNED))
                        teach_posts(state, self._specs[slot], posts)
