"""Posts of a batch as the watch takes them, from an Arrow table that an engine made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell import schema
from groundswell.kernels.once import once
from groundswell.query import Matcher
from groundswell.watch.contract import Hashes, Ints, Pairs, Terms
from groundswell.watch.seen import hash_bytes, identities

Floats = npt.NDArray[np.float64]

#: What `TableArrivals` takes: posts with the number of their record and the time at which it was received.
BATCH: Final = pa.schema([*schema.POSTS, pa.field("record", pa.int64()), pa.field("received_us", pa.int64())])
#: A file may hold anything as its platform; from this number on all are one.
MOST_PLATFORMS: Final = 255
_COUNTED: Final = ("likes", "comments", "shares", "saves")


class TableArrivals:
    """One batch of posts with the columns of `BATCH`, `record` ascending; see `contract.Arrivals`."""

    def __init__(self, posts: pa.Table) -> None:
        self._posts = posts
        self._matched: tuple[Matcher, Pairs] | None = None

    @classmethod
    def empty(cls) -> TableArrivals:
        """No posts."""
        return cls(BATCH.empty_table())

    def __len__(self) -> int:
        return int(self._posts.num_rows)

    def begin(self, matcher: Matcher, *, terms: bool = True) -> TableArrivals:
        """Work out what every step asks for, and what `matcher` finds."""
        _ = self.record, self.received_us, self.event_us, self.identity, self.author, self._platforms
        if terms:
            _ = self._terms
        self._matched = matcher, matcher.pairs(self._posts)
        return self

    @once
    def record(self) -> Ints:
        """Global record number, ascending."""
        return _numbers(self._posts.column("record"))

    @once
    def received_us(self) -> Ints:
        """When it was received."""
        return _numbers(self._posts.column("received_us"))

    @once
    def event_us(self) -> Ints:
        """When it happened: `created_at`, else `observed_at`, else when it was received."""
        created = self._posts.column("created_at").cast(pa.int64())
        return np.asarray(pc.fill_null(created, 0).to_numpy() + np.where(_valid(created), 0, self.observed_us))

    @once
    def observed_us(self) -> Ints:
        """`observed_at`, else when it was received."""
        return _numbers(pc.coalesce(self._posts.column("observed_at").cast(pa.int64()), self._column("received_us")))

    @once
    def identity(self) -> Hashes:
        """The same for a post that comes again."""
        return identities(self._posts)

    @once
    def author(self) -> Hashes:
        """Hash of the author's id, else of the name; 0 where both are missing."""
        who = pc.coalesce(self._posts.column("author_id"), self._posts.column("author_name"))
        return np.where(_valid(who), hash_bytes(who), np.uint64(0))

    @once
    def reach(self) -> Floats:
        """Followers of the author; NaN: not known."""
        return _reals(self._posts.column("followers"))

    @once
    def engagement(self) -> Floats:
        """Likes, comments, shares and saves together; NaN: none of them is known."""
        columns = [_reals(self._posts.column(name)) for name in _COUNTED]
        known = np.any([~np.isnan(column) for column in columns], axis=0)
        total = np.sum([np.nan_to_num(column) for column in columns], axis=0)
        return np.where(known, total, np.nan)

    @once
    def _platforms(self) -> Any:
        return pc.fill_null(self._column("platform"), "unknown").dictionary_encode()

    @property
    def platform(self) -> npt.NDArray[np.uint8]:
        """Platform as a number into `platforms`."""
        codes = np.asarray(self._platforms.indices.to_numpy(zero_copy_only=False))
        return np.asarray(np.minimum(codes, MOST_PLATFORMS), dtype=np.uint8)

    @property
    def platforms(self) -> tuple[str, ...]:
        """Names of the platforms of this batch."""
        names: list[str] = self._platforms.dictionary.to_pylist()
        return tuple(names if len(names) <= MOST_PLATFORMS else [*names[:MOST_PLATFORMS], "unknown"])

    def pairs(self, matcher: Matcher) -> Pairs:
        """Which tracker matches which post."""
        if self._matched is not None and self._matched[0] is matcher:
            return self._matched[1]
        return matcher.pairs(self._posts)

    @once
    def _words(self) -> _Words:
        return _Words(pc.split_pattern(self._column("tokens"), " "))

    @once
    def _tags(self) -> _Words:
        return _Words(self._column("hashtags"), "#")

    def terms(self) -> Terms:
        """The distinct words and hashtags of each post, sorted by row, words first, each where it first stands."""
        return self._terms

    @once
    def _terms(self) -> Terms:
        parts = (self._words, self._tags)
        row = np.concatenate([part.row for part in parts])
        kind = np.repeat(np.array([0, 1], dtype=np.uint8), [len(part.row) for part in parts])
        order = np.argsort(row, kind="stable")
        return Terms(row[order], np.concatenate([part.hash for part in parts])[order], kind[order])

    def texts(self, hashes: Hashes, rows: Ints | None = None) -> list[str | None]:
        """The words and hashtags (with `#`) of those hashes; null for what this batch does not have."""
        words, tags = self._words.text, self._tags.text
        return [words.get(value) or tags.get(value) for value in hashes.tolist()]

    def take(self, rows: Ints, columns: Sequence[str] | None = None) -> pa.Table:
        """Some of the posts, in the order of `rows`."""
        return named(self._posts, columns).take(pa.array(rows))

    def _column(self, name: str) -> Any:
        values = self._posts.column(name)
        return values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()


def named(posts: pa.Table, columns: Sequence[str] | None) -> pa.Table:
    """Some of the columns (null: all), of those that are there."""
    if columns is None:
        return posts
    there = set(posts.column_names)
    return posts.select([name for name in columns if name in there])


class _Words:
    """The distinct values of a list column, row by row, each where it first stands: `row` ascending."""

    def __init__(self, lists: Any, sign: str = "") -> None:
        encoded = pc.dictionary_encode(pc.list_flatten(lists))
        values = encoded.dictionary
        signed = pc.binary_join_element_wise(sign, values, "") if sign and len(values) else values
        hashes = hash_bytes(signed)
        code = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
        row = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False).astype(np.int64)
        filled = code >= 0
        filled[filled] = pc.not_equal(values, "").to_numpy(zero_copy_only=False)[code[filled]]
        row, hashed = row[filled], hashes[code[filled]]
        order = np.lexsort((hashed, row))  # stable, so that of equal ones the first comes first
        first = np.ones(len(row), dtype=np.bool_)
        first[1:] = (np.diff(row[order]) != 0) | (hashed[order][1:] != hashed[order][:-1])
        at = np.sort(order[first])
        self.row, self.hash = row[at], hashed[at]
        self.text: dict[int, str | None] = dict(zip(hashes.tolist(), signed.to_pylist(), strict=True))


def _valid(values: Any) -> npt.NDArray[np.bool_]:
    valid: npt.NDArray[np.bool_] = pc.is_valid(values).to_numpy(zero_copy_only=False)
    return valid


def _numbers(values: Any) -> Ints:
    flat = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return np.asarray(flat.to_numpy(zero_copy_only=False), dtype=np.int64)


def _reals(values: Any) -> Floats:
    real = pc.fill_null(values.cast(pa.float64(), safe=False), float("nan"))
    return np.asarray(_flat_numpy(real), dtype=np.float64)


def _flat_numpy(values: Any) -> Any:
    flat = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return flat.to_numpy(zero_copy_only=False)
