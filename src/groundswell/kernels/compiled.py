"""All compiled kernels. Importing this loads Numba; see `groundswell.kernels`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.kernels.hashes import hash_observations
from groundswell.kernels.keysets import add_new, known_keys
from groundswell.kernels.leaves import read_digits, warm_leaves
from groundswell.kernels.lines import line_starts
from groundswell.kernels.links import find_links
from groundswell.kernels.topics import (
    count_terms,
    find_keys,
    mark_known,
    pass_block,
    pass_window,
    place_keys,
    place_terms,
    warm_topics,
)
from groundswell.kernels.words import HAS_AT, HAS_HASH, HAS_LINK, IS_SLOW, SPARE, Hashed, unhashed, words

__all__ = [
    "HAS_AT",
    "HAS_HASH",
    "HAS_LINK",
    "IS_SLOW",
    "SPARE",
    "Hashed",
    "add_new",
    "arrays_of",
    "count_terms",
    "find_keys",
    "find_links",
    "hash_observations",
    "known_keys",
    "line_starts",
    "mark_known",
    "pass_block",
    "pass_window",
    "place_keys",
    "place_terms",
    "read_digits",
    "unhashed",
    "warm",
    "words",
]


def arrays_of(texts: Any) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Bytes and offsets (n + 1) of an Arrow string or binary array with 32-bit offsets; shares its memory.

    Never to be written to, whoever made the array, so that a kernel is compiled once.
    """
    _, ends, data = texts.buffers()
    if not len(texts) or ends is None:
        offsets = np.zeros(len(texts) + 1, np.int32)
    else:
        offsets = np.frombuffer(ends, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    signs = np.frombuffer(data if data is not None and len(texts) else b"", np.uint8)
    offsets.setflags(write=False)
    signs.setflags(write=False)
    return signs, offsets


def warm() -> None:
    """Run every kernel once on arrays as they will come, so that all are compiled or read from the cache."""
    data, ends, out = np.frombuffer(b"a", np.uint8), np.array([0, 1], np.int32), np.zeros(64, np.uint8)
    ends.setflags(write=False)
    classes, folded = np.zeros(128, np.uint8), np.zeros(128, np.uint32)
    classes.setflags(write=False)
    folded.setflags(write=False)
    words(data, ends, classes, folded, out, np.zeros(2, np.int32), out[32:33], unhashed())
    hash_observations(np.zeros((1, 1), np.int64), np.ones((1, 1), np.bool_), data, ends, data, ends, out)
    key, fresh = np.ones(1, np.uint64), np.ones(1, np.bool_)
    add_new(np.zeros(8, np.uint64), np.zeros(8, np.uint64), key, key, fresh)
    starts, marks, pairs = np.array([0, 1, 1], np.uint32), np.zeros(1, np.uint16), np.zeros((1, 2), np.uint64)
    for array in (starts, marks, pairs):
        array.setflags(write=False)
    known_keys(starts, marks, pairs, key, key, fresh)
    line_starts(np.frombuffer(b"a\nb", np.uint8), np.empty(1, np.int64))
    find_links(
        data, ends, np.zeros(1, np.int64), out, np.zeros(2, np.int32), np.zeros(1, np.int64), np.zeros(1, np.bool_)
    )
    warm_leaves()
    warm_topics()
