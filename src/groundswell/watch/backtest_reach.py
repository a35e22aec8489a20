"""The rule that does not wait for a window, over a history: which posts it would have told of, in which alerts."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.query import parse
from groundswell.watch.arrivals import TableArrivals
from groundswell.watch.contract import AlertRecord, Arrivals, Hashes, Ints, Pairs, TrackerSpec, WatchParams
from groundswell.watch.lakefeed import LakeFeed
from groundswell.watch.recent import SOURCES, kept_columns
from groundswell.watch.rules import Books, Hit, find_hits, noticed, record_of, runs_of
from groundswell.watch.windows import NEVER, StreamClock, advance, window_of

#: What the rule asks of the whole stream.
_ASKED = ("platform", "followers", "created_at")
_ARRAYS = ("event_us", "horizon_us", "reach", "platform", "identity")


@dataclass(frozen=True)
class _Candidates:
    """Posts that match and whose author's followers are known, in the order of time: parallel arrays."""

    event_us: Ints
    horizon_us: Ints
    reach: npt.NDArray[np.float64]
    platform: npt.NDArray[np.uint8]
    identity: Hashes
    platforms: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.event_us)

    def take(self, rows: Any) -> _Candidates:
        """Some of them."""
        arrays: dict[str, Any] = {name: getattr(self, name)[rows] for name in _ARRAYS}
        return _Candidates(**arrays, platforms=self.platforms)


@dataclass(frozen=True)
class Told:
    """Posts that are one alert."""

    hits: list[Hit]
    identities: Hashes

    @property
    def first_us(self) -> int:
        """When the post that opens it happened."""
        return self.hits[0].at_us


class ReachRule:
    """Gathers the posts of one tracker while its history is read, then says what the rule tells of them."""

    def __init__(self, tracker: TrackerSpec, params: WatchParams) -> None:
        self._tracker = tracker
        self._params = params
        self._clock = StreamClock()
        self._names: list[str] = []
        self._parts: list[_Candidates] = []

    @property
    def asked(self) -> bool:
        """Whether the tracker has such a rule."""
        return self._tracker.reach_followers is not None or bool(self._tracker.reach_share)

    def add(self, arrivals: Arrivals) -> None:
        """Take posts that match; those before them were given before."""
        if not self.asked or not len(arrivals):
            return
        params = self._params
        before, self._clock = advance(self._clock, arrivals.event_us, arrivals.received_us, params)
        rows = np.flatnonzero(~np.isnan(arrivals.reach))
        if not self._tracker.reach_share:
            rows = rows[arrivals.reach[rows] > (self._tracker.reach_followers or 0)]
        base = params.at(params.base_us)
        before = before[rows]
        self._names += [name for name in arrivals.platforms if name not in self._names]
        number = np.array([self._names.index(name) for name in arrivals.platforms] or [0], dtype=np.uint8)
        self._parts.append(
            _Candidates(
                arrivals.event_us[rows],
                np.where(before == NEVER, NEVER, window_of(before - params.lateness_us, base)),
                arrivals.reach[rows],
                number[arrivals.platform[rows]],
                arrivals.identity[rows],
            )
        )

    def told(self, feed: LakeFeed, pool: ThreadPoolExecutor) -> list[Told]:
        """The alerts that would have been, in order."""
        found, hits = self._joined(), []
        for some in self._ready(found, feed, pool):
            hits += some
        order = sorted(hits, key=lambda hit: hit.row)
        runs = runs_of(None, order, self._params.base_us)
        return [Told(run, found.identity[[hit.row for hit in run]]) for _, run in runs]

    def _joined(self) -> _Candidates:
        if not self._parts:
            none = np.zeros(0, np.int64)
            return _Candidates(none, none, np.zeros(0), np.zeros(0, np.uint8), np.zeros(0, np.uint64))
        arrays: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in self._parts]) for name in _ARRAYS
        }
        return _Candidates(**arrays, platforms=tuple(self._names))

    def _ready(self, found: _Candidates, feed: LakeFeed, pool: ThreadPoolExecutor) -> Iterator[list[Hit]]:
        """Hits among candidates, once all is known of the stream that was known before they came."""
        books, done = Books.empty(), 0
        base = self._params.at(self._params.base_us)
        if self._tracker.reach_share and len(found):
            for arrivals in feed.everything(_ASKED, pool):
                windows = window_of(arrivals.event_us, base)
                books.add(arrivals, windows, np.ones(len(arrivals), np.bool_))
                until = int(np.searchsorted(found.horizon_us, windows[-1], side="right"))
                yield self._hits(books, found, done, until)
                done = max(done, until)
        yield self._hits(books, found, done, len(found))

    def _hits(self, books: Books, found: _Candidates, begin: int, end: int) -> list[Hit]:
        if end <= begin:
            return []
        some = found.take(slice(begin, end))
        rows = np.arange(end - begin)
        pairs = Pairs(np.zeros_like(rows), rows)
        hits = find_hits(books, some, pairs, some.event_us, some.horizon_us, [self._tracker])
        return [Hit(0, begin + hit.row, hit.at_us, hit.horizon_us) for hit in hits]

    def alert(self, told: Told, feed: LakeFeed, pool: ThreadPoolExecutor) -> AlertRecord:
        """The alert as it stood when it was over, or at the end of the history."""
        times = [hit.at_us for hit in told.hits]
        arrivals = feed.between(min(times), max(times) + 1, pool)
        at = {int(name): row for row, name in enumerate(arrivals.identity.tolist())}
        rows = np.array([at[name] for name in told.identities.tolist()])
        notice = noticed(None, told.hits, _kept(arrivals, rows), told.identities.tolist())
        due_us = notice.due_us(self._params.base_us)
        over_us = due_us if due_us <= feed.end_us else None
        return record_of(self._tracker, notice, parse(self._tracker.query).words, self._params, over_us=over_us)


def _kept(arrivals: TableArrivals, rows: Ints) -> pa.Table:
    order = np.unique(rows)
    return kept_columns(arrivals.take(order, SOURCES)).take(pa.array(np.searchsorted(order, rows)))
