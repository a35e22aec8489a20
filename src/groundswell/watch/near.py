"""Near-duplicate texts by MinHash: which sets of words are nearly the same, without comparing all with all.

A signature has one least hash under each of `PERMUTATIONS` functions (Broder 1997): two agree at a place with the
probability of their Jaccard similarity. Signatures are cut into bands (Indyk & Motwani 1998); two texts are compared
exactly if they agree in a whole band: of pairs that are alike by 0.7, one in 6,000 is overlooked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from groundswell.text.hashing import Hashes, hash_texts, mixed

PERMUTATIONS: Final = 63
#: Places of a band: 21 bands of 3.
_BAND: Final = 3
#: Two sets of word pairs with at least this Jaccard similarity are one text.
ALIKE: Final = 0.7
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_PAIR: Final = np.uint64(0xC2B2AE3D27D4EB4F)
#: Texts that are compared with one text at most, so that a flood of half-alike texts stays cheap.
_LOOKED_AT: Final = 64

Words = tuple[str, ...]


def shingles(texts: Sequence[Words]) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """Hashes of the pairs of words that follow each other, one text after the other, and where each text begins.

    The last word is a pair with nothing, so that every text that has words has pairs.
    """
    lengths = np.array([len(words) for words in texts], dtype=np.int64)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    words = hash_texts([word for text in texts for word in text])
    following = np.append(words[1:], np.uint64(0)) if len(words) else words
    following[starts[1:][lengths > 0] - 1] = 0
    return mixed(words * _PAIR + following), starts


def signatures(texts: Sequence[Words]) -> Hashes:
    """The MinHash signature of each text, shape (texts, `PERMUTATIONS`); of one without words all ones."""
    pairs, starts = shingles(texts)
    out = np.full((len(texts), PERMUTATIONS), np.iinfo(np.uint64).max, dtype=np.uint64)
    filled = np.diff(starts) > 0
    steps = np.arange(1, PERMUTATIONS + 1, dtype=np.uint64) * _STEP
    if filled.any():
        for place in range(PERMUTATIONS):
            hashed = mixed(pairs + steps[place])
            out[filled, place] = np.minimum.reduceat(hashed, starts[:-1][filled])
    return out


def bands(signature: Hashes) -> Hashes:
    """The keys of each signature's bands, shape (texts, bands): two texts that share one may be alike."""
    count = signature.shape[1] // _BAND
    keys = np.zeros((len(signature), count), dtype=np.uint64)
    for place in range(_BAND):
        keys = mixed(keys * _PAIR + signature[:, place : count * _BAND : _BAND])
    return keys + np.arange(count, dtype=np.uint64) * _STEP


def similarity(first: Words, second: Words) -> float:
    """The Jaccard similarity of two texts by their pairs of words; 0 where one has none.

    >>> similarity(("a", "b", "c"), ("a", "b", "d"))
    0.2
    """
    a, b = set(_pairs(first)), set(_pairs(second))
    return len(a & b) / len(a | b) if a and b else 0.0


def _pairs(words: Words) -> Iterator[tuple[str, str]]:
    return zip(words, (*words[1:], ""), strict=True)


def leaders(texts: Sequence[Words]) -> list[int]:
    """For each text the first one before it that it resembles and that leads a group; itself if there is none.

    `texts` have words and are distinct; the ones that should lead come first.
    """
    if not texts:
        return []
    keys = bands(signatures(texts))
    _, place, often = np.unique(keys, return_inverse=True, return_counts=True)
    shared = (often[place] > 1).reshape(keys.shape)
    out = list(range(len(texts)))
    held: dict[int, list[int]] = {}
    for at in np.flatnonzero(shared.any(axis=1)).tolist():
        mine = keys[at][shared[at]].tolist()
        candidates = sorted({other for key in mine for other in held.get(key, ())})[:_LOOKED_AT]
        out[at] = next((other for other in candidates if similarity(texts[at], texts[other]) >= ALIKE), at)
        if out[at] == at:
            for key in mine:
                held.setdefault(key, []).append(at)
    return out
