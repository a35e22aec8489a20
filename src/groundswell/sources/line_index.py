"""The place and number of every line of a piece, in step with an engine that reads the same piece."""

from __future__ import annotations

import codecs
import mmap
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from groundswell.kernels import loaded
from groundswell.sources.ahead import ahead
from groundswell.sources.lines import Numbers, Piece

_BLOCK: Final = 4 << 20
#: Blocks that wait while the engine is slower.
_AHEAD: Final = 8
_WHITE: Final = b" \t\r\n"
_FEED: Final = 0x0A


class LineIndex:
    """Place and number of each non-blank line of a piece, in step with an engine that gives one row for each."""

    def __init__(self, piece: Piece) -> None:
        self.lines = 0
        self._piece = piece
        self._blocks: Iterator[tuple[Numbers, Numbers]] = self._read()
        if piece.is_large:
            self._blocks = ahead(self._blocks, _AHEAD)
        self._fed: deque[tuple[Numbers, Numbers]] | None = None
        self._offsets: list[Numbers] = []
        self._numbers: list[Numbers] = []
        self._ready = 0

    def feed(self, starts: Numbers, numbers: Numbers) -> None:
        """Take the places of the next lines from who reads them, instead of looking for them; see `Places`."""
        if self._fed is None:
            self._fed = deque()
            if self._piece.has_mark:
                starts = np.concatenate(([len(codecs.BOM_UTF8)], starts[1:]))
                # A mark by itself is a line for who feeds, and none here: then it is found out that the counts differ.
                alone = int(len(starts) > 1 and starts[1] <= starts[0] + 2)
                starts, numbers = starts[alone:], numbers[alone:]
        self._fed.append((starts, numbers))

    def take(self, count: int) -> tuple[Numbers, Numbers, Numbers]:
        """For the next `count` lines: place in the piece, place in the origin, number of the line from 1.

        Fewer are given if the piece ends before.
        """
        while self._ready < count:
            block = self._next()
            if block is None:
                break
            self._offsets.append(block[0])
            self._numbers.append(block[1])
            self._ready += len(block[0])
        offsets = np.concatenate(self._offsets) if self._offsets else np.empty(0, np.int64)
        numbers = np.concatenate(self._numbers) if self._numbers else np.empty(0, np.int64)
        self._offsets, self._numbers = [offsets[count:]], [numbers[count:]]
        self._ready = len(offsets) - len(offsets[:count])
        local, lines = offsets[:count], numbers[:count]
        if self._piece.offsets is not None:
            return local, self._piece.offsets[lines - 1], lines + (self._piece.first_line - 1)
        return local, local + self._piece.base, lines + (self._piece.first_line - 1)

    def rest(self) -> int:
        """How many non-blank lines were not taken; reads to the end."""
        remaining = self._ready
        while (block := self._next()) is not None:
            remaining += len(block[0])
        return remaining

    def _next(self) -> tuple[Numbers, Numbers] | None:
        if self._fed is None:
            return next(self._blocks, None)
        return self._fed.popleft() if self._fed else None

    def _read(self) -> Iterator[tuple[Numbers, Numbers]]:
        kernel = loaded()
        if kernel is not None and self._piece.path.stat().st_size:
            yield from self._read_mapped(kernel.line_starts)
            return
        at = 0
        with self._piece.path.open("rb") as file:
            while block := file.read(_BLOCK):
                if not block.endswith(b"\n"):
                    block += file.readline()
                codes = np.frombuffer(block, np.uint8)
                yield self._without_blank(codes, np.flatnonzero(codes == _FEED) + 1, at)
                at += len(block)

    def _read_mapped(self, line_starts: Callable[[Any, Numbers], int]) -> Iterator[tuple[Numbers, Numbers]]:
        """The same over the mapped file, which copies nothing."""
        room = np.empty(_BLOCK >> 8, np.int64)
        with (
            self._piece.path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view,
            memoryview(view) as whole,
        ):
            at = 0
            while at < len(whole):
                end = min(at + _BLOCK, len(whole))
                if end < len(whole):
                    # Up to the end of a line: the last in this block, or of the one that is longer than a block.
                    end = view.rfind(b"\n", at, end) + 1 or view.find(b"\n", end) + 1 or len(whole)
                with whole[at:end] as block:
                    codes = np.frombuffer(block, np.uint8)
                    found = line_starts(codes, room)
                    if found > len(room):
                        room = np.empty(2 * found, np.int64)
                        line_starts(codes, room)
                    index = self._without_blank(codes, room[:found].copy(), at)
                    del codes  # it holds the mapping
                # What was looked at shall not count as memory of this process.
                view.madvise(mmap.MADV_DONTNEED, done := at - at % mmap.PAGESIZE, end - done)
                yield index
                at = end

    def _without_blank(self, codes: Any, ends: Numbers, at: int) -> tuple[Numbers, Numbers]:
        """Place and number of the lines of a block at `at`; `ends` are the places behind their line feeds."""
        if not len(ends) or ends[-1] < len(codes):
            ends = np.append(ends, len(codes))
        starts = np.concatenate(([0], ends[:-1]))
        if not at and self._piece.has_mark:
            starts[0] = min(len(codecs.BOM_UTF8), ends[0])
        numbers = np.arange(self.lines + 1, self.lines + 1 + len(starts), dtype=np.int64)
        self.lines += len(starts)
        first = codes[np.minimum(starts, len(codes) - 1)]
        # Only a line that begins with white space (or is empty) can be blank.
        doubtful = np.flatnonzero((first == 32) | (first == 9) | (first == 13) | (first == _FEED))
        blank = [i for i in doubtful if not codes[starts[i] : ends[i]].tobytes().strip(_WHITE)]
        if blank:
            starts, numbers = np.delete(starts, blank), np.delete(numbers, blank)
        return starts + at, numbers
