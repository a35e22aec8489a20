"""Every hashtag and word that is followed: one row each in plain arrays, in bounded memory.

When there is no room, the terms with the fewest posts go; a term that comes later may be one of those, so it starts
with as many posts as the last that went had (SpaceSaving, Metwally, Agrawal & El Abbadi 2005), two at most. While room
is short, a term of a single author is let in when it comes a second time within a quarter of an hour.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from groundswell.kernels import loaded
from groundswell.watch.emerging.window import HIGH, LOW, WindowTerms, distinct

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

#: Closed blocks that a term remembers one by one: an hour of five minutes each.
BLOCKS: Final = 12
#: When there is no room, this fraction of the terms goes at once; only half of it is for terms of a single author.
_GO: Final = 1 / 4
#: Places of the table of terms that were turned away, and for how many blocks they are known there.
_DOOR: Final = 1 << 23
_DOOR_BLOCKS: Final = 3
_GENERATIONS: Final = 250
#: Posts that a term may have had before it was forgotten, at most: with more it would not be new.
_MOST_FLOOR: Final = 2.0
#: Weights beyond are all kept alike.
_HEAVY: Final = 1_023
_FIRST_ROOM: Final = 1024
#: A term's authors in one window, at most.
MOST: Final = 65_535


def _room(*shape: int, kind: Any = np.float64) -> Any:
    return np.zeros(shape, kind)


@dataclass
class Candidates:
    """Rows of terms, in the order in which they came; the first `used` of each array count (its last axis)."""

    windows: int
    """Windows in a block."""
    used: int = 0
    floor: float = 0.0
    """A term that is not here may have been, with so many posts."""
    turned_away: int = 0
    """Terms of windows for which there was no room."""
    key: Hashes = field(default_factory=lambda: _room(_FIRST_ROOM, kind=np.uint64))
    muted: npt.NDArray[np.uint8] = field(default_factory=lambda: _room(_FIRST_ROOM, kind=np.uint8))
    """1: known to say nothing of a topic (function words, parts of links)."""
    posts: Floats = field(default_factory=lambda: _room(_FIRST_ROOM))
    """What the level is made of: posts (authors per window) that are older than an hour, discounted …"""
    exposure: Floats = field(default_factory=lambda: _room(_FIRST_ROOM))
    """… and the stream's posts in the same time, discounted alike."""
    spread_sum: Floats = field(default_factory=lambda: _room(_FIRST_ROOM))
    spread_weight: Floats = field(default_factory=lambda: _room(_FIRST_ROOM))
    now: npt.NDArray[np.uint32] = field(default_factory=lambda: _room(_FIRST_ROOM, kind=np.uint32))
    """Authors in the window that closes, …"""
    counts: npt.NDArray[np.uint32] = field(default_factory=lambda: _room(_FIRST_ROOM, kind=np.uint32))
    """… and posts."""
    block: npt.NDArray[np.uint32] = field(default_factory=lambda: _room(_FIRST_ROOM, kind=np.uint32))
    """Authors in the last windows that make a block, summed."""
    hour: npt.NDArray[np.uint32] = field(default_factory=lambda: _room(_FIRST_ROOM, kind=np.uint32))
    """Authors in the last `BLOCKS` closed blocks, summed."""
    ring: npt.NDArray[np.uint16] = field(default_factory=lambda: _room(0, _FIRST_ROOM, kind=np.uint16))
    """Authors by window of a block, shape (windows, room)."""
    past: npt.NDArray[np.uint16] = field(default_factory=lambda: _room(BLOCKS, _FIRST_ROOM, kind=np.uint16))
    """Authors by closed block, shape (BLOCKS, room)."""
    bits: Hashes = field(default_factory=lambda: _room(2, 2, _FIRST_ROOM, kind=np.uint64))
    """Authors as bitmaps: of this and of the last hour, two halves each, shape (2, 2, room)."""
    peak: Floats = field(default_factory=lambda: _room(_FIRST_ROOM))
    """Greatest score in this hour …"""
    peak_class: npt.NDArray[np.uint8] = field(default_factory=lambda: _room(_FIRST_ROOM, kind=np.uint8))
    """… and its class."""
    door: npt.NDArray[np.uint8] = field(default_factory=lambda: _room(0, kind=np.uint8))
    """In which block (modulo) a term of this place was last turned away; empty until one is."""
    index: npt.NDArray[np.int32] | None = None
    """Places of keys, for the compiled kernel only."""

    def __post_init__(self) -> None:
        """Make room for as many windows as a block has."""
        if len(self.ring) != self.windows:
            self.ring = _room(self.windows, self.room, kind=np.uint16)

    @property
    def room(self) -> int:
        """Rows that the arrays have."""
        return len(self.key)

    @property
    def nbytes(self) -> int:
        """Memory of the arrays, bytes."""
        large = sum(int(array.nbytes) for _, array in self.arrays()) + self.door.nbytes
        return large + (0 if self.index is None else self.index.nbytes)

    def arrays(self) -> list[tuple[str, Any]]:
        """All arrays with one column a term, by name."""
        return [(name, getattr(self, name)) for name in ARRAYS]

    def find(self, keys: Hashes, seed: int) -> Ints:
        """Row of each key; -1 where there is none."""
        kernel = loaded()
        out = np.empty(len(keys), np.int64)
        if kernel is not None:
            if self.index is None:
                self.index = np.zeros(max(1024, 2 * self.room), np.int32)
                kernel.place_keys(self.key, 0, self.used, self.index, np.uint64(seed))
            kernel.find_keys(np.ascontiguousarray(keys), self.key, self.index, np.uint64(seed), out)
            return out
        self.index = None
        order = np.argsort(self.key[: self.used], kind="stable")
        held = self.key[order]
        at = np.minimum(np.searchsorted(held, keys), max(self.used - 1, 0))
        return np.where(held[at] == keys, order[at], -1) if self.used else np.full(len(keys), -1)

    def take_window(self, window: WindowTerms, most: int, exposure: float, block: int, seed: int) -> None:
        """Note the authors of the window's terms in `now`, with new terms at the end.

        `exposure` is what the stream has posted until an hour ago, discounted: so long a new term was not there.
        `block` is the number of the block that the window is in.
        """
        self.now[: self.used] = 0
        self.counts[: self.used] = 0
        authors = window.authors
        rows = self._admit(window, authors, self.find(window.keys, seed), most, exposure, block, seed)
        held = np.flatnonzero(rows >= 0)
        at = rows[held]
        self.now[at] = np.minimum(authors[held], MOST)
        self.counts[at] = window.counts[held]
        self.bits[0, 0, at] |= window.rows[held, LOW]
        self.bits[0, 1, at] |= window.rows[held, HIGH]

    def _admit(
        self, window: WindowTerms, authors: Ints, rows: Ints, most: int, exposure: float, block: int, seed: int
    ) -> Ints:
        """Give rows to terms that have none; where room is short, to those that come with several authors or again."""
        fresh = np.flatnonzero(rows < 0)
        if self.used + len(fresh) > most:
            keys = window.keys[fresh]
            again = (authors[fresh] > 1) | self._seen_at_door(keys, block)
            if self.used + int(again.sum()) > most:
                rows = _moved(rows, self._let_go(min(self.used, int(most * _GO))))
            single = np.flatnonzero(~again)[: max(0, int(most * (1 - _GO / 2)) - self.used - int(again.sum()))]
            let_in = again.copy()
            let_in[single] = True
            let_in[np.flatnonzero(let_in)[most - self.used :]] = False
            self._turn_away(keys[~let_in], block)
            fresh = fresh[let_in]
        first, last = self.used, self.used + len(fresh)
        while last > self.room:
            self._widen()
        rows[fresh] = np.arange(first, last)
        self.key[first:last] = window.keys[fresh]
        self.posts[first:last] = min(self.floor, _MOST_FLOOR)
        self.exposure[first:last] = exposure
        self.used = last
        kernel = loaded()
        if kernel is not None and self.index is not None:
            kernel.place_keys(self.key, first, last, self.index, np.uint64(seed))
        return rows

    def _seen_at_door(self, keys: Hashes, block: int) -> npt.NDArray[np.bool_]:
        if not len(self.door):
            return np.zeros(len(keys), np.bool_)
        last = self.door[_at_door(keys)].astype(np.int64)
        return (last > 0) & ((block - (last - 1)) % _GENERATIONS < _DOOR_BLOCKS)

    def _turn_away(self, keys: Hashes, block: int) -> None:
        if not len(self.door):
            self.door = np.zeros(_DOOR, np.uint8)
        self.door[_at_door(keys)] = block % _GENERATIONS + 1
        self.turned_away += len(keys)

    def _let_go(self, count: int) -> Ints:
        """Drop the `count` terms with the fewest posts; where each row is now, -1 for those that went."""
        n = self.used
        if not n:
            return np.zeros(0, np.int64)
        weight = np.minimum(self.posts[:n] + self.hour[:n] + self.block[:n], _HEAVY).astype(np.int64)
        sizes = np.cumsum(np.bincount(weight, minlength=_HEAVY + 1))
        least = int(np.searchsorted(sizes, count))
        gone = weight < least
        gone[np.flatnonzero(weight == least)[: count - int(gone.sum())]] = True
        self.floor = float(least)
        return self._drop(gone)

    def _drop(self, gone: npt.NDArray[np.bool_]) -> Ints:
        """Drop rows and move the last ones to their places."""
        kept = self.used - int(gone.sum())
        holes = np.flatnonzero(gone[:kept])
        movers = kept + np.flatnonzero(~gone[kept:])
        for _, array in self.arrays():
            array[..., holes] = array[..., movers]
            array[..., kept : self.used] = 0
        place = np.arange(self.used)
        place[gone] = -1
        place[movers] = holes
        self.used, self.index = kept, None
        return place

    def _widen(self) -> None:
        for name, array in self.arrays():
            wider = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
            wider[..., : self.used] = array[..., : self.used]
            setattr(self, name, wider)
        self.index = None

    def authors(self, rows: Ints) -> Ints:
        """Distinct authors of each term in this hour and the one before; where they are very many, a great number."""
        low = self.bits[0, 0, rows] | self.bits[1, 0, rows]
        return distinct(low, self.bits[0, 1, rows] | self.bits[1, 1, rows])

    def turn_hour(self) -> None:
        """Begin the bitmaps of the next hour."""
        self.bits[1] = self.bits[0]
        self.bits[0] = 0


def _moved(rows: Ints, places: Ints) -> Ints:
    found = rows >= 0
    moved = rows.copy()
    moved[found] = places[rows[found]]
    return moved


def _at_door(keys: Hashes) -> Hashes:
    # Hashes are mixed well; who chooses words that meet here only makes them known a little too early.
    return keys >> np.uint64(64 - (_DOOR - 1).bit_length())


#: Names of the arrays.
ARRAYS: Final = (
    *("key", "muted", "posts", "exposure", "spread_sum", "spread_weight", "now", "counts", "block"),
    *("hour", "ring", "past", "bits", "peak", "peak_class"),
)
