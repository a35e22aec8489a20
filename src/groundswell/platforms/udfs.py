"""Kernels that layouts call inside their expression, because engines would not agree on them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from groundswell.text.markup import plain_texts, unescaped_texts
from groundswell.text.times import read_times

if TYPE_CHECKING:
    import ibis.expr.types as ir


@cache
def times_reader(tz: str) -> Callable[[ir.StringValue], ir.IntegerValue]:
    """An Ibis function from text to microseconds since 1970 UTC; naive times are of zone `tz`."""

    def read(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
        return read_times(texts, tz)

    name = "groundswell_times_" + re.sub(r"\W", "_", tz).lower()
    # DuckDB would refuse a null that stands for what cannot be read.
    declared: Any = ibis.udf.scalar.pyarrow(read, name=name, signature=((str,), int), null_handling="special")
    return declared  # type: ignore[no-any-return]  # Ibis has no type for it


@cache
def plain_text_of() -> Callable[[ir.StringValue], ir.StringValue]:
    """An Ibis function from HTML to the text that a reader sees."""

    def plain(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
        return plain_texts(texts)

    return _on_texts(plain, "groundswell_plain_text")


@cache
def unescaped() -> Callable[[ir.StringValue], ir.StringValue]:
    """An Ibis function that resolves character references (`&amp;`) once."""

    def resolve(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
        return unescaped_texts(texts)

    return _on_texts(resolve, "groundswell_unescaped")


def _on_texts(function: Callable[[Any], pa.Array], name: str) -> Callable[[ir.StringValue], ir.StringValue]:
    declared: Any = ibis.udf.scalar.pyarrow(function, name=name, signature=((str,), str), null_handling="special")
    return declared  # type: ignore[no-any-return]  # Ibis has no type for it
