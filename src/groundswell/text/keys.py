"""The key of an observation: the same thing seen again has the same key, new counters have a new one."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.kernels import loaded
from groundswell.schema import COUNTERS

KEY_BYTES: Final = 16

#: For each table, the column of the platform's own id and the counters that make an observation.
KEYED: Final = {
    "posts": ("post_id", COUNTERS),
    "authors": ("author_id", ("followers", "following", "posts", "likes", "views")),
    "comments": ("comment_id", ("likes", "replies")),
}

_BETWEEN: Final = "\x1f"
_NONE: Final = "-"


def observation_keys(table: pa.Table | pa.RecordBatch, of: str = "posts") -> pa.Array:
    """One 16-byte BLAKE2b hash (`binary`) for each row of `table`, never null.

    It covers platform, id, `observed_at` *as the record says* (so before a stream's receive time is filled
    in) and the counters; where there is no id, author, `created_at` and text stand for it. `of` names the
    table (`KEYED`). `table` needs its id and counters and platform, author_id, author_name, created_at,
    observed_at and text.
    """
    kernel = loaded()
    if kernel is None or not table.num_rows or _column(table, KEYED[of][0]).null_count:
        return _plain_keys(table, *KEYED[of])
    id_, counters = KEYED[of]
    columns = [_column(table, name) for name in (*counters, "observed_at")]
    numbers = np.stack([pc.fill_null(c.cast(pa.int64()), 0).to_numpy(zero_copy_only=False) for c in columns])
    known = np.stack([_known(column) for column in columns])
    platforms = kernel.arrays_of(pc.fill_null(_column(table, "platform"), _NONE))
    out = np.empty(KEY_BYTES * table.num_rows, np.uint8)
    kernel.hash_observations(numbers, known, *platforms, *kernel.arrays_of(_column(table, id_)), out)
    return _binary(out)


def _plain_keys(table: pa.Table | pa.RecordBatch, id_: str, counters: Sequence[str]) -> pa.Array:
    nameless = pc.is_null(_column(table, id_))
    author = pc.coalesce(_column(table, "author_id"), _column(table, "author_name"))
    # Numbers and lengths come first and free text last, so that no two different rows are written alike.
    numbers = [_digits(_column(table, name)) for name in (*counters, "observed_at")]
    platform = pc.fill_null(_column(table, "platform"), _NONE)
    head = pc.binary_join_element_wise(*numbers, platform, _BETWEEN)
    named = pc.binary_join_element_wise(head, "id", _text(_column(table, id_)), _BETWEEN)
    if pc.any(nameless, min_count=0).as_py():
        length = _digits(pc.utf8_length(author))
        created = _digits(_column(table, "created_at"))
        content = pc.binary_join_element_wise(
            head, "text", created, length, _text(author), _text(_column(table, "text")), _BETWEEN
        )
        named = pc.if_else(nameless, content, named)
    written = named.cast(pa.binary()).to_pylist()
    return _binary(b"".join([blake2b(row, digest_size=KEY_BYTES).digest() for row in written]))


def _binary(keys: bytes | np.ndarray[Any, Any]) -> pa.Array:
    offsets = np.arange(0, len(keys) + 1, KEY_BYTES, dtype=np.int32)
    return pa.Array.from_buffers(pa.binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(keys)])


def _known(values: pa.Array) -> np.ndarray[Any, Any]:
    if not values.null_count:
        return np.ones(len(values), np.bool_)
    found: np.ndarray[Any, Any] = values.is_valid().to_numpy(zero_copy_only=False)
    return found


def _column(table: pa.Table | pa.RecordBatch, name: str) -> pa.Array:
    column = table.column(name)
    if not isinstance(column, pa.ChunkedArray):
        return column
    # Combining copies even a single chunk.
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _digits(values: pa.Array) -> pa.Array:
    whole = values.cast(pa.int64()) if pa.types.is_timestamp(values.type) else values
    return pc.fill_null(whole.cast(pa.string()), _NONE)


def _text(values: pa.Array) -> pa.Array:
    """Marked, so that an empty text and none are two things."""
    return pc.fill_null(pc.binary_join_element_wise("=", values, ""), _NONE)
