"""Many queries over the words of many posts at once; the plain twin is `groundswell.query.masks.Matcher.matrix`.

Each word is hashed and looked up in the words that any query asks for, behind a bitmap; a hit is compared byte by byte,
so equal hashes change nothing. Of each query only those posts are looked at that hold its rarest word, name or hashtag;
there the query runs as a postfix program over truth values 0 (no), 1 (not known) and 2 (yes), so that what a caller
cannot know of a post is told apart from what is so.
"""

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
_STACK: Final = 256


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
def _is_same(texts: Bytes, start: int, data: Bytes, begin: int, size: int) -> bool:
    for i in range(size):  # noqa: SIM110 - a generator is slow here
        if texts[start + i] != data[begin + i]:
            return False
    return True


@njit(nogil=True, cache=True, boundscheck=False)
def _may_be(bits: Hashes, value: Any) -> bool:
    """Whether an entry with this hash may be there."""
    bit = value >> np.uint64(40) & np.uint64(64 * len(bits) - 1)
    return bool(bits[bit >> np.uint64(6)] >> (bit & np.uint64(63)) & np.uint64(1))


@njit(nogil=True, cache=True, boundscheck=False)
def _find(
    keys: Hashes, entry: Ints32, texts: Bytes, borders: Ints, value: Any, data: Bytes, begin: int, end: int
) -> int:
    """The entry whose text is these bytes, which have this hash; -1 if there is none."""
    last = len(keys) - 1
    at = np.int64(value & np.uint64(last))
    while entry[at] >= 0:
        if keys[at] == value:
            start = borders[entry[at]]
            size = borders[entry[at] + 1] - start
            if size == end - begin and _is_same(texts, start, data, begin, size):
                return int(entry[at])
        at = (at + 1) & last
    return -1


@njit(nogil=True, cache=True, boundscheck=False)
def head_of_three(three: Any) -> Any:
    """Three bytes as one number, hashed to 16 bits."""
    return three * 40503 >> 4 & 0xFFFF


@njit(nogil=True, cache=True, boundscheck=False)
def _goes_on(heads: Bytes, data: Bytes, begin: int, end: int) -> bool:
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
def _wider(found: Ints32) -> Ints32:
    """A copy with twice the room."""
    wider = np.empty(2 * len(found), np.int32)
    wider[: len(found)] = found
    return wider


@njit(nogil=True, cache=True, boundscheck=False)
def _find_beginnings(
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
        if _may_be(lexicon.bits, value):
            entry = _find(lexicon.keys, lexicon.entry, lexicon.texts, lexicon.ends, value, data, begin, begin + length)
            if entry >= 0:
                out[count] = entry
                count += 1
    return count


@njit(nogil=True, cache=True, boundscheck=False)
def find_in_words(  # noqa: PLR0912, PLR0915 - one pass over the words, every branch a kind of term
    terms: WordTerms, words: Words, table: Hashes
) -> tuple[Ints32, Ints32]:
    """The leaves that are true of each post's words (some twice), and n + 1 borders."""
    data, bounds, hashes, begins, ends = words.data, words.bounds, words.hashes, words.begins, words.ends
    bits, keys, entries, texts, borders = terms.words
    leaf_of, opens, word_phrases, phrases_of_word = (
        terms.word_leaf,
        terms.word_opens,
        terms.word_phrases,
        terms.phrases_of_word,
    )
    pair_bits, pair_keys, pair_entries = terms.pairs.bits, terms.pairs.keys, terms.pairs.entry
    pair_phrases, phrases_of_pair = terms.pair_phrases, terms.phrases_of_pair
    phrase_leaf, phrase_offset = terms.phrase_leaf, terms.phrase_offset
    phrase_texts, phrase_ends = terms.phrase_texts, terms.phrase_ends
    heads, lengths, lexicon = terms.begins
    begin_leaf = terms.begin_leaf
    begun = np.empty(len(lengths) + 1, np.int32)
    with_begins = len(lengths) > 0
    last_pair = len(pair_keys) - 1
    found = np.empty(max(1024, len(hashes) // 4), np.int32)
    rows = np.zeros(len(words.rows), np.int32)
    count = 0
    for row in range(len(words.rows) - 1):
        until = words.rows[row + 1]
        low, high = bounds[row], bounds[row + 1]
        for word in range(words.rows[row], until):
            value = hashes[word]
            begin = begins[word]
            if with_begins and _goes_on(heads, data, begin, ends[word]):
                several = _find_beginnings(lexicon, lengths, data, begin, ends[word], table, begun)
                while count + several > len(found):
                    found = _wider(found)
                for n in range(several):
                    found[count] = begin_leaf[begun[n]]
                    count += 1
            if not _may_be(bits, value):
                continue
            entry = _find(keys, entries, texts, borders, value, data, begin, ends[word])
            if entry < 0:
                continue
            if count == len(found):
                found = _wider(found)
            if leaf_of[entry] >= 0:
                found[count] = leaf_of[entry]
                count += 1
            for n in range(word_phrases[entry], word_phrases[entry + 1]):
                phrase = phrases_of_word[n]
                size = phrase_ends[phrase + 1] - phrase_ends[phrase]
                place = begin - phrase_offset[phrase]
                if place < low or place + size > high:
                    continue
                if _is_same(phrase_texts, phrase_ends[phrase], data, place, size):
                    if count == len(found):
                        found = _wider(found)
                    found[count] = phrase_leaf[phrase]
                    count += 1
            if not opens[entry] or word + 1 == until:
                continue
            both = pair_hash(value, hashes[word + 1])
            if not _may_be(pair_bits, both):
                continue
            at = np.int64(both & np.uint64(last_pair))
            while pair_entries[at] >= 0:
                if pair_keys[at] == both:
                    pair = pair_entries[at]
                    for n in range(pair_phrases[pair], pair_phrases[pair + 1]):
                        phrase = phrases_of_pair[n]
                        size = phrase_ends[phrase + 1] - phrase_ends[phrase]
                        place = begin - phrase_offset[phrase]
                        if place < low or place + size > high:
                            continue
                        if _is_same(phrase_texts, phrase_ends[phrase], data, place, size):
                            if count == len(found):
                                found = _wider(found)
                            found[count] = phrase_leaf[phrase]
                            count += 1
                at = (at + 1) & last_pair
        rows[row + 1] = count
    return found, rows


@njit(nogil=True, cache=True, boundscheck=False)
def find_in_lists(terms: ListTerms, lists: Lists, table: Hashes) -> tuple[Ints32, Ints32]:
    """The leaves that are true of each post's hashtags or handles (some twice), and n + 1 borders."""
    data, ends = lists.data, lists.ends
    bits, keys, entries, texts, borders = terms.texts
    heads, lengths, lexicon = terms.begins
    first, second, begin_leaf = terms.leaf, terms.other_leaf, terms.begin_leaf
    begun = np.empty(len(lengths) + 1, np.int32)
    found = np.empty(1024, np.int32)
    rows = np.zeros(len(lists.rows), np.int32)
    count = 0
    for row in range(len(lists.rows) - 1):
        for n in range(lists.rows[row], lists.rows[row + 1]):
            begin, end = ends[n], ends[n + 1]
            if begin == end:
                continue
            while count + 2 + len(lengths) > len(found):
                found = _wider(found)
            value = hash_part(data, begin, end, table)
            if _may_be(bits, value):
                entry = _find(keys, entries, texts, borders, value, data, begin, end)
                if entry >= 0 and first[entry] >= 0:
                    found[count] = first[entry]
                    count += 1
                if entry >= 0 and second[entry] >= 0:
                    found[count] = second[entry]
                    count += 1
            if len(lengths) and _goes_on(heads, data, begin, end):
                several = _find_beginnings(lexicon, lengths, data, begin, end, table, begun)
                for k in range(several):
                    found[count] = begin_leaf[begun[k]]
                    count += 1
        rows[row + 1] = count
    return found, rows


@njit(nogil=True, cache=True, boundscheck=False)
def _compared(value: Any, operator: int, number: Any) -> bool:
    if operator == 0:
        return bool(value > number)
    if operator == 1:
        return bool(value >= number)
    if operator == 2:
        return bool(value < number)
    if operator == 3:
        return bool(value <= number)
    return bool(value == number)


@njit(nogil=True, cache=True, boundscheck=False)
def _sort(slots: Ints, truths: Bytes, begin: int, end: int) -> None:
    """Sort a part of the pairs by slot."""
    if end - begin > 32:
        order = np.argsort(slots[begin:end])
        slots[begin:end] = slots[begin:end][order]
        truths[begin:end] = truths[begin:end][order]
        return
    for n in range(begin + 1, end):
        slot = slots[n]
        truth = truths[n]
        at = n
        while at > begin and slots[at - 1] > slot:
            slots[at] = slots[at - 1]
            truths[at] = truths[at - 1]
            at -= 1
        slots[at] = slot
        truths[at] = truth


@njit(nogil=True, cache=True, boundscheck=False)
def run(  # noqa: PLR0912, PLR0915 - one loop over the posts, every branch a kind of leaf
    program: Program, found: Found, fields: Fields, first: int, slots: Ints, rows: Ints, truths: Bytes
) -> tuple[int, int]:
    """Which queries match which posts, from post `first` on: pairs and posts done.

    A pair is written to `slots`, `rows` and `truths` (`YES`, or `UNKNOWN` where something that decides is not known),
    by post, then slot. It stops before a post for which they may have no room.
    """
    kinds, at_of, operators, limits = program.leaf_kind, program.leaf_at, program.leaf_operator, program.leaf_number
    candidates, to_look_at, always = program.candidates, program.slots, program.always
    starts, operations = program.starts, program.operations
    numbers, known, codes, truth_of, given = fields
    in_words, word_rows, in_tags, tag_rows, in_mentions, mention_rows, in_authors, author_rows = found
    stamps = np.zeros(len(kinds) + 1, np.int32)
    looked = np.zeros(len(starts), np.int32)
    waiting = np.empty(len(starts) + 1, np.int32)
    here = np.empty(len(kinds) + 1, np.int32)
    stack = np.empty(_STACK, np.uint8)
    made = 0
    for row in range(first, len(word_rows) - 1):
        if made + len(starts) > len(slots):
            return made, row
        now = row - first + 1
        count = 0
        for kind in range(4):
            leaves = in_words if kind == 0 else in_tags if kind == 1 else in_mentions if kind == 2 else in_authors
            at = word_rows if kind == 0 else tag_rows if kind == 1 else mention_rows if kind == 2 else author_rows
            for n in range(at[row], at[row + 1]):
                leaf = leaves[n]
                if stamps[leaf] != now:
                    stamps[leaf] = now
                    here[count] = leaf
                    count += 1
        size = 0
        for n in range(count):
            for k in range(candidates[here[n]], candidates[here[n] + 1]):
                slot = to_look_at[k]
                if looked[slot] != now:
                    looked[slot] = now
                    waiting[size] = slot
                    size += 1
        for n in range(len(always)):
            waiting[size] = always[n]
            size += 1
        begun = made
        for w in range(size):
            slot = waiting[w]
            top = 0
            for n in range(starts[slot], starts[slot + 1]):
                operation = operations[n]
                if operation >= 0:
                    kind = kinds[operation]
                    place = at_of[operation]
                    if kind == STAMPED:
                        value = YES if stamps[operation] == now else NO
                    elif kind == COMPARED:
                        value = known[place, row]
                        if value == YES and not _compared(numbers[place, row], operators[operation], limits[operation]):
                            value = NO
                    elif kind == CODED:
                        value = truth_of[limits[operation], codes[place, row]]
                    else:
                        value = given[place, row]
                    stack[top] = value
                    top += 1
                elif operation == NOT:
                    stack[top - 1] = 2 - stack[top - 1]
                else:
                    top -= 1
                    if operation == AND:
                        stack[top - 1] = min(stack[top - 1], stack[top])
                    else:
                        stack[top - 1] = max(stack[top - 1], stack[top])
            if stack[0] != NO:
                slots[made] = slot
                truths[made] = stack[0]
                made += 1
        if made - begun > 1:
            _sort(slots, truths, begun, made)
        for n in range(begun, made):
            rows[n] = row
    return made, len(word_rows) - 1
