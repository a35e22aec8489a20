"""The operations of layouts' expressions on Arrow columns, each with the meaning that DuckDB gives it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import ibis
import ibis.expr.operations as ops
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.kernels import loaded

#: Gives, for texts that are not plainly digits, what the engine reads as an int64 in each, or null.
ReadWhole = Callable[[list[str]], list[int | None]]
#: Works out one node for all rows: an array with one value a row, or a scalar.
Step = Callable[["Rows"], Any]

#: So many digits always fit into an int64.
_DIGITS: Final = 18
_MASKED: Final = (pa.types.is_string, pa.types.is_list, pa.types.is_integer, pa.types.is_floating)


class UnknownOperationError(Exception):
    """The expression has an operation that is not evaluated here."""


@dataclass
class Rows:
    """Some raw rows, and what was worked out of them so far."""

    given: dict[str, pa.Array]
    count: int
    read: ReadWhole
    known: dict[Step, Any] = field(default_factory=dict)
    item: pa.Array | None = None
    """What the parameter of a function over the items of a list stands for."""

    def value(self, step: Step) -> Any:
        """What a step gives, worked out once."""
        if step not in self.known:
            self.known[step] = step(self)
        return self.known[step]

    def array(self, step: Step) -> pa.Array:
        """The same as an array with a value for each row."""
        found = self.value(step)
        return pa.repeat(found, self.count) if isinstance(found, pa.Scalar) else found

    def column(self, step: Step, kind: pa.DataType) -> pa.Array:
        """The same of a type, where nothing says which."""
        found = self.array(step)
        return pa.nulls(self.count, kind) if pa.types.is_null(found.type) else found

    def holds(self, step: Step) -> pa.BooleanArray:
        """Where a condition is true: no nulls."""
        found = self.array(step)
        return found.fill_null(False) if found.null_count else found


class Compiler:
    """Makes steps of nodes; equal nodes share one."""

    def __init__(self) -> None:
        self._steps: dict[Any, Step] = {}

    def step(self, node: Any) -> Step:
        """The step of a node.

        Raises:
            UnknownOperationError: there is none for it.
        """
        if node not in self._steps:
            make = _MAKERS.get(type(node))
            if make is None:
                raise UnknownOperationError(type(node).__name__)
            self._steps[node] = make(self, node)
        return self._steps[node]

    def steps(self, nodes: Sequence[Any]) -> list[Step]:
        """Those of several."""
        return [self.step(node) for node in nodes]


def _field(compiler: Compiler, node: Any) -> Step:
    if isinstance(node.rel, ops.Project):
        return compiler.step(node.rel.values[node.name])
    if not isinstance(node.rel, ops.UnboundTable):
        raise UnknownOperationError(type(node.rel).__name__)
    return partial(_given, node.name)


def _given(name: str, rows: Rows) -> Any:
    return rows.given[name]


def _argument(_compiler: Compiler, _node: Any) -> Step:
    return lambda rows: rows.item


def _literal(_compiler: Compiler, node: Any) -> Step:
    if not isinstance(node.value, str | bool | int | float | None):
        raise UnknownOperationError(type(node.value).__name__)
    value = pa.scalar(node.value, ibis.dtype(node.dtype).to_pyarrow())
    return lambda _rows: value


def _struct_field(compiler: Compiler, node: Any) -> Step:
    of, name = compiler.step(node.arg), node.field

    def step(rows: Rows) -> Any:
        struct = rows.array(of)
        return pc.struct_field(struct, name) if struct.null_count else struct.field(name)

    return step


def _struct(compiler: Compiler, node: Any) -> Step:
    names, steps = list(node.names), compiler.steps(node.values)
    kinds = [ibis.dtype(value.dtype).to_pyarrow() for value in node.values]

    def step(rows: Rows) -> Any:
        arrays = [rows.column(one, kind) for one, kind in zip(steps, kinds, strict=True)]
        return pa.StructArray.from_arrays(arrays, names)

    return step


def _null_if(compiler: Compiler, node: Any) -> Step:
    of, null = compiler.step(node.arg), compiler.step(node.null_if_expr)

    def step(rows: Rows) -> Any:
        values = rows.array(of)
        same = pc.equal(values, rows.value(null))
        return masked(values, pc.invert(same).fill_null(False)) if same.true_count else values

    return step


def _coalesce(compiler: Compiler, node: Any) -> Step:
    steps = compiler.steps(node.arg)

    def step(rows: Rows) -> Any:
        found = rows.array(steps[0])
        for other in steps[1:]:
            if not found.null_count:
                break
            more = rows.array(other)
            if found.null_count == rows.count:
                found = more
            elif more.null_count < rows.count:
                found = pc.coalesce(found, more)
        return found

    return step


def _concat(compiler: Compiler, node: Any) -> Step:
    steps = compiler.steps(node.arg)
    return lambda rows: pc.binary_join_element_wise(*(rows.value(one) for one in steps), "")


def _cases(compiler: Compiler, node: Any) -> Step:
    branches = list(zip(compiler.steps(node.cases), compiler.steps(node.results), strict=True))
    default, kind = compiler.step(node.default), ibis.dtype(node.dtype).to_pyarrow()

    def step(rows: Rows) -> Any:
        taken, left = [], None
        for condition, result in branches:
            here = rows.holds(condition)
            here = here if left is None else pc.and_(here, left)
            if here.true_count:
                taken.append((here, result))
                left = pc.invert(here) if left is None else pc.and_not(left, here)
                if not left.true_count:
                    break
        if left is not None and len(taken) == 1:
            here, result = taken[0]
            if not left.true_count:
                return rows.column(result, kind)
            if _is_null(rows.value(default)):
                return masked(rows.column(result, kind), here)
        out = rows.column(default, kind)
        for here, result in reversed(taken):
            out = pc.if_else(here, rows.column(result, kind), out)
        return out

    return step


def _is_null(value: Any) -> bool:
    return isinstance(value, pa.Scalar) and not value.is_valid


def _and(compiler: Compiler, node: Any) -> Step:
    left, right = compiler.step(node.left), compiler.step(node.right)

    def step(rows: Rows) -> Any:
        first = rows.array(left)
        # Where all is false the rest (often a pattern) says nothing.
        return pc.and_kleene(first, rows.array(right)) if first.false_count < rows.count else first

    return step


def _between(compiler: Compiler, node: Any) -> Step:
    of, least, most = compiler.steps([node.arg, node.lower_bound, node.upper_bound])

    def step(rows: Rows) -> Any:
        values = rows.array(of)
        return pc.and_kleene(pc.greater_equal(values, rows.value(least)), pc.less_equal(values, rows.value(most)))

    return step


def _binary(function: Callable[[Any, Any], Any], compiler: Compiler, node: Any) -> Step:
    left, right = compiler.step(node.left), compiler.step(node.right)
    return lambda rows: function(rows.array(left), rows.value(right))


def _unary(function: Callable[[Any], Any], compiler: Compiler, node: Any) -> Step:
    of = compiler.step(node.arg)
    return lambda rows: function(rows.array(of))


def _length(values: Any) -> Any:
    return pc.list_value_length(values).cast(pa.int64())


def _map(compiler: Compiler, node: Any) -> Step:
    if node.index is not None or node.body.find(ops.Field):
        kind = "a function over more than the items"
        raise UnknownOperationError(kind)
    of, body = compiler.step(node.arg), compiler.step(node.body)

    def step(rows: Rows) -> Any:
        lists = rows.array(of)
        if lists.offset:  # Arrow builds no list with nulls on offsets that begin elsewhere
            lists = pa.concat_arrays([lists])
        items = lists.values
        inner = Rows(rows.given, len(items), rows.read, item=items).array(body)
        return pa.ListArray.from_arrays(lists.offsets, inner, mask=lists.is_null() if lists.null_count else None)

    return step


def _array(compiler: Compiler, node: Any) -> Step:
    steps = compiler.steps(node.exprs)
    if len(steps) != 1:
        kind = "an array of several"
        raise UnknownOperationError(kind)

    def step(rows: Rows) -> Any:
        return pa.ListArray.from_arrays(pa.array(np.arange(rows.count + 1, dtype=np.int32)), rows.array(steps[0]))

    return step


def _cast(compiler: Compiler, node: Any) -> Step:
    of, given, to = compiler.step(node.arg), node.arg.dtype, node.to
    target = ibis.dtype(to).to_pyarrow()
    same = given.copy(nullable=True) == to.copy(nullable=True)
    if not (same or given.is_null() or (given.is_integer() and (to.is_string() or to.is_int64()))):
        kind = f"{given} as {to}"
        raise UnknownOperationError(kind)
    return lambda rows: rows.column(of, target).cast(target)


def _try_cast(compiler: Compiler, node: Any) -> Step:
    if not (node.arg.dtype.is_string() and node.to.is_int64()):
        kind = f"{node.arg.dtype} as {node.to}"
        raise UnknownOperationError(kind)
    of = compiler.step(node.arg)
    return lambda rows: _whole(rows.array(of), rows.read)


def _whole(texts: pa.Array, read: ReadWhole) -> pa.Array:
    """The texts as an engine reads them as int64: digits here, whatever else is written by itself."""
    kernel: Any = loaded()
    values, plain = np.zeros(len(texts), np.int64), np.zeros(len(texts), np.uint8)
    if kernel is not None and len(texts):
        kernel.read_digits(*kernel.arrays_of(texts), _DIGITS, values, plain)
    known = texts.is_valid().to_numpy(zero_copy_only=False)
    there = (plain != 0) & known
    odd = np.flatnonzero(known & ~there)
    if len(odd):
        written = texts.take(pa.array(odd)).dictionary_encode()
        found = pa.array(read(written.dictionary.to_pylist()), pa.int64()).take(written.indices)
        values[odd] = found.fill_null(0).to_numpy()
        there[odd] = found.is_valid().to_numpy(zero_copy_only=False)
    return pa.array(values) if there.all() else pa.array(values, mask=~there)


def _search(compiler: Compiler, node: Any) -> Step:
    of, pattern = compiler.step(node.arg), _pattern(node.pattern)
    return lambda rows: pc.match_substring_regex(rows.array(of), pattern)


def _extract(compiler: Compiler, node: Any) -> Step:
    of, pattern = compiler.step(node.arg), _pattern(node.pattern)
    if not isinstance(node.index, ops.Literal) or node.index.value != 0:
        kind = "a group"
        raise UnknownOperationError(kind)

    def step(rows: Rows) -> Any:
        texts = rows.array(of)
        found = pc.struct_field(pc.extract_regex(texts, f"(?P<whole>{pattern})"), "whole")
        return pc.if_else(texts.is_valid(), found.fill_null(""), pa.scalar(None, pa.string()))

    return step


def _pattern(node: Any) -> str:
    if not isinstance(node, ops.Literal) or not isinstance(node.value, str):
        kind = "a pattern that is worked out"
        raise UnknownOperationError(kind)
    return node.value


def masked(values: pa.Array, keep: pa.BooleanArray) -> pa.Array:
    """`values`, null where not `keep` (which has no nulls); shares what it can with them."""
    if values.offset or keep.offset or not any(of(values.type) for of in _MASKED):
        return pc.if_else(keep, values, pa.scalar(None, values.type))
    valid = pc.and_(keep, values.is_valid()) if values.null_count else keep
    buffers = values.buffers()[: 2 if pa.types.is_list(values.type) else None]
    children = [values.values] if pa.types.is_list(values.type) else None
    return pa.Array.from_buffers(
        values.type, len(values), [valid.buffers()[1], *buffers[1:]], valid.false_count, 0, children
    )


def _maker(function: Callable[..., Any], make: Callable[..., Step]) -> Callable[[Compiler, Any], Step]:
    return partial(make, function)


_MAKERS: Final[dict[type[Any], Callable[[Compiler, Any], Step]]] = {
    ops.Field: _field,
    ops.Argument: _argument,
    ops.Literal: _literal,
    ops.StructField: _struct_field,
    ops.StructColumn: _struct,
    ops.NullIf: _null_if,
    ops.Coalesce: _coalesce,
    ops.StringConcat: _concat,
    ops.SearchedCase: _cases,
    ops.And: _and,
    ops.Between: _between,
    ops.Or: _maker(pc.or_kleene, _binary),
    ops.Equals: _maker(pc.equal, _binary),
    ops.NotEquals: _maker(pc.not_equal, _binary),
    ops.Greater: _maker(pc.greater, _binary),
    ops.GreaterEqual: _maker(pc.greater_equal, _binary),
    ops.Multiply: _maker(pc.multiply, _binary),
    ops.Not: _maker(pc.invert, _unary),
    ops.IsNull: _maker(pc.is_null, _unary),
    ops.NotNull: _maker(pc.is_valid, _unary),
    ops.ArrayLength: _maker(_length, _unary),
    ops.ArrayMap: _map,
    ops.Array: _array,
    ops.Cast: _cast,
    ops.TryCast: _try_cast,
    ops.RegexSearch: _search,
    ops.RegexExtract: _extract,
}
