"""A query as an Ibis expression: the same rows on every engine. A null field never matches."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Any

import ibis

from groundswell.query.ast import TEXT_FIELDS, All, Compare, Either, Equals, Leaf, Mention, Node, Not, Tag, Words

if TYPE_CHECKING:
    import ibis.expr.types as ir

_COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "=": operator.eq}


def to_expression(node: Node, posts: ir.Table) -> ir.BooleanValue:
    """True where `node` matches, else false, never null."""
    if isinstance(node, Not):
        return ~to_expression(node.part, posts)
    if isinstance(node, All):
        return functools.reduce(operator.and_, (to_expression(part, posts) for part in node.parts))
    if isinstance(node, Either):
        return functools.reduce(operator.or_, (to_expression(part, posts) for part in node.parts))
    return _leaf(node, posts).fill_null(ibis.literal(False))


def _leaf(leaf: Leaf, posts: ir.Table) -> Any:
    if isinstance(leaf, Words):
        return posts.tokens.contains(leaf.needle)
    if isinstance(leaf, Tag):
        return posts.hashtags.contains(leaf.name)
    if isinstance(leaf, Mention):
        mentioned = posts.mentions.contains(leaf.name).fill_null(ibis.literal(False))
        return mentioned | (posts.author_name.lower() == leaf.name).fill_null(ibis.literal(False))
    if isinstance(leaf, Compare):
        return _COMPARE[leaf.operator](posts[leaf.field], leaf.number)
    equals: Equals = leaf
    column = posts[TEXT_FIELDS[equals.field]].lower()
    if equals.field == "lang":
        return (column == equals.value) | column.startswith(f"{equals.value}-")
    return column == equals.value
