"""The compiled kernels of the live way, loaded by `groundswell.kernels.load_live`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from groundswell.kernels import lookups, matching, posts, records, texts, values

__all__ = ["warm"]

#: Length of `groundswell.text.hashing.hash_table`.
_TABLE: Final = 512 + 32 * 256


def warm() -> None:
    """Run every kernel once on arrays as they will come, so that all are compiled or read from the cache."""
    _warm_matching()
    _warm_records()
    _warm_posts()


def _fixed(values: list[int], kind: Any) -> Any:
    array = np.array(values, kind)
    array.setflags(write=False)
    return array


def _warm_matching() -> None:
    m = lookups
    none, one, numbers = np.zeros(0, np.int32), np.zeros(1, np.int32), np.zeros((1, 1), np.int64)
    data, table = _fixed([0x20, 0x61, 0x20], np.uint8), _fixed([0] * _TABLE, np.uint64)
    lexicon = m.Lexicon(
        np.zeros(1, np.uint64), np.zeros(16, np.uint64), np.full(16, -1, np.int32), np.zeros(0, np.uint8),
        np.zeros(1, np.int64),
    )  # fmt: skip
    begins = m.Beginnings(np.zeros(256 + 2 * 65536, np.uint8), none, lexicon)
    terms = m.WordTerms(
        lexicon, none, np.zeros(0, np.uint8), one, none, lexicon, one, none, none, none, np.zeros(0, np.uint8),
        np.zeros(1, np.int64), begins, none,
    )  # fmt: skip
    bounds = _fixed([0, 3], np.int32)
    hashes, starts, ends, rows = np.zeros(3, np.uint64), np.zeros(3, np.int32), np.zeros(3, np.int32), one.repeat(2)
    found = m.hash_words(data, bounds, table, hashes, starts, ends, rows)
    words = m.Words(data, hashes[:found], starts[:found], ends[:found], rows)
    lists = m.Lists(data, _fixed([0], np.int32), _fixed([0, 0], np.int32))
    in_words = matching.find_in_words(terms, words, table)
    in_lists = matching.find_in_lists(m.ListTerms(lexicon, none, none, begins, none), lists, table)
    bytes_ = np.zeros(0, np.uint8)
    program = m.Program(bytes_, none, bytes_, np.zeros(0, np.int64), one, none, none, one.repeat(2), none)
    flags = np.zeros((1, 1), np.uint8)
    fields = m.Fields(numbers, flags, np.zeros((1, 1), np.int32), flags, flags)
    lookups.pair_hash(np.uint64(1), np.uint64(2))
    lookups.head_of_three(1)
    slots, rows_out, truths = np.empty(4, np.int64), np.empty(4, np.int64), np.empty(4, np.uint8)
    matching.run(program, m.Found(*in_words, *in_lists, *in_lists, *in_lists), fields, 0, slots, rows_out, truths)


def _warm_records() -> None:
    data = _fixed(list(b'{"a":"b"}'), np.uint8)
    none, one = np.zeros(0, np.int32), np.full(1, -1, np.int32)
    wanted = records.Wanted(
        np.zeros(2, np.int32), none, none, none, np.zeros(0, np.uint8), one, one, one, np.full(1, 0xFFFF, np.uint16)
    )
    places = records.Places(*(np.zeros((1, 1), kind) for kind in (np.uint8, np.int32, np.int32)))
    bounds = np.array([0, len(data)], np.int64)
    items = np.empty(1, np.int32)
    listed = records.Listed(items, items, np.empty(1, np.uint8), items, items)
    records.walk(data, bounds, 0, wanted, places, np.zeros(1, np.uint8), listed)
    kinds, begins, ends = (part[0] for part in places)
    values.copy_values(data, kinds, begins, ends, np.empty(1, np.uint8), np.empty(2, np.int32))
    numbers, known = np.empty(1, np.int64), np.empty(1, np.uint8)
    values.read_counts(data, kinds, begins, ends, numbers, known)
    values.read_times(data, kinds, begins, ends, numbers, known)
    signs = _fixed([0x61], np.uint8)
    texts.which_texts(data, kinds, begins, ends, signs, np.array([0, 1], np.int32), known)
    flags = np.zeros((1, 1), np.bool_)
    written = texts.Written(np.empty(1, np.uint8), np.zeros((1, 2), np.int64), flags, flags[0])
    texts.write_texts(data, places, np.zeros(1, np.int64), texts.no_columns(), written)


def _warm_posts() -> None:
    data, table, bounds = _fixed([0x61], np.uint8), _fixed([0] * _TABLE, np.uint64), _fixed([0, 1], np.int32)
    hashes, rows = np.zeros(1, np.uint64), np.array([0, 1], np.int32)
    posts.hash_all(data, bounds, table, hashes)
    room = (np.empty(2, np.int64), np.empty(2, np.uint64), np.empty(2, np.uint8))
    posts.distinct_terms(hashes, rows, hashes, bounds, *room)
    posts.first_places(hashes, hashes, np.empty(1, np.int64))
