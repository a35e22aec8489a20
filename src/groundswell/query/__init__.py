"""Queries over posts: one grammar, the same meaning in the lake (Ibis) and in the stream (Arrow).

>>> str(parse('Nike AND (boycott OR "Child  labour") -giveaway followers:>10k'))
'nike (boycott OR "child labour") -giveaway followers:>10000'
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from groundswell.query.ast import Node, Words, leaves
from groundswell.query.masks import Mask, Matcher, Matches, combine, leaf_mask
from groundswell.query.parser import parse_tree

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa


#: Queries that are remembered: those of thousands of trackers are asked for by several.
_REMEMBERED: Final = 16_384


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query. Two queries are equal if they have the same normal form, which `str` gives."""

    root: Node

    def __str__(self) -> str:
        return str(self.root)

    def to_ibis(self, posts: ir.Table) -> ir.BooleanValue:
        """An expression over a posts table: true where the query matches, else false, never null."""
        from groundswell.query.expression import to_expression  # noqa: PLC0415 (Ibis takes a second to import)

        return to_expression(self.root, posts)

    def mask(self, posts: pa.Table) -> Mask:
        """Which rows of an Arrow posts table match: bool, one a row."""
        return combine(self.root, lambda leaf: leaf_mask(leaf, posts))

    @property
    def words(self) -> frozenset[str]:
        """Folded words that the query itself asks for (none of its filters)."""
        return frozenset(
            word for leaf in leaves(self.root) if isinstance(leaf, Words) for word in leaf.tokens.split(" ")
        )


@lru_cache(maxsize=_REMEMBERED)
def parse(text: str) -> Query:
    """Parse a query.

    Raises:
        QuerySyntaxError: names the column (from 1) and what was expected there.
    """
    return Query(parse_tree(text))


__all__ = ["Mask", "Matcher", "Matches", "Query", "parse"]
