"""The tables in which the compiled matcher looks words up, and its other arrays; `matching` runs over them."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Ints32 = NDArray[np.int32]
Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]

#: Operators of a program; a number from 0 on is a leaf.
AND: Final = -1
OR: Final = -2
NOT: Final = -3

#: What a leaf is: found by its hash, a count compared, a coded field, or an array of truth values.
STAMPED: Final = 0
COMPARED: Final = 1
CODED: Final = 2
GIVEN: Final = 3

NO: Final = 0
UNKNOWN: Final = 1
YES: Final = 2

_ODD: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)


class Lexicon(NamedTuple):
    """Texts found by their hash: open addressing behind a bitmap; `entry` is -1 where a place is empty."""

    bits: Hashes
    keys: Hashes
    entry: Ints32
    texts: Bytes
    ends: Ints
    """Borders of the texts, one more than there are."""


class Beginnings(NamedTuple):
    """Texts with which a word may begin, found by the hash of that beginning."""

    heads: Bytes
    """By first byte the lengths of the beginnings with it (1: one byte, 2: two, 4: more); then by two bytes whether
    there are any of that length; then by a hash of three bytes whether there are longer ones."""
    lengths: Ints32
    """Lengths in bytes that there are, ascending."""
    words: Lexicon


class WordTerms(NamedTuple):
    """Words, phrases and beginnings of words that queries ask for."""

    words: Lexicon
    word_leaf: Ints32
    """The leaf of a word by itself, or -1."""
    word_opens: Bytes
    """Whether a pair of words begins with it by which a phrase is found."""
    word_phrases: Ints32
    """Borders into `phrases_of_word`."""
    phrases_of_word: Ints32
    pairs: Lexicon
    """Pairs of words by the hash of both; their texts are empty, for the phrase is compared."""
    pair_phrases: Ints32
    phrases_of_pair: Ints32
    phrase_leaf: Ints32
    phrase_offset: Ints32
    """Bytes from the beginning of a phrase (with its space) to the word by which it is found."""
    phrase_texts: Bytes
    phrase_ends: Ints
    begins: Beginnings
    begin_leaf: Ints32


class ListTerms(NamedTuple):
    """Hashtags or handles that queries ask for; a text makes up to two leaves true (-1: none)."""

    texts: Lexicon
    leaf: Ints32
    other_leaf: Ints32
    begins: Beginnings
    begin_leaf: Ints32


class Program(NamedTuple):
    """Queries as arrays; `groundswell.query.program` makes them."""

    leaf_kind: Bytes
    leaf_at: Ints32
    """Row of the numbers, fields or truth values that the leaf looks at."""
    leaf_operator: Bytes
    """0 to 4: > >= < <= =."""
    leaf_number: Ints
    """What a count is compared with; of a coded field the row in `truth`."""
    candidates: Ints32
    """Borders into `slots`, by leaf: the queries that are looked at where it is found."""
    slots: Ints32
    always: Ints32
    """Queries that must be looked at for each post."""
    starts: Ints32
    """Borders into `operations`, by query."""
    operations: Ints32


class Found(NamedTuple):
    """Leaves that are true of each post, by where they were found; `…_rows` are n + 1 borders."""

    in_words: Ints32
    word_rows: Ints32
    in_tags: Ints32
    tag_rows: Ints32
    in_mentions: Ints32
    mention_rows: Ints32
    in_authors: Ints32
    author_rows: Ints32


class Words(NamedTuple):
    """The words of n texts: `hashes`, `begins` and `ends` (places in `data`) one a word, `rows` (n + 1) borders."""

    data: Bytes
    bounds: Ints32
    hashes: Hashes
    begins: Ints32
    ends: Ints32
    rows: Ints32


class Lists(NamedTuple):
    """Lists of texts: the bytes, the borders of the texts, and the borders of the n lists among these."""

    data: Bytes
    ends: Ints32
    rows: Ints32


class Fields(NamedTuple):
    """What else is known of n posts."""

    numbers: Ints
    """Counts, shape (counts, n), and whether each is known."""
    known: Bytes
    codes: Ints32
    """Coded fields, shape (fields, n); the last column of `truth` is that of null."""
    truth: Bytes
    given: Bytes
    """Truth values, shape (leaves that need them, n)."""


@njit(nogil=True, cache=True, boundscheck=False)
def mix(value: Any) -> Any:
    """The finaliser of splitmix64."""
    value = (value ^ (value >> np.uint64(30))) * _FIRST
    value = (value ^ (value >> np.uint64(27))) * _SECOND
    return value ^ (value >> np.uint64(31))


@njit(nogil=True, cache=True, boundscheck=False)
def hash_part(data: Bytes, begin: int, end: int, table: Hashes) -> Any:
    """`groundswell.text.hashing.hash_bytes` of some bytes."""
    size = len(table)
    total = _ODD
    for i in range(end - begin):
        if i < size:
            total += mix(np.uint64(data[begin + i]) + np.uint64(1) + table[i])
        else:
            turn = np.uint64(i // size) * np.uint64(2) + np.uint64(1)
            total += mix(np.uint64(data[begin + i]) + np.uint64(1) + table[i % size] * turn)
    return mix(total + np.uint64(end - begin))


@njit(nogil=True, cache=True, boundscheck=False)
def pair_hash(first: Any, second: Any) -> Any:
    """The hash of two words that follow each other."""
    return mix(first * _ODD + second)


@njit(nogil=True, cache=True, boundscheck=False)
def hash_words(
    data: Bytes, bounds: Ints32, table: Hashes, hashes: Hashes, begins: Ints32, ends: Ints32, rows: Ints32
) -> int:
    """Hash the words of texts (`" word word "`); how many there are. The arrays have room for one every two bytes."""
    size = len(table)
    found = 0
    rows[0] = 0
    for row in range(len(bounds) - 1):
        total = _ODD
        begin = bounds[row]
        for i in range(bounds[row], bounds[row + 1]):
            byte = data[i]
            if byte == 0x20:
                if i > begin:
                    hashes[found] = mix(total + np.uint64(i - begin))
                    begins[found] = begin
                    ends[found] = i
                    found += 1
                begin = i + 1
                total = _ODD
                continue
            at = i - begin
            if at < size:
                total += mix(np.uint64(byte) + np.uint64(1) + table[at])
            else:
                turn = np.uint64(at // size) * np.uint64(2) + np.uint64(1)
                total += mix(np.uint64(byte) + np.uint64(1) + table[at % size] * turn)
        rows[row + 1] = found
    return found


@njit(nogil=True, cache=True, boundscheck=False)
def is_same(texts: Bytes, start: int, data: Bytes, begin: int, size: int) -> bool:
    """Whether so many bytes are the same in both."""
    for i in range(size):  # noqa: SIM110 - a generator is slow here
        if texts[start + i] != data[begin + i]:
            return False
    return True


@njit(nogil=True, cache=True, boundscheck=False)
def may_be(bits: Hashes, value: Any) -> bool:
    """Whether an entry with this hash may be there."""
    bit = value >> np.uint64(40) & np.uint64(64 * len(bits) - 1)
    return bool(bits[bit >> np.uint64(6)] >> (bit & np.uint64(63)) & np.uint64(1))


@njit(nogil=True, cache=True, boundscheck=False)
def find(
    keys: Hashes, entry: Ints32, texts: Bytes, borders: Ints, value: Any, data: Bytes, begin: int, end: int
) -> int:
    """The entry whose text is these bytes, which have this hash; -1 if there is none."""
    last = len(keys) - 1
    at = np.int64(value & np.uint64(last))
    while entry[at] >= 0:
        if keys[at] == value:
            start = borders[entry[at]]
            size = borders[entry[at] + 1] - start
            if size == end - begin and is_same(texts, start, data, begin, size):
                return int(entry[at])
        at = (at + 1) & last
    return -1


@njit(nogil=True, cache=True, boundscheck=False)
def head_of_three(three: Any) -> Any:
    """Three bytes as one number, hashed to 16 bits."""
    return three * 40503 >> 4 & 0xFFFF


@njit(nogil=True, cache=True, boundscheck=False)
def goes_on(heads: Bytes, data: Bytes, begin: int, end: int) -> bool:
    """Whether any beginning may be that of this word."""
    lengths = heads[data[begin]]
    if lengths == 0:
        return False
    if lengths & 1:
        return True
    if lengths & 2 and end - begin > 1 and heads[256 + (np.int64(data[begin]) << 8 | np.int64(data[begin + 1]))]:
        return True
    if lengths & 4 and end - begin > 2:
        three = np.int64(data[begin]) << 16 | np.int64(data[begin + 1]) << 8 | np.int64(data[begin + 2])
        return bool(heads[256 + 65536 + head_of_three(three)])
    return False


@njit(nogil=True, cache=True, boundscheck=False)
def find_beginnings(
    lexicon: Lexicon, lengths: Ints32, data: Bytes, begin: int, end: int, table: Hashes, out: Ints32
) -> int:
    """The beginnings of a word that there are, as entries in `out`; how many."""
    size = len(table)
    total = _ODD
    done = 0
    count = 0
    for length in lengths:
        if length > end - begin:
            break
        for i in range(done, length):
            turn = np.uint64(i // size) * np.uint64(2) + np.uint64(1)
            total += mix(np.uint64(data[begin + i]) + np.uint64(1) + table[i % size] * turn)
        done = length
        value = mix(total + np.uint64(length))
        if may_be(lexicon.bits, value):
            entry = find(lexicon.keys, lexicon.entry, lexicon.texts, lexicon.ends, value, data, begin, begin + length)
            if entry >= 0:
                out[count] = entry
                count += 1
    return count
