"""Parts of JSON: escapes, characters of several bytes, numbers, words; each function gives the place behind one."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from groundswell.kernels.words8 import TOPS, load8, lowest

Bytes = NDArray[np.uint8]

#: The signs at which a plain text ends, eight times each.
_QUOTES: Final = np.uint64(0x2222222222222222)
_SLASHES: Final = np.uint64(0x5C5C5C5C5C5C5C5C)
_SPACES: Final = np.uint64(0x2020202020202020)
_ONES: Final = np.uint64(0x0101010101010101)


@njit(nogil=True, cache=True, boundscheck=False)
def _hex(byte: int) -> int:
    """The value of a hexadecimal digit; -1 if it is none."""
    if 0x30 <= byte <= 0x39:
        return byte - 0x30
    low = byte | 0x20
    return low - 0x57 if 0x61 <= low <= 0x66 else -1


@njit(nogil=True, cache=True, boundscheck=False)
def unit_at(data: Bytes, at: int, end: int) -> int:
    """The four hexadecimal digits at a place; -1 if they are not there."""
    if at + 4 > end:
        return -1
    value = 0
    for i in range(at, at + 4):
        digit = _hex(int(data[i]))
        if digit < 0:
            return -1
        value = value << 4 | digit
    return value


@njit(nogil=True, cache=True, boundscheck=False)
def after_escape(  # noqa: PLR0911 - each return a kind of escape
    data: Bytes, at: int, end: int
) -> int:
    r"""The place behind the escape whose `\` is at `at`; -1 if it is wrong or doubtful."""
    if at + 1 >= end:
        return -1
    sign = data[at + 1]
    if sign in (0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74):
        return at + 2
    if sign != 0x75:
        return -1
    unit = unit_at(data, at + 2, end)
    if unit <= 0 or 0xDC00 <= unit <= 0xDFFF:
        return -1
    if unit < 0xD800 or unit > 0xDFFF:
        return at + 6
    if at + 8 > end or data[at + 6] != 0x5C or data[at + 7] != 0x75:
        return -1
    low = unit_at(data, at + 8, end)
    return at + 12 if 0xDC00 <= low <= 0xDFFF else -1


@njit(nogil=True, cache=True, boundscheck=False)
def after_character(  # noqa: PLR0911 - each return a length
    data: Bytes, at: int, end: int
) -> int:
    """The place behind a character of several bytes (RFC 3629, section 4); -1 if it is none."""
    first = data[at]
    if 0xC2 <= first <= 0xDF:
        return at + 2 if at + 1 < end and data[at + 1] & 0xC0 == 0x80 else -1
    if 0xE0 <= first <= 0xEF:
        if at + 2 >= end or data[at + 1] & 0xC0 != 0x80 or data[at + 2] & 0xC0 != 0x80:
            return -1
        if (first == 0xE0 and data[at + 1] < 0xA0) or (first == 0xED and data[at + 1] > 0x9F):
            return -1
        return at + 3
    if 0xF0 <= first <= 0xF4:
        if at + 3 >= end or data[at + 1] & 0xC0 != 0x80 or data[at + 2] & 0xC0 != 0x80 or data[at + 3] & 0xC0 != 0x80:
            return -1
        if (first == 0xF0 and data[at + 1] < 0x90) or (first == 0xF4 and data[at + 1] > 0x8F):
            return -1
        return at + 4
    return -1


@njit(nogil=True, cache=True, boundscheck=False)
def after_plain(data: Bytes, at: int, end: int) -> Any:
    """The first place from `at` on, by eights, where something other than a plain ASCII character may stand."""
    while at + 8 <= end:
        word = load8(data, at)
        quotes = word ^ _QUOTES
        slashes = word ^ _SLASHES
        stops = ((quotes - _ONES) & ~quotes) | ((slashes - _ONES) & ~slashes) | ((word - _SPACES) & ~word) | word
        stops &= TOPS
        if stops != 0:
            return at + np.int64(lowest(stops) >> np.uint64(3))
        at += 8
    return at


@njit(nogil=True, cache=True, boundscheck=False)
def after_digits(data: Bytes, at: int, end: int) -> int:
    """The place behind one or more digits; -1 if there are none."""
    begin = at
    while at < end and 0x30 <= data[at] <= 0x39:
        at += 1
    return at if at > begin else -1


@njit(nogil=True, cache=True, boundscheck=False)
def after_number(data: Bytes, at: int, end: int) -> int:
    """The place behind a number; -1 if it is none."""
    if data[at] == 0x2D:
        at += 1
    if at < end and data[at] == 0x30:
        at += 1
    else:
        at = after_digits(data, at, end)
        if at < 0:
            return -1
    if at < end and data[at] == 0x2E:
        at = after_digits(data, at + 1, end)
        if at < 0:
            return -1
    if at < end and data[at] | 0x20 == 0x65:
        at += 1
        if at < end and data[at] in (0x2B, 0x2D):
            at += 1
        at = after_digits(data, at, end)
    return at


@njit(nogil=True, cache=True, boundscheck=False)
def is_word(data: Bytes, at: int, end: int, one: int, two: int, three: int, four: int) -> bool:
    """Whether these four bytes stand at a place."""
    return at + 4 <= end and data[at] == one and data[at + 1] == two and data[at + 2] == three and data[at + 3] == four
