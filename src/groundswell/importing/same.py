"""Columns that say the same in every row: batches share their memory, which else costs as much as real values."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import pyarrow as pa

#: Rows of those that are kept; longer ones are made anew.
_ROWS: Final = 1 << 15


def nothing(kind: pa.DataType, rows: int) -> pa.Array:
    """So many nulls.

    >>> nothing(pa.string(), 2).to_pylist()
    [None, None]
    """
    return _kept(kind, None).slice(0, rows) if rows <= _ROWS else pa.nulls(rows, kind)


def same(value: str, rows: int) -> pa.Array:
    """A text so many times.

    >>> same("a", 3).to_pylist()
    ['a', 'a', 'a']
    """
    kind = pa.string()
    return _kept(kind, value).slice(0, rows) if rows <= _ROWS else pa.repeat(pa.scalar(value, kind), rows)


@lru_cache(maxsize=64)
def _kept(kind: pa.DataType, value: Any) -> pa.Array:
    return pa.nulls(_ROWS, kind) if value is None else pa.repeat(pa.scalar(value, kind), _ROWS)
