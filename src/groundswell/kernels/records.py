"""Where the wanted values of JSON records stand: one pass over their bytes, which checks them strictly on its way.

What this takes is valid JSON in valid UTF-8 (RFC 8259) without what parsers read in different ways: a wanted key that
is there twice, an escaped key beside wanted ones, half a surrogate pair, a character U+0000, very deep nesting. All
else is *doubted*, for an ordinary parser to look at. What comes out is defined by Python's own `json`, by test.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from groundswell.kernels.signs import after_number, after_text, is_word
from groundswell.kernels.words8 import byte_at, lowest, signs32

Bytes = NDArray[np.uint8]
Ints32 = NDArray[np.int32]
Ints = NDArray[np.int64]

#: What stands at a place. An `ESCAPED` text has escapes in it.
ABSENT: Final = 0
NULL: Final = 1
TEXT: Final = 2
ESCAPED: Final = 3
NUMBER: Final = 4
TRUE: Final = 5
FALSE: Final = 6
OBJECT: Final = 7
ARRAY: Final = 8

_HALF: Final = np.uint64(32)
_ONE: Final = np.uint64(1)
_TOP: Final = np.uint64(1 << 31)
_DEEPEST: Final = 48
_KEY_OR_END: Final = 0
_KEY: Final = 1
_VALUE: Final = 2
_VALUE_OR_END: Final = 3
_AFTER: Final = 4


class Wanted(NamedTuple):
    """Paths as a tree of states; state 0 is the record. -1: none."""

    children: Ints32
    """Borders into the next three, by state."""
    key_begins: Ints32
    key_ends: Ints32
    child: Ints32
    keys: Bytes
    items: Ints32
    """The state of the items of an array, by state."""
    place: Ints32
    """The place of the one value, by state."""
    listed: Ints32
    """The number of the list to which the value is added, by state."""
    allowed: NDArray[np.uint16]
    """What may stand there, one bit a kind; a record with anything else is doubted."""


class Places(NamedTuple):
    """Values of n records: by place and record what it is and where, shape (places, n)."""

    kind: Bytes
    begin: Ints32
    end: Ints32


class Listed(NamedTuple):
    """Values in lists, in the order in which they stand: the record, the list, what it is and where."""

    row: Ints32
    number: Ints32
    kind: Bytes
    begin: Ints32
    end: Ints32


@njit(nogil=True, cache=True, boundscheck=False)
def _after_short(base: Any, begin: Any, end: Any, safe: Any) -> Any:
    """As `after_text` of plain ASCII up to 31 bytes long; -1 of any other, or where fewer than 32 bytes are left."""
    if begin > safe:
        return np.int64(-1)
    signs = signs32(base, begin)
    place = lowest(signs | _TOP)
    last = begin + np.int64(place)
    # A byte that is no ASCII has its bit in the upper half.
    if signs >> _HALF & ((_ONE << place) - _ONE) or last >= end or byte_at(base, last) != 0x22:
        return np.int64(-1)
    return 2 * last


@njit(nogil=True, cache=True, boundscheck=False)
def walk(  # noqa: PLR0912, PLR0915 - one automaton, every branch a sign of JSON
    data: Bytes, bounds: Ints, first: int, wanted: Wanted, places: Places, doubted: Bytes, listed: Listed
) -> tuple[int, int]:
    """Find the wanted values of the records between `bounds` (n + 1; a record ends before the line feed at its end).

    `places.kind` is zeros before; `doubted` (n) is set to 1 where another parser must look: what was found there and in
    lists says nothing. Begins with record `first`, stops before one whose items have no room in `listed`; records done
    and items listed.
    """
    children, key_begins, key_ends, child = wanted.children, wanted.key_begins, wanted.key_ends, wanted.child
    keys, items, place, list_of = wanted.keys, wanted.items, wanted.place, wanted.listed
    allowed = wanted.allowed
    kinds, begins, ends = places.kind, places.begin, places.end
    rows, numbers, sorts, firsts, lasts = listed
    room = len(rows)
    count = 0
    states = np.empty(_DEEPEST + 1, np.int32)
    is_object = np.empty(_DEEPEST + 1, np.uint8)
    met = np.zeros(_DEEPEST + 1, np.uint64)
    base = data.ctypes.data
    size = len(data)
    safe = size - 32
    for row in range(first, len(bounds) - 1):
        i = bounds[row]
        end = bounds[row + 1]
        if end > i and byte_at(base, end - 1) == 0x0A:
            end -= 1
        depth = -1
        state = 0
        mode = _VALUE
        good = False
        before = count
        while True:
            while i < end and byte_at(base, i) <= 0x20 and byte_at(base, i) in (0x20, 0x09, 0x0D):
                i += 1
            if i >= end:
                good = mode == _AFTER and depth < 0
                break
            byte = byte_at(base, i)
            if mode == _AFTER:
                if depth < 0:
                    break
                if byte == 0x2C:
                    mode = _KEY if is_object[depth] else _VALUE
                    if not is_object[depth]:
                        state = items[states[depth]] if states[depth] >= 0 else -1
                    i += 1
                elif byte == (0x7D if is_object[depth] else 0x5D):
                    depth -= 1
                    i += 1
                else:
                    break
                continue
            if mode <= _KEY:
                if byte == 0x7D and mode == _KEY_OR_END:
                    depth -= 1
                    mode = _AFTER
                    i += 1
                    continue
                if byte != 0x22:
                    break
                begin = i + 1
                last = _after_short(base, begin, end, safe)
                if last < 0:
                    last = after_text(base, begin, end, size)
                    if last < 0:
                        break
                i = last >> 1
                state = -1
                parent = states[depth]
                if parent >= 0 and children[parent] < children[parent + 1]:
                    if last & 1:
                        break
                    twice = False
                    long = i - begin
                    for n in range(children[parent], children[parent + 1]):
                        if key_ends[n] - key_begins[n] != long:
                            continue
                        same = True
                        for k in range(long):
                            if keys[key_begins[n] + k] != byte_at(base, begin + k):
                                same = False
                                break
                        if same:
                            state = child[n]
                            bit = np.uint64(1) << np.uint64(n - children[parent] & 63)
                            twice = met[depth] & bit != 0
                            met[depth] |= bit
                            break
                    if twice:
                        break
                i += 1
                while i < end and byte_at(base, i) <= 0x20 and byte_at(base, i) in (0x20, 0x09, 0x0D):
                    i += 1
                if i >= end or byte_at(base, i) != 0x3A:
                    break
                i += 1
                mode = _VALUE
                continue
            if byte == 0x5D and mode == _VALUE_OR_END:
                depth -= 1
                mode = _AFTER
                i += 1
                continue
            begin = i
            found = ABSENT
            if byte == 0x22:
                begin = i + 1
                last = _after_short(base, begin, end, safe)
                if last < 0:
                    last = after_text(base, begin, end, size)
                    if last < 0:
                        break
                found = ESCAPED if last & 1 else TEXT
                last >>= 1
                i = last + 1
                mode = _AFTER
            elif byte | 0x20 == 0x7B:
                if depth == _DEEPEST:
                    break
                depth += 1
                states[depth] = state
                is_object[depth] = byte == 0x7B
                met[depth] = 0
                found = OBJECT if byte == 0x7B else ARRAY
                i += 1
                last = i
                mode = _KEY_OR_END if byte == 0x7B else _VALUE_OR_END
            elif byte == 0x2D or 0x30 <= byte <= 0x39:
                i = after_number(base, i, end)
                if i < 0:
                    break
                found = NUMBER
                last = i
                mode = _AFTER
            else:
                if is_word(base, i, end, 0x74, 0x72, 0x75, 0x65):
                    found = TRUE
                    i += 4
                elif is_word(base, i, end, 0x6E, 0x75, 0x6C, 0x6C):
                    found = NULL
                    i += 4
                elif is_word(base, i, end, 0x66, 0x61, 0x6C, 0x73) and i + 4 < end and byte_at(base, i + 4) == 0x65:
                    found = FALSE
                    i += 5
                else:
                    break
                last = i
                mode = _AFTER
            if state >= 0:
                if allowed[state] >> found & 1 == 0:
                    break
                at = place[state]
                if at >= 0:
                    kinds[at, row] = found
                    begins[at, row] = begin
                    ends[at, row] = last
                at = list_of[state]
                if at >= 0:
                    if count == room:
                        doubted[row] = 0
                        return row, before
                    rows[count] = row
                    numbers[count] = at
                    sorts[count] = found
                    firsts[count] = begin
                    lasts[count] = last
                    count += 1
            if mode == _VALUE_OR_END:
                state = items[state] if state >= 0 else -1
        if not good:
            doubted[row] = 1
    return len(bounds) - 1, count
