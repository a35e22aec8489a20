"""Terms of posts as 32-bit hashes, and which parts of a file hold each: what a text index is made of.

A term is a kind and a value: a word of the text, a hashtag, a handle, the id of a post. Two terms may share a hash, so
that what a hash finds is a part that *can* hold the term; a part that it does not find holds it for certain not.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Hashes = npt.NDArray[np.uint32]

_BASIS: Final = 0xCBF29CE484222325
_PRIME: Final = 0x100000001B3
_MASK: Final = (1 << 64) - 1


class Kind(IntEnum):
    """What a term is; part of its hash, so that `#sale` and `sale` are two terms."""

    WORD = 1
    TAG = 2
    HANDLE = 3
    POST = 4
    REPEATED = 5
    """A post that a part holds more than once."""


def term_hash(kind: Kind, value: str) -> int:
    """The hash of a term: FNV-1a over the kind and the UTF-8 bytes, mixed and folded to 32 bits; never 0.

    The constants are those of Fowler, Noll and Vo (RFC 9923); the mixing is the finaliser of MurmurHash3.

    >>> term_hash(Kind.WORD, "shoe") == term_hash(Kind.WORD, "shoe") != term_hash(Kind.TAG, "shoe")
    True
    """
    state = ((_BASIS ^ int(kind)) * _PRIME) & _MASK
    for byte in value.encode():
        state = ((state ^ byte) * _PRIME) & _MASK
    state ^= state >> 33
    state = (state * 0xFF51AFD7ED558CCD) & _MASK
    state ^= state >> 33
    return (state & 0xFFFFFFFF) or 1


def rows_with(texts: pa.Array, needle: str) -> npt.NDArray[np.bool_]:
    """Which of `texts` (words with single spaces between and around them, or null) contain `needle`.

    The needle begins with a space and holds no two in a row, so that it is never found across two texts: all of
    them are searched as one run of bytes, which is several times as fast as text by text.
    """
    data, offsets = text_buffers(texts)
    sought = needle.encode()
    body = data.tobytes()
    places = []
    place = body.find(sought)
    while place >= 0:
        places.append(place)
        place = body.find(sought, place + 1)
    mask = np.zeros(len(texts), np.bool_)
    mask[np.searchsorted(offsets, places, side="right") - 1] = True
    return mask


def text_buffers(values: pa.Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """The bytes of a text array and the offsets into them, of which the first is 0; null is empty."""
    values = values.cast(pa.string()) if values.type != pa.string() else values
    if not len(values):
        return np.zeros(0, np.uint8), np.zeros(1, np.int32)
    _, starts, body = values.buffers()
    offsets = np.frombuffer(starts, np.int32)[values.offset : values.offset + len(values) + 1]
    if body is None:
        return np.zeros(0, np.uint8), np.zeros(len(values) + 1, np.int32)
    data = np.frombuffer(body, np.uint8)[offsets[0] : offsets[-1]]
    return data, cast("npt.NDArray[np.int32]", offsets - offsets[0])
