"""A query as an Ibis expression: the same rows on every engine. A null field never matches."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Any

import ibis

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
    if isinstance(leaf, Tag | Mention):
        return _named(leaf, posts)
    if isinstance(leaf, Compare):
        return _COMPARE[leaf.operator](posts[leaf.field], leaf.number)
    if isinstance(leaf, Link):
        return posts.urls.filter(lambda url: _leads_to(url.lower(), leaf)).length() > 0
    return _has(leaf, posts) if isinstance(leaf, Has) else _equals(leaf, posts)


def _named(leaf: Tag | Mention, posts: ir.Table) -> Any:
    if isinstance(leaf, Mention):
        mentioned = posts.mentions.contains(leaf.name).fill_null(ibis.literal(False))
        return mentioned | (posts.author_name.lower() == leaf.name).fill_null(ibis.literal(False))
    if leaf.prefix:
        return posts.hashtags.filter(lambda tag: tag.startswith(leaf.name)).length() > 0
    return posts.hashtags.contains(leaf.name)


def _equals(leaf: Equals, posts: ir.Table) -> Any:
    column = posts[TEXT_FIELDS[leaf.field]].lower()
    if leaf.field == "lang":
        return (column == leaf.value) | column.startswith(f"{leaf.value}-")
    return column == leaf.value


def _leads_to(url: Any, leaf: Link) -> Any:
    return url.contains(leaf.value) if leaf.field == "url" else url.re_search(domain_pattern(leaf.value))


def _has(leaf: Has, posts: ir.Table) -> Any:
    if leaf.what in IS:
        return posts[IS[leaf.what]]
    found: Any = ibis.literal(False)
    for name in HAS[leaf.what]:
        column: Any = posts[name]
        there = column.isin(WITH_MEDIA) if name == "kind" else column.length() > 0
        found = found | there.fill_null(ibis.literal(False))
    return found
