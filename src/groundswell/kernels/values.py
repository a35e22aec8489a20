"""Values of JSON records as columns, from where `groundswell.kernels.records` found them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from groundswell.kernels.records import ABSENT, ESCAPED, FALSE, NULL, NUMBER, TEXT, TRUE
from groundswell.kernels.signs import unit_at
from groundswell.kernels.words8 import byte_at, load8, store8

Bytes = NDArray[np.uint8]
Ints32 = NDArray[np.int32]
Ints = NDArray[np.int64]


@njit(nogil=True, cache=True, boundscheck=False)
def _write_character(code: int, out: Bytes, at: int) -> int:
    """Write a code point in UTF-8; the place behind it."""
    if code < 0x80:
        out[at] = code
        return at + 1
    if code < 0x800:
        out[at] = 0xC0 | code >> 6
        out[at + 1] = 0x80 | code & 0x3F
        return at + 2
    if code < 0x10000:
        out[at] = 0xE0 | code >> 12
        out[at + 1] = 0x80 | code >> 6 & 0x3F
        out[at + 2] = 0x80 | code & 0x3F
        return at + 3
    out[at] = 0xF0 | code >> 18
    out[at + 1] = 0x80 | code >> 12 & 0x3F
    out[at + 2] = 0x80 | code >> 6 & 0x3F
    out[at + 3] = 0x80 | code & 0x3F
    return at + 4


@njit(nogil=True, cache=True, boundscheck=False)
def _unescaped(sign: int) -> int:
    """The character that one sign behind a backslash stands for."""
    if sign == 0x62:
        return 0x08
    if sign == 0x66:
        return 0x0C
    if sign == 0x6E:
        return 0x0A
    if sign == 0x72:
        return 0x0D
    return 0x09 if sign == 0x74 else sign


@njit(nogil=True, cache=True, boundscheck=False)
def copy_escaped(data: Bytes, begin: Any, end: Any, out: Bytes, at: Any) -> Any:
    """Write a text without its escapes; the place behind it."""
    base = data.ctypes.data
    i = begin
    while i < end:
        sign = byte_at(base, i)
        if sign != 0x5C:
            out[at] = sign
            at += 1
            i += 1
        elif byte_at(base, i + 1) != 0x75:
            out[at] = _unescaped(int(byte_at(base, i + 1)))
            at += 1
            i += 2
        else:
            code = unit_at(base, i + 2, end)
            i += 6
            if 0xD800 <= code <= 0xDBFF:
                code = 0x10000 + ((code - 0xD800) << 10) + unit_at(base, i + 2, end) - 0xDC00
                i += 6
            at = _write_character(code, out, at)
    return at


@njit(nogil=True, cache=True, boundscheck=False)
def copy_values(data: Bytes, kinds: Bytes, begins: Ints32, ends: Ints32, out: Bytes, out_ends: Ints32) -> Any:
    """Copy the values of n records one behind the other, texts without their escapes; the bytes written.

    What is neither text nor number, true or false becomes an empty text. `out` has room for all and 8 more, `out_ends`
    for n + 1.
    """
    at: Any = np.int64(0)
    out_ends[0] = 0
    for row in range(len(kinds)):
        kind = kinds[row]
        begin = np.int64(begins[row])
        if kind == ESCAPED:
            at = copy_escaped(data, begin, np.int64(ends[row]), out, at)
        elif kind in (TEXT, NUMBER, TRUE, FALSE):
            size = np.int64(ends[row]) - begin
            if begin + size + 8 <= len(data):
                for k in range(0, size, 8):
                    store8(out, at + k, load8(data, begin + k))
            else:
                for k in range(size):
                    out[at + k] = data[begin + k]
            at += size
        out_ends[row + 1] = at
    return at


@njit(nogil=True, cache=True, boundscheck=False)
def read_counts(data: Bytes, kinds: Bytes, begins: Ints32, ends: Ints32, out: Ints, known: Bytes) -> None:
    """Read counts of up to 18 digits, as numbers or as texts. `known`: 0 where there is none, 1 read, 2 doubtful."""
    base = data.ctypes.data
    for row in range(len(kinds)):
        kind = kinds[row]
        out[row] = 0
        known[row] = 0
        if kind in (ABSENT, NULL):
            continue
        begin = np.int64(begins[row])
        size = np.int64(ends[row]) - begin
        if kind not in (TEXT, NUMBER) or size == 0 or size > 18:
            known[row] = 2
            continue
        value = np.int64(0)
        known[row] = 1
        for i in range(begin, begin + size):
            digit = np.int64(byte_at(base, i)) - 0x30
            if digit < 0 or digit > 9:
                known[row] = 2
                break
            value = value * 10 + digit
        out[row] = value


@njit(nogil=True, cache=True, boundscheck=False)
def _number_at(base: Any, begin: Any, size: int) -> Any:
    """The number of so many digits; -1 if they are none."""
    value: Any = 0
    for i in range(begin, begin + size):
        digit = np.int64(byte_at(base, i)) - 0x30
        if digit < 0 or digit > 9:
            return -1
        value = value * 10 + digit
    return value


@njit(nogil=True, cache=True, boundscheck=False)
def days_of(year: Any, month: Any, day: Any) -> Any:
    """Days since 1970 of a date (Hinnant, "chrono-compatible low-level date algorithms")."""
    if month <= 2:
        year -= 1
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


@njit(nogil=True, cache=True, boundscheck=False)
def read_times(data: Bytes, kinds: Bytes, begins: Ints32, ends: Ints32, out: Ints, known: Bytes) -> None:  # noqa: PLR0912 - one form after the other
    """Read `2026-11-21T12:00:00.123Z` or with an offset (`+02:00`) as microseconds; `known` as of `read_counts`."""
    base = data.ctypes.data
    for row in range(len(kinds)):
        kind = kinds[row]
        out[row] = 0
        known[row] = 0
        if kind in (ABSENT, NULL):
            continue
        known[row] = 2
        i: Any = np.int64(begins[row])
        end = np.int64(ends[row])
        if kind != TEXT or end - i < 20:
            continue
        signs = byte_at(base, i + 4) == 0x2D and byte_at(base, i + 7) == 0x2D and byte_at(base, i + 10) == 0x54
        if not signs or byte_at(base, i + 13) != 0x3A or byte_at(base, i + 16) != 0x3A:
            continue
        year, month, day = _number_at(base, i, 4), _number_at(base, i + 5, 2), _number_at(base, i + 8, 2)
        hour, minute, second = _number_at(base, i + 11, 2), _number_at(base, i + 14, 2), _number_at(base, i + 17, 2)
        if year < 1991 or year > 2099 or month < 1 or month > 12 or day < 1:
            continue
        # From 1991 to 2099 every fourth year is a leap year.
        if day > (31 - (month - 1) % 7 % 2 if month != 2 else 29 - (year % 4 != 0)):
            continue
        if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
            continue
        at = i + 19
        micros: Any = 0
        if byte_at(base, at) == 0x2E:
            at += 1
            digits = 0
            while at < end and 0x30 <= byte_at(base, at) <= 0x39:
                if digits < 6:
                    micros = micros * 10 + np.int64(byte_at(base, at)) - 0x30
                    digits += 1
                at += 1
            if digits == 0:
                continue
            for _ in range(6 - digits):
                micros *= 10
        shift = 0
        if end - at == 6 and byte_at(base, at) in (0x2B, 0x2D) and byte_at(base, at + 3) == 0x3A:
            hours, minutes = _number_at(base, at + 1, 2), _number_at(base, at + 4, 2)
            if hours < 0 or hours > 23 or minutes < 0 or minutes > 59:
                continue
            shift = (hours * 60 + minutes) * (60 if byte_at(base, at) == 0x2B else -60)
        elif end - at != 1 or byte_at(base, at) != 0x5A:
            continue
        seconds = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - shift
        out[row] = seconds * 1_000_000 + micros
        known[row] = 1
