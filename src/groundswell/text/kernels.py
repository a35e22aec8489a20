"""Compiled kernels over the bytes of Arrow columns: words and keys, the same as the plain ones, several times as fast.

Importing this module loads Numba (about half a second), and the first use on a machine compiles (some seconds,
kept in a cache), so only what reads much imports it: see `groundswell.text.compiled`. The kernels release the
interpreter's lock. Each has a plain twin (`tokens.py`, `keys.py`) that defines it; tests hold them together.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int32]

#: Classes of `characters.py`, as constants that a kernel can hold.
_SOLO: Final = 2
_DROP: Final = 4
_APOSTROPHE: Final = 8
_SLOW: Final = 16

#: What a text holds: marks of the array that `words` fills.
IS_SLOW: Final = 1
HAS_AT: Final = 2
HAS_LINK: Final = 4
HAS_HASH: Final = 8


@njit(nogil=True, cache=True, boundscheck=False)
def words(  # noqa: PLR0912, PLR0915 - one pass over the bytes, every branch a case of UTF-8 or of words
    data: Bytes,
    offsets: Offsets,
    classes: Bytes,
    folded: NDArray[np.uint32],
    out: Bytes,
    ends: Offsets,
    marks: Bytes,
) -> int:
    """Folded words of valid UTF-8 texts, each `" word word "`, one behind the other; the bytes written.

    `offsets` (n + 1) bound the texts in `data`, `ends` (n + 1, the first is set to 0) those in `out`, which needs
    room for twice the bytes and two more a text. `marks` (n) tells per text whether it must be folded as a whole
    instead (`IS_SLOW`: what was written for it does not count) and what else may be in it.
    """
    at = 0
    ends[0] = 0
    for row in range(len(offsets) - 1):
        i = offsets[row]
        end = offsets[row + 1]
        mark = 0
        inside = False
        alone = False
        while i < end:
            first = data[i]
            if first < 0x80:
                code = np.uint32(first)
                i += 1
            elif first < 0xE0:
                code = np.uint32((first & 0x1F) << 6 | data[i + 1] & 0x3F)
                i += 2
            elif first < 0xF0:
                code = np.uint32((first & 0x0F) << 12 | (data[i + 1] & 0x3F) << 6 | data[i + 2] & 0x3F)
                i += 3
            else:
                code = np.uint32(
                    (first & 0x07) << 18 | (data[i + 1] & 0x3F) << 12 | (data[i + 2] & 0x3F) << 6 | data[i + 3] & 0x3F
                )
                i += 4
            kind = classes[code]
            if kind == 0:
                inside = False
                sign = folded[code]
                if sign == 0x40:
                    mark |= HAS_AT
                elif sign == 0x23:
                    mark |= HAS_HASH
                elif code == 0x3A:
                    if i + 1 < end and data[i] == 0x2F and data[i + 1] == 0x2F:
                        mark |= HAS_LINK
                elif code == 0x2E and i >= offsets[row] + 4 and data[i - 2] | 0x20 == 0x77:
                    mark |= HAS_LINK
                continue
            if kind & _SLOW:
                mark |= IS_SLOW
                continue
            if kind & (_DROP | _APOSTROPHE):
                continue
            solo = kind & _SOLO != 0
            if not inside or solo or alone:
                out[at] = 0x20
                at += 1
            inside = True
            alone = solo
            code = folded[code]
            if code < 0x80:
                out[at] = code
                at += 1
            elif code < 0x800:
                out[at] = 0xC0 | code >> 6
                out[at + 1] = 0x80 | code & 0x3F
                at += 2
            elif code < 0x10000:
                out[at] = 0xE0 | code >> 12
                out[at + 1] = 0x80 | code >> 6 & 0x3F
                out[at + 2] = 0x80 | code & 0x3F
                at += 3
            else:
                out[at] = 0xF0 | code >> 18
                out[at + 1] = 0x80 | code >> 12 & 0x3F
                out[at + 2] = 0x80 | code >> 6 & 0x3F
                out[at + 3] = 0x80 | code & 0x3F
                at += 4
        if mark & IS_SLOW:
            at = ends[row]
        else:
            out[at] = 0x20
            at += 1
        ends[row + 1] = at
        marks[row] = mark
    return at


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


def warm() -> None:
    """Run every kernel once, so that all are compiled or read from the cache."""
    data, ends, out = np.frombuffer(b"a", np.uint8), np.array([0, 1], np.int32), np.zeros(64, np.uint8)
    words(data, ends, np.zeros(128, np.uint8), np.zeros(128, np.uint32), out, np.zeros(2, np.int32), out[32:33])
    hash_observations(np.zeros((1, 1), np.int64), np.ones((1, 1), np.bool_), data, ends, data, ends, out)


def arrays_of(texts: Any) -> tuple[Bytes, Offsets]:
    """Bytes and offsets (n + 1) of an Arrow string or binary array with 32-bit offsets; shares its memory."""
    _, ends, data = texts.buffers()
    if not len(texts) or ends is None:
        return np.empty(0, np.uint8), np.zeros(len(texts) + 1, np.int32)
    offsets = np.frombuffer(ends, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return (np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)), offsets
