"""Search over posts: the latest observation of each post that matches, newest or most successful first."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.errors import UsageError
from groundswell.marts.engagement import engagement, engagement_per
from groundswell.marts.observations import POST, STAMP, latest, post_identity
from groundswell.schema import POST_FIELDS, POSTS

if TYPE_CHECKING:
    import ibis.expr.types as ir

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
_CHUNK_BYTES: Final = 256 << 20
_GROWTH: Final = 8
_MONTH: Final = re.compile(r"month=(\d{4}-\d{2})")


class Sort(StrEnum):
    """The order of found posts."""

    LATEST = "latest"
    LIKES = "likes"
    VIEWS = "views"
    ENGAGEMENT = "engagement"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which posts are wanted: those of `platforms` (none: all) created in [since, until) that `query` matches."""

    query: Query | None = None
    platforms: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None

    def of(self, posts: ir.Table) -> ir.Table:
        """The rows of `posts` that are wanted. A post without a time is not in any period."""
        conditions: list[ir.BooleanValue] = []
        if self.platforms:
            conditions.append(posts["platform"].isin(list(self.platforms)))
        if self.since is not None:
            conditions.append(posts["created_at"] >= ibis.literal(self.since, STAMP))
        if self.until is not None:
            conditions.append(posts["created_at"] < ibis.literal(self.until, STAMP))
        if self.query is not None:
            conditions.append(self.query.to_ibis(posts))
        return posts.filter(conditions) if conditions else posts


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
    `latest` reads the newest months first and stops as soon as it has enough, so its time does not grow with
    the lake; the other orders read everything in the period. Posts whose sort value is unknown come last.

    Raises:
        UsageError: `limit` is below 1, or `since` is not before `until`.
        ValueError: `sort` is not one of `Sort`.
    """
    order = Sort(sort)
    if limit < 1:
        wrong = f"limit {limit} is too small"
        raise UsageError(wrong, hint="ask for at least one post")
    if since is not None and until is not None and since >= until:
        wrong = f"no time between {since.isoformat()} and {until.isoformat()}"
        raise UsageError(wrong, hint="--since must be before --until")
    wanted = Wanted(query, tuple(platforms), since, until)
    snapshot = lake.snapshot("posts", platforms=list(platforms) or None, since=since, until=until)
    found: list[pa.Table] = []
    missing = limit
    for files in newest_first(snapshot.files) if order is Sort.LATEST else [snapshot.files]:
        search = _Search(engine, engine.read_table(files, POSTS), wanted, order, missing)
        rows = search.newest() if order is Sort.LATEST else search.best()
        found.append(rows)
        missing -= rows.num_rows
        if missing <= 0:
            break
    return (pa.concat_tables(found) if found else FOUND.empty_table()), version_of(snapshot.version)


def version_of(number: int) -> int | None:
    """A version as answers carry it: null while the table does not exist."""
    return number if number >= 0 else None


def newest_first(files: Sequence[Path]) -> Iterator[list[Path]]:
    """Files of a snapshot in groups of whole months, newest month first, `unknown` last.

    A group has at least 256 MiB (or is the last), so that a small lake is one query and a big one is not read
    beyond the months that are needed.
    """
    group: list[Path] = []
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


def _month_of(path: Path) -> str:
    match = _MONTH.search(path.as_posix())
    return match[1] if match else ""


@dataclass(frozen=True, slots=True)
class _Search:
    """One search over the rows of some files."""

    engine: Engine
    posts: ir.Table
    wanted: Wanted
    order: Sort
    limit: int

    def newest(self) -> pa.Table:
        """The newest posts, found from a few of the newest matching observations.

        All observations of a post have its creation time, so none of a post's observations is older than the
        oldest candidate; a later one can still say that the post no longer matches, so more may be needed.
        """
        take = max(4 * self.limit, 256)
        while True:
            candidates = self._candidates(take)
            rows = self._of(candidates)
            if candidates.num_rows < take or rows.num_rows >= self.limit:
                return rows
            take *= _GROWTH

    def best(self) -> pa.Table:
        """The posts with the greatest value of the order, over all files."""
        if self.wanted.query is None:
            return self._ordered(latest(self.wanted.of(self.posts)))
        observed = self._identified()
        ids = self.wanted.of(observed).select("platform", POST).distinct()
        return self._ordered(self.wanted.of(latest(observed.semi_join(ids, ["platform", POST]))))

    def _candidates(self, take: int) -> pa.Table:
        matching = self.wanted.of(self.posts)
        thin = matching.select("platform", "created_at", "ingest_seq", **{POST: post_identity(matching)})
        ordered = thin.order_by(ibis.desc("created_at", nulls_first=False), ibis.desc("ingest_seq"))
        return self.engine.run(ordered.limit(take)).read_all()

    def _of(self, candidates: pa.Table) -> pa.Table:
        created = candidates["created_at"]
        distinct = candidates.select(["platform", POST]).group_by(["platform", POST]).aggregate([])
        ids = self.engine.register("candidates", distinct)
        observed = self._identified()
        if created.null_count == 0 and len(created):
            observed = observed.filter(observed["created_at"] >= ibis.literal(pc.min(created).as_py(), STAMP))
        return self._ordered(self.wanted.of(latest(observed.semi_join(ids, ["platform", POST]))))

    def _identified(self) -> ir.Table:
        return self.posts.mutate(**{POST: post_identity(self.posts)})

    def _ordered(self, rows: ir.Table) -> pa.Table:
        shown = rows.mutate(engagement=engagement(rows), engagement_per=engagement_per(rows))
        first = [] if self.order is Sort.LATEST else [ibis.desc(self.order.value, nulls_first=False)]
        newest = [ibis.desc("created_at", nulls_first=False), ibis.desc("ingest_seq")]
        result = shown.order_by([*first, *newest]).limit(self.limit).select(FOUND.names)
        return self.engine.run(result).read_all().cast(FOUND)
