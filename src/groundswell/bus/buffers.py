"""Memory that blocks are unpacked into, used again: the pages of new memory cost more than what is written there."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from typing import Final

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

#: Pieces are as long as a multiple of this, bytes; shorter ones come from the allocator, which keeps them itself.
STEP: Final = 4 << 20
#: Free pieces that are kept, bytes: a few batches of the watch and of the lake writer.
KEPT: Final = 80 << 20


class Buffers:
    """Pieces of memory on loan; safe from several threads.

    A piece comes back by itself when the last array, memoryview or Arrow buffer over it is gone, whoever had it.
    """

    def __init__(self, kept: int = KEPT) -> None:
        """So many bytes of free memory are kept."""
        self._kept = kept
        self._lock = threading.Lock()
        self._free: list[Bytes] = []
        # What calls back does so at any moment, also while this thread has the lock; a deque needs none.
        self._back: deque[Bytes] = deque()

    def take(self, size: int) -> Bytes:
        """So many bytes, which hold whatever they held."""
        if size < STEP:
            return np.empty(size, np.uint8)
        memory = self._fitting(size)
        # Arrays over a buffer end at it, so all that is cut from this one keeps it, and not only the memory.
        lent = np.frombuffer(memory.data, np.uint8, size)
        weakref.finalize(lent, self._back.append, memory).atexit = False
        return lent

    @property
    def free(self) -> int:
        """Bytes that wait to be used again."""
        with self._lock:
            self._gather()
            return sum(map(len, self._free))

    def _fitting(self, size: int) -> Bytes:
        with self._lock:
            self._gather()
            large = [at for at, memory in enumerate(self._free) if len(memory) >= size]
            if large:
                return self._free.pop(min(large, key=lambda at: len(self._free[at])))
        return np.empty(-(-size // STEP) * STEP, np.uint8)

    def _gather(self) -> None:
        while self._back:
            self._free.append(self._back.popleft())
        while sum(map(len, self._free)) > self._kept:
            self._free.pop(0)


BUFFERS: Final = Buffers()
"""Those of this process."""
