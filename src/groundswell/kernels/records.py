"""Where the wanted values of JSON records stand: one pass over their bytes, which checks them strictly on its way.

What this takes is valid JSON in valid UTF-8 (RFC 8259) without what parsers read in different ways: a wanted key that
is there twice, an escaped key beside wanted ones, half a surrogate pair, a character U+0000, very deep nesting. All
else is *doubted*, for an ordinary parser to look at. What comes out is defined by Python's own `json`, by test.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

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

#: Classes of bytes: what a scan of a string must stop at, and white space.
_QUOTE: Final = 1
_BACKSLASH: Final = 2
_CONTROL: Final = 3
_WIDE: Final = 4

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


def byte_classes() -> Bytes:
    """What a scan of a string stops at, by byte."""
    classes = np.zeros(256, np.uint8)
    classes[:32] = _CONTROL
    classes[ord('"')] = _QUOTE
    classes[ord("\\")] = _BACKSLASH
    classes[0x80:] = _WIDE
    classes.setflags(write=False)
    return classes


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
def _after_escape(  # noqa: PLR0911 - each return a kind of escape
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
def _after_character(  # noqa: PLR0911 - each return a length
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
def _after_digits(data: Bytes, at: int, end: int) -> int:
    """The place behind one or more digits; -1 if there are none."""
    begin = at
    while at < end and 0x30 <= data[at] <= 0x39:
        at += 1
    return at if at > begin else -1


@njit(nogil=True, cache=True, boundscheck=False)
def _after_number(data: Bytes, at: int, end: int) -> int:
    """The place behind a number; -1 if it is none."""
    if data[at] == 0x2D:
        at += 1
    if at < end and data[at] == 0x30:
        at += 1
    else:
        at = _after_digits(data, at, end)
        if at < 0:
            return -1
    if at < end and data[at] == 0x2E:
        at = _after_digits(data, at + 1, end)
        if at < 0:
            return -1
    if at < end and data[at] | 0x20 == 0x65:
        at += 1
        if at < end and data[at] in (0x2B, 0x2D):
            at += 1
        at = _after_digits(data, at, end)
    return at


@njit(nogil=True, cache=True, boundscheck=False)
def _is_word(data: Bytes, at: int, end: int, one: int, two: int, three: int, four: int) -> bool:
    return at + 4 <= end and data[at] == one and data[at + 1] == two and data[at + 2] == three and data[at + 3] == four


@njit(nogil=True, cache=True, boundscheck=False)
def walk(  # noqa: PLR0912, PLR0915 - one automaton, every branch a sign of JSON
    data: Bytes, bounds: Ints, classes: Bytes, wanted: Wanted, places: Places, doubted: Bytes
) -> Listed:
    """Find the wanted values of the records between `bounds` (n + 1; a record ends before the line feed at its end).

    `places.kind` is zeros before; `doubted` (n) is set to 1 where another parser must look: what was found there and in
    lists says nothing.
    """
    children, key_begins, key_ends, child = wanted.children, wanted.key_begins, wanted.key_ends, wanted.child
    keys, items, place, listed = wanted.keys, wanted.items, wanted.place, wanted.listed
    allowed = wanted.allowed
    kinds, begins, ends = places.kind, places.begin, places.end
    room = 1024
    rows, numbers = np.empty(room, np.int32), np.empty(room, np.int32)
    sorts = np.empty(room, np.uint8)
    firsts, lasts = np.empty(room, np.int32), np.empty(room, np.int32)
    count = 0
    states = np.empty(_DEEPEST + 1, np.int32)
    is_object = np.empty(_DEEPEST + 1, np.uint8)
    met = np.zeros(_DEEPEST + 1, np.uint64)
    for row in range(len(bounds) - 1):
        i = bounds[row]
        end = bounds[row + 1]
        if end > i and data[end - 1] == 0x0A:
            end -= 1
        depth = -1
        state = 0
        mode = _VALUE
        good = False
        while True:
            while i < end and data[i] <= 0x20 and data[i] in (0x20, 0x09, 0x0D):
                i += 1
            if i >= end:
                good = mode == _AFTER and depth < 0
                break
            byte = data[i]
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
                i += 1
                begin = i
                escaped = False
                while i < end:
                    sort = classes[data[i]]
                    if sort == 0:
                        i += 1
                    elif sort == _WIDE:
                        i = _after_character(data, i, end)
                        if i < 0:
                            break
                    elif sort == _BACKSLASH:
                        escaped = True
                        i = _after_escape(data, i, end)
                        if i < 0:
                            break
                    else:
                        break
                if i < 0 or i >= end or data[i] != 0x22:
                    break
                state = -1
                parent = states[depth]
                if parent >= 0 and children[parent] < children[parent + 1]:
                    if escaped:
                        break
                    twice = False
                    size = i - begin
                    for n in range(children[parent], children[parent + 1]):
                        if key_ends[n] - key_begins[n] != size:
                            continue
                        same = True
                        for k in range(size):
                            if keys[key_begins[n] + k] != data[begin + k]:
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
                while i < end and data[i] <= 0x20 and data[i] in (0x20, 0x09, 0x0D):
                    i += 1
                if i >= end or data[i] != 0x3A:
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
                i += 1
                begin = i
                found = TEXT
                while i < end:
                    sort = classes[data[i]]
                    if sort == 0:
                        i += 1
                    elif sort == _WIDE:
                        i = _after_character(data, i, end)
                        if i < 0:
                            break
                    elif sort == _BACKSLASH:
                        found = ESCAPED
                        i = _after_escape(data, i, end)
                        if i < 0:
                            break
                    else:
                        break
                if i < 0 or i >= end or data[i] != 0x22:
                    break
                last = i
                i += 1
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
                i = _after_number(data, i, end)
                if i < 0:
                    break
                found = NUMBER
                last = i
                mode = _AFTER
            else:
                if _is_word(data, i, end, 0x74, 0x72, 0x75, 0x65):
                    found = TRUE
                    i += 4
                elif _is_word(data, i, end, 0x6E, 0x75, 0x6C, 0x6C):
                    found = NULL
                    i += 4
                elif _is_word(data, i, end, 0x66, 0x61, 0x6C, 0x73) and i + 4 < end and data[i + 4] == 0x65:
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
                at = listed[state]
                if at >= 0:
                    if count == room:
                        room *= 2
                        rows = np.concatenate((rows, np.empty(room // 2, np.int32)))
                        numbers = np.concatenate((numbers, np.empty(room // 2, np.int32)))
                        sorts = np.concatenate((sorts, np.empty(room // 2, np.uint8)))
                        firsts = np.concatenate((firsts, np.empty(room // 2, np.int32)))
                        lasts = np.concatenate((lasts, np.empty(room // 2, np.int32)))
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
    return Listed(rows[:count], numbers[:count], sorts[:count], firsts[:count], lasts[:count])
