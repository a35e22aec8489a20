"""The lake as a stream: posts in the order of their time, month by month, as arrays of the few things that are counted.

What somebody asks of years must not be held at once, so a span is read in *stretches* of at most some millions of
rows, each complete: every observation of its posts lies in it. A post counts once, as it was first observed, because
that is how a watch that had been running would have met it; and what its counters were is known only from then on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.lake.terms import NEVER
from groundswell.marts.parts import DataFile, identities, whole_numbers
from groundswell.marts.places import Part
from groundswell.marts.wanted import Wanted
from groundswell.query.pruning import columns_of
from groundswell.schema import COUNTERS, POSTS
from groundswell.stores import Place
from groundswell.text.hashing import ODD, hash_bytes, mixed

if TYPE_CHECKING:
    from groundswell.lake import Lake
    from groundswell.query import Query

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

Check = Callable[[int], None]
"""Told of rows that were read, now and then; what it raises ends the work."""

#: Rows of a stretch, about: each costs some sixty bytes while it is put in order.
MOST_ROWS: Final = 4_000_000
_HOUR: Final = 3_600_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: More digits than this may not fit into 64 bits.
_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Posts:
    """Posts of a stretch in the order of their time: parallel arrays. With a query only those that it can match."""

    created_us: Ints
    identity: Hashes
    """Which post it is: the same for all of its observations."""
    author: Hashes
    """Who wrote it; 0: not known, or not asked for."""
    matched: Bools
    """Whether the query matches the post as it was first observed."""
    blind: Bools
    """Whether it would match by counters that were seen too late to have been known."""
    file: npt.NDArray[np.int32]
    group: npt.NDArray[np.int32]
    row: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.created_us)

    def take(self, rows: Any) -> Posts:
        """Some of the posts."""
        return Posts(*(getattr(self, name)[rows] for name in Posts.__dataclass_fields__))

    def and_also(self, later: Posts) -> Posts:
        """These posts and then those."""
        if not len(self):
            return later
        names = Posts.__dataclass_fields__
        return Posts(*(np.concatenate((getattr(self, name), getattr(later, name))) for name in names))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span of time [since, until) of one month, and the row groups that can hold posts of it."""

    since_us: int
    until_us: int
    parts: tuple[Part, ...]
    rows: int
    """Rows in these row groups, also those outside of the span."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the posts of a lake."""

    query: Query | None = None
    platforms: tuple[str, ...] = ()
    authors: bool = False
    window_us: int = _HOUR
    lateness_us: int = 0
    """Counters are known that were observed until the window of the post had closed: so long after its end."""


@dataclass(frozen=True, slots=True)
class LakeStream:
    """The posts of one version of a lake; files that are read stay readable whatever is written meanwhile."""

    files: Sequence[DataFile]
    version: int
    question: Question
    threads: int = 2

    @classmethod
    def open(cls, lake: Lake, question: Question, since_us: int, until_us: int) -> LakeStream:
        """The stream of posts created in [since, until)."""
        snapshot = lake.snapshot(
            "posts", platforms=question.platforms or None, since=_moment(since_us), until=_moment(until_us)
        )
        files = [DataFile(lake, path, bound) for path, bound in zip(snapshot.files, snapshot.latest, strict=True)]
        return cls(files, snapshot.version, question, os.cpu_count() or 1)

    def stretches(self, since_us: int, until_us: int, most_rows: int = MOST_ROWS) -> list[Stretch]:
        """The span in stretches, in the order of time; months without a file are left out."""
        months = sorted((month_of(file.path), number) for number, file in enumerate(self.files))
        found: list[Stretch] = []
        for month, files in groupby(months, key=lambda pair: pair[0]):
            if month is None:
                continue
            begin, end = max(since_us, month[0]), min(until_us, month[1])
            if begin < end:
                found += self._cut(begin, end, [number for _, number in files], most_rows)
        return found

    def read(self, stretch: Stretch, pool: ThreadPoolExecutor, check: Check = lambda _rows: None) -> Posts:
        """The posts of a stretch. `check` is called with the rows that were read; what it raises ends the work."""
        pieces = []
        for part, piece in zip(stretch.parts, pool.map(lambda p: self._part(p, stretch), stretch.parts), strict=True):
            check(self.files[part.file].groups[part.group].rows)
            pieces.append(piece)
        if not pieces:
            return none()
        names = Posts.__dataclass_fields__
        joined = Posts(*(np.concatenate([getattr(posts, name) for posts, _ in pieces]) for name in names))
        seen = np.concatenate([seen for _, seen in pieces])
        kept = _first_seen(joined.identity, seen)
        joined = joined.take(kept)
        order = np.argsort(joined.created_us, kind="stable")
        return joined.take(order)

    def rows(self, posts: Posts, columns: Sequence[str], pool: ThreadPoolExecutor) -> pa.Table:
        """Columns of `schema.POSTS` of some posts, in their order; counters that were not known then are null."""
        if not len(posts):
            return _schema_of(columns).empty_table()
        place = np.lexsort((posts.row, posts.group, posts.file))
        sorted_posts = posts.take(place)
        change = (np.diff(sorted_posts.file) != 0) | (np.diff(sorted_posts.group) != 0)
        borders = [0, *(np.flatnonzero(change) + 1).tolist(), len(posts)]

        def read(span: tuple[int, int]) -> pa.Table:
            some = sorted_posts.take(slice(*span))
            file, group = self.files[int(some.file[0])], int(some.group[0])
            names = list(dict.fromkeys((*columns, "created_at", "observed_at")))
            # Taken before it is hidden: a few rows of a group of sixty thousand.
            rows = file.read(group, names).take(pa.array(some.row))
            return self._hide(rows).select(list(columns))

        tables = list(pool.map(read, pairwise(borders)))
        back = np.empty(len(place), np.int64)
        back[place] = np.arange(len(place))
        return pa.concat_tables(tables).take(pa.array(back))

    def _cut(self, begin: int, end: int, files: Sequence[int], most_rows: int) -> Iterator[Stretch]:
        """A month in stretches of about `most_rows` rows, as the bounds of the row groups tell where they lie."""
        # Observations of a post have the same words, so what cannot match has no earlier one of what does.
        wanted = Wanted(self.question.query, since=_moment(begin), until=_moment(end))
        parts = [Part(number, group) for number in files for group in self.files[number].possible(wanted)]
        if not parts:
            return
        hours = -(-(end - begin) // _HOUR)
        known = [self.files[part.file].groups[part.group] for part in parts]
        first = np.clip([(group.earliest - begin) // _HOUR for group in known], 0, hours - 1)
        last = np.clip([(group.latest - begin) // _HOUR for group in known], first, hours - 1)
        density = np.zeros(hours + 1)
        share = np.array([group.rows for group in known]) / (last - first + 1)
        np.add.at(density, first, share)
        np.add.at(density, last + 1, -share)
        reached = np.cumsum(np.cumsum(density)[:hours])
        number = np.floor(np.maximum(reached - 1e-6, 0.0) / most_rows).astype(np.int64)
        starts = np.flatnonzero(np.diff(number, prepend=-1))
        for at, until in zip(starts.tolist(), [*starts[1:].tolist(), hours], strict=True):
            inside = np.flatnonzero((first < until) & (last >= at)).tolist()
            yield Stretch(
                begin + at * _HOUR,
                min(begin + until * _HOUR, end),
                tuple(parts[n] for n in inside),
                sum(known[n].rows for n in inside),
            )

    def _part(self, part: Part, stretch: Stretch) -> tuple[Posts, Ints]:
        """The observations of one row group in a stretch, and a number that is less for an earlier one."""
        file = self.files[part.file]
        columns = file.read(part.group, ["created_at", "observed_at", "ingest_seq"])
        created = whole_numbers(columns["created_at"])
        rows = np.flatnonzero((created >= stretch.since_us) & (created < stretch.until_us))
        observed, number = whole_numbers(columns["observed_at"])[rows], whole_numbers(columns["ingest_seq"])[rows]
        matched, blind = self._matched(file, part.group, rows)
        posts = Posts(
            created[rows],
            _post_hashes(file, part.group)[rows],
            _author_hashes(file, part.group)[rows] if self.question.authors else np.zeros(len(rows), np.uint64),
            matched,
            blind,
            np.full(len(rows), part.file, np.int32),
            np.full(len(rows), part.group, np.int32),
            rows.astype(np.int32),
        )
        # One without a time of its own counts as the oldest, as everywhere.
        seen = np.stack((observed, number), axis=1)
        return posts, seen

    def _matched(self, file: DataFile, group: int, rows: Ints) -> tuple[Bools, Bools]:
        """Which of `rows` match by what was known, and which only by what was seen later."""
        query = self.question.query
        if query is None:
            return np.ones(len(rows), np.bool_), np.zeros(len(rows), np.bool_)
        names = list(columns_of(query.root))
        asked = [name for name in names if name in COUNTERS]
        table = file.read(group, list(dict.fromkeys((*names, "created_at", "observed_at"))) if asked else names)
        later = query.mask(table)[rows]
        if not asked:
            return later, np.zeros(len(rows), np.bool_)
        known = query.mask(self._hide(table))[rows]
        return known, later & ~known

    def _hide(self, rows: pa.Table) -> pa.Table:
        """Make counters null that were observed too late, or at a time that nobody knows."""
        created, observed = (whole_numbers(rows[name]) for name in ("created_at", "observed_at"))
        window = self.question.window_us
        closed = created // window * window + window + self.question.lateness_us
        known = pa.array((observed != NEVER) & (observed <= closed))
        for name in COUNTERS:
            at = rows.schema.get_field_index(name)
            if at >= 0:
                shown = pc.if_else(known, rows.column(at), pa.scalar(None, rows.schema.field(at).type))
                rows = rows.set_column(at, rows.schema.field(at), shown)
        return rows


def none() -> Posts:
    """No posts."""
    hashes, flags, places = np.zeros(0, np.uint64), np.zeros(0, np.bool_), np.zeros(0, np.int32)
    return Posts(np.zeros(0, np.int64), hashes, hashes, flags, flags, places, places, places)


def _first_seen(identity: Hashes, seen: Ints) -> Ints:
    """Of each post the row of its first observation, ascending."""
    order = np.argsort(identity, kind="stable")
    same = identity[order[1:]] == identity[order[:-1]]
    if not same.any():
        return np.arange(len(identity))
    first = np.ones(len(identity), np.bool_)
    # Only posts that were seen more than once are put in order: they are few.
    again = np.zeros(len(identity), np.bool_)
    again[order[1:][same]] = again[order[:-1][same]] = True
    rows = np.flatnonzero(again)
    rows = rows[np.lexsort((seen[rows, 1], seen[rows, 0], identity[rows]))]
    first[rows[1:][identity[rows[1:]] == identity[rows[:-1]]]] = False
    return np.flatnonzero(first)


def _post_hashes(file: DataFile, group: int) -> Hashes:
    """What says which post each row observes, as numbers; ids of digits (most platforms have them) are quickly read."""
    ids = identities(file, group)
    platform = hash_bytes(pa.array([file.platform])) * ODD
    # Each id by itself, so that it is the same number in every row group.
    lengths = pc.utf8_length(ids).to_numpy().astype(np.uint64)
    whole = pc.and_(pc.ascii_is_decimal(ids), pc.less_equal(pc.utf8_length(ids), _DIGITS))
    digits = whole.to_numpy(zero_copy_only=False)
    if digits.all():
        return mixed(_numbers(ids, lengths) + platform)
    hashes = hash_bytes(ids)
    hashes[digits] = _numbers(ids.filter(whole), lengths[digits])
    return mixed(hashes + platform)


def _numbers(ids: pa.Array, lengths: Hashes) -> Hashes:
    """Ids of digits, with their length: 07 is another id than 7."""
    numbers: Hashes = ids.cast(pa.int64()).to_numpy().astype(np.uint64)
    return numbers + (lengths << np.uint64(59))


def _author_hashes(file: DataFile, group: int) -> Hashes:
    """`hash_bytes` of the author's id, else of the name; 0 where both are missing."""
    columns = file.read(group, ["author_id", "author_name"])
    encoded = pc.dictionary_encode(pc.coalesce(columns["author_id"].chunk(0), columns["author_name"].chunk(0)))
    hashes = np.append(hash_bytes(encoded.dictionary), np.uint64(0))
    return np.asarray(hashes[pc.fill_null(encoded.indices, len(encoded.dictionary)).to_numpy()], np.uint64)


def _schema_of(columns: Sequence[str]) -> pa.Schema:
    return pa.schema([POSTS.field(name) for name in columns])


def _moment(at_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at_us)


def month_of(path: Place) -> tuple[int, int] | None:
    """The span (µs since 1970) of the month of a data file; null for posts without a time."""
    name = next(part.removeprefix("month=") for part in path.parts if part.startswith("month="))
    try:
        begin = datetime.strptime(name, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        return None
    end = (begin + timedelta(days=32)).replace(day=1)
    return (begin - _EPOCH) // timedelta(microseconds=1), (end - _EPOCH) // timedelta(microseconds=1)
