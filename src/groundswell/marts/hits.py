"""Rows that match a search, as arrays that can be put in order without reading the rows themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from groundswell.marts.places import Part

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Hits:
    """Matching rows, one element each: the value that they are ordered by, time, number, and where they lie."""

    value: npt.NDArray[Any]
    """int64 or float64; the least there is where the value is not known."""

    created: Ints
    number: Ints
    file: Ints
    group: Ints
    row: Ints

    def __len__(self) -> int:
        return len(self.number)

    def best(self, most: int) -> Hits:
        """At most `most` of them, the greatest value first, then the newest, then the last stored."""
        return self.take(np.lexsort((self.number, self.created, self.value))[::-1][:most])

    def take(self, places: npt.NDArray[Any] | slice) -> Hits:
        """Those at `places`."""
        return Hits(*(column[places] for column in self.columns()))

    def above(self, bound: float) -> int:
        """How many have a value above `bound`; they are in order."""
        return int((self.value > bound).sum())

    def before(self, other: Hits) -> int:
        """How many come before the one hit of `other` (all, if it is empty); they are in order."""
        if not len(other):
            return len(self)
        value, created, number = other.value[0], other.created[0], other.number[0]
        newer = (self.created > created) | ((self.created == created) & (self.number > number))
        return int(((self.value > value) | ((self.value == value) & newer)).sum())

    def parts(self) -> dict[Part, Ints]:
        """For each row group, the places of its hits, ascending."""
        found: dict[Part, list[int]] = {}
        for place, (file, group) in enumerate(zip(self.file.tolist(), self.group.tolist(), strict=True)):
            found.setdefault(Part(file, group), []).append(place)
        return {part: np.array(places, np.int64) for part, places in found.items()}

    def columns(self) -> tuple[npt.NDArray[Any], ...]:
        """The arrays, in the order of the constructor."""
        return self.value, self.created, self.number, self.file, self.group, self.row


def joined(parts: list[Hits]) -> Hits:
    """All hits of `parts` (at least one)."""
    return Hits(*(np.concatenate(columns) for columns in zip(*(part.columns() for part in parts), strict=True)))


def none() -> Hits:
    """No hits."""
    empty = np.zeros(0, np.int64)
    return Hits(empty, empty, empty, empty, empty, empty)
