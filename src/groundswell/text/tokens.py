"""Words, hashtags, handles and links of texts: Arrow in, Arrow out, one definition for every engine and query.

A text becomes one string of folded words with single spaces between and around them
(`" side effects of dose two "`), so that a phrase is found by `contains(" side effects ")` and a prefix by
`contains(" shoe")`, alike in DuckDB, Spark and Arrow. What a word is stands in `characters.py`: a run of
letters, marks, digits and `_` with apostrophes joined away; every emoji, symbol and character of a script
without spaces (Han, Kana, Thai, Lao, Khmer, Myanmar) is a word of its own. A null text gives null; a text
without words gives `" "`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from groundswell.kernels import loaded
from groundswell.text.characters import APOSTROPHE, GAP, SOLO, tables
from groundswell.text.folding import chunks_of, fold_texts, strings_of, without
from groundswell.text.tags import fold_tags, hashtags_of, mentions_of, urls_of
from groundswell.text.terms import text_buffers

__all__ = ["fold_tags", "hashtags_of", "mentions_of", "tokenise", "tokenise_one", "urls_of"]

_SPACE: Final = 0x20


def tokenise(texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """The words of each text as one string, `" word word "`; null in, null out.

    >>> tokenise(pa.array(["Don't panic: #ICYMI 🔥!", None])).to_pylist()
    [' dont panic icymi 🔥 ', None]
    """
    if isinstance(texts, pa.ChunkedArray):
        return pa.chunked_array([tokenise(chunk) for chunk in texts.chunks], pa.string())
    return read_words(texts).tokens if loaded() is not None else _tokenise_plain(texts)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of texts, and which rows may hold a hashtag, a handle or a link (null: not known, any may)."""

    tokens: pa.Array
    hashtags: NDArray[np.bool_] | None = None
    mentions: NDArray[np.bool_] | None = None
    links: NDArray[np.bool_] | None = None

    def of(self, some: NDArray[np.bool_]) -> Words:
        """The words of some of the texts."""
        seen = (None if flags is None else flags[some] for flags in (self.hashtags, self.mentions, self.links))
        return Words(self.tokens.filter(pa.array(some)), *seen)


@dataclass(frozen=True, slots=True)
class Scanned:
    """What the kernel wrote of texts: their words, the borders of each text (n + 1), and what it saw in each."""

    out: NDArray[np.uint8]
    ends: NDArray[np.int32]
    marks: NDArray[np.uint8]

    def words(self, texts: pa.Array) -> Words:
        """The words of the texts as one string each."""
        kernel = loaded()
        assert kernel is not None  # noqa: S101 - it wrote this
        # A copy of what was written only: the scratch is larger. Others go on meanwhile, as `tobytes` lets nobody.
        written = self.out[: int(self.ends[-1])].copy()
        tokens = pa.StringArray.from_buffers(len(texts), pa.py_buffer(self.ends), pa.py_buffer(written))
        if texts.null_count:
            tokens = pc.if_else(pc.is_valid(texts), tokens, pa.scalar(None, pa.string()))
        slow = (self.marks & kernel.IS_SLOW) != 0
        if slow.any():
            mask = pa.array(slow)
            tokens = pc.replace_with_mask(tokens, mask, _tokenise_plain(texts.filter(mask)))
        seen = ((self.marks & mark) != 0 for mark in (kernel.HAS_HASH, kernel.HAS_AT, kernel.HAS_LINK))
        return Words(tokens, *seen)


@dataclass(frozen=True, slots=True)
class HashedWords:
    """The words of n texts by their hash (`groundswell.text.hashing`), and which texts may hold a hashtag or a handle.

    `begins` and `ends` (places in `data`) have one a word, `rows` n + 1 borders. In `data` each text stands as
    `" word word "`.
    """

    data: NDArray[np.uint8]
    hashes: NDArray[np.uint64]
    begins: NDArray[np.int32]
    ends: NDArray[np.int32]
    rows: NDArray[np.int32]
    hashtags: NDArray[np.bool_]
    mentions: NDArray[np.bool_]
    scanned: Scanned

    def words(self, texts: pa.Array) -> Words:
        """`read_words` of the same texts."""
        return self.scanned.words(texts)


def read_hashed(texts: pa.Array, table: NDArray[np.uint64]) -> HashedWords:
    """The words of an array of texts with their hashes, by the compiled kernel, which must be loaded.

    `table` is `groundswell.text.hashing.hash_table()`. A null text has no words.
    """
    kernel = loaded()
    assert kernel is not None  # noqa: S101 - who reads records by kernels has loaded them
    texts = pc.fill_null(texts, "") if texts.null_count else texts
    room = int(texts.nbytes) + 1
    hashes, begins, finishes = np.empty(room, np.uint64), np.empty(room, np.int32), np.empty(room, np.int32)
    rows = np.empty(len(texts) + 1, np.int32)
    scanned = _scanned(texts, kernel, kernel.Hashed(table, hashes, begins, finishes, rows))
    data, marks = scanned.out, scanned.marks
    count = int(rows[-1])
    found: list[Any] = [hashes[:count], begins[:count], finishes[:count]]
    slow = np.flatnonzero((marks & kernel.IS_SLOW) != 0)
    if len(slow):
        texts_of_slow, more, of_more = _hashed(_tokenise_plain(texts.take(pa.array(slow))), table, len(data))
        found, rows = _put_in(found, rows, slow, more, of_more)
        written = len(data)
        data = np.concatenate((data, texts_of_slow))
        scanned = replace(scanned, out=data[:written])  # so that one of the two is in memory
    has_hash, has_at = (marks & kernel.HAS_HASH) != 0, (marks & kernel.HAS_AT) != 0
    return HashedWords(data, found[0], found[1], found[2], rows, has_hash, has_at, scanned)


def _hashed(
    tokens: pa.Array, table: NDArray[np.uint64], behind: int
) -> tuple[NDArray[np.uint8], list[NDArray[Any]], NDArray[np.int32]]:
    """The bytes of texts that stand behind others, the columns of their words, and the borders of the texts."""
    from groundswell.kernels.lookups import hash_words  # noqa: PLC0415 - loads Numba

    data, bounds = text_buffers(tokens)
    bounds.setflags(write=False)
    room = len(data) // 2 + 1
    hashes, begins, ends = np.empty(room, np.uint64), np.empty(room, np.int32), np.empty(room, np.int32)
    rows = np.empty(len(bounds), np.int32)
    count = hash_words(data, bounds, table, hashes, begins, ends, rows)
    return data, [hashes[:count], begins[:count] + np.int32(behind), ends[:count] + np.int32(behind)], rows


def _put_in(
    parts: list[NDArray[Any]], rows: NDArray[np.int32], where: NDArray[np.int64], more: list[NDArray[Any]],
    of_more: NDArray[np.int32],
) -> tuple[list[NDArray[Any]], NDArray[np.int32]]:  # fmt: skip
    """Columns of words with those of some texts put in, which have none among them, and the new borders."""
    places = [0, *rows[where].tolist(), int(rows[-1])]
    borders = of_more.tolist()
    joined = []
    for part, extra in zip(parts, more, strict=True):
        pieces = [part[: places[1]]]
        for n in range(len(where)):
            pieces += [extra[borders[n] : borders[n + 1]], part[places[n + 1] : places[n + 2]]]
        joined.append(np.concatenate(pieces))
    added = np.zeros(len(rows), np.int32)
    added[where + 1] = np.diff(of_more)
    return joined, rows + np.cumsum(added, dtype=np.int32)


def _scanned(texts: pa.Array, kernel: ModuleType, hashed: Any) -> Scanned:
    """What the kernel writes of an array of texts."""
    known = tables()
    data, offsets = kernel.arrays_of(texts)
    out = np.empty(2 * int(offsets[-1] - offsets[0]) + 2 * len(texts) + kernel.SPARE, np.uint8)
    ends, marks = np.empty(len(texts) + 1, np.int32), np.empty(len(texts), np.uint8)
    size = kernel.words(data, offsets, known.classes, known.folded, out, ends, marks, hashed)
    return Scanned(out[:size], ends, marks)


def read_words(texts: pa.Array) -> Words:
    """`tokenise` of an array, with what the compiled kernel sees on its way where it is loaded."""
    kernel = loaded()
    if kernel is None:
        return Words(_tokenise_plain(texts))
    texts = texts if pa.types.is_string(texts.type) else texts.cast(pa.string())
    return _scanned(texts, kernel, kernel.unhashed()).words(texts)


def _tokenise_plain(texts: pa.Array) -> pa.Array:
    parts = [_tokenise_chunk(chunk) for chunk in chunks_of(texts)]
    return parts[0] if len(parts) == 1 else pa.concat_arrays(parts)


def tokenise_one(text: str) -> str:
    """The words of one text, as `tokenise` gives them.

    >>> tokenise_one("Side-effects of the 2ⁿᵈ dose")
    ' side effects of the 2nd dose '
    """
    if text.isascii() and text.isalnum():
        return f" {text.lower()} "  # thousands of queries are mostly of such words
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
