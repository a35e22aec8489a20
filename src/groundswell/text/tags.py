"""Hashtags, handles and links in texts, each once and in order of appearance; a null text gives null."""

from __future__ import annotations

import re
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from groundswell.text.characters import SOLO, WORD
from groundswell.text.folding import Folded, chunks_of, fold_texts, fold_values, strings_of

TEXTS: Final = pa.list_(pa.string())
Texts: TypeAlias = "pa.Array | pa.ChunkedArray"
Rows: TypeAlias = "NDArray[np.bool_] | None"

_LINK: Final = re.compile(
    r"(?:https?://|(?<![\w./@-])www\.)[^\s<>\"'`\u00a0\u3000\u300c-\u3011\uff08\uff09]+", re.IGNORECASE
)
_LINK_RE2: Final = r"(?i:https?://|www\.)\S+"
_AFTER_LINK: Final = ".,;:!?…*|\u2019\u201d"
#: What may stand inside a handle, and what before its `@` says that there is none (an e-mail, a link's path).
_HANDLE: Final = "abcdefghijklmnopqrstuvwxyz0123456789_"
_INSIDE_HANDLE: Final = ".-"


def hashtags_of(texts: Texts, rows: Rows = None) -> Texts:
    """The hashtags of each text, folded, without `#`: letters, marks, digits, `_`, at least one of them a letter.

    A `#` in a link or behind `&` (`&#39;`) begins none. `rows` (bool, one a text of an array) leaves out texts that
    are known to hold none; so do those of the other two.

    >>> hashtags_of(pa.array(["#Été au soleil #1 #ÉTÉ#mer, https://a.b/#c", "none", None])).to_pylist()
    [['été', 'mer'], [], None]
    """
    return _extract(texts, "#", _hashtags, rows)


def mentions_of(texts: Texts, rows: Rows = None) -> Texts:
    """The handles mentioned in each text, lower-case, without `@`: ASCII letters, digits, `_`, inner `.` and `-`.

    >>> mentions_of(pa.array(["Ask @Dr.Who, not me@home.example or @dr.who."])).to_pylist()
    [['dr.who']]
    """
    return _extract(texts, "@", _mentions, rows)


def urls_of(texts: Texts, rows: Rows = None) -> Texts:
    """The links in each text (`http://`, `https://`, `www.`) as written, without the punctuation behind them.

    >>> urls_of(pa.array(["(see https://a.example/x_(y)), www.b.example."])).to_pylist()
    [['https://a.example/x_(y)', 'www.b.example']]
    """
    if isinstance(texts, pa.ChunkedArray):
        return pa.chunked_array([urls_of(chunk) for chunk in texts.chunks], TEXTS)
    some = _rows_where(pc.match_substring_regex(texts, r"(?i)://|www\.")) if rows is None else _numbers(rows)
    if not len(some):
        return _empty_lists(texts)
    found = [_links(text) for text in texts.take(some).to_pylist()]
    counts = np.fromiter(map(len, found), np.int64, len(found))
    values = pa.array([link for links in found for link in links], pa.string())
    return _lists(values, np.repeat(some.to_numpy(), counts), texts)


def fold_tags(tags: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Hashtags as a record lists them, folded, without `#` and blanks around, each once; empty ones go.

    >>> fold_tags(pa.array([["#FYP", "fyp ", ""], None, []])).to_pylist()
    [['fyp'], None, []]
    """
    if isinstance(tags, pa.ChunkedArray):
        return pa.chunked_array([fold_tags(chunk) for chunk in tags.chunks], TEXTS)
    values = fold_values(pc.utf8_ltrim(pc.utf8_trim_whitespace(pc.list_flatten(tags)), "#"))
    rows = pc.list_parent_indices(tags).to_numpy().astype(np.int64)
    some = pc.fill_null(pc.not_equal(values, ""), False)
    return _lists(values.filter(some), rows[some.to_numpy(zero_copy_only=False)], tags)


def _links(text: str) -> list[str]:
    return [_without_punctuation(link) for link in _LINK.findall(text)]


def _without_punctuation(link: str) -> str:
    while True:
        shorter = link.rstrip(_AFTER_LINK)
        for opening, closing in ("()", "[]", "{}"):
            if shorter.endswith(closing) and shorter.count(opening) < shorter.count(closing):
                shorter = shorter[:-1]
        if shorter == link:
            return link
        link = shorter


def _rows_where(mask: pa.Array) -> pa.Array:
    return pc.indices_nonzero(pc.fill_null(mask, False)).cast(pa.int64())


def _numbers(mask: NDArray[np.bool_]) -> pa.Array:
    return pa.array(np.flatnonzero(mask))


def _empty_lists(owners: pa.Array) -> pa.Array:
    offsets = pa.array(np.zeros(len(owners) + 1, np.int32))
    mask = owners.is_null() if owners.null_count else None
    return pa.ListArray.from_arrays(offsets, pa.array([], pa.string()), mask=mask)


def _extract(texts: Texts, sign: str, find: Any, known: Rows = None) -> Texts:
    """What `find` finds in the texts that hold `sign` (in any of its widths)."""
    if isinstance(texts, pa.ChunkedArray):
        return pa.chunked_array([_extract(chunk, sign, find) for chunk in texts.chunks], TEXTS)
    wide = {"#": "#\uff03\ufe5f", "@": "@\uff20\ufe6b"}[sign]
    rows = _rows_where(pc.match_substring_regex(texts, f"[{wide}]")) if known is None else _numbers(known)
    if not len(rows):
        return _empty_lists(texts)
    done = 0
    values: list[pa.Array] = []
    owners: list[NDArray[np.int64]] = []
    for chunk in chunks_of(texts.take(rows)):
        some, owner = find(fold_texts(pc.replace_substring_regex(chunk, _LINK_RE2, " ")))
        values.append(some)
        owners.append(owner + done)
        done += len(chunk)
    return _lists(pa.concat_arrays(values), rows.to_numpy()[np.concatenate(owners)], texts)


def _hashtags(folded: Folded) -> tuple[pa.Array, NDArray[np.int64]]:
    codes = folded.codes
    inside = (folded.classes == WORD) | (folded.classes == SOLO)
    starts = np.flatnonzero((codes[:-1] == ord("#")) & inside[1:]) + 1
    before = codes[starts - 2]
    starts = starts[(before != ord("&")) & (before != ord("/"))]
    values, owners = _runs(folded, starts, inside)
    lettered = pc.match_substring_regex(values, r"[^\p{N}_]")
    return values.filter(lettered), owners[lettered.to_numpy(zero_copy_only=False)]


def _mentions(folded: Folded) -> tuple[pa.Array, NDArray[np.int64]]:
    codes = folded.codes
    handle = np.isin(codes, np.frombuffer(_HANDLE.encode(), np.uint8))
    inside = handle | np.isin(codes, np.frombuffer(_INSIDE_HANDLE.encode(), np.uint8))
    starts = np.flatnonzero((codes[:-1] == ord("@")) & handle[1:]) + 1
    before = starts - 2
    starts = starts[~inside[before] & (codes[before] != ord("/")) & (codes[before] != ord("@"))]
    values, owners = _runs(folded, starts, inside)
    return pc.replace_substring_regex(values, r"[.\-]+(?:$|[.\-].*)", ""), owners


def _runs(folded: Folded, starts: NDArray[np.int64], inside: NDArray[np.bool_]) -> tuple[pa.Array, NDArray[np.int64]]:
    """The runs of characters `inside` that begin at `starts`, and the number of the text that each is in."""
    outside = np.flatnonzero(~inside)
    lengths = outside[np.searchsorted(outside, starts)] - starts
    ends = np.cumsum(lengths)
    places = np.repeat(starts - (ends - lengths), lengths) + np.arange(int(lengths.sum()))
    values = strings_of(folded.codes[places], ends)
    return values, np.searchsorted(folded.heads, starts, side="right") - 1


def _lists(values: pa.Array, rows: NDArray[np.int64], owners: pa.Array) -> pa.Array:
    """One list for each of `owners` (null for null) of the `values` whose row it is, each value once."""
    known = values.dictionary_encode()
    index = known.indices.to_numpy().astype(np.int64)
    _, first = np.unique(rows * max(len(known.dictionary), 1) + index, return_index=True)
    first.sort()
    offsets = np.zeros(len(owners) + 1, np.int32)
    np.cumsum(np.bincount(rows[first], minlength=len(owners)), out=offsets[1:])
    mask = owners.is_null() if owners.null_count else None
    return pa.ListArray.from_arrays(pa.array(offsets), values.take(pa.array(first)), mask=mask)
