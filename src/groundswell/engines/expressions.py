"""What both engines do with an expression before they compile it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.operations as ops

from groundswell.errors import UnknownChoiceError

if TYPE_CHECKING:
    import ibis.expr.types as ir


def bound_parameters(expression: ir.Table, given: Mapping[str, object]) -> dict[Any, object]:
    """The expression's scalar parameters with their values, found by the names that they were given.

    Raises:
        UnknownChoiceError: the expression has no parameter of a name; lists those that it has.
    """
    known = {parameter.name: parameter.to_expr() for parameter in expression.op().find(ops.ScalarParameter)}
    for node in expression.op().find(ops.Alias):
        if isinstance(node.arg, ops.ScalarParameter):
            known[node.name] = node.arg.to_expr()
    for name in given:
        if name not in known:
            kind = "parameter"
            raise UnknownChoiceError(kind, name, known)
    return {known[name]: value for name, value in given.items()}


@contextmanager
def unfused() -> Iterator[None]:
    """Compile selections one by one: layouts cast in a first and judge in a second, so that each cast is done once."""
    before = ibis.options.sql.fuse_selects
    ibis.options.sql.fuse_selects = False
    try:
        yield
    finally:
        ibis.options.sql.fuse_selects = before
