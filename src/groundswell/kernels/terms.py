"""The loops of the text index: hash every word of a column once and note which part of a file holds it.

A table of hashes with open addressing (linear probing) and a bit mask beside each; 0 is an empty place. A kernel stops
before the table is too full and says how many values it has done: what it did twice has no effect.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint32]
Masks = npt.NDArray[np.uint64]

_BASIS: Final = np.uint64(0xCBF29CE484222325)
_PRIME: Final = np.uint64(0x100000001B3)
_MIX: Final = np.uint64(0xFF51AFD7ED558CCD)
_LOW: Final = np.uint64(0xFFFFFFFF)
_SHIFT: Final = np.uint64(33)
_ONE: Final = np.uint64(1)
_SPACE: Final = np.uint8(0x20)
_REPEATED: Final = np.uint64(5)


@njit(cache=True, nogil=True, inline="always")
def _folded(state: Any) -> Any:
    state ^= state >> _SHIFT
    state *= _MIX
    state ^= state >> _SHIFT
    low = state & _LOW
    return np.uint32(low) if low != 0 else np.uint32(1)


@njit(cache=True, nogil=True, inline="always")
def _put(hashes: Hashes, masks: Masks, value: Any, bit: Any, used: int) -> tuple[int, bool]:
    """Note that the part of `bit` holds the hash; how many are held now, and whether it was noted before."""
    last = len(hashes) - 1
    place = np.int64(value) * 0x9E3779B1 & last
    while hashes[place] != 0 and hashes[place] != value:
        place = (place + 1) & last
    if hashes[place] == 0:
        hashes[place] = value
        used += 1
    before = (masks[place] & bit) != 0
    masks[place] |= bit
    return used, before


@njit(cache=True, nogil=True)
def insert_words(
    data: Bytes, offsets: Offsets, first: int, kind: Any, part: Any, hashes: Hashes, masks: Masks, used: int
) -> tuple[int, int]:
    """Insert the words between the spaces of each text from `first` on; texts done and hashes held."""
    bit = _ONE << part
    start = (_BASIS ^ kind) * _PRIME
    most = len(hashes) * 6 // 10
    for row in range(first, len(offsets) - 1):
        state = start
        begun = False
        for i in range(offsets[row], offsets[row + 1]):
            byte = data[i]
            if byte == _SPACE:
                if begun:
                    if used >= most:
                        return row, used
                    used, _ = _put(hashes, masks, _folded(state), bit, used)
                state = start
                begun = False
            else:
                state = (state ^ np.uint64(byte)) * _PRIME
                begun = True
    return len(offsets) - 1, used


@njit(cache=True, nogil=True)
def insert_whole(
    data: Bytes, offsets: Offsets, first: int, kind: Any, part: Any, hashes: Hashes, masks: Masks, used: int
) -> tuple[int, int]:
    """Insert each text that is not empty as one term."""
    bit = _ONE << part
    start = (_BASIS ^ kind) * _PRIME
    most = len(hashes) * 6 // 10
    for row in range(first, len(offsets) - 1):
        if used >= most:
            return row, used
        state = start
        for i in range(offsets[row], offsets[row + 1]):
            state = (state ^ np.uint64(data[i])) * _PRIME
        if offsets[row + 1] > offsets[row]:
            used, _ = _put(hashes, masks, _folded(state), bit, used)
    return len(offsets) - 1, used


@njit(cache=True, nogil=True)
def insert_marked(
    data: Bytes, offsets: Offsets, first: int, kind: Any, part: Any, hashes: Hashes, masks: Masks, used: int
) -> tuple[int, int]:
    """As `insert_whole`; a text that the part holds already is noted as repeated, too."""
    bit = _ONE << part
    start = (_BASIS ^ kind) * _PRIME
    again = (_BASIS ^ _REPEATED) * _PRIME
    most = len(hashes) * 6 // 10 - 1
    for row in range(first, len(offsets) - 1):
        if used >= most:
            return row, used
        state = start
        twice = again
        for i in range(offsets[row], offsets[row + 1]):
            state = (state ^ np.uint64(data[i])) * _PRIME
            twice = (twice ^ np.uint64(data[i])) * _PRIME
        if offsets[row + 1] > offsets[row]:
            used, before = _put(hashes, masks, _folded(state), bit, used)
            if before:
                used, _ = _put(hashes, masks, _folded(twice), bit, used)
    return len(offsets) - 1, used


@njit(cache=True, nogil=True)
def grow(hashes: Hashes, masks: Masks) -> tuple[Hashes, Masks]:
    """The same entries in a table of twice the size."""
    wider = np.zeros(2 * len(hashes), np.uint32)
    wider_masks = np.zeros(2 * len(hashes), np.uint64)
    for i in range(len(hashes)):
        if hashes[i] != 0:
            _put(wider, wider_masks, hashes[i], masks[i], 0)
    return wider, wider_masks
