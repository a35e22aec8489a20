"""The lake as arrivals of a watch: posts that somebody matches in the order of time, and how many there were in all."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell import schema
from groundswell.marts.stream import Check, LakeStream, Posts, Question, none
from groundswell.marts.volumes import Volumes, volumes
from groundswell.query import Query
from groundswell.query.ast import Either
from groundswell.query.pruning import columns_of
from groundswell.watch.arrivals import BATCH, TableArrivals
from groundswell.watch.contract import DAY, WatchParams
from groundswell.watch.frames import measured_of, signals_of

if TYPE_CHECKING:
    from groundswell.lake import Lake

#: Posts of one portion, about: what they say is in memory at once.
_ROWS: Final = 50_000
#: A portion covers at most this much time, so that few posts do not make many windows at once.
_SPAN_US: Final = 7 * DAY
#: What tells posts, and who wrote them, apart.
_ALWAYS: Final = ("platform", "post_id", "author_id", "author_name", "created_at", "key")
#: What a signal looks at besides.
_ASKED: Final = {
    "copies": ("tokens", "hashtags"),
    "engagement": ("likes", "comments", "shares", "saves"),
    "reach": ("followers",),
}
#: Columns that nothing in the watch looks at.
_UNUSED: Final = frozenset({"metrics", "extra", "challenges", "media_urls", "month"})
WHOLE: Final = tuple(name for name in schema.POSTS.names if name not in _UNUSED)


@dataclass(frozen=True)
class LakeFeed:
    """The posts of a lake that `queries` match, from the first whole window after `since_us` up to `until_us`.

    Reading is bounded in memory, and gives the same for the same lake.
    """

    lake: Lake
    queries: Sequence[Query]
    params: WatchParams
    since_us: int
    until_us: int
    platforms: tuple[str, ...] = ()
    check: Check = lambda _rows: None
    """Told of rows that were read; what it raises ends the work."""

    @cached_property
    def volumes(self) -> Volumes:
        """Posts of each platform per window of the smallest size; begins with the first that has one."""
        return volumes(
            self.lake, self.params.base_us, self.since_us, self.until_us, platforms=self.platforms, check=self.check
        )

    @cached_property
    def stream(self) -> LakeStream:
        """The posts that the queries can match."""
        roots = tuple(dict.fromkeys(query.root for query in self.queries))
        query = Query(roots[0] if len(roots) == 1 else Either(roots))
        question = Question(query, self.platforms, window_us=self.params.base_us, lateness_us=self.params.lateness_us)
        return LakeStream.open(self.lake, question, self.since_us, self.until_us)

    def begun_us(self, pool: ThreadPoolExecutor) -> int:
        """When the history began: windows that start before it were not watched from their start."""
        first = self.volumes.first_us
        if first < self.since_us + self.params.base_us:
            return first  # there may be posts before, which are not asked for
        stream, width = self._all, self.params.base_us
        times = [stream.read(stretch, pool).created_us for stretch in stream.stretches(first, first + width)]
        return min(int(each[0]) for each in times if len(each))

    def opened_us(self, begun_us: int) -> int:
        """Start of the first window that a watch would have had open, which began with the first post."""
        first, width = self.volumes.first_us, self.params.base_us
        return first if begun_us == first else (begun_us - self.params.lateness_us) // width * width

    @property
    def rows(self) -> int:
        """How many rows `check` will have been told of when all is read, about."""
        stretches = self.stream.stretches(self.since_us, self.until_us)
        return self.lake.count() + sum(stretch.rows for stretch in stretches)

    @property
    def end_us(self) -> int:
        """End of the last whole window of the smallest size."""
        return self.until_us // self.params.base_us * self.params.base_us

    @property
    def columns(self) -> tuple[str, ...]:
        """What the scored signals look at, and the queries where there are several to be told apart."""
        scored = {
            name
            for size in self.params.sizes
            for name in (*signals_of(size, self.params), *measured_of(size, self.params))
        }
        asked = [column for name in sorted(scored) for column in _ASKED.get(name, ())]
        told = [c for query in self.queries for c in columns_of(query.root)] if len(self.queries) > 1 else []
        return tuple(dict.fromkeys((*_ALWAYS, *asked, *told)))

    def portions(self, pool: ThreadPoolExecutor, columns: Sequence[str] | None = None) -> Iterator[Portion]:
        """All of it in the order of time; a portion divides no window of any size. `columns` other than `self.columns`.

        A query without a match gives no portions, but one for each stretch that was read says how much was not seen.
        """
        read = tuple(dict.fromkeys(columns or self.columns))
        align = math.lcm(*self.params.sizes)
        record, held = 1, none()
        for stretch in [*self.stream.stretches(self.volumes.first_us, self.end_us), None]:
            until, blind = self.end_us, 0
            if stretch is not None:
                posts = self.stream.read(stretch, pool, self.check)
                blind = int(posts.blind.sum())
                held = held.and_also(posts.take(posts.matched))
                until = stretch.until_us // align * align
            # A window that the stretch divides comes with the next one.
            whole = int(np.searchsorted(held.created_us, until))
            for some in _portioned(held.take(slice(0, whole)), align):
                yield Portion(self._arrivals(some, record, read, pool), blind)
                record, blind = record + len(some), 0
            held = held.take(slice(whole, None))
            if blind:
                yield Portion(TableArrivals.empty(), blind)

    def everything(self, columns: Sequence[str], pool: ThreadPoolExecutor) -> Iterator[TableArrivals]:
        """Some columns of all posts in the order of time, whether a query matches them or not."""
        for stretch in self._all.stretches(self.volumes.first_us, self.end_us):
            posts = self._all.read(stretch, pool)
            for begin in range(0, len(posts), _ROWS):
                yield self._arrivals(posts.take(slice(begin, begin + _ROWS)), 1, columns, pool)

    @cached_property
    def _all(self) -> LakeStream:
        """The posts, whether a query matches them or not."""
        return replace(self.stream, question=replace(self.stream.question, query=None))

    def between(self, since_us: int, until_us: int, pool: ThreadPoolExecutor, most: int | None = None) -> TableArrivals:
        """All columns of the posts that match in [since, until), the newest `most` of them."""
        parts = [self.stream.read(stretch, pool) for stretch in self.stream.stretches(since_us, until_us)]
        posts = none()
        for part in parts:
            posts = posts.and_also(part.take(part.matched))
        if most is not None:
            posts = posts.take(slice(max(0, len(posts) - most), None))
        return self._arrivals(posts, 1, WHOLE, pool)

    def _arrivals(self, posts: Posts, record: int, columns: Sequence[str], pool: ThreadPoolExecutor) -> TableArrivals:
        """Some posts as they would have arrived: at their time, numbered in this order."""
        read = self.stream.rows(posts, columns, pool)
        names = set(read.column_names)
        arrays = [read[f.name] if f.name in names else pa.nulls(len(read), f.type) for f in schema.POSTS]
        arrays += [pa.array(np.arange(record, record + len(posts))), pa.array(posts.created_us)]
        return TableArrivals(pa.Table.from_arrays(arrays, schema=BATCH))


@dataclass(frozen=True, slots=True)
class Portion:
    """Some posts, and how many match only by counters that were observed after their window had closed."""

    arrivals: TableArrivals
    blind: int


def _portioned(posts: Posts, align: int) -> Iterator[Posts]:
    """The posts in parts of about `_ROWS`, none of which divides a window."""
    windows: npt.NDArray[np.int64] = posts.created_us // align
    begin = 0
    while begin < len(posts):
        last = min(windows[min(begin + _ROWS, len(posts)) - 1], windows[begin] + max(_SPAN_US // align, 1))
        end = int(np.searchsorted(windows, last, side="right"))
        yield posts.take(slice(begin, end))
        begin = end
