"""Keys, which are pairs of 64-bit halves of a hash: a set of them, and a search in a sorted run.

The halves are uniformly distributed, so parts of them serve as further hashes. The plain twins are in
`groundswell.lake.keyruns` and `groundswell.importing.known`.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Half = NDArray[np.uint64]
Flags = NDArray[np.bool_]


@njit(nogil=True, cache=True, boundscheck=False)
def add_new(table_high: Half, table_low: Half, high: Half, low: Half, fresh: Flags) -> int:
    """Put the keys that are `fresh` into an open-addressed table; `fresh` stays true for those that were not there.

    The table's size is a power of two with room for all; the pair (0, 0) marks an empty place, so that key itself
    is never found again. Returns how many were added.
    """
    mask = np.uint64(len(table_high) - 1)
    added = 0
    for i in range(len(high)):
        if not fresh[i]:
            continue
        h = high[i]
        w = low[i]
        at = w & mask
        while True:
            if table_high[at] == h and table_low[at] == w:
                fresh[i] = h == 0 and w == 0
                break
            if table_high[at] == 0 and table_low[at] == 0:
                table_high[at] = h
                table_low[at] = w
                added += 1
                break
            at = (at + np.uint64(1)) & mask
    return added


@njit(nogil=True, cache=True, boundscheck=False)
def known_keys(
    starts: NDArray[np.uint32], marks: NDArray[np.uint16], pairs: Half, high: Half, low: Half, fresh: Flags
) -> int:
    """Make `fresh` false for each key that is in a run (see `groundswell.lake.keyruns`); how many those are."""
    bits = np.uint64(0)
    while (1 << bits) < len(starts) - 1:
        bits += np.uint64(1)
    narrow = np.uint64(64) - bits
    found = 0
    for i in range(len(high)):
        if not fresh[i]:
            continue
        h = high[i]
        bucket = h >> narrow
        mark = np.uint16(h << bits >> np.uint64(48))
        left = np.int64(starts[bucket])
        end = np.int64(starts[bucket + np.uint64(1)])
        right = end
        while left < right:
            middle = (left + right) >> 1
            if marks[middle] < mark:
                left = middle + 1
            else:
                right = middle
        while left < end and marks[left] == mark:
            if pairs[left, 0] == h and pairs[left, 1] == low[i]:
                fresh[i] = False
                found += 1
                break
            left += 1
    return found
