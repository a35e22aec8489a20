"""Rows that the watch made of blocks while it read them, on their way to the lake writer of the same process.

The lake writer takes what is there and reads the rest itself; both give the same rows. What is held is bounded by its
bytes. So that no work is done twice, the lake writer lets a watch that is at work go before it, and a watch that is
behind its stream does not run away from a lake writer that is at work. Neither waits for one that stands still.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from groundswell.bus.blocks import content_of
from groundswell.bus.joined import JoinedRecords
from groundswell.kernels.once import once

if TYPE_CHECKING:
    from groundswell.bus.blocks import Block
    from groundswell.platforms import Registry
    from groundswell.platforms.layout import Layout
    from groundswell.sources.lines import Numbers

#: Rows that are held before a batch is read, bytes; it has as many. A post of a microblog takes one KB.
MOST_BYTES: Final = 24 << 20
#: Bytes of a block that are unpacked where one of its first records is asked for.
_BEGINNING: Final = 128 << 10
#: How long the lake writer waits for a watch that does not go on, seconds.
PATIENCE_S: Final = 1.0


@dataclass(frozen=True)
class Made:
    """Whole posts of neighbouring blocks of one source, as `normalise` gives them, and the records that it must read.

    Records are counted from the first of the blocks on.
    """

    layout: Layout
    blocks: tuple[int, ...]
    """The blocks' numbers, ascending."""
    starts: Numbers
    """Where the records of each block begin, and those of the last one end."""
    bounds: Numbers
    """Where each record begins in the content of the blocks, and where the last one ends."""
    posts: pa.Table
    """`NORMALISED`, but for the time of import."""
    left: Numbers

    @once
    def nbytes(self) -> int:
        """Bytes in memory, about."""
        return int(self.posts.nbytes) + self.bounds.nbytes + self.left.nbytes

    def cut(self, first: int, last: int) -> Made:
        """The blocks numbered first to last, of those that are here."""
        begin, end = np.searchsorted(self.blocks, [first, last + 1]).tolist()
        if begin == 0 and end == len(self.blocks):
            return self
        at, until = int(self.starts[begin]), int(self.starts[end])
        rows = np.searchsorted(self.posts["record"].to_numpy(), [at, until]).tolist()
        posts = self.posts.slice(rows[0], rows[1] - rows[0])
        place = posts.schema.get_field_index("record")
        moved = pa.array(posts["record"].to_numpy() - at, pa.int64())
        left = self.left[(self.left >= at) & (self.left < until)] - at
        return replace(
            self,
            blocks=self.blocks[begin:end],
            starts=self.starts[begin : end + 1] - at,
            bounds=self.bounds[at : until + 1] - self.bounds[at],
            posts=posts.set_column(place, posts.schema.field(place), moved),
            left=left,
        )

    def imported(self, at_us: int) -> pa.Table:
        """The posts, imported at a time (microseconds)."""
        place = self.posts.schema.get_field_index("imported_at")
        spec = self.posts.schema.field(place)
        return self.posts.set_column(place, spec, pa.array(np.full(len(self.posts), at_us, np.int64)).view(spec.type))

    def fits(self, registry: Registry) -> bool:
        """Whether a registry knows the layout as it was when the rows were made."""
        return any(each.id == self.layout.id and each.version == self.layout.version for each in registry.layouts)


class Handover:
    """What was made and not taken yet, by blocks; safe from several threads."""

    def __init__(self, most_bytes: int = MOST_BYTES, patience_s: float = PATIENCE_S) -> None:
        """It takes in more while it holds less than so many bytes.

        The lake writer waits for a block that the watch is about to read, and a watch that is behind for room, but not
        for longer than `patience_s` seconds in which the other one does nothing.
        """
        self._most = most_bytes
        self.come: Callable[[], bool] = lambda: False
        """Calls the lake writer where there is no room; whether it only rested, and will come."""
        self._patience_s = patience_s
        self._changed = threading.Condition()
        self._made: list[Made] = []
        self._bytes = 0
        self._passed = -1
        self._reading: list[tuple[int, int]] = []
        self._welcome: list[tuple[int, int]] = []
        self._read = -1
        self._calls = 0
        self._waits = self._takes = False

    @property
    def nbytes(self) -> int:
        """Bytes that are held, about."""
        return self._bytes

    @property
    def calls(self) -> bool:
        """Whether the watch waits for room: a lake writer that would rest now comes at once."""
        return self._calls > 0

    @property
    def is_catching_up(self) -> bool:
        """Whether the watch reads much at once, or did so just now."""
        return bool(self._made or self._welcome)

    @contextmanager
    def reading(self, first: int, last: int, *, many: bool = True) -> Iterator[None]:
        """The watch reads these blocks meanwhile; what it does not give of them, it never gives.

        Where they have `many` records, it first waits for room while some are taken.
        """
        span = (first, last)
        with self._changed:
            self._reading.append(span)
            self._waits = True
            self._calls += 1
            try:
                while many and not self._has_room(first) and last > self._passed and (self.come() or self._takes):
                    self._takes = self._changed.wait(self._patience_s)
            finally:
                self._calls -= 1
            if many and self._has_room(first):
                self._welcome.append(span)
        try:
            yield
        finally:
            with self._changed:
                self._reading.remove(span)
                if span in self._welcome:
                    self._welcome.remove(span)
                self._read = max(self._read, last)
                self._waits = True
                self._changed.notify_all()

    def wants(self, block: int) -> bool:
        """Whether rows of a block that is read now are worth making."""
        return block > self._passed and any(first <= block <= last for first, last in self._welcome)

    def give(self, made: Made) -> None:
        """Hold rows until they are taken; what came again, or too late, is not kept."""
        with self._changed:
            known = any(each.blocks[0] <= made.blocks[-1] and made.blocks[0] <= each.blocks[-1] for each in self._made)
            if made.blocks[0] > self._passed and not known:
                self._made.append(made)
                self._bytes += made.nbytes
                self._changed.notify_all()

    def take(self, block: int, last: int, *, wait: bool = True) -> Made | None:
        """What was made of a block and those behind it up to `last`, if it was; blocks before it are never asked again.

        What is beyond `last` stays. `wait` is for who does not hold up the watch by it.
        """
        with self._changed:
            while (found := self._of(block)) is None and wait and self._is_coming(block):
                self._waits = self._changed.wait(self._patience_s)
            self._passed = max(self._passed, block if found is None else min(found.blocks[-1], last))
            self._made = [each for each in self._made if each.blocks[-1] > self._passed]
            self._bytes = sum(each.nbytes for each in self._made)
            self._takes = True
            self._changed.notify_all()
        return None if found is None else found.cut(block, last)

    def end(self) -> None:
        """Let nobody wait any more: the watch has ended."""
        with self._changed:
            self._waits = self._takes = False
            self._changed.notify_all()

    def _has_room(self, block: int) -> bool:
        # For what is taken next there is always room: the lake writer may be waiting for it. Who waits for room waits
        # before it reads, so that no thread is held which others need to read what comes before.
        return self._bytes < self._most or all(each.blocks[0] > block for each in self._made)

    def _of(self, block: int) -> Made | None:
        return next((each for each in self._made if block in each.blocks), None)

    def _is_coming(self, block: int) -> bool:
        """Whether the watch reads a block now or next; not while it stands still."""
        return self._waits and (block > self._read or any(first <= block <= last for first, last in self._reading))


class PackedRecords(JoinedRecords):
    """Records that are unpacked when they are asked for: of rows that are made already few are, a block's first."""

    def __init__(self, blocks: Sequence[Block], starts: Numbers, bounds: Numbers) -> None:
        """`starts` (blocks + 1) are where the records of each block begin."""
        self.bounds = bounds
        self._blocks = blocks
        self._starts = starts
        self._at, self._beginning = -1, b""

    @once
    def content(self) -> memoryview:
        """All records with a line feed behind each."""
        return content_of(self._blocks)

    def _record(self, n: int) -> bytes:
        at = int(np.searchsorted(self._starts, n, side="right")) - 1
        first = int(self.bounds[self._starts[at]])
        begin, end = int(self.bounds[n]) - first, int(self.bounds[n + 1]) - 1 - first
        if at != self._at:
            self._at, self._beginning = at, b""
        if end > len(self._beginning):
            self._beginning = self._blocks[at].beginning(max(end, 2 * len(self._beginning), _BEGINNING))
        return self._beginning[begin:end]
