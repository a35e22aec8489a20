"""The compiled kernels of the live way, loaded by `groundswell.kernels.load_live`."""

from __future__ import annotations

from typing import Any

import numpy as np

from groundswell.kernels import matching

__all__ = ["matching", "warm"]


def warm() -> None:
    """Run every kernel once on arrays as they will come, so that all are compiled or read from the cache."""
    _warm_matching()


def _fixed(values: list[int], kind: Any) -> Any:
    array = np.array(values, kind)
    array.setflags(write=False)
    return array


def _warm_matching() -> None:
    m = matching
    none, one, numbers = np.zeros(0, np.int32), np.zeros(1, np.int32), np.zeros((1, 1), np.int64)
    data, table = _fixed([0x20, 0x61, 0x20], np.uint8), _fixed([1, 2, 3, 4], np.uint64)
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
    words = m.Words(data, bounds, hashes[:found], starts[:found], ends[:found], rows)
    lists = m.Lists(data, _fixed([0], np.int32), _fixed([0, 0], np.int32))
    in_words = m.find_in_words(terms, words, table)
    in_lists = m.find_in_lists(m.ListTerms(lexicon, none, none, begins, none), lists, table)
    bytes_ = np.zeros(0, np.uint8)
    program = m.Program(bytes_, none, bytes_, np.zeros(0, np.int64), one, none, none, one.repeat(2), none)
    flags = np.zeros((1, 1), np.uint8)
    fields = m.Fields(numbers, flags, np.zeros((1, 1), np.int32), flags, flags)
    slots, rows_out, truths = np.empty(4, np.int64), np.empty(4, np.int64), np.empty(4, np.uint8)
    m.run(program, m.Found(*in_words, *in_lists, *in_lists, *in_lists), fields, 0, slots, rows_out, truths)
