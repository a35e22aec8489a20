"""Which parts of a file can hold a match, from what an index knows of its terms alone."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Final

from groundswell.query.ast import (
    HAS,
    IS,
    TEXT_FIELDS,
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
    leaves,
)
from groundswell.text.terms import Kind, term_hash

#: The parts of a file that can hold the term with this hash, as a bit mask.
Find = Callable[[int], int]

_COLUMNS: Final[dict[type[Leaf], tuple[str, ...]]] = {
    Words: ("tokens",),
    Tag: ("hashtags",),
    Mention: ("mentions", "author_name"),
}


def possible_parts(node: Node, find: Find, every: int) -> int:
    """The parts (bits of `every`) that can hold a post that `node` matches; what is left out holds none.

    A negation, a count, a prefix and most fields say nothing about terms: all parts can hold them.
    """
    if isinstance(node, All):
        return functools.reduce(operator.and_, (possible_parts(part, find, every) for part in node.parts))
    if isinstance(node, Either):
        return functools.reduce(operator.or_, (possible_parts(part, find, every) for part in node.parts))
    if isinstance(node, Not | Compare | Link | Has):
        return every
    return functools.reduce(operator.and_, (find(term) for term in _terms(node)), every)


def columns_of(node: Node) -> tuple[str, ...]:
    """The columns that a mask of `node` looks at, each once."""
    names: dict[str, None] = {}
    for leaf in leaves(node):
        if isinstance(leaf, Equals):
            names[TEXT_FIELDS[leaf.field]] = None
        elif isinstance(leaf, Compare):
            names[leaf.field] = None
        elif isinstance(leaf, Link):
            names["urls"] = None
        elif isinstance(leaf, Has):
            names.update(dict.fromkeys(HAS.get(leaf.what) or (IS[leaf.what],)))
        else:
            names.update(dict.fromkeys(_COLUMNS[type(leaf)]))
    return tuple(names)


def _terms(leaf: Words | Tag | Mention | Equals) -> list[int]:
    """The terms that a post must have for `leaf` to match it."""
    if isinstance(leaf, Words):
        words = leaf.tokens.split(" ")
        return [term_hash(Kind.WORD, word) for word in (words[:-1] if leaf.prefix else words)]
    if isinstance(leaf, Tag):
        return [] if leaf.prefix else [term_hash(Kind.TAG, leaf.name)]
    if isinstance(leaf, Mention):
        return [term_hash(Kind.HANDLE, leaf.name)]
    return [term_hash(Kind.HANDLE, leaf.value)] if leaf.field == "author" else []
