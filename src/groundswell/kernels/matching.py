"""Many queries over the words of many posts at once; the plain twin is `groundswell.query.masks.Matcher.matrix`.

Each word is hashed and looked up in the words that any query asks for, behind a bitmap; a hit is compared byte by byte,
so equal hashes change nothing. Of each query only those posts are looked at that hold its rarest word, name or hashtag;
there the query runs as a postfix program over truth values 0 (no), 1 (not known) and 2 (yes), so that what a caller
cannot know of a post is told apart from what is so.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

from groundswell.kernels.lookups import (
    AND,
    CODED,
    COMPARED,
    NO,
    NOT,
    STAMPED,
    YES,
    Bytes,
    Fields,
    Found,
    Hashes,
    Ints,
    Ints32,
    Lists,
    ListTerms,
    Program,
    Words,
    WordTerms,
    find,
    find_beginnings,
    goes_on,
    hash_part,
    is_same,
    may_be,
    pair_hash,
)
from groundswell.kernels.words8 import half_at

#: Truth values that wait: a query's operands, at most.
_STACK: Final = 256


@njit(nogil=True, cache=True, boundscheck=False)
def _wider(found: Ints32) -> Ints32:
    """A copy with twice the room."""
    wider = np.empty(2 * len(found), np.int32)
    wider[: len(found)] = found
    return wider


@njit(nogil=True, cache=True, boundscheck=False)
def find_in_words(  # noqa: PLR0912, PLR0915 - one pass over the words, every branch a kind of term
    terms: WordTerms, words: Words, table: Hashes
) -> tuple[Ints32, Ints32]:
    """The leaves that are true of each post's words (some twice), and n + 1 borders."""
    hashes, begins, ends = words.hashes, words.begins, words.ends
    base, numbers = words.data.ctypes.data, table.ctypes.data
    bits, bit_mask = terms.words.bits.ctypes.data, 64 * len(terms.words.bits) - 1
    leaf_of, opens, word_phrases, phrases_of_word = (
        terms.word_leaf,
        terms.word_opens,
        terms.word_phrases,
        terms.phrases_of_word,
    )
    pair_bits, pair_mask = terms.pairs.bits.ctypes.data, 64 * len(terms.pairs.bits) - 1
    pair_keys, pair_entries = terms.pairs.keys, terms.pairs.entry
    pair_phrases, phrases_of_pair = terms.pair_phrases, terms.phrases_of_pair
    phrase_leaf, phrase_offset = terms.phrase_leaf, terms.phrase_offset
    phrase_texts, phrase_ends = terms.phrase_texts.ctypes.data, terms.phrase_ends
    heads, lengths, lexicon = terms.begins.heads.ctypes.data, terms.begins.lengths, terms.begins.words
    begin_leaf = terms.begin_leaf
    begun = np.empty(len(lengths) + 1, np.int32)
    with_begins = len(lengths) > 0
    last_pair = len(pair_keys) - 1
    found = np.empty(max(1024, len(hashes) // 4), np.int32)
    rows = np.zeros(len(words.rows), np.int32)
    count = 0
    for row in range(len(words.rows) - 1):
        from_, until = words.rows[row], words.rows[row + 1]
        if from_ == until:
            rows[row + 1] = count
            continue
        # There is one space before the first word and one behind the last.
        low, high = begins[from_] - 1, ends[until - 1] + 1
        for word in range(from_, until):
            value = hashes[word]
            begin = begins[word]
            if with_begins and goes_on(heads, base, begin, ends[word]):
                several = find_beginnings(lexicon, lengths, base, begin, ends[word], numbers, begun)
                while count + several > len(found):
                    found = _wider(found)
                for n in range(several):
                    found[count] = begin_leaf[begun[n]]
                    count += 1
            if not may_be(bits, bit_mask, value):
                continue
            entry = find(terms.words, value, base, begin, ends[word])
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
                if is_same(phrase_texts, phrase_ends[phrase], base, place, size):
                    if count == len(found):
                        found = _wider(found)
                    found[count] = phrase_leaf[phrase]
                    count += 1
            if not opens[entry] or word + 1 == until:
                continue
            both = pair_hash(value, hashes[word + 1])
            if not may_be(pair_bits, pair_mask, both):
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
                        if is_same(phrase_texts, phrase_ends[phrase], base, place, size):
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
    base, numbers, ends = lists.data.ctypes.data, table.ctypes.data, lists.ends
    bits, bit_mask = terms.texts.bits.ctypes.data, 64 * len(terms.texts.bits) - 1
    heads, lengths, lexicon = terms.begins.heads.ctypes.data, terms.begins.lengths, terms.begins.words
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
            value = hash_part(base, begin, end, numbers)
            if may_be(bits, bit_mask, value):
                entry = find(terms.texts, value, base, begin, end)
                if entry >= 0 and first[entry] >= 0:
                    found[count] = first[entry]
                    count += 1
                if entry >= 0 and second[entry] >= 0:
                    found[count] = second[entry]
                    count += 1
            if len(lengths) and goes_on(heads, base, begin, end):
                several = find_beginnings(lexicon, lengths, base, begin, end, numbers, begun)
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
    word_leaves, tag_leaves = in_words.ctypes.data, in_tags.ctypes.data
    mention_leaves, author_leaves = in_mentions.ctypes.data, in_authors.ctypes.data
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
            leaves, begin, end = word_leaves, word_rows[row], word_rows[row + 1]
            if kind == 1:
                leaves, begin, end = tag_leaves, tag_rows[row], tag_rows[row + 1]
            elif kind == 2:
                leaves, begin, end = mention_leaves, mention_rows[row], mention_rows[row + 1]
            elif kind == 3:
                leaves, begin, end = author_leaves, author_rows[row], author_rows[row + 1]
            for n in range(begin, end):
                leaf = half_at(leaves, n << 2)
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
