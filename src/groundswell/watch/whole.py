"""Whole posts of a few records that a fast layout read, without an engine: the same as the ordinary way in gives."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from groundswell import schema
from groundswell.importing.derive import Origin, derive
from groundswell.importing.fast.posts import FastLayout, FastPosts, mapped
from groundswell.importing.fast.spans import Bools, Ints
from groundswell.platforms.layout import Layout
from groundswell.watch.arrivals import BATCH

_decode: Final = msgspec.json.decode


def whole(
    posts: FastPosts, lines: list[bytes], fast: FastLayout, layout: Layout, origin: Origin, places: tuple[Ints, Ints]
) -> tuple[pa.Table, Bools]:
    """Rows of `BATCH` for `posts`, whose records are `lines`; and which of them the ordinary way must make instead.

    `places` are the numbers of the records and the times at which they were received.
    """
    numbers, received = places
    rest = fast.rest(map(_decode, lines), posts)  # one at a time, so that none waits to be freed
    rows = derive(mapped(posts, rest.columns, fast.platform), layout, origin, numbers, received)
    made = [rows.column(f.name) if f.name in rows.column_names else pa.nulls(len(rows), f.type) for f in schema.POSTS]
    made += [pa.array(numbers, pa.int64()), pa.array(received, pa.int64())]
    return pa.Table.from_arrays(made, schema=BATCH), np.asarray(rest.doubted)
