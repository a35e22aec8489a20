"""What can be told of a column of texts from its bytes, without looking at each text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from groundswell.text.terms import text_buffers


def only_text(column: pa.ChunkedArray) -> str | None:
    """The text that stands in every row; null if there is none such.

    >>> only_text(pa.chunked_array([["a", "a"], ["a"]])), only_text(pa.chunked_array([["a", "b"]]))
    ('a', None)
    """
    if column.null_count or not len(column):
        return None
    found: str | None = None
    for chunk in column.chunks:
        if not len(chunk):
            continue
        first: str = chunk[0].as_py()
        if found not in {None, first} or not _is_repeated(chunk):
            return None
        found = first
    return found


def _is_repeated(texts: pa.Array) -> bool:
    data, bounds = text_buffers(texts)
    width = int(bounds[1] - bounds[0])
    if int(bounds[-1] - bounds[0]) != width * len(texts) or (np.diff(bounds) != width).any():
        return False
    body = data[bounds[0] : bounds[-1]]
    return not width or np.array_equal(body[width:], body[:-width])
