"""A query as a mask over Arrow posts, and many queries at once over one batch of a stream.

`Matcher` looks every word of the batch up once in the words that any query asks for; a query's leaf is then
checked only in the few posts that hold its first word. What it gives is exactly what each mask gives alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.query.ast import TEXT_FIELDS, All, Compare, Equals, Leaf, Mention, Node, Not, Tag, Words, leaves

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


def _any_of(lists: Any, value: str, rows: int) -> Mask:
    """Which of `rows` lists hold `value`."""
    mask = np.zeros(rows, dtype=np.bool_)
    hits = _truth(pc.equal(pc.list_flatten(lists), value))
    mask[pc.list_parent_indices(lists).to_numpy()[hits]] = True
    return mask


def leaf_mask(leaf: Leaf, posts: pa.Table) -> Mask:
    """Which rows the leaf matches; a null field never does."""
    if isinstance(leaf, Words):
        return _truth(pc.match_substring(_flat(posts, "tokens"), leaf.needle))
    if isinstance(leaf, Tag):
        return _any_of(_flat(posts, "hashtags"), leaf.name, posts.num_rows)
    if isinstance(leaf, Mention):
        wrote = _truth(pc.equal(pc.utf8_lower(_flat(posts, "author_name")), leaf.name))
        return wrote | _any_of(_flat(posts, "mentions"), leaf.name, posts.num_rows)
    if isinstance(leaf, Compare):
        return _truth(_COMPARE[leaf.operator](_flat(posts, leaf.field), leaf.number))
    return _equals_mask(leaf, posts)


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
    if isinstance(node, Words | Tag | Mention | Equals | Compare):
        return leaf(node)
    mask = combine(node.parts[0], leaf)
    for part in node.parts[1:]:
        mask = mask | combine(part, leaf)
    return mask


class Matcher:
    """Many queries over one batch at once; make it once, use it for every batch."""

    def __init__(self, roots: Sequence[Node]) -> None:
        self._roots = tuple(roots)
        found = {leaf for root in roots for leaf in leaves(root)}
        whole = {leaf for leaf in found if isinstance(leaf, Words) and _first(leaf) is not None}
        self._firsts = pa.array(sorted({cast(str, _first(leaf)) for leaf in whole}), pa.string())
        self._numbers = {word: number for number, word in enumerate(self._firsts.to_pylist())}
        tags = sorted({leaf.name for leaf in found if isinstance(leaf, Tag)})
        self._tags = pa.array(tags, pa.string())
        self._tag_numbers = {name: number for number, name in enumerate(tags)}

    def matrix(self, posts: pa.Table) -> Mask:
        """Which query (row) matches which post (column): bool, queries by posts."""
        rows = posts.num_rows
        out = np.zeros((len(self._roots), rows), dtype=np.bool_)
        if rows == 0 or not self._roots:
            return out
        look = _BatchIndex(self, posts)
        for number, root in enumerate(self._roots):
            out[number] = combine(root, look.mask)
        return out

    def word_rows(self, tokens: Any) -> list[npt.NDArray[np.int64]]:
        """For each first word, the rows of `tokens` that hold it."""
        return _rows_by_value(pc.split_pattern(tokens, " "), self._firsts)

    def tag_rows(self, hashtags: Any) -> list[npt.NDArray[np.int64]]:
        """For each hashtag asked for, the rows that hold it."""
        return _rows_by_value(hashtags, self._tags)

    def number_of(self, word: str) -> int:
        """Position of a first word in what `word_rows` gives."""
        return self._numbers[word]

    def tag_number_of(self, name: str) -> int:
        """Position of a hashtag in what `tag_rows` gives."""
        return self._tag_numbers[name]


def _first(leaf: Words) -> str | None:
    """The first word of a leaf if it stands there whole, else None."""
    head, _, rest = leaf.tokens.partition(" ")
    return None if leaf.prefix and not rest else head


def _rows_by_value(lists: Any, wanted: Any) -> list[npt.NDArray[np.int64]]:
    if len(wanted) == 0:
        return []
    found = pc.index_in(pc.list_flatten(lists), value_set=wanted)
    hit = _truth(pc.is_valid(found))
    numbers = found.filter(pa.array(hit)).to_numpy()
    parents = pc.list_parent_indices(lists).to_numpy()[hit]
    order = np.argsort(numbers, kind="stable")
    borders = np.searchsorted(numbers[order], np.arange(len(wanted) + 1))
    ordered = parents[order].astype(np.int64)
    return [ordered[a:b] for a, b in itertools.pairwise(borders)]


class _BatchIndex:
    """Masks of leaves over one batch, each made once."""

    def __init__(self, matcher: Matcher, posts: pa.Table) -> None:
        self._matcher = matcher
        self._posts = posts
        self._tokens = _flat(posts, "tokens")
        self._by_word = matcher.word_rows(self._tokens)
        self._by_tag = matcher.tag_rows(_flat(posts, "hashtags"))
        self._made: dict[Leaf, Mask] = {}

    def mask(self, leaf: Leaf) -> Mask:
        made = self._made.get(leaf)
        if made is None:
            made = self._made[leaf] = self._make(leaf)
        return made

    def _make(self, leaf: Leaf) -> Mask:
        mask = np.zeros(self._posts.num_rows, dtype=np.bool_)
        if isinstance(leaf, Tag):
            mask[self._by_tag[self._matcher.tag_number_of(leaf.name)]] = True
            return mask
        word = _first(leaf) if isinstance(leaf, Words) else None
        if word is None or not isinstance(leaf, Words):
            return leaf_mask(leaf, self._posts)
        rows = self._by_word[self._matcher.number_of(word)]
        if " " in leaf.tokens and len(rows):
            rows = np.unique(rows)
            rows = rows[_truth(pc.match_substring(self._tokens.take(pa.array(rows)), leaf.needle))]
        mask[rows] = True
        return mask
