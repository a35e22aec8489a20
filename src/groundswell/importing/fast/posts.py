"""What a fast layout reads of raw records: the columns that the watch looks at, of those that are plainly posts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.importing import same
from groundswell.importing.fast.spans import Bools, Ints, Paths, Spans, Values
from groundswell.schema import MAPPED, UNREAD

Count = tuple[Ints, Bools]
"""Values, and where one is known."""

_COLUMNS: Final = ("post_id", "author_id", "author_name", "text", "hashtags", "lang", "kind")


@dataclass(frozen=True)
class FastPosts:
    """Posts of some records, in their order. A column that is null altogether is not known to any of them."""

    row: Ints
    """The record of each post."""
    doubted: Bools
    """One a record (not a post): it must be read the ordinary way."""
    post_id: pa.Array
    author_id: pa.Array
    author_name: pa.Array
    created: Count
    observed: Count
    """As the record states it."""
    text: pa.Array
    hashtags: pa.Array
    """As the record lists them, folded; null where only the text can tell."""
    lang: pa.Array
    kind: pa.Array
    counts: Mapping[str, Count] = field(default_factory=dict)
    """Followers and counters by column; one that is absent is known of none."""

    def take(self, some: Ints) -> FastPosts:
        """Some of the posts; `doubted` stays."""
        arrow = pa.array(some)
        return replace(
            self,
            row=self.row[some],
            created=(self.created[0][some], self.created[1][some]),
            observed=(self.observed[0][some], self.observed[1][some]),
            counts={name: (values[some], known[some]) for name, (values, known) in self.counts.items()},
            **{name: getattr(self, name).take(arrow) for name in _COLUMNS},
        )

    def and_then(self, more: FastPosts) -> FastPosts:
        """These posts and then those of another part of the same records; `doubted` stays."""

        def both(name: str) -> Any:
            return pa.concat_arrays([getattr(self, name), getattr(more, name)])

        def counts(one: Count, other: Count) -> Count:
            return np.concatenate((one[0], other[0])), np.concatenate((one[1], other[1]))

        return replace(
            self,
            row=np.concatenate((self.row, more.row)),
            created=counts(self.created, more.created),
            observed=counts(self.observed, more.observed),
            counts={name: counts(self.counts[name], more.counts[name]) for name in self.counts},
            **{name: both(name) for name in _COLUMNS},
        )


@dataclass(frozen=True)
class FastLayout:
    """How the watch reads a layout (`id`, `version`) of `groundswell.platforms` from raw bytes."""

    id: str
    version: int
    platform: str
    paths: Paths
    read: Callable[[Spans], FastPosts]
    rest: Callable[[Iterable[Mapping[str, Any]], FastPosts], Rest]
    """The columns of whole posts that `FastPosts` has not, from their decoded records."""
    every: Paths | None = None
    """All that whole posts take, where `columns` can make them of it."""
    columns: Callable[[Spans, FastPosts], Rest] | None = None
    """As `rest`, from what `every` found, for many posts at once; what it is not sure of is doubted."""


@dataclass(frozen=True)
class Rest:
    """Columns of `schema.MAPPED`, and which rows the ordinary way must make instead."""

    columns: Mapping[str, pa.Array]
    doubted: Bools


def mapped(posts: FastPosts, rest: Mapping[str, pa.Array], platform: str) -> pa.Table:
    """The posts as a layout's expression gives them: the columns of `MAPPED`, and none that could not be read."""
    rows = len(posts.row)
    columns = {name: same.nothing(kind, rows) for name, kind in zip(MAPPED.names, MAPPED.types, strict=True)}
    columns |= {"platform": same.same(platform, rows), "post_id": posts.post_id}
    columns |= {name: getattr(posts, name) for name in ("author_id", "author_name", "text", "lang", "kind", "hashtags")}
    for name, values in {"created_at": posts.created, "observed_at": posts.observed, **posts.counts}.items():
        columns[name] = pa.array(values[0], pa.int64(), mask=~values[1])
    columns |= rest
    arrays = [columns[name].cast(kind) for name, kind in zip(MAPPED.names, MAPPED.types, strict=True)]
    return pa.table(arrays, schema=MAPPED).append_column(UNREAD, same.nothing(pa.string(), rows))


def nothing(rows: int) -> pa.Array:
    """A column of texts that are all null."""
    return same.nothing(pa.string(), rows)


def not_empty(texts: pa.Array) -> pa.Array:
    """Texts, with null in place of empty ones."""
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def count_of(values: Values, rows: Ints) -> tuple[Count, Bools]:
    """Counts of the records `rows`, and in which records (all of them) something else stands."""
    numbers, known, odd = values.counts()
    return (numbers[rows], known[rows]), odd


def listed(rows: npt.NDArray[Any], texts: pa.Array, has: Bools) -> pa.Array:
    """A list for each record, of the `texts` whose record `rows` (ascending) it is; null where not `has`."""
    sizes = np.bincount(rows, minlength=len(has))
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int32)
    mask = None if has.all() else pa.array(~has)
    return pa.ListArray.from_arrays(pa.array(offsets), texts, mask=mask)
