"""What goes into the watch and what comes out: plain data, known to the runner, the desk and the tests.

All times are integers: microseconds since 1970 UTC. A window is named by its start and is half open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.query import Matcher, Matches
from groundswell.watch.emerging.records import TopicParams, TopicRecord

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

Pairs = Matches
"""Which tracker (slot) matches which post (row): parallel arrays, sorted by row, then slot."""

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

CountBy = Literal["created_at", "observed_at"]
WindowState = Literal["learning", "usual", "unusual", "macro", "gap"]
Direction = Literal["burst", "drop"]
Phase = Literal["growing", "peak", "fading", "closed"]


class TrackerSpec(msgspec.Struct, frozen=True):
    """A watched query. Another `version` of the same id is a new series: it learns anew."""

    id: str
    version: int
    name: str
    query: str
    promise_days: float
    """At most about one false alert in this many days."""
    created_us: int = 0
    country: str | None = None
    """ISO 3166-1 code of the country whose public holidays shape its days; null: none."""
    reach_followers: int | None = None
    """One matching post by an author with more followers than this is an alert at once; null: no such rule."""
    reach_share: float | None = None
    """One matching post among this part of its platform's posts of greatest reach is an alert at once; null: none."""
    count_by: CountBy = "created_at"
    """The time that a post counts at: `observed_at` for feeds that are crawled."""


class WatchParams(msgspec.Struct, frozen=True):
    """Everything that decides what the watch says, besides the posts; written into every alert's evidence."""

    window_us: int = 5 * MINUTE
    """The size of window that is shown first; in a detector's hands the size of its own windows."""
    windows_us: tuple[int, ...] = ()
    """Sizes of windows that are counted at once, ascending, each a multiple of the first; empty: `window_us` alone."""
    signals: tuple[str, ...] = ("posts", "authors", "top_author", "copies", "engagement", "reach")
    """What is scored of each window, by name as in `signals.SIGNALS`."""
    budget: float | None = None
    """At most about so many alerts a day over all trackers; null: each keeps its own promise and no more."""
    lateness_us: int = MINUTE
    future_us: int = 5 * MINUTE
    """An event later than its receive time by more than this is set aside and moves nothing."""
    quiet_us: int = 5 * SECOND
    """After this long without a record the clock moves the watermark on."""
    cover: float = 0.9
    """Fraction of a window that the source must have been connected for the window to be scored."""
    hole_expected: float = 20.0
    """Without connection records: an empty window counts as a hole where this many posts were expected."""
    silence_us: int = 7 * DAY
    """After this long without any post the stream is taken as not watched until the next post."""
    ring: int = 288
    """Closed windows kept per series."""
    dedup_us: int = 10 * MINUTE
    """Within this long before the oldest open window a repeated post is still recognised."""
    stay_p: float = 0.01
    """An open episode goes on while windows are at least this rare."""
    close_after: int = 3
    """Usual windows in a row that end an episode."""
    min_excess: float = 4.0
    """A burst needs at least this many posts above what was expected (a drop: below)."""
    drop_expected: float = 10.0
    """Drops are looked for where at least this many posts are expected in a window."""
    keep_posts: int = 400
    """Matched posts kept per tracker and window, those of greatest reach first."""
    keep_all: int = 100_000
    """Where many trackers are watched, each keeps only its part of so many posts, but `keep_least`."""
    keep_least: int = 40
    keep_us: int = HOUR
    """How much of an episode has its posts kept for its evidence."""
    topics: TopicParams = TopicParams()
    """How topics that no tracker asks for are found."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes of windows, ascending."""
        return self.windows_us or (self.window_us,)

    @property
    def base_us(self) -> int:
        """The smallest size: larger windows are put together from its windows."""
        return self.sizes[0]

    def keep_of_each(self, trackers: int) -> int:
        """Matched posts kept of each of so many trackers in one window."""
        return min(self.keep_posts, max(self.keep_all // max(trackers, 1), self.keep_least))

    @property
    def silence_windows(self) -> int:
        """`silence_us` in windows of the size in hand."""
        return self.silence_us // self.window_us

    def at(self, window_us: int) -> WatchParams:
        """As the detector of one size of window takes them."""
        return msgspec.structs.replace(self, window_us=window_us)

    def document(self) -> dict[str, str | int | float]:
        """As evidence keeps them: numbers and texts only."""
        values = msgspec.to_builtins(self)
        flat = {
            name: " ".join(map(str, value)) if isinstance(value, list | tuple) else value
            for name, value in values.items()
        }
        return {name: value for name, value in flat.items() if value is not None and not isinstance(value, dict)}


class Terms(NamedTuple):
    """The distinct words and hashtags of each post of a batch: parallel arrays, sorted by row."""

    row: Ints
    hash: Hashes
    """`seen.hash_bytes` of the UTF-8 of the word as `tokens` has it, or of the hashtag with a `#` before it."""
    kind: npt.NDArray[np.uint8]
    """0: a word, 1: a hashtag."""


class Arrivals(Protocol):
    """One batch of n posts in record order. Properties are arrays with one row a post; none is ever changed.

    `arrivals.TableArrivals` makes one of an Arrow table; whatever else makes one gives the same answers.
    """

    def __len__(self) -> int: ...

    @property
    def record(self) -> Ints:
        """Global record number, ascending (several posts may come from one record)."""

    @property
    def received_us(self) -> Ints:
        """When it was received; in a replay its event time."""

    @property
    def event_us(self) -> Ints:
        """When it happened: `created_at`, else `observed_at`, else when it was received."""

    @property
    def observed_us(self) -> Ints:
        """`observed_at`, else when it was received."""

    @property
    def identity(self) -> Hashes:
        """`seen.identities`: the same for a post that comes again."""

    @property
    def author(self) -> Hashes:
        """`seen.hash_bytes` of `author_id`, else of `author_name`; 0 where both are missing."""

    @property
    def reach(self) -> npt.NDArray[np.float64]:
        """Followers of the author; NaN: not known."""

    @property
    def engagement(self) -> npt.NDArray[np.float64]:
        """Likes, comments, shares and saves together; NaN: none of them is known."""

    @property
    def platform(self) -> npt.NDArray[np.uint8]:
        """Platform as a number into `platforms`."""

    @property
    def platforms(self) -> tuple[str, ...]:
        """Names of the platforms of this batch; another batch may number them otherwise."""

    def pairs(self, matcher: Matcher) -> Pairs:
        """Which tracker matches which post."""

    def terms(self) -> Terms:
        """What emerging topics count."""

    def texts(self, hashes: Hashes, rows: Ints | None = None) -> list[str | None]:
        """The words and hashtags (with `#`) of those hashes; null for what this batch does not have.

        Where it is known that the posts `rows` have them all, it need not be looked for elsewhere.
        """

    def take(self, rows: Ints, columns: Sequence[str] | None = None) -> pa.Table:
        """Columns of `schema.POSTS` and `record` of some posts, in the order of `rows`; all, or those that are named.

        It costs the most of all: ask once a step, only for posts that somebody needs.
        """


@dataclass(frozen=True)
class WatchBatch:
    """What one step takes.

    `clock_us` is the stream's clock after the batch: now if everything received so far has been read, else the
    receive time of the last record read (a clock that runs ahead of records still unread would make them late).
    `covered` are the intervals in which sources were connected; None: not known (a replay).
    """

    arrivals: Arrivals
    clock_us: int
    covered: Sequence[tuple[int, int]] | None = None


class SeriesPoint(msgspec.Struct, frozen=True, gc=False):
    """One closed window of one tracker; the same (tracker_id, window_s, start) again replaces the earlier one."""

    tracker_id: str
    window_s: int
    start: int
    count: int
    expected: float | None
    lower: float | None
    upper: float | None
    p_value: float | None
    return_days: float | None
    platform_ratio: float | None
    state: WindowState
    late: int = 0


class AlertRecord(msgspec.Struct, frozen=True):
    """An episode as it stands; the same `id` again replaces the earlier one (but never a person's verdict)."""

    id: str
    tracker_id: str
    tracker_version: int
    signal: str
    window_s: int
    direction: Direction
    phase: Phase
    started_at: int
    opened_at: int
    updated_at: int
    closed_at: int | None
    observed: int
    expected: float
    lower: float
    upper: float
    p_value: float
    return_days: float
    posts: int
    authors: int
    headline: str
    detail: str
    evidence: dict[str, Any]
    """Validates as `groundswell.web.models.Evidence`."""
    case: bytes = b""
    """What the evidence was made of, to make it once more."""
    has_card: bool = True
    """False for a new alert that is told at once: which posts and people are behind it follows in a moment."""


def _no_numbers() -> npt.NDArray[np.int64]:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class StepOutput:
    """What one step gives. Points and alerts are upserts, in order: a later one replaces an earlier one."""

    points: list[SeriesPoint] = field(default_factory=list)
    alerts: list[AlertRecord] = field(default_factory=list)
    future: npt.NDArray[np.int64] = field(default_factory=_no_numbers)
    """Numbers of the records that lie too far in the future; to be quarantined."""
    duplicates: int = 0
    late: int = 0
    watermark_us: int | None = None
    closed: int = 0
    """Windows of the smallest size closed in this step."""
    topics: list[TopicRecord] = field(default_factory=list)
    """Upserts, as points and alerts."""

    def and_then(self, later: StepOutput) -> StepOutput:
        """This output with the alerts and topics of a later part of the same step."""
        alerts = {alert.id: alert for alert in (*self.alerts, *later.alerts)}
        return replace(self, alerts=list(alerts.values()), topics=[*self.topics, *later.topics])
