"""Kernels that layouts call inside their expression, because engines would not agree on them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

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
    return declared  # type: ignore[no-any-return]
