"""Gathers the terms of a data file while its row groups are read. Importing this loads the compiler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.kernels.terms import grow, insert_marked, insert_whole, insert_words
from groundswell.text.terms import Hashes, Kind, text_buffers

Masks = npt.NDArray[np.uint64]

_FIRST_CAPACITY: Final = 1 << 16


class TermCollector:
    """Gathers the terms of up to 64 parts of one file; `sorted_terms` gives each hash with the parts that hold it."""

    def __init__(self) -> None:
        self._hashes = np.zeros(_FIRST_CAPACITY, np.uint32)
        self._masks = np.zeros(_FIRST_CAPACITY, np.uint64)
        self._used = 0

    def add_words(self, texts: pa.Array, part: int) -> None:
        """Add the words of `texts`, which have single spaces between and around them."""
        self._insert(insert_words, texts, Kind.WORD, part)

    def add(self, kind: Kind, values: pa.Array, part: int) -> None:
        """Add each of `values` as a term of `kind`."""
        self._insert(insert_whole, values, kind, part)

    def add_posts(self, identities: pa.Array, part: int) -> None:
        """Add the identities of posts, and which of them the part holds more than once."""
        self._insert(insert_marked, identities, Kind.POST, part)

    def sorted_terms(self) -> tuple[Hashes, Masks]:
        """The hashes in ascending order, and for each a bit mask of the parts that hold it."""
        held = np.flatnonzero(self._hashes)
        held = held[np.argsort(self._hashes[held])]
        return self._hashes[held], self._masks[held]

    def _insert(self, kernel: Callable[..., tuple[int, int]], values: pa.Array, kind: Kind, part: int) -> None:
        data, offsets = text_buffers(values)
        done = 0
        while True:
            done, self._used = kernel(
                data, offsets, done, np.uint64(int(kind)), np.uint64(part), self._hashes, self._masks, self._used
            )
            if done >= len(offsets) - 1:
                return
            self._hashes, self._masks = grow(self._hashes, self._masks)
