"""What a signal is: a number of each window of a tracker that is scored by how rare it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.watch.contract import Arrivals, Ints, Pairs
from groundswell.watch.signals.tally import Tally

Floats = npt.NDArray[np.float64]

Kind = Literal["count", "positive", "share"]
"""How it is scored: as a count of posts or people, as a positive quantity, or as a fraction of 1."""


@dataclass(frozen=True)
class Matched:
    """The posts of a batch that count in one window: parallel arrays, `slot[n]`'s tracker matches post `row[n]`."""

    arrivals: Arrivals
    slot: Ints
    row: Ints
    trackers: int

    @cached_property
    def posts(self) -> pa.Table:
        """Columns of `schema.POSTS` of each pair. It costs far more than the arrays of `arrivals`."""
        rows, at = np.unique(self.row, return_inverse=True)
        return self.arrivals.take(rows).take(pa.array(at))

    def part(self, of: npt.NDArray[np.bool_]) -> Matched:
        """Some of the pairs."""
        return Matched(self.arrivals, self.slot[of], self.row[of], self.trackers)

    @classmethod
    def of(cls, arrivals: Arrivals, pairs: Pairs, trackers: int) -> Matched:
        """All pairs."""
        return cls(arrivals, pairs.slot, pairs.row, trackers)


class Signal(Protocol):
    """One signal. To add one, write a file like its neighbours and name it in `signals.SIGNALS`."""

    @property
    def name(self) -> str:
        """As alerts name it."""

    @property
    def label(self) -> str:
        """What it says of a window, as people read it: "distinct authors"."""

    @property
    def kind(self) -> Kind:
        """How it is scored."""

    @property
    def weight(self) -> float:
        """Its part of a tracker's promise; the parts of all signals are 1 together."""

    @property
    def drops(self) -> bool:
        """Whether a low value is worth an alert too."""

    @property
    def least(self) -> float:
        """A share below this is not worth an alert; a positive quantity less than so many times what is expected."""

    @property
    def keep(self) -> int:
        """Keys that its tally keeps of a tracker and window."""

    def tally(self, matched: Matched) -> Tally:
        """What it counts in the posts of a batch."""

    def values(self, tally: Tally, posts: Floats) -> Floats:
        """Its value of each tracker in a window with so many `posts`; NaN: the window has too little to say."""
