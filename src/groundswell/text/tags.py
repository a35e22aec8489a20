"""Hashtags, handles and links in texts, each once and in order of appearance; a null text gives null."""

from __future__ import annotations

import re
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from groundswell.kernels import loaded
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
    return _lists(*_found_links(texts, some.to_numpy()), texts)


def fold_tags(tags: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Hashtags as a record lists them, folded, without `#` and blanks around, each once; empty ones go.

    >>> fold_tags(pa.array([["#FYP", "fyp ", ""], None, []])).to_pylist()
    [['fyp'], None, []]
    """
    if isinstance(tags, pa.ChunkedArray):
        return pa.chunked_array([fold_tags(chunk) for chunk in tags.chunks], TEXTS)
    # Tags recur, so each different one is folded once.
    given = pc.list_flatten(tags).dictionary_encode()
    folded = fold_values(pc.utf8_ltrim(pc.utf8_trim_whitespace(given.dictionary), "#")).dictionary_encode()
    empty = folded.dictionary.index("").as_py()
    code_of = np.append(folded.indices.fill_null(-1).to_numpy(), -1)
    codes = code_of[given.indices.fill_null(-1).to_numpy()].astype(np.int64)
    rows = pc.list_parent_indices(tags).to_numpy().astype(np.int64)
    if (left_out := (codes < 0) | (codes == empty) if empty >= 0 else codes < 0).any():
        codes, rows = codes[~left_out], rows[~left_out]
    return _coded_lists(folded.dictionary, codes, rows, tags)


def _found_links(texts: pa.Array, some: NDArray[np.int64]) -> tuple[pa.Array, NDArray[np.int64]]:
    """The links in the texts `some` (ascending), and the text of each."""
    kernel = loaded()
    if kernel is None or not pa.types.is_string(texts.type):
        return _plain_links(texts, some)
    data, offsets = kernel.arrays_of(texts)
    room = int((offsets[some + 1] - offsets[some]).sum())
    out, owners = np.empty(room, np.uint8), np.empty(room // 5 + 1, np.int64)
    ends, slow = np.empty(room // 5 + 2, np.int32), np.empty(len(some), np.bool_)
    count, size = kernel.find_links(data, offsets, some, out, ends, owners, slow)
    # Copies of what was written only: the room is larger.
    parts = pa.py_buffer(ends[: count + 1].copy()), pa.py_buffer(out[:size].copy())
    values, rows = pa.StringArray.from_buffers(count, *parts), owners[:count]
    if not slow.any():
        return values, rows
    others, rows_of_others = _plain_links(texts, some[slow])
    rows = np.concatenate((rows, rows_of_others))
    order = np.argsort(rows, kind="stable")
    return pa.concat_arrays([values, others]).take(pa.array(order)), rows[order]


def _plain_links(texts: pa.Array, some: NDArray[np.int64]) -> tuple[pa.Array, NDArray[np.int64]]:
    found = [_links(text) for text in texts.take(pa.array(some)).to_pylist()]
    counts = np.fromiter(map(len, found), np.int64, len(found))
    return pa.array([link for links in found for link in links], pa.string()), np.repeat(some, counts)


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
    return _coded_lists(known.dictionary, known.indices.to_numpy().astype(np.int64), rows, owners)


def _coded_lists(dictionary: pa.Array, codes: NDArray[np.int64], rows: NDArray[np.int64], owners: pa.Array) -> pa.Array:
    """The same of values that are given by their codes."""
    pairs = rows * max(len(dictionary), 1) + codes
    ordered = np.sort(pairs)
    if (ordered[1:] == ordered[:-1]).any():
        _, first = np.unique(pairs, return_index=True)
        first.sort()
        codes, rows = codes[first], rows[first]
    offsets = np.zeros(len(owners) + 1, np.int32)
    np.cumsum(np.bincount(rows, minlength=len(owners)), out=offsets[1:])
    mask = owners.is_null() if owners.null_count else None
    return pa.ListArray.from_arrays(pa.array(offsets), dictionary.take(pa.array(codes)), mask=mask)
