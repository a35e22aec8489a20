"""The links in texts; the plain twin is `groundswell.text.tags.urls_of`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from groundswell.kernels.words8 import byte_at

Bytes = NDArray[np.uint8]
Ints32 = NDArray[np.int32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def _marked(signs: str) -> Bools:
    found = np.zeros(256, np.bool_)
    found[list(signs.encode())] = True
    return found


#: What ends a link, of ASCII.
_ENDS: Final = _marked("\t\n\v\f\r\x1c\x1d\x1e\x1f <>\"'`")
#: What before `www.` says that there is none, and what a link does not end with, of ASCII.
_BEFORE: Final = _marked("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./@-")
_AFTER: Final = _marked(".,;:!?*|")


@njit(nogil=True, cache=True, boundscheck=False)
def _ends_at(base: Any, at: Any, first: Any) -> Any:
    """Whether the character of several bytes at a place ends a link: white space, or a wide bracket."""
    second, third = byte_at(base, at + 1), byte_at(base, at + 2)
    if first == 0xC2:
        return second in (0x85, 0xA0)
    if first == 0xE1:
        return second == 0x9A and third == 0x80
    if first == 0xE2:
        return (second == 0x80 and (0x80 <= third <= 0x8A or third in (0xA8, 0xA9, 0xAF))) or (
            second == 0x81 and third == 0x9F
        )
    if first == 0xE3:
        return second == 0x80 and (third == 0x80 or 0x8C <= third <= 0x91)
    return first == 0xEF and second == 0xBC and third in (0x88, 0x89)


@njit(nogil=True, cache=True, boundscheck=False)
def _length(first: Any) -> Any:
    """Bytes of the character that begins so."""
    return (
        np.int64(1) if first < 0x80 else np.int64(2) if first < 0xE0 else np.int64(3) if first < 0xF0 else np.int64(4)
    )


@njit(nogil=True, cache=True, boundscheck=False)
def _begins_at(  # noqa: PLR0911 - each return a sign that is another
    base: Any, i: Any, begin: Any, end: Any
) -> Any:
    """Bytes of `http://`, `https://` or `www.` at a place; 0: none begins; -1: only the plain way can tell."""
    first = byte_at(base, i) | 0x20
    if first == 0x77:
        if i + 4 >= end or byte_at(base, i + 1) | 0x20 != 0x77 or byte_at(base, i + 2) | 0x20 != 0x77:
            return 0
        if byte_at(base, i + 3) != 0x2E:
            return 0
        if i > begin and byte_at(base, i - 1) >= 0x80:
            return -1
        return 0 if i > begin and _BEFORE[byte_at(base, i - 1)] else 4
    if first != 0x68 or i + 7 >= end or byte_at(base, i + 1) | 0x20 != 0x74 or byte_at(base, i + 2) | 0x20 != 0x74:
        return 0
    if byte_at(base, i + 3) | 0x20 != 0x70:
        return 0
    at = i + 4
    if byte_at(base, at) >= 0x80:
        return -1  # a long s is an s
    if byte_at(base, at) | 0x20 == 0x73:
        at += 1
    if at + 3 >= end or byte_at(base, at) != 0x3A or byte_at(base, at + 1) != 0x2F or byte_at(base, at + 2) != 0x2F:
        return 0
    return at + 3 - i


@njit(nogil=True, cache=True, boundscheck=False)
def _closes(base: Any, begin: Any, end: Any, opening: int, closing: int) -> Any:
    """Whether the last byte is a bracket that nothing opened."""
    if byte_at(base, end - 1) != closing:
        return False
    depth = 0
    for i in range(begin, end):
        depth += (byte_at(base, i) == closing) - (byte_at(base, i) == opening)
    return depth > 0


@njit(nogil=True, cache=True, boundscheck=False)
def _trimmed(base: Any, begin: Any, end: Any) -> Any:
    """Where a link ends without the punctuation behind it."""
    while True:
        before = end
        while end > begin:
            last = byte_at(base, end - 1)
            if last < 0x80:
                if not _AFTER[last]:
                    break
                end -= 1
            elif end - begin >= 3 and byte_at(base, end - 3) == 0xE2 and byte_at(base, end - 2) == 0x80:
                if last not in (0xA6, 0x99, 0x9D):
                    break
                end -= 3
            else:
                break
        for opening, closing in ((0x28, 0x29), (0x5B, 0x5D), (0x7B, 0x7D)):
            if end > begin and _closes(base, begin, end, opening, closing):
                end -= 1
        if end == before:
            return end


@njit(nogil=True, cache=True, boundscheck=False)
def find_links(data: Bytes, offsets: Ints32, rows: Ints, out: Bytes, ends: Ints32, owners: Ints, slow: Bools) -> Any:
    """Links of the valid UTF-8 texts `rows` as written, one behind the other in `out`; how many, and their bytes.

    `ends` are their borders (the first is set to 0), `owners` the rows of the texts that they stand in; there is room
    for all, and none takes less than five bytes. `slow` (one a text of `rows`) says where the plain way must look.
    """
    base = data.ctypes.data
    count = np.int64(0)
    at = np.int64(0)
    ends[0] = 0
    for n in range(len(rows)):
        row = rows[n]
        begin, end = np.int64(offsets[row]), np.int64(offsets[row + 1])
        slow[n] = False
        before, written = count, at
        i = begin
        while i < end:
            size = _begins_at(base, i, begin, end)
            if size < 0:
                slow[n] = True
                count, at = before, written
                break
            if size == 0:
                i += 1
                continue
            last = i + size
            while last < end:
                sign = byte_at(base, last)
                if _ENDS[sign] if sign < 0x80 else _ends_at(base, last, sign):
                    break
                last += _length(sign)
            if last == i + size:
                i += 1
                continue
            stop = _trimmed(base, i, last)
            for k in range(i, stop):
                out[at] = byte_at(base, k)
                at += 1
            owners[count] = row
            count += 1
            ends[count] = at
            i = last
    return count, at
