"""The tables in which the compiled matcher looks words up, and its other arrays; `matching` runs over them."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from groundswell.kernels.words8 import byte_at, word_at

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

#: As `TABLE_SIZE` and `SHORT` of `groundswell.text.hashing`.
_PLACES: Final = 512
_SHORT: Final = 32
_BYTE: Final = np.uint64(0xFF)
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
    """The words of n texts: `hashes`, `begins` and `ends` (places in `data`) one a word, `rows` (n + 1) borders.

    Each text stands in `data` as `" word word "`, the texts in any order.
    """

    data: Bytes
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
def number_of(byte: Any, at: Any, table: Any) -> Any:
    """The number of a byte at a place of a text; `table` is the address of `groundswell.text.hashing.hash_table`."""
    if at < _SHORT:
        return word_at(table, (_PLACES + (at << 8) + byte) << 3)
    turn = np.uint64(at // _PLACES) * np.uint64(2) + np.uint64(1)
    return mix(np.uint64(byte) + np.uint64(1) + word_at(table, (at % _PLACES) << 3) * turn)


@njit(nogil=True, cache=True, boundscheck=False)
def hash_part(base: Any, begin: Any, end: Any, table: Any) -> Any:
    """`groundswell.text.hashing.hash_bytes` of some bytes; `base` and `table` are addresses."""
    total = _ODD
    size = np.int64(end - begin)
    short = min(size, np.int64(_SHORT))
    numbers = table + (_PLACES << 3)
    done = np.int64(0)
    while done + 8 <= short:
        eight = word_at(base, begin + done)
        for n in range(8):
            total += word_at(numbers, (np.uint64((done + n) << 8) | eight & _BYTE) << np.uint64(3))
            eight >>= np.uint64(8)
        done += 8
    for i in range(done, size):
        total += number_of(np.int64(byte_at(base, begin + i)), i, table)
    return mix(total + np.uint64(size))


@njit(nogil=True, cache=True, boundscheck=False)
def pair_hash(first: Any, second: Any) -> Any:
    """The hash of two words that follow each other."""
    return mix(first * _ODD + second)


@njit(nogil=True, cache=True, boundscheck=False)
def hash_words(
    data: Bytes, bounds: Ints32, table: Hashes, hashes: Hashes, begins: Ints32, ends: Ints32, rows: Ints32
) -> int:
    """Hash the words of texts (`" word word "`); how many there are. The arrays have room for one every two bytes."""
    numbers = table.ctypes.data
    found = 0
    rows[0] = 0
    for row in range(len(bounds) - 1):
        total = _ODD
        begin: Any = np.int64(bounds[row])
        for i in range(bounds[row], bounds[row + 1]):
            byte = np.int64(data[i])
            if byte == 0x20:
                if i > begin:
                    hashes[found] = mix(total + np.uint64(i - begin))
                    begins[found] = begin
                    ends[found] = i
                    found += 1
                begin = i + 1
                total = _ODD
                continue
            total += number_of(byte, i - begin, numbers)
        rows[row + 1] = found
    return found


@njit(nogil=True, cache=True, boundscheck=False)
def is_same(texts: Any, start: Any, base: Any, begin: Any, size: Any) -> bool:
    """Whether so many bytes are the same behind both addresses."""
    for i in range(size):  # noqa: SIM110 - a generator is slow here
        if byte_at(texts, start + i) != byte_at(base, begin + i):
            return False
    return True


@njit(nogil=True, cache=True, boundscheck=False)
def may_be(bits: Any, mask: Any, value: Any) -> bool:
    """Whether an entry with this hash may be there; `bits` is the address of a bitmap of `mask` + 1 bits."""
    bit = value >> np.uint64(40) & np.uint64(mask)
    return bool(word_at(bits, bit >> np.uint64(6) << np.uint64(3)) >> (bit & np.uint64(63)) & np.uint64(1))


@njit(nogil=True, cache=True, boundscheck=False)
def find(lexicon: Lexicon, value: Any, base: Any, begin: int, end: int) -> int:
    """The entry whose text is these bytes, which have this hash; -1 if there is none."""
    keys, entry, borders = lexicon.keys, lexicon.entry, lexicon.ends
    texts = lexicon.texts.ctypes.data
    last = len(keys) - 1
    at = np.int64(value & np.uint64(last))
    while entry[at] >= 0:
        if keys[at] == value:
            start = borders[entry[at]]
            size = borders[entry[at] + 1] - start
            if size == end - begin and is_same(texts, start, base, begin, size):
                return int(entry[at])
        at = (at + 1) & last
    return -1


@njit(nogil=True, cache=True, boundscheck=False)
def head_of_three(three: Any) -> Any:
    """Three bytes as one number, hashed to 16 bits."""
    return three * 40503 >> 4 & 0xFFFF


@njit(nogil=True, cache=True, boundscheck=False)
def goes_on(heads: Any, base: Any, begin: Any, end: Any) -> bool:
    """Whether any beginning may be that of this word; `heads` and `base` are addresses."""
    first = np.int64(byte_at(base, begin))
    lengths = byte_at(heads, first)
    if lengths == 0:
        return False
    if lengths & 1:
        return True
    if end - begin < 2:
        return False
    two = first << 8 | np.int64(byte_at(base, begin + 1))
    if lengths & 2 and byte_at(heads, 256 + two):
        return True
    if lengths & 4 and end - begin > 2:
        three = two << 8 | np.int64(byte_at(base, begin + 2))
        return bool(byte_at(heads, 256 + 65536 + head_of_three(three)))
    return False


@njit(nogil=True, cache=True, boundscheck=False)
def find_beginnings(lexicon: Lexicon, lengths: Ints32, base: Any, begin: int, end: int, table: Any, out: Ints32) -> int:
    """The beginnings of a word that there are, as entries in `out`; how many."""
    bits, mask = lexicon.bits.ctypes.data, 64 * len(lexicon.bits) - 1
    total = _ODD
    done = 0
    count = 0
    for length in lengths:
        if length > end - begin:
            break
        for i in range(done, length):
            total += number_of(np.int64(byte_at(base, begin + i)), i, table)
        done = length
        value = mix(total + np.uint64(length))
        if may_be(bits, mask, value):
            entry = find(lexicon, value, base, begin, begin + length)
            if entry >= 0:
                out[count] = entry
                count += 1
    return count
