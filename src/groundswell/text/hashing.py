"""64-bit hashes of texts: the same in every process, alike in plain and compiled code.

A hash is the sum of one well mixed number for each byte and its place, mixed once more with the length, so that the
hash of a beginning comes out on the way to the hash of the whole. The compiled twin is `groundswell.kernels.matching`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Hashes = npt.NDArray[np.uint64]

#: Places after which the numbers repeat, multiplied by another odd number each time.
TABLE_SIZE: Final = 512
#: Places whose mixed numbers are kept for each byte.
SHORT: Final = 32
ODD: Final = np.uint64(0x9E3779B97F4A7C15)


@lru_cache(maxsize=1)
def place_numbers() -> Hashes:
    """Fixed random numbers, one a place; the same in every process. Not to be changed."""
    table = np.random.Generator(np.random.PCG64(20_261_121)).integers(1, 2**64, TABLE_SIZE, dtype=np.uint64)
    table.setflags(write=False)
    return table


@lru_cache(maxsize=1)
def hash_table() -> Hashes:
    """What the compiled twin looks up: the place numbers, then the mixed number of each byte at the first places.

    Shape (TABLE_SIZE + SHORT * 256,).
    """
    at_places = mixed(np.add.outer(place_numbers()[:SHORT], np.arange(1, 257, dtype=np.uint64)).astype(np.uint64))
    table = np.concatenate((place_numbers(), at_places.ravel()))
    table.setflags(write=False)
    return table


def mixed(values: Hashes) -> Hashes:
    """The finaliser of splitmix64 (Steele, Lea & Flood 2014): every bit of the input moves every bit of the output."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def hash_bytes(values: Any) -> Hashes:
    """64-bit hashes of an Arrow string or binary array; null hashes like the empty text."""
    flat = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    flat = pc.fill_null(flat.cast(pa.large_binary()), b"")
    if len(flat) == 0:
        return np.zeros(0, dtype=np.uint64)
    _, offsets_buffer, data_buffer = flat.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int64)[flat.offset : flat.offset + len(flat) + 1]
    lengths = np.diff(offsets)
    out = np.full(len(flat), ODD, dtype=np.uint64)
    if offsets[-1] > offsets[0]:
        data = np.frombuffer(data_buffer, dtype=np.uint8)[offsets[0] : offsets[-1]].astype(np.uint64)
        position = np.arange(len(data)) - np.repeat(offsets[:-1] - offsets[0], lengths)
        turn = (position // TABLE_SIZE).astype(np.uint64) * np.uint64(2) + np.uint64(1)
        terms = mixed(data + np.uint64(1) + place_numbers()[position % TABLE_SIZE] * turn)
        filled = lengths > 0
        out[filled] += np.add.reduceat(terms, (offsets[:-1] - offsets[0])[filled])
    return mixed(out + lengths.astype(np.uint64))


def hash_texts(texts: list[str]) -> Hashes:
    """`hash_bytes` of texts."""
    return hash_bytes(pa.array(texts, pa.large_string()))
