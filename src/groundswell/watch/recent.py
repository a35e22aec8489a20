"""The matched posts that an alert may have to show: those of open windows and of open episodes, bounded.

Of each tracker and window at most `keep_posts` are kept: greatest reach first, then by identity. Which ones
does not depend on the order in which they came or on where batches end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.watch.contract import Arrivals, Pairs

Ints = npt.NDArray[np.int64]

#: Columns of a kept post.
KEPT: Final = pa.schema(
    [
        ("platform", pa.string()),
        ("post_id", pa.string()),
        ("url", pa.string()),
        ("author", pa.string()),
        ("followers", pa.int64()),
        ("author_created_us", pa.int64()),
        ("created_us", pa.int64()),
        ("lang", pa.string()),
        ("text", pa.string()),
        ("tokens", pa.string()),
        ("hashtags", pa.list_(pa.string())),
        ("domains", pa.list_(pa.string())),
        ("sound", pa.string()),
        ("likes", pa.int64()),
        ("views", pa.int64()),
        ("origin", pa.string()),
        ("record", pa.int64()),
    ]
)
#: Columns of posts that they are made of, where `record` is there.
SOURCES: Final = (
    *("platform", "post_id", "url", "author_name", "author_id", "followers", "author_created_at", "created_at", "lang"),
    *("text", "tokens", "hashtags", "urls", "music_title", "music_author", "likes", "views", "origin", "origin_offset"),
    "record",
)
#: Columns of `schema.POSTS` that a profile is learned from.
LEARNED: Final = ("tokens", "hashtags", "urls", "lang", "author_name", "author_id", "music_title", "music_author")
_HOST: Final = r"(?i)^(?:[a-z][a-z0-9+.-]*://)?(?:[^/?#@]*@)?(?:www\.)?(?P<host>[^/?#:]+)"
#: With more posts than this, and half as many again as were wanted last, what is not among the kept goes at once
#: instead of when its window closes.
_PRUNE_AT: Final = 50_000
_GROWN: Final = 1.5
#: After so many new pairs it is looked up anew what a post must surpass to be kept.
_LOOK_AT: Final = 10_000


@dataclass(frozen=True)
class KeptPairs:
    """Which post matched which tracker: parallel arrays."""

    slot: Ints
    window: Ints
    row: Ints
    reach: npt.NDArray[np.float64]
    identity: npt.NDArray[np.uint64]

    @classmethod
    def empty(cls) -> KeptPairs:
        """No pairs."""
        none = np.zeros(0, dtype=np.int64)
        return cls(none, none, none, np.zeros(0), np.zeros(0, dtype=np.uint64))

    def take(self, rows: Any) -> KeptPairs:
        """Some of the pairs."""
        return KeptPairs(self.slot[rows], self.window[rows], self.row[rows], self.reach[rows], self.identity[rows])

    def and_also(self, other: KeptPairs) -> KeptPairs:
        """These pairs and then those."""
        return KeptPairs(
            *(np.concatenate((getattr(self, name), getattr(other, name))) for name in self.__dataclass_fields__)
        )


Floor = tuple[npt.NDArray[np.float64], npt.NDArray[np.uint64]]
"""Rank and identity of the last one that is kept, one a tracker; a rank of -1 where there is still room."""


@dataclass(frozen=True)
class Recent:
    """Kept posts and what they matched."""

    posts: pa.Table
    pairs: KeptPairs
    floors: Mapping[int, Floor] = field(default_factory=dict)
    """What a post must surpass to be kept in a window that was full when it was last looked up: it only saves work."""
    unseen: int = 0
    """Pairs since then."""
    settled: int = 0
    """Posts that were wanted when it was last pruned."""

    @classmethod
    def empty(cls) -> Recent:
        """Nothing kept."""
        return cls(KEPT.empty_table(), KeptPairs.empty())

    def of(self, slot: int, from_us: int, until_us: int) -> tuple[pa.Table, npt.NDArray[np.uint64]]:
        """The kept posts of a tracker in windows from `from_us` to before `until_us`, and their identities.

        Ordered by identity, so that their first n are a fair sample.
        """
        at = self.pairs
        mine = np.flatnonzero((at.slot == slot) & (at.window >= from_us) & (at.window < until_us))
        if not len(mine):
            # Arrow joins all chunks of a column to take nothing of it, which takes as long as a card.
            return self.posts.slice(0, 0), at.identity[mine]
        mine = mine[np.argsort(at.identity[mine], kind="stable")]
        return self.posts.take(pa.array(at.row[mine])), at.identity[mine]


def _joined(first: Any, second: Any, between: str) -> Any:
    """Both texts with `between` between them, or the one that is not null, or null.

    Arrow's `binary_join_element_wise` gives an array of the wrong length where everything is null.
    """
    if first.null_count == len(first):
        return second
    if second.null_count == len(second):
        return first
    both = pc.binary_join_element_wise(pc.fill_null(first, ""), pc.fill_null(second, ""), between)
    return pc.if_else(pc.and_(pc.is_valid(first), pc.is_valid(second)), both, pc.coalesce(first, second))


def learned_columns(posts: pa.Table) -> pa.Table:
    """What a profile learns from posts (columns `LEARNED`): tokens, hashtags, domains, lang, author, sound."""
    batch = posts.combine_chunks()
    author, sound = _author_and_sound(batch)
    columns = {name: batch.column(name) for name in ("tokens", "hashtags", "lang")}
    return pa.table(columns | {"domains": domains_of(batch.column("urls")), "author": author, "sound": sound})


def domains_of(urls: Any) -> pa.ListArray:
    """The hosts of a column of lists of addresses, lower-case and without `www.`; null where the list is.

    >>> domains_of(pa.array([["https://www.a.de/x?y", "B.org:80"], None])).to_pylist()
    [['a.de', 'b.org'], None]
    """
    lists = urls.combine_chunks() if isinstance(urls, pa.ChunkedArray) else urls
    hosts = pc.struct_field(pc.extract_regex(lists.flatten(), _HOST), "host")
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    ends = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), pc.utf8_lower(hosts), mask=pc.is_null(lists))


def _author_and_sound(batch: pa.Table | pa.RecordBatch) -> tuple[Any, Any]:
    author = pc.coalesce(batch.column("author_name"), batch.column("author_id"))
    return author, _joined(batch.column("music_title"), batch.column("music_author"), " · ")


def kept_columns(posts: pa.Table, schema: pa.Schema = KEPT) -> pa.Table:
    """What is kept of posts (columns of `SOURCES`), as `KEPT`, or some columns of it."""
    if posts.num_rows == 0:
        return schema.empty_table()
    batch = posts.combine_chunks().to_batches()[0]
    offset = batch.column("origin_offset").cast(pa.string())
    author, sound = _author_and_sound(batch)
    columns = {
        "author": author,
        "created_us": batch.column("created_at").cast(pa.int64()),
        "author_created_us": batch.column("author_created_at").cast(pa.int64()),
        "sound": sound,
        "origin": _joined(batch.column("origin"), offset, ":"),
    }
    if "domains" in schema.names:
        columns["domains"] = domains_of(batch.column("urls"))
    if "record" not in batch.schema.names:  # posts of the lake that never came as a stream
        columns["record"] = pa.nulls(batch.num_rows, pa.int64())
    arrays = [columns[name] if name in columns else batch.column(name) for name in schema.names]
    return pa.table([array.cast(kind) for array, kind in zip(arrays, schema.types, strict=True)], schema=schema)


def rank_of(arrivals: Arrivals, rows: Ints) -> npt.NDArray[np.float64]:
    """What posts are kept by, the greatest first: followers of the author, else engagement, else 0."""
    reach, engagement = arrivals.reach[rows], arrivals.engagement[rows]
    return np.where(np.isnan(reach), np.nan_to_num(engagement), reach)


def remember(recent: Recent, arrivals: Arrivals, pairs: Pairs, windows: Ints, keep: int) -> Recent:
    """Keep the posts of `pairs`; `windows` has one a pair. Only posts that may stay are asked of `arrivals`."""
    if len(pairs.row) == 0:
        return recent
    ranks = rank_of(arrivals, pairs.row)
    new = KeptPairs(pairs.slot, windows, pairs.row, ranks, arrivals.identity[pairs.row])
    new = first_pairs(new.take(_may_stay(recent.floors, new)), keep)
    if len(new.row) == 0:
        return recent
    rows, at = np.unique(new.row, return_inverse=True)
    oldest = int(new.window.min())
    new = replace(new, row=at.astype(np.int64) + recent.posts.num_rows)
    posts = kept_columns(arrivals.take(rows, SOURCES))
    joined = replace(
        recent,
        posts=pa.concat_tables([recent.posts, posts]),
        pairs=recent.pairs.and_also(new),
        unseen=recent.unseen + len(new.row),
    )
    if joined.unseen > _LOOK_AT:
        joined = _look_up(joined, oldest, keep)
    too_many = max(_PRUNE_AT, int(_GROWN * joined.settled))
    return prune(joined, keep) if joined.posts.num_rows > too_many else joined


def _may_stay(floors: Mapping[int, Floor], pairs: KeptPairs) -> npt.NDArray[np.bool_]:
    """Which pairs do not come after the last one that is kept of their tracker and window."""
    out = np.ones(len(pairs.slot), dtype=np.bool_)
    if not floors:
        return out
    for window in np.unique(pairs.window).tolist():
        floor = floors.get(window)
        if floor is None:
            continue
        mine = np.flatnonzero((pairs.window == window) & (pairs.slot < len(floor[0])))
        rank, identity = floor[0][pairs.slot[mine]], floor[1][pairs.slot[mine]]
        reach = pairs.reach[mine]
        out[mine] = (reach > rank) | ((reach == rank) & (pairs.identity[mine] < identity))
    return out


def _look_up(recent: Recent, oldest: int, keep: int) -> Recent:
    """Drop what is not among the kept in windows from `oldest` on, and remember what a post there must surpass."""
    open_now = recent.pairs.window >= oldest
    held = first_pairs(recent.pairs.take(open_now), keep)
    pairs = recent.pairs.take(~open_now).and_also(held)
    return replace(recent, pairs=pairs, floors=_floors(held, keep), unseen=0)


def trim(recent: Recent, from_us: int, keep: int) -> Recent:
    """Drop what is not among the kept in windows from `from_us` on; the posts themselves go when it is pruned."""
    return _look_up(recent, from_us, keep)


def _floors(pairs: KeptPairs, keep: int) -> dict[int, Floor]:
    """The last one of each tracker and window that has `keep` pairs, which are in the order of `first_pairs`."""
    ends = np.flatnonzero(np.diff(pairs.slot) | np.diff(pairs.window))
    ends = np.append(ends, len(pairs.slot) - 1) if len(pairs.slot) else ends
    last = ends[np.diff(ends, prepend=-1) == keep]
    floors: dict[int, Floor] = {}
    for window in np.unique(pairs.window[last]).tolist():
        mine = last[pairs.window[last] == window]
        slots = pairs.slot[mine]
        rank, identity = np.full(slots.max() + 1, -1.0), np.zeros(slots.max() + 1, dtype=np.uint64)
        rank[slots], identity[slots] = pairs.reach[mine], pairs.identity[mine]
        floors[window] = rank, identity
    return floors


def first_pairs(pairs: KeptPairs, keep: int) -> KeptPairs:
    """Of each tracker and window the `keep` first ones, in order."""
    pairs = pairs.take(np.lexsort((pairs.identity, -pairs.reach, pairs.window, pairs.slot)))
    if len(pairs.slot) == 0:
        return pairs
    changes = np.flatnonzero(np.diff(pairs.slot) | np.diff(pairs.window)) + 1
    first = np.zeros(len(pairs.slot), dtype=np.int64)
    first[changes] = changes
    return pairs.take(np.arange(len(pairs.slot)) - np.maximum.accumulate(first) < keep)


def prune(recent: Recent, keep: int, wanted: npt.NDArray[np.bool_] | None = None) -> Recent:
    """Drop pairs that are not `wanted`, then of each tracker and window all but the `keep` first ones."""
    pairs = first_pairs(recent.pairs if wanted is None else recent.pairs.take(wanted), keep)
    used, row = np.unique(pairs.row, return_inverse=True)
    posts = recent.posts.take(pa.array(used)).combine_chunks()
    return replace(recent, posts=posts, pairs=replace(pairs, row=row.astype(np.int64)), settled=len(used))
