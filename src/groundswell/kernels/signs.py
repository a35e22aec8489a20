"""Parts of JSON: escapes, characters of several bytes, numbers, words; each function gives the place behind one.

`base` is the address of bytes, places count from there.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

from groundswell.kernels.words8 import byte_at, lowest, signs32

_LOW: Final = np.uint64(0xFFFFFFFF)
_HALF: Final = np.uint64(32)
_ONE: Final = np.uint64(1)
#: The value of a hexadecimal digit; -1 for any other byte.
_DIGITS: Final = np.full(256, -1, np.int8)
_DIGITS[ord("0") : ord("9") + 1] = np.arange(10)
_DIGITS[ord("a") : ord("f") + 1] = _DIGITS[ord("A") : ord("F") + 1] = np.arange(10, 16)


@njit(nogil=True, cache=True, boundscheck=False)
def unit_at(base: Any, at: int, end: int) -> Any:
    """The four hexadecimal digits at a place; negative if they are not there."""
    if at + 4 > end:
        return -1
    one, two, three, four = (
        np.int32(_DIGITS[byte_at(base, at)]),
        np.int32(_DIGITS[byte_at(base, at + 1)]),
        np.int32(_DIGITS[byte_at(base, at + 2)]),
        np.int32(_DIGITS[byte_at(base, at + 3)]),
    )
    return one << 12 | two << 8 | three << 4 | four  # a digit that is none has all bits set


@njit(nogil=True, cache=True, boundscheck=False)
def after_escape(  # noqa: PLR0911 - each return a kind of escape
    base: Any, at: int, end: int
) -> int:
    r"""The place behind the escape whose `\` is at `at`; -1 if it is wrong or doubtful."""
    if at + 1 >= end:
        return -1
    sign = byte_at(base, at + 1)
    if sign in (0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74):
        return at + 2
    if sign != 0x75:
        return -1
    unit = unit_at(base, at + 2, end)
    if unit <= 0 or 0xDC00 <= unit <= 0xDFFF:
        return -1
    if unit < 0xD800 or unit > 0xDFFF:
        return at + 6
    if at + 8 > end or byte_at(base, at + 6) != 0x5C or byte_at(base, at + 7) != 0x75:
        return -1
    low = unit_at(base, at + 8, end)
    return at + 12 if 0xDC00 <= low <= 0xDFFF else -1


@njit(nogil=True, cache=True, boundscheck=False)
def after_character(  # noqa: PLR0911 - each return a length
    base: Any, at: int, end: int
) -> int:
    """The place behind a character of several bytes (RFC 3629, section 4); -1 if it is none."""
    first = byte_at(base, at)
    if 0xC2 <= first <= 0xDF:
        return at + 2 if at + 1 < end and byte_at(base, at + 1) & 0xC0 == 0x80 else -1
    if 0xE0 <= first <= 0xEF:
        if at + 2 >= end or byte_at(base, at + 1) & 0xC0 != 0x80 or byte_at(base, at + 2) & 0xC0 != 0x80:
            return -1
        if (first == 0xE0 and byte_at(base, at + 1) < 0xA0) or (first == 0xED and byte_at(base, at + 1) > 0x9F):
            return -1
        return at + 3
    if 0xF0 <= first <= 0xF4:
        if at + 3 >= end or byte_at(base, at + 1) & 0xC0 != 0x80 or byte_at(base, at + 2) & 0xC0 != 0x80:
            return -1
        if byte_at(base, at + 3) & 0xC0 != 0x80:
            return -1
        if (first == 0xF0 and byte_at(base, at + 1) < 0x90) or (first == 0xF4 and byte_at(base, at + 1) > 0x8F):
            return -1
        return at + 4
    return -1


@njit(nogil=True, cache=True, boundscheck=False)
def is_utf8(base: Any, begin: int, end: int) -> bool:
    """Whether these bytes are valid UTF-8."""
    at = begin
    while at < end:
        if byte_at(base, at) < 0x80:
            at += 1
            continue
        at = after_character(base, at, end)
        if at < 0:
            return False
    return True


@njit(nogil=True, cache=True, boundscheck=False)
def after_text(base: Any, at: Any, end: int, size: int) -> Any:
    """Twice the place of the quote that ends the text whose inside begins at `at`, and 1 more if it has escapes.

    -1 if it is wrong or doubtful. `size` is how many bytes there are behind `base`.
    """
    begin = at
    wide = False
    escaped = 0
    last = size - 32
    while True:
        if at <= last:
            signs = signs32(base, at)
            stops = signs & _LOW
            if stops == 0:
                wide |= signs != 0
                at += 32
                continue
            place = lowest(stops)
            wide |= (signs >> _HALF) & ((_ONE << place) - _ONE) != 0
            at += np.int64(place)
        else:
            while at < end and byte_at(base, at) >= 0x20 and byte_at(base, at) != 0x22 and byte_at(base, at) != 0x5C:
                wide |= byte_at(base, at) >= 0x80
                at += 1
        if at >= end:
            return -1
        if byte_at(base, at) == 0x22:
            break
        if byte_at(base, at) != 0x5C:
            return -1
        escaped = 1
        while at < end and byte_at(base, at) == 0x5C:
            at = after_escape(base, at, end)
            if at < 0:
                return -1
    if wide and not is_utf8(base, begin, at):
        return -1
    return 2 * at + escaped


@njit(nogil=True, cache=True, boundscheck=False)
def after_digits(base: Any, at: int, end: int) -> int:
    """The place behind one or more digits; -1 if there are none."""
    begin = at
    while at < end and 0x30 <= byte_at(base, at) <= 0x39:
        at += 1
    return at if at > begin else -1


@njit(nogil=True, cache=True, boundscheck=False)
def after_number(base: Any, at: int, end: int) -> int:
    """The place behind a number; -1 if it is none."""
    if byte_at(base, at) == 0x2D:
        at += 1
    if at < end and byte_at(base, at) == 0x30:
        at += 1
    else:
        at = after_digits(base, at, end)
        if at < 0:
            return -1
    if at < end and byte_at(base, at) == 0x2E:
        at = after_digits(base, at + 1, end)
        if at < 0:
            return -1
    if at < end and byte_at(base, at) | 0x20 == 0x65:
        at += 1
        if at < end and byte_at(base, at) in (0x2B, 0x2D):
            at += 1
        at = after_digits(base, at, end)
    return at


@njit(nogil=True, cache=True, boundscheck=False)
def is_word(base: Any, at: int, end: int, one: int, two: int, three: int, four: int) -> bool:
    """Whether these four bytes stand at a place."""
    if at + 4 > end or byte_at(base, at) != one or byte_at(base, at + 1) != two:
        return False
    return bool(byte_at(base, at + 2) == three and byte_at(base, at + 3) == four)
