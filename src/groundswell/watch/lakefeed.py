"""The lake as batches of a watch: posts that somebody matches, in the order of time, and how many there were in all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
from groundswell.watch.arrivals import BATCH, TableArrivals
from groundswell.watch.contract import Ints, WatchParams

if TYPE_CHECKING:
    from groundswell.lake import Lake

#: Posts of one batch, about: what they say is in memory at once.
_BATCH_ROWS: Final = 20_000
#: Columns that nothing in the watch looks at.
_UNUSED: Final = frozenset({"metrics", "extra", "challenges", "media_urls", "platform", "month"})
_READ: Final = tuple(name for name in schema.POSTS.names if name not in _UNUSED)


@dataclass(frozen=True, slots=True)
class Piece:
    """The posts of [since, until), whole windows; `stream` are all posts per window and platform."""

    since_us: int
    until_us: int
    arrivals: TableArrivals
    matched: int
    stream: Ints
    """Shape (windows, platforms): posts of the whole stream."""


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
        """Posts of each platform per window; begins with the first window that has one."""
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

    @property
    def rows(self) -> int:
        """How many rows `check` will have been told of when all is read, about."""
        stretches = self.stream.stretches(self.since_us, self.until_us)
        return self.lake.count() + sum(stretch.rows for stretch in stretches)

    def pieces(self, pool: ThreadPoolExecutor) -> Iterator[Piece | Blind]:
        """All of it in the order of time, without holes between; and how many posts were not to be seen."""
        width, first = self.params.base_us, self.volumes.first_us
        end = self.until_us // width * width
        at, record, held = first, 1, none()
        for stretch in [*self.stream.stretches(first, end), None]:
            until = end
            if stretch is not None:
                posts = self.stream.read(stretch, pool, self.check)
                yield Blind(int(posts.blind.sum()))
                held = held.and_also(posts.take(posts.matched))
                until = stretch.until_us // width * width
            # A window that the stretch divides comes with the next one.
            whole = int(np.searchsorted(held.created_us, until))
            for some in _portions(held.take(slice(0, whole)), width):
                arrivals = self._arrivals(some, record, pool)
                record += len(some)
                after = int(some.created_us[-1]) // width * width + width
                yield self._piece(at, after, arrivals, len(some))
                at = after
            held = held.take(slice(whole, None))
            if until > at:
                yield self._piece(at, until, TableArrivals.empty(), 0)
                at = until

    def _piece(self, since_us: int, until_us: int, arrivals: TableArrivals, matched: int) -> Piece:
        width, first = self.params.base_us, self.volumes.first_us
        rows = slice((since_us - first) // width, (until_us - first) // width)
        return Piece(since_us, until_us, arrivals, matched, self.volumes.counts[rows])

    def _arrivals(self, posts: Posts, record: int, pool: ThreadPoolExecutor) -> TableArrivals:
        """Some posts as they would have arrived: at their time, numbered in this order."""
        read = self.stream.rows(posts, ("platform", *_READ), pool)
        names = set(read.column_names)
        columns = [read[f.name] if f.name in names else pa.nulls(len(read), f.type) for f in schema.POSTS]
        columns += [pa.array(np.arange(record, record + len(posts))), pa.array(posts.created_us)]
        return TableArrivals(pa.Table.from_arrays(columns, schema=BATCH))


@dataclass(frozen=True, slots=True)
class Blind:
    """Posts that match only by counters which were observed after their window had closed."""

    posts: int


def _portions(posts: Posts, width: int) -> Iterator[Posts]:
    """The posts in parts of about `_BATCH_ROWS`, none of which divides a window."""
    windows: npt.NDArray[np.int64] = posts.created_us // width
    begin = 0
    while begin < len(posts):
        last = windows[min(begin + _BATCH_ROWS, len(posts)) - 1]
        end = int(np.searchsorted(windows, last, side="right"))
        yield posts.take(slice(begin, end))
        begin = end
