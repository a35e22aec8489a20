"""The words of texts; the plain twin is `groundswell.text.tokens`."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from groundswell.kernels.lookups import hash_part
from groundswell.kernels.words8 import byte_at, half_at, lower32, lowest, plain32, put_byte

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int32]

#: Classes of `groundswell.text.characters`, as constants that a kernel can hold.
_SOLO: Final = 2
_DROP: Final = 4
_APOSTROPHE: Final = 8
_SLOW: Final = 16
_MARK: Final = 64
_LOOSE: Final = _SLOW | _DROP | _APOSTROPHE

#: What a text holds: marks of the array that `words` fills.
IS_SLOW: Final = 1
HAS_AT: Final = 2
HAS_LINK: Final = 4
HAS_HASH: Final = 8


_ONE: Final = np.uint64(1)
#: Bytes that `out` must have room for behind what is written.
SPARE: Final = 64


class Hashed(NamedTuple):
    """Words of n texts by their hash: where each begins and ends in what is written, and the n + 1 borders of texts.

    There is room for as many words as there are bytes. Where `rows` is empty nothing is noted.
    """

    table: NDArray[np.uint64]
    """`groundswell.text.hashing.hash_table`."""
    hashes: NDArray[np.uint64]
    begins: Offsets
    ends: Offsets
    rows: Offsets


def unhashed() -> Hashed:
    """For words of which no hashes are wanted."""
    none = np.zeros(0, np.int32)
    table = np.zeros(1, np.uint64)
    table.setflags(write=False)
    return Hashed(table, np.zeros(0, np.uint64), none, none, none)


@njit(nogil=True, cache=True, boundscheck=False)
def words(  # noqa: PLR0912, PLR0915 - one pass over the bytes, every branch a case of UTF-8 or of words
    data: Bytes,
    offsets: Offsets,
    classes: Bytes,
    folded: NDArray[np.uint32],
    out: Bytes,
    ends: Offsets,
    marks: Bytes,
    hashed: Hashed,
) -> int:
    """Folded words of valid UTF-8 texts, each `" word word "`, one behind the other; the bytes written.

    `offsets` (n + 1) bound the texts in `data`, `ends` (n + 1, the first is set to 0) those in `out`, which needs
    room for twice the bytes, two more a text and `SPARE`. `marks` (n) tells per text whether it must be folded as
    a whole instead (`IS_SLOW`: what was written for it does not count) and what else may be in it.
    """
    base, to, kinds, folds = data.ctypes.data, out.ctypes.data, classes.ctypes.data, folded.ctypes.data
    numbers = hashed.table.ctypes.data
    hashes, begins, finishes, rows = hashed.hashes, hashed.begins, hashed.ends, hashed.rows
    noted = len(rows) > 0
    safe = np.int64(len(data)) - 32
    at = np.int64(0)
    count = 0
    ends[0] = 0
    if noted:
        rows[0] = 0
    for row in range(len(offsets) - 1):
        i: Any = np.int64(offsets[row])
        start = i
        end = np.int64(offsets[row + 1])
        mark = 0
        inside = False
        alone = False
        last = 0
        begun = count
        word = at
        while i < end:
            first = np.uint32(byte_at(base, i))
            if first < 0x80 and i <= safe:
                # Words of ASCII letters, as most are, at once.
                size = np.int64(lowest(~plain32(base, i)))
                if i + size > end:
                    size = end - i
                if size > 0:
                    if not inside or alone:
                        if noted and at > word:
                            hashes[count] = hash_part(to, word, at, numbers)
                            begins[count] = word
                            finishes[count] = at
                            count += 1
                        put_byte(to, at, 0x20)
                        at += 1
                        word = at
                    lower32(base, i, to + at)
                    inside = True
                    alone = False
                    last = 1
                    at += size
                    i += size
                    continue
            if first < 0x80:
                code = first
                i += 1
            elif first < 0xE0:
                code = np.uint32((first & 0x1F) << 6 | byte_at(base, i + 1) & 0x3F)
                i += 2
            elif first < 0xF0:
                second, third = byte_at(base, i + 1) & 0x3F, byte_at(base, i + 2) & 0x3F
                code = np.uint32((first & 0x0F) << 12 | second << 6 | third)
                i += 3
            else:
                code = np.uint32(
                    (first & 0x07) << 18
                    | (byte_at(base, i + 1) & 0x3F) << 12
                    | (byte_at(base, i + 2) & 0x3F) << 6
                    | byte_at(base, i + 3) & 0x3F
                )
                i += 4
            kind = byte_at(kinds, code)
            before = last
            last = kind
            if before & _MARK and kind & _LOOSE:
                mark |= IS_SLOW
            if kind == 0:
                inside = False
                if code == 0x20:
                    continue
                sign = np.uint32(half_at(folds, np.int64(code) << 2))
                if sign == 0x40:
                    mark |= HAS_AT
                elif sign == 0x23:
                    mark |= HAS_HASH
                elif code == 0x3A:
                    if i + 1 < end and byte_at(base, i) == 0x2F and byte_at(base, i + 1) == 0x2F:
                        mark |= HAS_LINK
                elif code == 0x2E and i >= start + 4 and byte_at(base, i - 2) | 0x20 == 0x77:
                    mark |= HAS_LINK
                continue
            if kind & _SLOW and (not kind & _MARK or before == 0 or before & _LOOSE):
                mark |= IS_SLOW
                continue
            if kind & (_DROP | _APOSTROPHE):
                continue
            solo = kind & _SOLO != 0
            if not inside or solo or alone:
                if noted and at > word:
                    hashes[count] = hash_part(to, word, at, numbers)
                    begins[count] = word
                    finishes[count] = at
                    count += 1
                put_byte(to, at, 0x20)
                at += 1
                word = at
            inside = True
            alone = solo
            code = np.uint32(half_at(folds, np.int64(code) << 2))
            if code < 0x80:
                put_byte(to, at, code)
                at += 1
            elif code < 0x800:
                put_byte(to, at, 0xC0 | code >> 6)
                put_byte(to, at + 1, 0x80 | code & 0x3F)
                at += 2
            elif code < 0x10000:
                put_byte(to, at, 0xE0 | code >> 12)
                put_byte(to, at + 1, 0x80 | code >> 6 & 0x3F)
                put_byte(to, at + 2, 0x80 | code & 0x3F)
                at += 3
            else:
                put_byte(to, at, 0xF0 | code >> 18)
                put_byte(to, at + 1, 0x80 | code >> 12 & 0x3F)
                put_byte(to, at + 2, 0x80 | code >> 6 & 0x3F)
                put_byte(to, at + 3, 0x80 | code & 0x3F)
                at += 4
        if mark & IS_SLOW:
            at = np.int64(ends[row])
            count = begun
        else:
            if noted and at > word:
                hashes[count] = hash_part(to, word, at, numbers)
                begins[count] = word
                finishes[count] = at
                count += 1
            put_byte(to, at, 0x20)
            at += 1
        ends[row + 1] = at
        if noted:
            rows[row + 1] = count
        marks[row] = mark
    return int(at)
