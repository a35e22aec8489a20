"""Which numbers of JSON an engine would write otherwise than they stand there; see `groundswell.engines.quick`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from groundswell.kernels.records import NULL, NUMBER, Listed, Places, Wanted, walk
from groundswell.kernels.values import copy_values
from groundswell.kernels.words8 import byte_at

Bytes = NDArray[np.uint8]
Ints32 = NDArray[np.int32]


@njit(nogil=True, cache=True, boundscheck=False)
def is_plain(base: Any, begin: int, end: int) -> bool:
    """Whether a number of JSON in the bytes at `base` is its own shortest text, as an int64 or a float64.

    Up to 18 digits without a fraction, or 15 with one that ends with no zero (or is a zero); no exponent.
    """
    at = begin
    if byte_at(base, at) == 0x2D:
        at += 1
        if byte_at(base, at) == 0x30:
            return False
    point = at
    while point < end and 0x30 <= byte_at(base, point) <= 0x39:
        point += 1
    if point == end:
        return end - at <= 18
    if byte_at(base, point) != 0x2E or end - at > 16 or (byte_at(base, at) == 0x30 and at > begin):
        return False
    last = point + 1
    while last < end and 0x30 <= byte_at(base, last) <= 0x39:
        last += 1
    if last != end:
        return False
    if byte_at(base, end - 1) == 0x30:
        return end - point == 2
    # Below a ten thousandth it would have an exponent.
    small = (
        byte_at(base, at) == 0x30
        and byte_at(base, point + 1) == 0x30
        and byte_at(base, point + 2) == 0x30
        and byte_at(base, point + 3) == 0x30
    )
    return not small


@njit(nogil=True, cache=True, boundscheck=False)
def doubt_numbers(
    data: Bytes, places: Places, row: Ints32, kind: Bytes, begin: Ints32, end: Ints32, doubted: Bytes
) -> None:
    """Set `doubted` (n) where a number among the values of a record is not plain; `row` and so on: those in lists."""
    kinds, begins, ends = places.kind, places.begin, places.end
    base = data.ctypes.data
    for place in range(kinds.shape[0]):
        for n in range(kinds.shape[1]):
            if kinds[place, n] == NUMBER and not is_plain(base, begins[place, n], ends[place, n]):
                doubted[n] = 1
    for n in range(len(row)):
        if kind[n] == NUMBER and not is_plain(base, begin[n], end[n]):
            doubted[row[n]] = 1


@njit(nogil=True, cache=True, boundscheck=False)
def text_rooms(places: Places, wanted: Ints32, rooms: NDArray[np.int64]) -> None:
    """For each of the `wanted` places the bytes that `copy_texts` needs for its values, and for all before it."""
    kinds, begins, ends = places.kind, places.begin, places.end
    rooms[0] = 0
    for at in range(len(wanted)):
        place = wanted[at]
        size = 8
        for n in range(kinds.shape[1]):
            if kinds[place, n] > NULL:
                size += ends[place, n] - begins[place, n]
        rooms[at + 1] = rooms[at] + size


@njit(nogil=True, cache=True, boundscheck=False)
def copy_texts(
    data: Bytes,
    places: Places,
    wanted: Ints32,
    rooms: NDArray[np.int64],
    out: Bytes,
    out_ends: Ints32,
    valid: Bytes,
    nulls: NDArray[np.int64],
) -> None:
    """Copy the values of the `wanted` places to `out`, each behind its room: see `values.copy_values`.

    `out_ends` has shape (wanted, n + 1), `valid` (wanted, bytes of n bits) is zeros before, `nulls` counts the values
    that are not there. All in one call, because each takes the interpreter's lock afterwards.
    """
    kinds, begins, ends = places.kind, places.begin, places.end
    for at in range(len(wanted)):
        place = wanted[at]
        copy_values(data, kinds[place], begins[place], ends[place], out[rooms[at] : rooms[at + 1]], out_ends[at])
        missing = 0
        for n in range(kinds.shape[1]):
            if kinds[place, n] > NULL:
                valid[at, n >> 3] |= np.uint8(1 << (n & 7))
            else:
                missing += 1
        nulls[at] = missing


@njit(nogil=True, cache=True, boundscheck=False)
def read_digits(data: Bytes, offsets: Ints32, most: int, out: NDArray[np.int64], read: Bytes) -> int:
    """The numbers that texts of one to `most` digits are; `read`: 1 where one is. How many are."""
    found = 0
    for n in range(len(out)):
        value = np.int64(0)
        begin, end = offsets[n], offsets[n + 1]
        good = 0 < end - begin <= most
        if good:
            for i in range(begin, end):
                digit = np.int64(data[i]) - 0x30
                good &= 0 <= digit <= 9
                value = value * 10 + digit
        out[n] = value if good else 0
        read[n] = good
        found += good
    return found


def warm_leaves() -> None:
    """Run what the quick reader runs once on arrays as they will come."""
    none, one = np.zeros(0, np.int32), np.full(1, -1, np.int32)
    wanted = Wanted(
        np.zeros(2, np.int32), none, none, none, np.zeros(0, np.uint8), one, one, one, np.full(1, 0xFFFF, np.uint16)
    )
    data = np.frombuffer(b"{}", np.uint8)
    places = Places(*(np.zeros((1, 1), kind) for kind in (np.uint8, np.int32, np.int32)))
    doubted, bounds = np.zeros(1, np.uint8), np.array([0, 2], np.int64)
    listed = Listed(none, none, np.zeros(0, np.uint8), none, none)
    walk(data, bounds, 0, wanted, places, doubted, listed)
    doubt_numbers(data, places, listed.row, listed.kind, listed.begin, listed.end, doubted)
    rooms, nulls = np.zeros(2, np.int64), np.zeros(1, np.int64)
    first = np.zeros(1, np.int32)
    text_rooms(places, first, rooms)
    copy_texts(data, places, first, rooms, np.empty(16, np.uint8), np.empty((1, 2), np.int32), places.kind, nulls)
    ends = np.array([0, 1], np.int32)
    ends.setflags(write=False)
    read_digits(data, ends, 18, np.empty(1, np.int64), doubted)
    copy_values(data, places.kind[0], places.begin[0], places.end[0], np.empty(16, np.uint8), np.empty(2, np.int32))
