"""What a signal counts in the posts of one window: a bounded set of keys per tracker, and sums per tracker.

Of the keys of a tracker only the least are kept, so that a full set is a fair sample of the distinct keys (a
k-minimum-values sketch) and says how many there are. It does not depend on the order in which posts came or on how
windows were put together; the counts of what is kept are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

#: Bits of a key; the tracker's number stands above them.
KEY_BITS: Final = 40
_SHIFT: Final = np.uint64(64 - KEY_BITS)
_BITS: Final = np.uint64(KEY_BITS)


@dataclass(frozen=True)
class Tally:
    """Keys and sums of some trackers in one window."""

    packed: Hashes
    """Tracker's number above the key, ascending, distinct."""
    counts: Ints
    """Posts with that key."""
    sums: Floats
    """Shape (trackers, 2): how many values, and their sum."""

    #: Names of the arrays.
    ARRAYS: ClassVar[tuple[str, ...]] = ("packed", "counts", "sums")

    @classmethod
    def empty(cls, trackers: int) -> Tally:
        """Nothing counted."""
        return cls(np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64), np.zeros((trackers, 2)))

    @classmethod
    def of_keys(cls, slots: Ints, hashes: Hashes, trackers: int, keep: int) -> Tally:
        """One key a post; `hashes` have all their bits well mixed."""
        packed = (slots.astype(np.uint64) << _BITS) | (hashes >> _SHIFT)
        packed, counts = np.unique(packed, return_counts=True)
        return _least(packed, counts.astype(np.int64), np.zeros((trackers, 2)), keep)

    @classmethod
    def of_numbers(cls, slots: Ints, numbers: Hashes, trackers: int) -> Tally:
        """One small number a post as its key; all are kept."""
        return cls.of_keys(slots, numbers << _SHIFT, trackers, 1 << KEY_BITS)

    @classmethod
    def of_sums(cls, slots: Ints, values: Floats, trackers: int) -> Tally:
        """One value a post (whole numbers, so that their sum does not depend on the order); NaN is none."""
        known = ~np.isnan(values)
        number = np.bincount(slots[known], minlength=trackers)
        total = np.bincount(slots[known], weights=values[known], minlength=trackers)
        none = cls.empty(trackers)
        return cls(none.packed, none.counts, np.stack((number, total), axis=1).astype(np.float64))

    def and_also(self, other: Tally, keep: int) -> Tally:
        """Both together; `keep` keys a tracker."""
        sums = self.sums + other.sums
        if not len(other.packed) or not len(self.packed):
            one = self if len(self.packed) else other
            return Tally(one.packed, one.counts, sums)
        packed = np.concatenate((self.packed, other.packed))
        order = np.argsort(packed, kind="stable")
        packed, counts = packed[order], np.concatenate((self.counts, other.counts))[order]
        first = np.flatnonzero(np.concatenate(([True], packed[1:] != packed[:-1])))
        return _least(packed[first], np.add.reduceat(counts, first), sums, keep)

    def split(self, trackers: int) -> list[Tally]:
        """The tally of several windows, whose trackers are numbered one window after the other, as one a window."""
        windows = len(self.sums) // max(trackers, 1)
        first = np.arange(windows + 1, dtype=np.uint64) * np.uint64(trackers) << _BITS
        at = np.searchsorted(self.packed, first)
        sums = self.sums.reshape(windows, trackers, 2)
        return [
            Tally(self.packed[at[n] : at[n + 1]] - first[n], self.counts[at[n] : at[n + 1]], sums[n])
            for n in range(windows)
        ]

    @property
    def keys(self) -> Ints:
        """The key of each, as a number."""
        return (self.packed & np.uint64((1 << KEY_BITS) - 1)).astype(np.int64)

    @property
    def slots(self) -> Ints:
        """The tracker's number of each key."""
        return (self.packed >> _BITS).astype(np.int64)

    def distinct(self, keep: int) -> Floats:
        """How many distinct keys each tracker had, in whole numbers: exact up to `keep` - 1, else within a few %."""
        trackers = len(self.sums)
        slots = self.slots
        held = np.bincount(slots, minlength=trackers).astype(np.float64)
        last = np.cumsum(held).astype(np.int64) - 1
        full = held >= keep
        if full.any():
            greatest = (self.packed[last[full]] & np.uint64((1 << KEY_BITS) - 1)).astype(np.float64)
            held[full] = np.round((keep - 1) * 2.0**KEY_BITS / (greatest + 1.0))
        return held

    def greatest(self) -> Floats:
        """Posts of each tracker's most frequent key; 0 where there is none."""
        out = np.zeros(len(self.sums))
        np.maximum.at(out, self.slots, self.counts.astype(np.float64))
        return out

    def rows(self, source: Ints) -> Tally:
        """The tally of other trackers: number n was `source[n]` before; -1 had nothing."""
        kept = source >= 0
        sums = np.zeros((len(source), 2))
        sums[kept] = self.sums[source[kept]]
        target = np.full(len(self.sums), -1, dtype=np.int64)
        target[source[kept]] = np.flatnonzero(kept)
        slots = target[self.slots]
        mine = slots >= 0
        key = self.packed & np.uint64((1 << KEY_BITS) - 1)
        packed = (slots[mine].astype(np.uint64) << _BITS) | key[mine]
        order = np.argsort(packed)
        return Tally(packed[order], self.counts[mine][order], sums)


def _least(packed: Hashes, counts: Ints, sums: Floats, keep: int) -> Tally:
    """Of each tracker the `keep` least keys."""
    slots = (packed >> _BITS).astype(np.int64)
    held = np.bincount(slots, minlength=len(sums))
    if held.max(initial=0) <= keep:
        return Tally(packed, counts, sums)
    begin = np.cumsum(held) - held
    kept = np.arange(len(packed)) - begin[slots] < keep
    return Tally(packed[kept], counts[kept], sums)
