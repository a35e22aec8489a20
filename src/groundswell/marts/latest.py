"""Search over posts: the latest observation of each post that matches a query, newest or most successful first.

Row groups are scanned in the order of the greatest value that their statistics allow, so that a search ends as soon as
no row group left can hold a better post. Where a file has a text index, row groups without the query's words are not
read at all. Whether a matching row is the latest observation of its post is asked only of the few that would be shown.
"""

from __future__ import annotations

import heapq
import itertools
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import ibis
import numpy as np
import pyarrow as pa

from groundswell.errors import UsageError
from groundswell.lake.terms import ALWAYS, NEVER
from groundswell.marts.engagement import BASES, engagement, engagement_per, engagement_values
from groundswell.marts.hits import Hits, joined, none
from groundswell.marts.parts import DataFile, data_files, identities, matching_rows, whole_numbers
from groundswell.marts.places import Part, places_of
from groundswell.marts.wanted import Wanted
from groundswell.schema import POST_FIELDS
from groundswell.stores import Place

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.lake import Lake
    from groundswell.query import Query

#: What a search gives: every column of a post that a person may read, and its engagement.
FOUND: Final = pa.schema(
    [
        *(f.to_arrow() for f in POST_FIELDS if f.name not in {"tokens", "key", "month"}),
        pa.field("engagement", pa.float64(), metadata={"unit": "fraction"}),
        pa.field("engagement_per", pa.string()),
    ]
)
_STORED: Final = [name for name in FOUND.names if not name.startswith("engagement")]
_CHUNK_BYTES: Final = 256 << 20
_MONTH: Final = re.compile(r"month=(\d{4}-\d{2})")
#: Hits that are kept in memory at least.
LEAST_KEPT: Final = 512
_GROWTH: Final = 8
_WAVE: Final = 16


class Sort(StrEnum):
    """The order of found posts."""

    LATEST = "latest"
    LIKES = "likes"
    VIEWS = "views"
    ENGAGEMENT = "engagement"


def search_posts(
    engine: Engine,
    lake: Lake,
    query: Query | None = None,
    platforms: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    sort: str = Sort.LATEST,
    limit: int = 50,
) -> tuple[pa.Table, int | None]:
    """At most `limit` posts (schema `FOUND`) and the version of the lake that they come from.

    A post is found by its latest observation only: one whose text or counters no longer match is not shown.
    Posts whose sort value is unknown come last; among equals the newer comes first.

    Raises:
        UsageError: `limit` is below 1, or `since` is not before `until`.
        ValueError: `sort` is not one of `Sort`.
    """
    return find_posts(engine, lake, Wanted(query, tuple(platforms), since, until), sort, limit)


def find_posts(
    engine: Engine, lake: Lake, wanted: Wanted, sort: str = Sort.LATEST, limit: int = 50
) -> tuple[pa.Table, int | None]:
    """As `search_posts`, with all that is wanted as one."""
    order = Sort(sort)
    if limit < 1:
        wrong = f"limit {limit} is too small"
        raise UsageError(wrong, hint="ask for at least one post")
    wanted.check()
    files, version = data_files(lake, tuple(wanted.platforms))
    threads = os.cpu_count() or 1
    with ThreadPoolExecutor(threads, "search") as pool:
        search = _Search(files, wanted, order, limit, pool, threads)
        rows = search.rows(search.run())
    return _shown(engine, rows, order), version_of(version)


def version_of(number: int) -> int | None:
    """A version as answers carry it: null while the table does not exist."""
    return number if number >= 0 else None


def newest_first(files: Sequence[Place]) -> Iterator[list[Place]]:
    """Files of a snapshot in groups of whole months, newest month first, `unknown` last.

    A group has at least 256 MiB (or is the last), so that a small lake is one query and a big one is not read
    beyond the months that are needed.
    """
    group: list[Place] = []
    size = 0
    for _, month in itertools.groupby(sorted(files, key=_month_of, reverse=True), key=_month_of):
        for path in month:
            group.append(path)
            size += path.stat().st_size
        if size >= _CHUNK_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _month_of(path: Place) -> str:
    match = _MONTH.search(path.as_posix())
    return match[1] if match else ""


def _shown(engine: Engine, rows: pa.Table, order: Sort) -> pa.Table:
    if not rows.num_rows:
        return FOUND.empty_table()
    posts = engine.register("found", rows)
    shown = posts.mutate(engagement=engagement(posts), engagement_per=engagement_per(posts))
    first = [] if order is Sort.LATEST else [ibis.desc(order.value, nulls_first=False)]
    newest = [ibis.desc("created_at", nulls_first=False), ibis.desc("ingest_seq")]
    return engine.run(shown.order_by([*first, *newest]).select(FOUND.names)).read_all().cast(FOUND)


@dataclass(slots=True)
class _Queue:
    """Row groups by the greatest value that they can hold; a file is opened when its turn comes."""

    files: Sequence[DataFile]
    wanted: Wanted
    order: Sort
    _heap: list[tuple[float, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for number, file in enumerate(self.files):
            bound = file.bound if self.order is Sort.LATEST else ALWAYS
            heapq.heappush(self._heap, (-bound, number, -1))

    @property
    def bound(self) -> float:
        """No row that was not taken yet has a greater value; null rows have `NEVER`."""
        return -self._heap[0][0] if self._heap else -np.inf

    def __bool__(self) -> bool:
        return bool(self._heap)

    def take(self, most: int) -> list[Part]:
        """The next row groups, at most `most`."""
        parts: list[Part] = []
        while self._heap and len(parts) < most:
            _, number, group = heapq.heappop(self._heap)
            if group >= 0:
                parts.append(Part(number, group))
                continue
            file = self.files[number]
            for group in file.possible(self.wanted):
                heapq.heappush(self._heap, (-self._bound(file, group), number, group))
        return parts

    def _bound(self, file: DataFile, group: int) -> int:
        if self.order is Sort.LATEST:
            return file.groups[group].latest
        return ALWAYS if self.order is Sort.ENGAGEMENT else file.greatest(group, self.order.value)


@dataclass(frozen=True, slots=True)
class _Search:
    """One search over some files."""

    files: Sequence[DataFile]
    wanted: Wanted
    order: Sort
    limit: int
    pool: ThreadPoolExecutor
    threads: int

    def run(self) -> Hits:
        """The hits to show, in order; only the best are kept in memory, more of them if many turn out stale."""
        keep = max(self.limit, LEAST_KEPT)
        while True:
            hits, complete = self._run(keep)
            if complete:
                return hits
            keep *= _GROWTH

    def rows(self, hits: Hits) -> pa.Table:
        """The rows of hits, all stored columns of `FOUND`, in no order."""

        def read(item: tuple[Part, Any]) -> pa.Table:
            part, places = item
            return self.files[part.file].read(part.group, _STORED).take(pa.array(hits.row[places]))

        schema = pa.schema([FOUND.field(name) for name in _STORED])
        return pa.concat_tables([schema.empty_table(), *self.pool.map(read, hits.parts().items())])

    def _run(self, keep: int) -> tuple[Hits, bool]:
        """The hits to show, and whether none was missed because only `keep` of them were kept."""
        queue = _Queue(self.files, self.wanted, self.order)
        waiting, lost, shown, wave = none(), none(), [none()], self.threads
        while queue:
            found = joined([waiting, *self.pool.map(self._scan, queue.take(wave))]).best(keep + 1)
            waiting = found.take(slice(0, keep))
            lost = joined([lost, found.take(slice(keep, None))]).best(1)
            wave = min(2 * wave, _WAVE)
            missing = self.limit - sum(map(len, shown))
            ready = waiting.before(lost)
            if queue:
                ready = min(ready, waiting.above(queue.bound))
                if ready < missing and not len(lost):
                    continue
            good, used = self._confirmed(waiting.take(slice(0, ready)), missing)
            shown.append(good)
            waiting = waiting.take(slice(used, None))
            if len(good) == missing:
                return joined(shown), True
        return joined(shown), not len(lost)

    def _scan(self, part: Part) -> Hits:
        file = self.files[part.file]
        rows = matching_rows(file, part.group, self.wanted)
        if not len(rows):
            return none()
        names = ["created_at", "ingest_seq", *_VALUES[self.order]]
        columns = file.read(part.group, names).take(pa.array(rows))
        created = whole_numbers(columns["created_at"])
        return Hits(
            self._values(columns, created),
            created,
            whole_numbers(columns["ingest_seq"]),
            np.full(len(rows), part.file),
            np.full(len(rows), part.group),
            rows,
        )

    def _values(self, columns: pa.Table, created: Any) -> Any:
        if self.order is Sort.LATEST:
            return created
        return engagement_values(columns) if self.order is Sort.ENGAGEMENT else whole_numbers(columns[self.order.value])

    def _confirmed(self, hits: Hits, missing: int) -> tuple[Hits, int]:
        """The first `missing` of `hits` that are the latest observation of their post, and how many were looked at."""
        good: list[Hits] = [none()]
        used = 0
        while used < len(hits) and missing > 0:
            some = hits.take(slice(used, used + missing + 8))
            right = some.take(np.flatnonzero(self._are_latest(some))[:missing])
            used += len(some) if len(right) < missing else int(np.flatnonzero(some.number == right.number[-1])[0]) + 1
            missing -= len(right)
            good.append(right)
        return joined(good), used

    def _are_latest(self, hits: Hits) -> Any:
        posts = self._posts_of(hits)
        latest = np.zeros(len(hits), np.bool_)
        for platform in {platform for platform, _, _ in posts}:
            mine = [place for place, (where, _, _) in enumerate(posts) if where == platform]
            names = list(dict.fromkeys(posts[place][1] for place in mine))
            number_of = {name: number for number, name in enumerate(names)}
            newest = {number_of[posts[place][1]]: (NEVER, NEVER) for place in mine}
            known: dict[int, Part] = {}
            for place in mine:
                number = number_of[posts[place][1]]
                newest[number] = max(newest[number], (posts[place][2], int(hits.number[place])))
                known[number] = Part(int(hits.file[place]), int(hits.group[place]))
            for found in places_of(self.files, platform, names, self.pool, known):
                rows = self.files[found.part.file].read(found.part.group, ["observed_at", "ingest_seq"])
                rows = rows.take(pa.array(found.rows))
                seen, numbers = (whole_numbers(rows[name]).tolist() for name in ("observed_at", "ingest_seq"))
                for number, observation in zip(found.posts.tolist(), zip(seen, numbers, strict=True), strict=True):
                    newest[number] = max(newest[number], observation)
            for place in mine:
                latest[place] = newest[number_of[posts[place][1]]][1] == hits.number[place]
        return latest

    def _posts_of(self, hits: Hits) -> list[tuple[str, str, int]]:
        """Of each hit: the platform, what says which post it is, and when it was observed."""
        posts: list[tuple[str, str, int]] = [("", "", NEVER)] * len(hits)

        def read(item: tuple[Part, Any]) -> tuple[Any, str, list[str], list[int]]:
            part, places = item
            file, rows = self.files[part.file], pa.array(hits.row[places])
            names = identities(file, part.group).take(rows).to_pylist()
            seen = file.read(part.group, ["observed_at"])["observed_at"].take(rows)
            return places, file.platform, names, whole_numbers(seen).tolist()

        for places, platform, names, seen in self.pool.map(read, hits.parts().items()):
            for place, name, moment in zip(places.tolist(), names, seen, strict=True):
                posts[place] = (platform, name, moment)
        return posts


_VALUES: Final = {
    Sort.LATEST: (),
    Sort.LIKES: ("likes",),
    Sort.VIEWS: ("views",),
    Sort.ENGAGEMENT: BASES,
}
