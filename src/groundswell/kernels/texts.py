"""Columns of texts from where `groundswell.kernels.records` found their parts, record by record."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from groundswell.kernels.records import ESCAPED, NULL, TEXT, Places
from groundswell.kernels.values import copy_escaped
from groundswell.kernels.words8 import byte_at, load8, store8

Bytes = NDArray[np.uint8]
Ints32 = NDArray[np.int32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: What a part is: a text of the column itself, a value, a value without escapes or a slash, a member of an object.
GIVEN: Final = 0
VALUE: Final = 1
PLAIN: Final = 2
MEMBER: Final = 3

_SLASH: Final = 0x2F


class Columns(NamedTuple):
    """Columns of which parts each text is made."""

    parts: Ints32
    """Borders into the next four, by column."""
    what: Bytes
    place: Ints32
    """Of values: where `Places` has them."""
    begins: Ints32
    ends: Ints32
    """The text that stands before a value, or (given) alone, in `signs`."""
    signs: Bytes


class Written(NamedTuple):
    """Room for the texts of c columns of m records; flags are false before."""

    signs: Bytes
    """Room for all texts, and 8 bytes more behind those of each column."""
    ends: Ints
    """Borders of the texts in `signs`, shape (c, m + 1); the first of each column is given."""
    valid: Bools
    """Shape (c, m)."""
    doubted: Bools
    """Shape (m)."""


@njit(nogil=True, cache=True, boundscheck=False)
def write_texts(  # noqa: PLR0912, PLR0915 - every branch a kind of part
    data: Bytes, places: Places, rows: Ints, columns: Columns, written: Written
) -> None:
    r"""Write the texts of the records `rows` for each column.

    A text is null (not valid) where one of its values is missing; so is one without a sign, and an object
    (`{"name":"value"}`) without members. Members that are missing or empty are left out. Doubted are other values than
    texts in what is plain or an object, and escapes or slashes there.
    """
    kinds, begins, ends = places.kind, places.begin, places.end
    out, ends_out, valid, doubted = written.signs, written.ends, written.valid, written.doubted
    parts, what, place = columns.parts, columns.what, columns.place
    firsts, lasts, signs = columns.begins, columns.ends, columns.signs
    base = data.ctypes.data
    size_of_data = len(data)
    count = len(parts) - 1
    for n in range(len(rows)):
        row = rows[n]
        for k in range(count):
            begun = ends_out[k, n]
            at = begun
            whole = True
            is_object = False
            for p in range(parts[k], parts[k + 1]):
                part = what[p]
                begin, size = np.int64(0), np.int64(0)
                kind = TEXT
                if part != GIVEN:
                    kind = kinds[place[p], row]
                    if kind > NULL:
                        begin = np.int64(begins[place[p], row])
                        size = np.int64(ends[place[p], row]) - begin
                    elif part != MEMBER:
                        whole = False
                        break
                    if part >= PLAIN and kind > NULL and kind != TEXT:
                        doubted[n] = True
                if part == MEMBER:
                    is_object = True
                    if size == 0:
                        continue
                    out[at] = 0x2C if at > begun else 0x7B
                    at += 1
                for i in range(firsts[p], lasts[p]):
                    out[at] = signs[i]
                    at += 1
                if kind == ESCAPED:
                    at = copy_escaped(data, begin, begin + size, out, at)
                elif begin + size + 8 <= size_of_data:
                    for i in range(0, size, 8):
                        store8(out, at + i, load8(data, begin + i))
                    at += size
                else:
                    for i in range(size):
                        out[at + i] = byte_at(base, begin + i)
                    at += size
                if part == PLAIN:
                    for i in range(begin, begin + size):
                        if byte_at(base, i) == _SLASH:
                            doubted[n] = True
                if part == MEMBER:
                    out[at] = 0x22
                    at += 1
            if is_object and at > begun:
                out[at] = 0x7D
                at += 1
            if not whole:
                at = begun
            valid[k, n] = at > begun
            ends_out[k, n + 1] = at


@njit(nogil=True, cache=True, boundscheck=False)
def which_texts(
    data: Bytes, kinds: Bytes, begins: Ints32, ends: Ints32, signs: Bytes, borders: Ints32, out: Bytes
) -> None:
    """Which of some texts (`borders` into `signs`) each value is, without escapes: its number from 1 on, else 0."""
    base = data.ctypes.data
    for row in range(len(kinds)):
        out[row] = 0
        if kinds[row] != TEXT:
            continue
        begin = np.int64(begins[row])
        size = np.int64(ends[row]) - begin
        for n in range(len(borders) - 1):
            first = np.int64(borders[n])
            if np.int64(borders[n + 1]) - first != size:
                continue
            k = np.int64(0)
            while k < size and byte_at(base, begin + k) == signs[first + k]:
                k += 1
            if k == size:
                out[row] = n + 1
                break


def no_columns() -> Any:
    """No columns at all, to compile with."""
    none = np.zeros(0, np.int32)
    return Columns(np.zeros(1, np.int32), np.zeros(0, np.uint8), none, none, none, np.zeros(0, np.uint8))
