"""The terms of one open window: how many posts hold each, and who wrote them, in bounded memory.

One row a term, in the order in which the terms came. Authors are a bitmap of 128 bits: distinct ones are estimated by
linear counting (Whang, Vander-Zanden & Taylor 1990), within about 8 % up to some hundreds. When a window holds too many
terms, those met least often go (lossy counting, Manku & Motwani 2002): what comes back after that has been counted
short by no more than what went. What a window holds depends on its own posts in their order only, not on batches,
unless all that are open together hold too much (`flow.make_room`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from groundswell.kernels import loaded

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

#: Columns of a row: key; count and number of the last post (32 bits each); two halves of the bitmap.
KEY, PACKED, LOW, HIGH = range(4)
WIDTH: Final = 4
COUNT_MASK: Final = (1 << 32) - 1
#: A post with more terms than this is read from its end, where the hashtags are.
MOST_TERMS: Final = 256
#: A batch of a replay opens thousands of windows, most of them small.
_FIRST_ROOM: Final = 64
#: Bits of an author's bitmap from which on it says only "many".
FULL: Final = 120
_BITS: Final = 128


def among(keys: Hashes, wanted: Hashes, seed: int) -> npt.NDArray[np.bool_]:
    """Which of `keys` are `wanted`."""
    kernel = loaded()
    if kernel is None or not len(wanted):
        return np.isin(keys, wanted)
    index = np.zeros(1 << (4 * len(wanted)).bit_length(), np.int32)
    out = np.zeros(len(keys), np.bool_)
    kernel.place_keys(wanted, 0, len(wanted), index, np.uint64(seed))
    kernel.mark_known(keys, wanted, index, np.uint64(seed), out)
    return out


def _estimates() -> Ints:
    bits = np.arange(_BITS + 1)
    with np.errstate(divide="ignore"):
        distinct = _BITS * np.log(_BITS / (_BITS - bits))
    return np.where(bits >= FULL, COUNT_MASK, np.rint(distinct)).astype(np.int64)


#: Distinct authors by the number of bits set; from `FULL` on more than any count.
AUTHORS: Final = _estimates()


def distinct(low: Hashes, high: Hashes) -> Ints:
    """Distinct authors of each bitmap; a bitmap that is full gives more than any count.

    >>> distinct(np.array([0b1011], np.uint64), np.array([1], np.uint64)).tolist()
    [4]
    """
    found: Ints = AUTHORS[np.bitwise_count(low).astype(np.int64) + np.bitwise_count(high)]
    return found


@dataclass
class WindowTerms:
    """The terms of one open window. `rows` has shape (room, 4), of which the first `used` count."""

    rows: Hashes = field(default_factory=lambda: np.zeros((_FIRST_ROOM, WIDTH), np.uint64))
    used: int = 0
    posts: int = 0
    dropped: int = 0
    """A term may have been counted short by so many."""
    index: npt.NDArray[np.int32] | None = None
    """Places of keys in `rows`, for the compiled kernel only."""

    @property
    def keys(self) -> Hashes:
        """Key of each term."""
        return self.rows[: self.used, KEY]

    @property
    def counts(self) -> Ints:
        """Posts that hold each term."""
        return (self.rows[: self.used, PACKED] & np.uint64(COUNT_MASK)).astype(np.int64)

    @property
    def authors(self) -> Ints:
        """Distinct authors of each term, never more than its posts."""
        return np.minimum(distinct(self.rows[: self.used, LOW], self.rows[: self.used, HIGH]), self.counts)

    def add(self, posts: PostTerms, rows: Ints, most: int, seed: int) -> None:
        """Count the terms of the posts `rows`, each once a post; `most` terms are held at a time."""
        done = 0
        while done < len(rows):
            before = done
            done = self._add(posts, rows, done, seed)
            if done < len(rows):
                self._make_room(most, force=done == before)
        self.posts += len(rows)

    def _add(self, posts: PostTerms, rows: Ints, first: int, seed: int) -> int:
        kernel = loaded()
        if kernel is None:
            self.index = None
            done, self.used = count_plain(posts, rows, first, self.rows, self.used)
            return done
        if self.index is None:
            self.index = np.zeros(2 * len(self.rows), np.int32)
            kernel.place_terms(self.rows, self.used, self.index, np.uint64(seed))
        done, self.used = kernel.count_terms(
            posts.bounds, posts.keys, posts.authors, posts.marks, rows, first,
            self.rows, self.used, self.index, np.uint64(seed),
        )  # fmt: skip
        return int(done)

    def _make_room(self, most: int, *, force: bool) -> None:
        if len(self.rows) < most:
            wider = np.zeros((2 * len(self.rows), WIDTH), np.uint64)
            wider[: self.used] = self.rows[: self.used]
            self.rows = wider
        elif self.used:
            self.drop_rare()
        elif force:
            what = f"a window cannot hold {most} terms"
            raise ValueError(what)
        self.index = None

    def drop_rare(self) -> None:
        """Drop the terms met least often, at least half of all."""
        counts = self.counts
        least = int(np.partition(counts, self.used // 2)[self.used // 2])
        kept = np.flatnonzero(counts > least)
        self.dropped += least
        self.rows[: len(kept)] = self.rows[kept]
        self.rows[len(kept) : self.used] = 0
        self.used = len(kept)
        self.index = None


@dataclass(frozen=True)
class PostTerms:
    """The terms of a batch: those of post n stand from `bounds[n]` to `bounds[n + 1]`."""

    bounds: Ints
    keys: Hashes
    authors: Hashes
    """Hash of each post's author; a post without one has an author of its own."""
    marks: npt.NDArray[np.uint32]
    """Number of each post, never 0; a term counts once under the same number."""


def count_plain(posts: PostTerms, rows: Ints, first: int, table: Hashes, used: int) -> tuple[int, int]:
    """Count the terms of `rows[first:]` in `table`; posts done and terms held, fewer where there is no room.

    This defines what the compiled `count_terms` does.
    """
    places = {key: place for place, key in enumerate(table[:used, KEY].tolist())}
    for number in range(first, len(rows)):
        row = int(rows[number])
        end = int(posts.bounds[row + 1])
        start = max(int(posts.bounds[row]), end - MOST_TERMS)
        if used + end - start > len(table):
            return number, used
        author, mark = int(posts.authors[row]), int(posts.marks[row]) << 32
        bit, half = np.uint64(1 << (author & 63)), LOW if author & 64 == 0 else HIGH
        for key in posts.keys[start:end].tolist():
            place = places.get(key)
            if place is None:
                place = places[key] = used
                table[place] = (key, 0, 0, 0)
                used += 1
            packed = int(table[place, PACKED])
            if packed >> 32 << 32 == mark:
                continue
            count = min((packed & COUNT_MASK) + 1, COUNT_MASK)
            table[place, PACKED] = mark | count
            table[place, half] |= bit
    return len(rows), used
