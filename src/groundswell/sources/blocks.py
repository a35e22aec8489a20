"""Where the rows of a block of a table begin and end, found by NumPy, and which of them need a closer look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from groundswell.sources.dialect import Dialect

Places = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

_CR: Final = 13
_LF: Final = 10


@dataclass(frozen=True, slots=True)
class Found:
    """Rows in order, without blank lines: where each begins and ends (without its line end), and if it is doubtful.

    `stop` is where the next row begins. `stuck`: its quotes do not say where it ends.
    """

    starts: Places
    ends: Places
    doubtful: Flags
    stop: int
    stuck: bool


class Block:
    """A part of a table, from the start of a row on. `final`: nothing follows.

    `swallows` says of a row with line ends in quotes whether the lines are rows themselves.
    """

    def __init__(
        self, data: bytes, dialect: Dialect, width: int, swallows: Callable[[bytes], bool], *, final: bool
    ) -> None:
        self.data = data
        self.final = final
        self._swallows = swallows
        self._codes = np.frombuffer(data, np.uint8)
        self._width = width
        self._newline = ord(dialect.newline)
        self._delimiter = ord(dialect.delimiter[0])
        self._quote = -1 if dialect.quote is None else ord(dialect.quote)
        self._lines = np.flatnonzero(self._codes == self._newline)
        self._cuts = np.flatnonzero(self._codes == self._delimiter)
        self._quotes = np.flatnonzero(self._codes == self._quote) if dialect.quote else np.empty(0, np.int64)
        self._odd = self._odd_bytes()
        self._is_ascii = data.isascii()

    def rows(self, start: int, window: int) -> Found:
        """The rows from `start` on, within about `window` bytes, up to the first whose quotes are out of place."""
        limit = min(start + window, len(self.data))
        quotes = _between(self._quotes, start, limit)
        lines = _between(self._lines, start, limit)
        within = np.searchsorted(quotes, lines) % 2 == 1
        ends, inner = lines[~within], lines[within]
        whole = limit == len(self.data)
        stop = int(ends[-1]) + 1 if len(ends) else start
        stuck = False
        if whole and self.final and stop < limit:
            if len(quotes) % 2:
                stuck = True
            else:
                ends, stop = np.append(ends, limit), limit
        wrong = self._first_wrong(start, ends, inner, quotes)
        if wrong is not None:
            ends, stuck = ends[:wrong], True
            stop = int(ends[-1]) + 1 if len(ends) else start
        return self._found(start, ends, quotes, stop, stuck)

    def _found(self, start: int, ends: Places, quotes: Places, stop: int, stuck: bool) -> Found:
        starts = _starts(start, ends)
        cuts = _between(self._cuts, start, stop)
        if len(quotes):
            cuts = cuts[np.searchsorted(quotes, cuts) % 2 == 0]
        doubtful = np.searchsorted(cuts, ends) - np.searchsorted(cuts, starts) + 1 != self._width
        odd = _between(self._odd, start, stop)
        if len(odd):
            doubtful[np.unique(np.searchsorted(ends, odd))] = True
        if self._newline == _LF and len(ends):
            ends = ends - ((ends > starts) & (self._codes[np.maximum(ends - 1, 0)] == _CR))
        filled = ends > starts
        if not filled.all():
            starts, ends, doubtful = starts[filled], ends[filled], doubtful[filled]
        self._mark_undecodable(starts, ends, doubtful)
        return Found(starts, ends, doubtful, stop, stuck)

    def _first_wrong(self, start: int, ends: Places, inner: Places, quotes: Places) -> int | None:
        """The first row with a line end in quotes and a quote out of place, or with rows in quotes; null if none."""
        if not len(inner) or not len(ends):
            return None
        over_lines = np.searchsorted(ends, inner)
        irregular = quotes[~self._regular(quotes, start)]
        wrong = np.intersect1d(over_lines, np.searchsorted(ends, irregular)) if len(irregular) else irregular
        first = int(wrong[0]) if len(wrong) and wrong[0] < len(ends) else len(ends)
        begin = _starts(start, ends)
        for row in np.unique(over_lines[self._like_rows(inner)]).tolist():
            if row >= first:
                break
            if self._swallows(self.data[int(begin[row]) : int(ends[row])]):
                return int(row)
        return first if first < len(ends) else None

    def _regular(self, quotes: Places, start: int) -> Flags:
        """Which quotes open where a field begins, or close where one ends."""
        size = len(self._codes)
        opening, closing = quotes[0::2], quotes[1::2]
        before = self._codes[np.maximum(opening - 1, 0)]
        after = self._codes[np.minimum(closing + 1, size - 1)]
        regular = np.ones(len(quotes), np.bool_)
        regular[0::2] = self._is_border(before) | (before == self._quote) | (opening == start)
        regular[1::2] = self._is_border(after) | (after == self._quote) | (closing == size - 1)
        return regular

    def _like_rows(self, inner: Places) -> Flags:
        """Behind which line ends in quotes a line has as many delimiters as a row."""
        following = np.searchsorted(self._lines, inner, side="right")
        known = following < len(self._lines)
        last = np.where(known, self._lines[np.minimum(following, len(self._lines) - 1)], len(self.data))
        count = np.searchsorted(self._cuts, last) - np.searchsorted(self._cuts, inner)
        like: Flags = (count == self._width - 1) & (self._width > 1)
        return like

    def _is_border(self, codes: np.ndarray[Any, Any]) -> Flags:
        border: Flags = (codes == self._delimiter) | (codes == _LF) | (codes == _CR)
        return border

    def _odd_bytes(self) -> Places:
        """Zero bytes, and carriage returns that end no line: no quick parser may see them."""
        odd = np.flatnonzero(self._codes == 0) if b"\0" in self.data else np.empty(0, np.int64)
        if self._newline == _LF and b"\r" in self.data and self._has_lone_return():
            returns = np.flatnonzero(self._codes == _CR)
            lone = returns[self._codes[np.minimum(returns + 1, len(self._codes) - 1)] != _LF]
            odd = np.sort(np.concatenate((odd, lone)))
        return odd

    def _has_lone_return(self) -> bool:
        behind = self._lines[self._lines > 0]
        ended = np.count_nonzero(self._codes[behind - 1] == _CR)
        return bool(np.count_nonzero(self._codes == _CR) != ended)

    def _mark_undecodable(self, starts: Places, ends: Places, doubtful: Flags) -> None:
        """Mark rows with bytes that are no UTF-8."""
        if self._is_ascii or not len(starts):
            return
        at, stop = int(starts[0]), int(ends[-1])
        view = memoryview(self.data)
        while at < stop:
            try:
                str(view[at:stop], "utf-8")
            except UnicodeDecodeError as error:
                row = min(int(np.searchsorted(ends, at + error.start, side="right")), len(ends) - 1)
                doubtful[row] = True
                at = max(int(ends[row]), at + error.start + 1)
            else:
                return


def _between(places: Places, start: int, stop: int) -> Places:
    return places[np.searchsorted(places, start) : np.searchsorted(places, stop)]


def _starts(start: int, ends: Places) -> Places:
    return np.concatenate(([start], ends[:-1] + 1)).astype(np.int64)[: len(ends)]
