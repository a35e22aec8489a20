"""Words, hashtags, handles and links of texts: Arrow in, Arrow out, one definition for every engine and query.

A text becomes one string of folded words with single spaces between and around them
(`" side effects of dose two "`), so that a phrase is found by `contains(" side effects ")` and a prefix by
`contains(" shoe")`, alike in DuckDB, Spark and Arrow. What a word is stands in `characters.py`: a run of
letters, marks, digits and `_` with apostrophes joined away; every emoji, symbol and character of a script
without spaces (Han, Kana, Thai, Lao, Khmer, Myanmar) is a word of its own. A null text gives null; a text
without words gives `" "`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from groundswell.text.characters import APOSTROPHE, GAP, SOLO
from groundswell.text.folding import chunks_of, fold_texts, strings_of, without
from groundswell.text.tags import fold_tags, hashtags_of, mentions_of, urls_of

__all__ = ["fold_tags", "hashtags_of", "mentions_of", "tokenise", "tokenise_one", "urls_of"]

_SPACE: Final = 0x20


def tokenise(texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """The words of each text as one string, `" word word "`; null in, null out.

    >>> tokenise(pa.array(["Don't panic: #ICYMI 🔥!", None])).to_pylist()
    [' dont panic icymi 🔥 ', None]
    """
    if isinstance(texts, pa.ChunkedArray):
        return pa.chunked_array([tokenise(chunk) for chunk in texts.chunks], pa.string())
    parts = [_tokenise_chunk(chunk) for chunk in chunks_of(texts)]
    return parts[0] if len(parts) == 1 else pa.concat_arrays(parts)


def tokenise_one(text: str) -> str:
    """The words of one text, as `tokenise` gives them.

    >>> tokenise_one("Side-effects of the 2ⁿᵈ dose")
    ' side effects of the 2nd dose '
    """
    return str(tokenise(pa.array([text], pa.string()))[0].as_py())


def _tokenise_chunk(texts: pa.Array) -> pa.Array:
    if not len(texts):
        return pa.array([], pa.string())
    folded = without(fold_texts(texts), APOSTROPHE)
    codes, classes, tails = folded.codes, folded.classes, folded.tails
    token = classes != GAP
    keep = token.copy()
    keep[:-1] |= token[1:] & ~token[:-1]
    keep[tails] = True
    solo = (classes & SOLO) != 0
    places = np.flatnonzero(keep)
    out = np.where(token[places], codes[places], codes.dtype.type(_SPACE))
    ends = np.searchsorted(places, tails) + 1
    if solo.any():
        # A word that follows another without a gap between them, because one of the two stands alone.
        touching = np.flatnonzero(token[1:] & token[:-1] & (solo[1:] | solo[:-1])) + 1
        at = np.searchsorted(places, touching)
        out = np.insert(out, at, _SPACE)
        ends = ends + np.searchsorted(at, ends - 1, side="right")
    return strings_of(out, ends, texts)
