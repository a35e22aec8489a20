"""A query as a mask over Arrow posts, and many queries at once over one batch of a stream.

`Matcher` looks every word of the batch up once in the words that any query asks for; a query's leaf is then
checked only in the few posts that hold its first word. What it gives is exactly what each mask gives alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.kernels import loaded_live
from groundswell.query.ast import (
    HAS,
    IS,
    TEXT_FIELDS,
    WITH_MEDIA,
    All,
    Compare,
    Either,
    Equals,
    Has,
    Leaf,
    Link,
    Mention,
    Node,
    Not,
    Tag,
    Words,
)
from groundswell.query.links import domain_pattern
from groundswell.text.terms import rows_with

if TYPE_CHECKING:
    from groundswell.query.program import Compiled

Mask = npt.NDArray[np.bool_]
_COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    ">": pc.greater,
    ">=": pc.greater_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    "=": pc.equal,
}


def _truth(values: Any) -> Mask:
    """A mask of an Arrow boolean array; null is false."""
    flat = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return cast(Mask, pc.fill_null(flat, False).to_numpy(zero_copy_only=False))


def _flat(posts: pa.Table, column: str) -> Any:
    values = posts.column(column)
    return values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()


def _any_of(lists: Any, rows: int, wanted: Callable[[Any], Any]) -> Mask:
    """Which of `rows` lists hold a value that is `wanted`."""
    mask = np.zeros(rows, dtype=np.bool_)
    hits = _truth(wanted(pc.list_flatten(lists)))
    mask[pc.list_parent_indices(lists).to_numpy()[hits]] = True
    return mask


def leaf_mask(leaf: Leaf, posts: pa.Table) -> Mask:
    """Which rows the leaf matches; a null field never does."""
    if isinstance(leaf, Words):
        return rows_with(_flat(posts, "tokens"), leaf.needle)
    if isinstance(leaf, Tag | Mention):
        return _named_mask(leaf, posts)
    if isinstance(leaf, Compare):
        return _truth(_COMPARE[leaf.operator](_flat(posts, leaf.field), leaf.number))
    if isinstance(leaf, Link):
        return _any_of(_flat(posts, "urls"), posts.num_rows, lambda urls: leads_to(leaf, pc.utf8_lower(urls)))
    return _has_mask(leaf, posts) if isinstance(leaf, Has) else _equals_mask(leaf, posts)


def _named_mask(leaf: Tag | Mention, posts: pa.Table) -> Mask:
    if isinstance(leaf, Mention):
        wrote = _truth(pc.equal(pc.utf8_lower(_flat(posts, "author_name")), leaf.name))
        return wrote | _any_of(_flat(posts, "mentions"), posts.num_rows, lambda names: pc.equal(names, leaf.name))
    same = pc.starts_with if leaf.prefix else pc.equal
    return _any_of(_flat(posts, "hashtags"), posts.num_rows, lambda tags: same(tags, leaf.name))


def leads_to(leaf: Link, urls: Any) -> Any:
    """Which of some lower-case links are meant: an Arrow boolean array."""
    if leaf.field == "url":
        return pc.match_substring(urls, leaf.value)
    return pc.match_substring_regex(urls, domain_pattern(leaf.value))


def _has_mask(leaf: Has, posts: pa.Table) -> Mask:
    if leaf.what in IS:
        return _truth(_flat(posts, IS[leaf.what]))
    mask = np.zeros(posts.num_rows, dtype=np.bool_)
    for name in HAS[leaf.what]:
        column = _flat(posts, name)
        if name == "kind":
            mask |= _truth(pc.is_in(column, pa.array(WITH_MEDIA)))
        else:
            size = pc.list_value_length(column) if pa.types.is_list(column.type) else pc.binary_length(column)
            mask |= _truth(pc.greater(size, 0))
    return mask


def _equals_mask(leaf: Equals, posts: pa.Table) -> Mask:
    column = pc.utf8_lower(_flat(posts, TEXT_FIELDS[leaf.field]))
    mask = _truth(pc.equal(column, leaf.value))
    if leaf.field == "lang":
        mask = mask | _truth(pc.starts_with(column, f"{leaf.value}-"))
    return mask


def combine(node: Node, leaf: Callable[[Leaf], Mask]) -> Mask:
    """The mask of a tree, its leaves' masks given by `leaf`."""
    if isinstance(node, Not):
        return ~combine(node.part, leaf)
    if isinstance(node, All):
        mask = combine(node.parts[0], leaf)
        for part in node.parts[1:]:
            if not mask.any():
                break
            mask = mask & combine(part, leaf)
        return mask
    if isinstance(node, Either):
        mask = combine(node.parts[0], leaf)
        for part in node.parts[1:]:
            mask = mask | combine(part, leaf)
        return mask
    return leaf(node)


class Matches(NamedTuple):
    """Which query matches which post: parallel arrays, sorted by row, then slot."""

    slot: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]


class Matcher:
    """Many queries over one batch at once; make it once, use it for every batch."""

    def __init__(self, roots: Sequence[Node]) -> None:
        self._roots = tuple(roots)

    @cached_property
    def compiled(self) -> Compiled:
        """The queries as the compiled kernels take them; only where these are loaded."""
        from groundswell.query.program import compile_queries  # noqa: PLC0415 - loads Numba

        return compile_queries(self._roots)

    def matrix(self, posts: pa.Table) -> Mask:
        """Which query (row) matches which post (column): bool, queries by posts."""
        rows = posts.num_rows
        out = np.zeros((len(self._roots), rows), dtype=np.bool_)
        if rows == 0 or not self._roots:
            return out
        batch = _Batch(posts)
        for number, root in enumerate(self._roots):
            out[number] = combine(root, batch.mask)
        return out

    def mask_of(self, slot: int, posts: pa.Table) -> Mask:
        """Which rows one of the queries matches."""
        return combine(self._roots[slot], lambda leaf: leaf_mask(leaf, posts))

    def pairs(self, posts: pa.Table) -> Matches:
        """Which query (slot) matches which post (row); by the compiled kernels, where they are loaded."""
        if loaded_live() is not None and self._roots:
            from groundswell.query.matching import match_table  # noqa: PLC0415 - loads Numba

            return match_table(self.compiled, posts)
        row, slot = np.nonzero(self.matrix(posts).T)
        return Matches(slot.astype(np.int64), row.astype(np.int64))


class _Index:
    """Which rows hold a value, for every value of a list column."""

    def __init__(self, lists: Any) -> None:
        encoded = pc.dictionary_encode(pc.list_flatten(lists))
        codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
        if len(encoded.dictionary) < 2**15:
            codes = codes.astype(np.int16)  # which NumPy sorts by radix, several times as fast
        order = np.argsort(codes, kind="stable")
        self.values = encoded.dictionary
        self._rows = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)[order]
        self._borders = np.searchsorted(codes[order], np.arange(len(self.values) + 1)).tolist()
        self._number = {value: number for number, value in enumerate(self.values.to_pylist())}

    def rows(self, value: str) -> npt.NDArray[np.int64]:
        """Rows that hold `value`, ascending; a row may come twice."""
        number = self._number.get(value)
        if number is None:
            return np.zeros(0, dtype=np.int64)
        return cast("npt.NDArray[np.int64]", self._rows[self._borders[number] : self._borders[number + 1]])

    def rows_from(self, prefix: str) -> npt.NDArray[np.int64]:
        """Rows that hold a value that begins with `prefix`."""
        found = np.flatnonzero(_truth(pc.starts_with(self.values, prefix))).tolist()
        parts = [self._rows[self._borders[number] : self._borders[number + 1]] for number in found]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


class _Batch:
    """Masks of leaves over one batch, each made once."""

    def __init__(self, posts: pa.Table) -> None:
        self._posts = posts
        self._tokens = _flat(posts, "tokens")
        self._made: dict[Leaf, Mask] = {}

    @cached_property
    def _words(self) -> _Index:
        return _Index(pc.split_pattern(self._tokens, " "))

    @cached_property
    def _tags(self) -> _Index:
        return _Index(_flat(self._posts, "hashtags"))

    def mask(self, leaf: Leaf) -> Mask:
        made = self._made.get(leaf)
        if made is None:
            made = self._made[leaf] = self._make(leaf)
        return made

    def _make(self, leaf: Leaf) -> Mask:
        if isinstance(leaf, Words):
            rows = self._with_words(leaf)
        elif isinstance(leaf, Tag):
            rows = self._tags.rows_from(leaf.name) if leaf.prefix else self._tags.rows(leaf.name)
        else:
            return leaf_mask(leaf, self._posts)
        mask = np.zeros(self._posts.num_rows, dtype=np.bool_)
        mask[rows] = True
        return mask

    def _with_words(self, leaf: Words) -> npt.NDArray[np.int64]:
        first, _, more = leaf.tokens.partition(" ")
        if not more:
            return self._words.rows_from(first) if leaf.prefix else self._words.rows(first)
        rows = np.unique(self._words.rows(first))
        if len(rows) == 0:
            return rows
        return rows[_truth(pc.match_substring(self._tokens.take(pa.array(rows)), leaf.needle))]
