"""Hashes of the texts of many posts, the distinct terms of each, and words by their hash."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from groundswell.kernels.lookups import Bytes, Hashes, Ints, Ints32, hash_part
from groundswell.kernels.words8 import word_at


@njit(nogil=True, cache=True, boundscheck=False)
def hash_all(data: Bytes, bounds: Ints32, table: Hashes, out: Hashes) -> None:
    """`groundswell.text.hashing.hash_bytes` of the texts between `bounds` (n + 1)."""
    base, numbers = data.ctypes.data, table.ctypes.data
    for row in range(len(bounds) - 1):
        out[row] = hash_part(base, bounds[row], bounds[row + 1], numbers)


@njit(nogil=True, cache=True, boundscheck=False)
def distinct_terms(
    words: Hashes, word_rows: Ints32, tags: Hashes, tag_rows: Ints32, row: Ints, hashes: Hashes, kinds: Bytes
) -> int:
    """The distinct words and then the distinct hashtags of each post, each where it first stands; how many.

    `row`, `hashes` and `kinds` (0 a word, 1 a hashtag) have room for all; the borders have n + 1.
    """
    # Bits that tell nearly every new one without a look at the others.
    met = np.zeros(16, np.uint64)
    word_base, tag_base = words.ctypes.data, tags.ctypes.data
    at = 0
    for post in range(len(word_rows) - 1):
        for kind in range(2):
            begin, end, base = word_rows[post], word_rows[post + 1], word_base
            if kind:
                begin, end, base = tag_rows[post], tag_rows[post + 1], tag_base
            if begin == end:
                continue
            first = at
            for n in range(begin, end):
                value: Any = word_at(base, n << 3)
                word = value & np.uint64(15)
                bit = np.uint64(1) << (value >> np.uint64(4) & np.uint64(63))
                if met[word] & bit:
                    known = False
                    for k in range(first, at):
                        if hashes[k] == value:
                            known = True
                            break
                    if known:
                        continue
                met[word] |= bit
                hashes[at] = value
                kinds[at] = kind
                row[at] = post
                at += 1
            met[:] = np.uint64(0)
    return at


@njit(nogil=True, cache=True, boundscheck=False)
def first_places(wanted: Hashes, hashes: Hashes, out: Ints) -> None:
    """The first place of each of the `wanted` hashes, all different, among others; -1 where it is not there."""
    size = 64
    while size < 4 * len(wanted):
        size *= 2
    keys = np.zeros(size, np.uint64)
    number = np.full(size, -1, np.int32)
    last = np.uint64(size - 1)
    for n in range(len(wanted)):
        out[n] = -1
        at = wanted[n] & last
        while number[at] >= 0:
            at = (at + np.uint64(1)) & last
        keys[at] = wanted[n]
        number[at] = n
    left = len(wanted)
    for place in range(len(hashes)):
        if left == 0:
            return
        value: Any = hashes[place]
        at = value & last
        while number[at] >= 0:
            if keys[at] == value:
                if out[number[at]] < 0:
                    out[number[at]] = place
                    left -= 1
                break
            at = (at + np.uint64(1)) & last
