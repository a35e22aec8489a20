"""Hashes of the texts of many posts, the distinct terms of each, and words by their hash."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from groundswell.kernels.lookups import Bytes, Hashes, Ints, Ints32, hash_part


@njit(nogil=True, cache=True, boundscheck=False)
def hash_all(data: Bytes, bounds: Ints32, table: Hashes, out: Hashes) -> None:
    """`groundswell.text.hashing.hash_bytes` of the texts between `bounds` (n + 1)."""
    for row in range(len(bounds) - 1):
        out[row] = hash_part(data, bounds[row], bounds[row + 1], table)


@njit(nogil=True, cache=True, boundscheck=False)
def _add_distinct(hashes: Hashes, begin: int, end: int, held: Hashes, out: Hashes, at: int) -> int:
    """Write the distinct ones of some hashes in ascending order; the place behind them."""
    size = end - begin
    if size > 64:
        sorted_ = np.sort(hashes[begin:end])
        for n in range(size):
            if n == 0 or sorted_[n] != sorted_[n - 1]:
                out[at] = sorted_[n]
                at += 1
        return at
    count = 0
    for n in range(begin, end):
        value = hashes[n]
        place = count
        while place > 0 and held[place - 1] > value:
            place -= 1
        if place > 0 and held[place - 1] == value:
            continue
        for k in range(count, place, -1):
            held[k] = held[k - 1]
        held[place] = value
        count += 1
    for n in range(count):
        out[at + n] = held[n]
    return at + count


@njit(nogil=True, cache=True, boundscheck=False)
def distinct_terms(
    words: Hashes, word_rows: Ints32, tags: Hashes, tag_rows: Ints32, row: Ints, hashes: Hashes, kinds: Bytes
) -> int:
    """The distinct words and then the distinct hashtags of each post, each ascending; how many.

    `row`, `hashes` and `kinds` (0 a word, 1 a hashtag) have room for all; the borders have n + 1.
    """
    held = np.empty(64, np.uint64)
    at = 0
    for post in range(len(word_rows) - 1):
        begin = at
        at = _add_distinct(words, word_rows[post], word_rows[post + 1], held, hashes, at)
        for n in range(begin, at):
            kinds[n] = 0
        middle = at
        at = _add_distinct(tags, tag_rows[post], tag_rows[post + 1], held, hashes, at)
        for n in range(middle, at):
            kinds[n] = 1
        for n in range(begin, at):
            row[n] = post
    return at


@njit(nogil=True, cache=True, boundscheck=False)
def first_places(wanted: Hashes, hashes: Hashes, out: Ints) -> None:
    """The first place of each of the `wanted` hashes (ascending) among others; -1 where it is not there."""
    bits = np.zeros(1024, np.uint64)
    for n in range(len(wanted)):
        out[n] = -1
        bit = wanted[n] & np.uint64(65535)
        bits[bit >> np.uint64(6)] |= np.uint64(1) << (bit & np.uint64(63))
    left = len(wanted)
    for place in range(len(hashes)):
        if left == 0:
            return
        value: Any = hashes[place]
        bit = value & np.uint64(65535)
        if bits[bit >> np.uint64(6)] >> (bit & np.uint64(63)) & np.uint64(1) == 0:
            continue
        low, high = 0, len(wanted)
        while low < high:
            middle = (low + high) >> 1
            if wanted[middle] < value:
                low = middle + 1
            else:
                high = middle
        if low < len(wanted) and wanted[low] == value and out[low] < 0:
            out[low] = place
            left -= 1
