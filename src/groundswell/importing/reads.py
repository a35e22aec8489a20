"""What becomes of records while they are read: usable rows, records that are ignored, and those set aside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from groundswell.errors import GroundswellError
from groundswell.importing.refusals import Rejection

if TYPE_CHECKING:
    import pyarrow as pa

    from groundswell.platforms.layout import Layout
    from groundswell.sources.lines import Numbers


class LineCountError(GroundswellError):
    """The engine did not give one row for each line; the lines are validated one by one instead."""


@dataclass(frozen=True, slots=True)
class Posts:
    """Usable rows of one layout (`DERIVED_OF` its table), with the line number of each."""

    layout: Layout
    rows: pa.Table
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class Ignored:
    """Records of one kind that are no posts, with the line number of each; `layout` null: an empty answer."""

    layout: Layout | None
    reason: str
    numbers: list[int]

    @property
    def count(self) -> int:
        """How many."""
        return len(self.numbers)


@dataclass(frozen=True, slots=True)
class Reached:
    """Everything before this place has been given: `offset` and `line` (or row, from 1) of the next record.

    An import may commit here, and a later one go on from here. `size`: bytes of content since the place before.
    """

    offset: int
    line: int
    size: int


Read = Posts | Ignored | Reached | list[Rejection]


@dataclass(frozen=True, slots=True)
class Flagged:
    """Lines to look at again: place in the piece, place in the origin, number, and the layout's objection."""

    local: Numbers
    offsets: Numbers
    numbers: Numbers
    rejects: list[str | None]

    def part(self, begin: int, end: int) -> Flagged:
        """Those from `begin` up to `end`."""
        some = slice(begin, end)
        return Flagged(self.local[some], self.offsets[some], self.numbers[some], self.rejects[some])
