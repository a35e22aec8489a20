"""Keys, which are pairs of 64-bit halves of a hash: a set of them, and a filter before a search in a sorted run.

The halves are uniformly distributed, so parts of them serve as further hashes. The plain twins are in
`groundswell.lake.keyfiles` and `groundswell.importing.known`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Half = NDArray[np.uint64]
Flags = NDArray[np.bool_]

_LOW_HALF: Final = np.uint64(0xFFFFFFFF)


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
def fill_filter(words: Half, high: Half, low: Half) -> None:
    """Set four bits of one word of the filter for each key."""
    count = np.uint64(len(words))
    one = np.uint64(1)
    six = np.uint64(63)
    for i in range(len(high)):
        w = low[i]
        bits = one << (w & six) | one << (w >> np.uint64(6) & six)
        bits |= one << (w >> np.uint64(12) & six) | one << (w >> np.uint64(18) & six)
        words[(high[i] >> np.uint64(32)) * count >> np.uint64(32)] |= bits


@njit(nogil=True, cache=True, boundscheck=False)
def known_keys(words: Half, run_high: Half, run_low: Half, high: Half, low: Half, fresh: Flags) -> int:
    """Make `fresh` false for each key that is in the sorted run behind the filter; how many those are."""
    count = np.uint64(len(words))
    one = np.uint64(1)
    six = np.uint64(63)
    found = 0
    for i in range(len(high)):
        if not fresh[i]:
            continue
        h = high[i]
        w = low[i]
        bits = one << (w & six) | one << (w >> np.uint64(6) & six)
        bits |= one << (w >> np.uint64(12) & six) | one << (w >> np.uint64(18) & six)
        if words[(h >> np.uint64(32)) * count >> np.uint64(32)] & bits != bits:
            continue
        left = 0
        right = len(run_high)
        while left < right:
            middle = (left + right) >> 1
            if run_high[middle] < h or (run_high[middle] == h and run_low[middle] < w):
                left = middle + 1
            else:
                right = middle
        if left < len(run_high) and run_high[left] == h and run_low[left] == w:
            fresh[i] = False
            found += 1
    return found
