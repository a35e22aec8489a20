"""Where lines begin; the plain twin is in `groundswell.sources.lines`."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(nogil=True, cache=True, boundscheck=False)
def line_starts(data: NDArray[np.uint8], out: NDArray[np.int64]) -> int:
    """Places behind each line feed, in `out`; how many, which may be more than `out` holds (then take a larger one)."""
    room = len(out)
    found = 0
    size = len(data)
    whole = size >> 3
    words = data[: whole << 3].view(np.uint64)
    feeds = np.uint64(0x0A0A0A0A0A0A0A0A)
    ones = np.uint64(0x0101010101010101)
    tops = np.uint64(0x8080808080808080)
    for n in range(whole):
        turned = words[n] ^ feeds
        if (turned - ones) & ~turned & tops:
            base = n << 3
            for i in range(base, base + 8):
                if data[i] == 10:
                    if found < room:
                        out[found] = i + 1
                    found += 1
    for i in range(whole << 3, size):
        if data[i] == 10:
            if found < room:
                out[found] = i + 1
            found += 1
    return found
