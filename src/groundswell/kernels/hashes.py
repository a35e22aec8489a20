"""Keys of observations; the plain twin, which defines them, is `groundswell.text.keys`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int32]

_IV: Final = np.array(
    [
        0x6A09E667F3BCC908,
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
        0x9B05688C2B3E6C1F,
        0x1F83D9ABFB41BD6B,
        0x5BE0CD19137E2179,
    ],
    np.uint64,
)
_SIGMA: Final = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    ],
    np.int64,
)


@njit(nogil=True, cache=True, inline="always")
def _turned(value: Any, by: Any) -> Any:
    return value >> np.uint64(by) | value << np.uint64(64 - by)


@njit(nogil=True, cache=True, inline="always")
def _mixed(a: Any, b: Any, c: Any, d: Any, x: Any, y: Any) -> Any:
    """The mixing function G (RFC 7693, section 3.1)."""
    a = a + b + x
    d = _turned(d ^ a, 32)
    c = c + d
    b = _turned(b ^ c, 24)
    a = a + b + y
    d = _turned(d ^ a, 16)
    c = c + d
    b = _turned(b ^ c, 63)
    return a, b, c, d


@njit(nogil=True, cache=True, boundscheck=False)
def _compress(state: NDArray[np.uint64], m: NDArray[np.uint64], done: np.uint64, flag: np.uint64) -> None:
    """One block of BLAKE2b (RFC 7693, section 3.2); `flag` is all ones for the last."""
    a0, a1, a2, a3, b0, b1, b2, b3 = state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7]
    c0, c1, c2, c3 = _IV[0], _IV[1], _IV[2], _IV[3]
    d0, d1, d2, d3 = _IV[4] ^ done, _IV[5], _IV[6] ^ flag, _IV[7]
    for turn in range(12):
        s = _SIGMA[turn]
        a0, b0, c0, d0 = _mixed(a0, b0, c0, d0, m[s[0]], m[s[1]])
        a1, b1, c1, d1 = _mixed(a1, b1, c1, d1, m[s[2]], m[s[3]])
        a2, b2, c2, d2 = _mixed(a2, b2, c2, d2, m[s[4]], m[s[5]])
        a3, b3, c3, d3 = _mixed(a3, b3, c3, d3, m[s[6]], m[s[7]])
        a0, b1, c2, d3 = _mixed(a0, b1, c2, d3, m[s[8]], m[s[9]])
        a1, b2, c3, d0 = _mixed(a1, b2, c3, d0, m[s[10]], m[s[11]])
        a2, b3, c0, d1 = _mixed(a2, b3, c0, d1, m[s[12]], m[s[13]])
        a3, b0, c1, d2 = _mixed(a3, b0, c1, d2, m[s[14]], m[s[15]])
    state[0] ^= a0 ^ c0
    state[1] ^= a1 ^ c1
    state[2] ^= a2 ^ c2
    state[3] ^= a3 ^ c3
    state[4] ^= b0 ^ d0
    state[5] ^= b1 ^ d1
    state[6] ^= b2 ^ d2
    state[7] ^= b3 ^ d3


_NONE: Final = 0x2D
_BETWEEN: Final = 0x1F


@njit(nogil=True, cache=True, boundscheck=False)
def _write(value: Any, text: Bytes, at: int) -> int:
    """Write a number in digits; the place behind it."""
    rest = np.uint64(value)
    if value < 0:
        text[at] = _NONE
        at += 1
        rest = np.uint64(-value)
    size = np.uint64(10)
    end = at + 1
    while end - at < 20 and rest >= size:
        size *= np.uint64(10)
        end += 1
    for place in range(end - 1, at - 1, -1):
        text[place] = 0x30 + np.uint8(rest % np.uint64(10))
        rest = rest // np.uint64(10)
    return end


@njit(nogil=True, cache=True, boundscheck=False)
def hash_observations(
    numbers: NDArray[np.int64],
    known: NDArray[np.bool_],
    platforms: Bytes,
    platform_ends: Offsets,
    ids: Bytes,
    id_ends: Offsets,
    out: Bytes,
) -> None:
    """The 16-byte key of each row that has an id, as `groundswell.text.keys` defines it, in `out`.

    `numbers` and `known` (k, n) are the counters and `observed_at`, and whether each is known. Platforms and ids
    are texts by their bytes and bounds (n + 1).
    """
    block = np.zeros(16, np.uint64)
    parts = block.view(np.uint8)
    state = np.empty(8, np.uint64)
    digest = state.view(np.uint8)
    longest = 0
    rows = len(id_ends) - 1
    for row in range(rows):
        longest = max(longest, (id_ends[row + 1] - id_ends[row]) + (platform_ends[row + 1] - platform_ends[row]))
    text = np.empty(longest + 32 * len(numbers) + 160, np.uint8)
    for row in range(rows):
        at = 0
        for k in range(len(numbers)):
            if not known[k, row]:
                text[at] = _NONE
                at += 1
            else:
                at = _write(numbers[k, row], text, at)
            text[at] = _BETWEEN
            at += 1
        for i in range(platform_ends[row], platform_ends[row + 1]):
            text[at] = platforms[i]
            at += 1
        text[at] = _BETWEEN
        text[at + 1] = 0x69
        text[at + 2] = 0x64
        text[at + 3] = _BETWEEN
        text[at + 4] = 0x3D
        at += 5
        for i in range(id_ends[row], id_ends[row + 1]):
            text[at] = ids[i]
            at += 1
        state[:] = _IV
        state[0] ^= np.uint64(0x01010010)
        done = 0
        while at - done > 128:
            parts[:] = text[done : done + 128]
            done += 128
            _compress(state, block, np.uint64(done), np.uint64(0))
        block[:] = np.uint64(0)
        for i in range(at - done):
            parts[i] = text[done + i]
        _compress(state, block, np.uint64(at), ~np.uint64(0))
        for i in range(16):
            out[16 * row + i] = digest[i]
