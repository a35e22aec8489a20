"""Every hashtag and word that is followed: one row each in plain arrays, in bounded memory.

When there is no room, the terms with the fewest posts go; a term that comes later may be one of those, so it starts
with as many posts as the last that went had (SpaceSaving, Metwally, Agrawal & El Abbadi 2005).
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
#: When there is no room, this fraction of the terms goes at once.
_GO: Final = 1 / 8
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
        return sum(int(array.nbytes) for _, array in self.arrays()) + (0 if self.index is None else self.index.nbytes)

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

    def take_window(self, window: WindowTerms, most: int, exposure: float, seed: int) -> None:
        """Note the authors of the window's terms in `now`, with new terms at the end.

        `exposure` is what the stream has posted until an hour ago, discounted: so long a new term was not there.
        """
        self.now[: self.used] = 0
        self.counts[: self.used] = 0
        rows = self.find(window.keys, seed)
        self._admit(window, rows, most, exposure, seed)
        held = np.flatnonzero(rows >= 0)
        at = rows[held]
        self.now[at] = np.minimum(window.authors[held], MOST)
        self.counts[at] = window.counts[held]
        self.bits[0, 0, at] |= window.rows[held, LOW]
        self.bits[0, 1, at] |= window.rows[held, HIGH]

    def _admit(self, window: WindowTerms, rows: Ints, most: int, exposure: float, seed: int) -> None:
        """Give rows to terms that have none: those with several authors first, then as they came."""
        fresh = np.flatnonzero(rows < 0)
        if not len(fresh):
            return
        if self.used + len(fresh) > most:
            several = window.authors[fresh] > 1
            fresh = np.concatenate((fresh[several], fresh[~several]))
            if self.used > most - int(most * _GO):
                self._let_go(int(most * _GO))
                held = np.flatnonzero(rows >= 0)
                rows[held] = self.find(window.keys[held], seed)
            self.turned_away += max(0, self.used + len(fresh) - most)
            fresh = np.sort(fresh[: most - self.used])
        first, last = self.used, self.used + len(fresh)
        while last > self.room:
            self._widen()
        rows[fresh] = np.arange(first, last)
        self.key[first:last] = window.keys[fresh]
        self.posts[first:last] = self.floor
        self.exposure[first:last] = exposure
        self.used = last
        kernel = loaded()
        if kernel is not None and self.index is not None:
            kernel.place_keys(self.key, first, last, self.index, np.uint64(seed))

    def _let_go(self, count: int) -> None:
        """Drop the `count` terms with the fewest posts."""
        n = self.used
        weight = self.posts[:n] + self.hour[:n] + self.block[:n]
        order = np.argpartition(weight, count)
        least = float(weight[order[count]])
        below = weight < least
        ties = np.flatnonzero(weight == least)[: count - int(below.sum())]
        gone = below
        gone[ties] = True
        self.floor = max(self.floor, float(weight[gone].max(initial=0.0)))
        self.keep(np.flatnonzero(~gone))

    def keep(self, rows: Ints) -> None:
        """Keep only `rows` (ascending)."""
        for name, array in self.arrays():
            kept = array[..., rows]
            array[..., : len(rows)] = kept
            array[..., len(rows) : self.used] = 0
            setattr(self, name, array)
        self.used = len(rows)
        self.index = None

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


#: Names of the arrays.
ARRAYS: Final = (
    *("key", "muted", "posts", "exposure", "spread_sum", "spread_weight", "now", "counts", "block"),
    *("hour", "ring", "past", "bits", "peak", "peak_class"),
)
