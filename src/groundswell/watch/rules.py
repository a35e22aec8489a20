"""The rule that does not wait for a window: one matching post of great reach is an alert at once.

A post is of great reach if its author has more followers than the tracker says, or if it is among the tracker's part of
its platform's posts of greatest reach. What reaches far on a platform is known from windows that were closed before the
post came, so it does not depend on where batches end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.watch.contract import (
    DAY,
    HOUR,
    AlertRecord,
    Ints,
    Pairs,
    SeriesPoint,
    TrackerSpec,
    WatchParams,
)
from groundswell.watch.episodes import Episode, Voice, alert_id
from groundswell.watch.evidence import Case, collect, detail
from groundswell.watch.frozen import freeze
from groundswell.watch.profiles import Profile
from groundswell.watch.recent import KEPT

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SIGNAL: Final = "reach"
#: After so long without another such post the alert is over.
QUIET_US: Final = HOUR
#: Posts that an alert shows.
SHOWN: Final = 50

_BINS: Final = 256
_PER_OCTAVE: Final = 8
_HALF_LIFE: Final = 7 * DAY
#: Posts with known followers below which a platform's top share is not known; and those in the share itself.
_LEAST_POSTS: Final = 1_000.0
_LEAST_TOP: Final = 5.0


class Reaching(Protocol):
    """What this rule asks of the posts of a batch; as `contract.Arrivals`."""

    @property
    def reach(self) -> Floats:
        """Followers of the author; NaN: not known."""

    @property
    def platform(self) -> npt.NDArray[np.uint8]:
        """Platform as a number into `platforms`."""

    @property
    def platforms(self) -> tuple[str, ...]:
        """Names of the platforms."""


@dataclass
class Books:
    """Followers of those who post on each platform: how many posts per eighth of an octave."""

    posts: dict[str, Floats] = field(default_factory=dict)
    """By platform, as of `until`; the past fades."""
    until: int = 0
    """Start of the last window that is in them."""
    open: dict[int, dict[str, Ints]] = field(default_factory=dict)
    """Posts of windows that were not closed, by start and platform."""

    @classmethod
    def empty(cls) -> Books:
        """Nothing known."""
        return cls()

    def add(self, arrivals: Reaching, windows: Ints, counted: Bools) -> None:
        """Note the posts in `counted`; `windows` are the starts of their windows. Changes the books."""
        rows = np.flatnonzero(counted & ~np.isnan(arrivals.reach))
        if not len(rows):
            return
        starts, number = np.unique(windows[rows], return_inverse=True)
        platforms = arrivals.platforms
        cell = (number * len(platforms) + arrivals.platform[rows]) * _BINS + bins_of(arrivals.reach[rows])
        found = np.bincount(cell, minlength=len(starts) * len(platforms) * _BINS)
        table = found.reshape(len(starts), len(platforms), _BINS)
        for at, start in enumerate(starts.tolist()):
            window = self.open.setdefault(start, {})
            for code in np.flatnonzero(table[at].any(axis=1)).tolist():
                held = window.get(platforms[code])
                window[platforms[code]] = table[at, code] if held is None else held + table[at, code]

    def close(self, before: int) -> None:
        """Take in the windows that start before `before`, which are complete. Changes the books."""
        for start in sorted(start for start in self.open if start < before):
            fades = 2.0 ** (-(start - self.until) / _HALF_LIFE) if self.posts else 1.0
            self.posts = {name: held * fades for name, held in self.posts.items()}
            for name, found in self.open.pop(start).items():
                self.posts[name] = self.posts.get(name, np.zeros(_BINS)) + found
            self.until = start

    def least_bin(self, platform: str, share: float) -> int:
        """The bin from which on the posts of a platform are its top `share`; `_BINS` where that is not known."""
        held = self.posts.get(platform)
        total = 0.0 if held is None else float(held.sum())
        if held is None or total < _LEAST_POSTS or total * share < _LEAST_TOP:
            return _BINS
        above = np.cumsum(held[::-1])[::-1]
        fitting = np.flatnonzero(above <= share * total)
        return int(fitting[0]) if len(fitting) else _BINS


def bins_of(reach: Floats) -> Ints:
    """The bin of each number of followers."""
    bins = np.clip(_PER_OCTAVE * np.log2(np.maximum(reach, 0.0) + 1.0), 0, _BINS - 1)
    return np.asarray(bins, dtype=np.int64)


class Notice(msgspec.Struct):
    """An open alert of this rule."""

    first_us: int
    """When the post that opened it happened; names it."""
    started_us: int
    """When the earliest of its posts happened."""
    last_us: int
    count: int
    posts: bytes
    """The posts of greatest reach (rows as `recent.KEPT`), as an Arrow stream."""
    identities: list[int]

    def due_us(self, base_us: int) -> int:
        """With the window that ends here it is over, if no other post comes."""
        return _due_us(self.last_us, base_us)


def _due_us(last_us: int, base_us: int) -> int:
    return -(-(last_us + QUIET_US) // base_us) * base_us


@dataclass(frozen=True)
class Hit:
    """A post of great reach and the tracker that it matches."""

    slot: int
    row: int
    at_us: int
    horizon_us: int
    """Windows that end by then were closed before it came."""


def find_hits(
    books: Books, arrivals: Reaching, pairs: Pairs, stamps: Ints, horizons: Ints, trackers: Sequence[TrackerSpec]
) -> list[Hit]:
    """The posts of great reach among `pairs`, in order; `stamps` and `horizons` have one a pair. Closes books."""
    asked = np.array([one.reach_followers is not None or bool(one.reach_share) for one in trackers], dtype=np.bool_)
    if not asked.any():
        return []
    at = np.flatnonzero(asked[pairs.slot])
    at = at[~np.isnan(arrivals.reach[pairs.row[at]])]
    slots, rows = pairs.slot[at], pairs.row[at]
    reach = arrivals.reach[rows]
    most = np.array([np.inf if t.reach_followers is None else float(t.reach_followers) for t in trackers])
    hit = reach > most[slots]
    shares = np.array([one.reach_share or 0.0 for one in trackers])
    bins = bins_of(reach)
    for horizon in np.unique(horizons[at]).tolist():
        books.close(horizon)
        for n in np.flatnonzero((horizons[at] == horizon) & ~hit & (shares[slots] > 0)).tolist():
            name = arrivals.platforms[arrivals.platform[rows[n]]]
            hit[n] = bins[n] >= books.least_bin(name, float(shares[slots[n]]))
    found = at[hit]
    return [Hit(int(pairs.slot[n]), int(pairs.row[n]), int(stamps[n]), int(horizons[n])) for n in found.tolist()]


def runs_of(notice: Notice | None, hits: Sequence[Hit], base_us: int) -> list[tuple[bool, list[Hit]]]:
    """The posts of one tracker in runs that belong to one alert each; `notice` is open before.

    With each run: whether another alert was over before it.
    """
    runs: list[tuple[bool, list[Hit]]] = []
    last = None if notice is None else notice.last_us
    for hit in hits:
        over = last is not None and _due_us(last, base_us) <= hit.horizon_us
        if over or not runs:
            runs.append((over, []))
        runs[-1][1].append(hit)
        last = hit.at_us if over or last is None else max(last, hit.at_us)
    return runs


def noticed(notice: Notice | None, hits: Sequence[Hit], posts: pa.Table, identities: Sequence[int]) -> Notice:
    """The alert with further posts (rows as `recent.KEPT`), which came while it was open; null: the first opens it."""
    held, known = (KEPT.empty_table(), []) if notice is None else (_table(notice.posts), notice.identities)
    table, names = pa.concat_tables([held, posts]), [*known, *identities]
    reach = np.asarray(table.column("followers").fill_null(0).to_numpy(), dtype=np.float64)
    order = np.lexsort((np.array(names, dtype=np.uint64), -reach))[:SHOWN]
    times = [hit.at_us for hit in hits]
    return Notice(
        first_us=times[0] if notice is None else notice.first_us,
        started_us=min(times if notice is None else [notice.started_us, *times]),
        last_us=max(times if notice is None else [notice.last_us, *times]),
        count=len(times) if notice is None else notice.count + len(times),
        posts=_bytes(table.take(pa.array(order))),
        identities=[names[n] for n in order.tolist()],
    )


def record_of(
    tracker: TrackerSpec, notice: Notice, own_words: frozenset[str], params: WatchParams, *, over_us: int | None = None
) -> AlertRecord:
    """The alert as it stands; `over_us` is when it was over.

    Its card holds the posts and their authors; what is usual in the tracker's windows has no part in it.
    """
    posts = _table(notice.posts)
    episode = _as_episode(tracker, notice, params)
    case = Case(
        tracker=tracker,
        episode=episode,
        windows=[],
        posts=posts,
        profile=Profile(),
        own_words=own_words,
        params=params.at(params.base_us),
        learned_windows=0,
        identities=np.array(notice.identities, dtype=np.uint64),
    )
    evidence = collect(case)
    return AlertRecord(
        id=alert_id(tracker, SIGNAL, 0, notice.first_us),
        tracker_id=tracker.id,
        tracker_version=tracker.version,
        signal=SIGNAL,
        window_s=0,
        direction="burst",
        phase="closed" if over_us is not None else "growing",
        started_at=notice.started_us,
        opened_at=notice.first_us,
        updated_at=notice.last_us if over_us is None else over_us,
        closed_at=over_us,
        observed=notice.count,
        expected=0.0,
        lower=0.0,
        upper=0.0,
        p_value=1.0,
        return_days=0.0,
        posts=notice.count,
        authors=int(evidence["authors_total"]),
        headline=_headline(tracker.name, posts, notice.count),
        detail=detail(evidence),
        evidence=evidence,
        case=freeze(case),
    )


def _as_episode(tracker: TrackerSpec, notice: Notice, params: WatchParams) -> Episode:
    lead = Voice(SIGNAL, 0, notice.first_us, "burst", float(notice.count), 0.0, 0.0, 0.0, 1.0, 0.0, 1.0)
    peak = SeriesPoint(tracker.id, 0, notice.first_us, notice.count, 0.0, 0.0, 0.0, 1.0, 0.0, None, "unusual")
    return Episode(
        direction="burst",
        started_us=notice.started_us,
        opened_us=notice.first_us,
        opened_signal=SIGNAL,
        opened_window_us=0,
        pace_us=params.base_us,
        end_us=notice.last_us,
        posts=notice.count,
        expected=0.0,
        lead=lead,
        peak=peak,
        voices=[lead],
        least_p=1.0,
        longest_return=0.0,
    )


def _headline(name: str, posts: pa.Table, count: int) -> str:
    author, followers = (posts.column(column)[0].as_py() for column in ("author", "followers"))
    who = f"@{author}" if author else "an author"
    more = "" if count == 1 else f" and {count - 1:,} more of great reach"
    return f"“{name}” is in a post by {who} with {followers or 0:,} followers{more}"


def _bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _table(data: bytes) -> pa.Table:
    with pa.ipc.open_stream(data) as reader:
        return reader.read_all()
