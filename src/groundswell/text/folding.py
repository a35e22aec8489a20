"""Texts as arrays of folded characters: what words, hashtags and handles are all read from.

Every code point of a chunk is looked up in two tables and whole arrays are moved; only texts with characters
that need their neighbours (marks, ligatures, `ß`) are folded one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from groundswell.text.characters import DROP, MARK, SLOW, Tables, fold_normal, fold_text, tables

#: Bytes of text that are worked on at once: the arrays of a chunk then stay in the processor's cache.
CHUNK_BYTES: Final = 1 << 20
_NEWLINE: Final = 0x0A


@dataclass(frozen=True, slots=True)
class Folded:
    """The folded characters of many texts in one array, each text between two gaps.

    `codes` (uint8 if all are ASCII, else uint32) and `classes` (uint8) have one element a character;
    `heads` and `tails` (int64, one a text) are the places of the gap before and the gap behind each text.
    """

    codes: NDArray[Any]
    classes: NDArray[np.uint8]
    heads: NDArray[np.int64]
    tails: NDArray[np.int64]


def chunks_of(texts: pa.Array) -> list[pa.Array]:
    """`texts` as string arrays of about `CHUNK_BYTES` each (at least one, in order)."""
    texts = texts if pa.types.is_string(texts.type) else texts.cast(pa.string())
    if texts.nbytes <= CHUNK_BYTES or len(texts) < 2:
        return [texts]
    ends = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    borders = np.arange(ends[0] + CHUNK_BYTES, ends[-1], CHUNK_BYTES)
    cuts = np.unique(np.concatenate([[0], np.searchsorted(ends, borders), [len(texts)]]))
    return [texts.slice(first, last - first) for first, last in pairwise(cuts.tolist())]


def fold_texts(texts: pa.Array) -> Folded:
    """The folded characters of `texts` (nulls as empty texts), still with apostrophes, without dropped characters."""
    known = tables()
    codes, lengths = _code_points(texts)
    classes = np.take(known.classes, codes)
    borders = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(lengths + 2, out=borders[1:])
    folded = Folded(_fold_codes(known, codes), classes, borders[:-1], borders[1:] - 1)
    if (classes == DROP).any():
        folded = without(folded, DROP)
    if (folded.classes & SLOW).any():
        folded = _fold_slow(known, folded)
    return folded


def _fold_codes(known: Tables, codes: NDArray[Any]) -> NDArray[Any]:
    if codes.dtype == np.uint8:
        return np.take(known.folded[:128].astype(np.uint8), codes)
    return np.take(known.folded, codes)


def _code_points(texts: pa.Array) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """All texts, each with a newline before and behind it, as one array of code points; the length of each."""
    filled = pc.fill_null(texts, "") if texts.null_count else texts
    lengths = pc.utf8_length(filled).to_numpy(zero_copy_only=False).astype(np.int64)
    whole = pa.ListArray.from_arrays(pa.array([0, len(filled)], pa.int32()), filled)
    raw = b"\n" + pc.binary_join(whole, "\n\n")[0].as_buffer().to_pybytes() + b"\n"
    if len(raw) == int(lengths.sum()) + 2 * max(len(filled), 1):
        return np.frombuffer(raw, np.uint8), lengths
    return np.frombuffer(raw.decode().encode("utf-32-le"), np.uint32), lengths


def without(folded: Folded, dropped: int) -> Folded:
    """The same texts without the characters of class `dropped`; what stood around them now touches."""
    marked = folded.classes == dropped
    gone = np.flatnonzero(marked)
    heads = folded.heads - np.searchsorted(gone, folded.heads)
    tails = folded.tails - np.searchsorted(gone, folded.tails)
    return Folded(folded.codes[~marked], folded.classes[~marked], heads, tails)


def _fold_slow(known: Tables, folded: Folded) -> Folded:
    """The same texts, those with a slow character folded as a whole."""
    at = np.flatnonzero(folded.classes & SLOW)
    slow = np.zeros(len(folded.heads), np.bool_)
    slow[np.searchsorted(folded.heads, at, side="right") - 1] = True
    lengths = folded.tails - folded.heads + 1
    old = np.repeat(slow, lengths)
    codes = folded.codes.copy()
    # Every gap inside a text is a space by now, so a newline can only be a border.
    codes[folded.heads] = codes[folded.tails] = _NEWLINE
    texts = codes[old].tobytes().decode("utf-32-le")[1:-1].split("\n\n")
    whole = [fold_normal(text) for text in texts]
    lengths[slow] = [len(text) + 2 for text in whole]
    new = np.repeat(slow, lengths)
    codes = np.empty(len(new), np.uint32)
    classes = np.empty(len(new), np.uint8)
    codes[~new], classes[~new] = folded.codes[~old], folded.classes[~old]
    raw = np.frombuffer(("\n" + "\n\n".join(whole) + "\n").encode("utf-32-le"), np.uint32)
    codes[new] = np.take(known.folded, raw)
    classes[new] = np.take(known.classes, raw) & ~np.uint8(SLOW | MARK)
    borders = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=borders[1:])
    return Folded(codes, classes, borders[:-1], borders[1:] - 1)


def strings_of(codes: NDArray[Any], ends: NDArray[np.int64], nulls_of: pa.Array | None = None) -> pa.Array:
    """The string array whose i-th text ends before `codes[ends[i]]`; null where `nulls_of` is null."""
    if codes.dtype == np.uint8:
        data, byte_ends = codes.tobytes(), ends
    else:
        data = codes.tobytes().decode("utf-32-le").encode()
        # Only characters beyond ASCII take more than one byte, and few are.
        wide = np.flatnonzero(codes > 0x7F)
        extra = np.zeros(len(wide) + 1, np.int64)
        beyond = codes[wide]
        np.cumsum(1 + (beyond > 0x7FF).view(np.int8) + (beyond > 0xFFFF), out=extra[1:])
        byte_ends = ends + extra[np.searchsorted(wide, ends)]
    offsets = np.zeros(len(ends) + 1, np.int32)
    offsets[1:] = byte_ends
    strings = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(data))
    if nulls_of is None or not nulls_of.null_count:
        return strings
    return pc.if_else(pc.is_valid(nulls_of), strings, pa.scalar(None, pa.string()))


def fold_values(values: pa.Array) -> pa.Array:
    """Each string folded with its punctuation kept, for names and tags; null in, null out."""
    if pc.all(pc.string_is_ascii(values), min_count=0).as_py():
        return pc.ascii_lower(values)
    known = values.dictionary_encode()
    folded = pa.array([fold_text(value) for value in known.dictionary.to_pylist()], pa.string())
    return folded.take(known.indices)
