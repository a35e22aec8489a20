"""Whole posts of a few records that a fast layout read, without an engine: the same as the ordinary way in gives."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from groundswell import schema
from groundswell.importing.derive import Origin, derive
from groundswell.importing.fast.posts import FastLayout, FastPosts
from groundswell.importing.fast.spans import Bools, Ints
from groundswell.platforms.layout import Layout
from groundswell.schema import MAPPED, UNREAD
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
    columns = {name: pa.nulls(len(lines), kind) for name, kind in zip(MAPPED.names, MAPPED.types, strict=True)}
    columns |= {"platform": pa.repeat(pa.scalar(fast.platform), len(lines)), "post_id": posts.post_id}
    columns |= {name: getattr(posts, name) for name in ("author_id", "author_name", "text", "lang", "kind", "hashtags")}
    for name, values in {"created_at": posts.created, "observed_at": posts.observed, **posts.counts}.items():
        columns[name] = pa.array(values[0], pa.int64(), mask=~values[1])
    columns |= rest.columns
    arrays = [columns[name].cast(kind) for name, kind in zip(MAPPED.names, MAPPED.types, strict=True)]
    mapped = pa.table(arrays, schema=MAPPED).append_column(UNREAD, pa.nulls(len(lines), pa.string()))
    rows = derive(mapped, layout, origin, numbers, received)
    made = [rows.column(f.name) if f.name in rows.column_names else pa.nulls(len(rows), f.type) for f in schema.POSTS]
    made += [pa.array(numbers, pa.int64()), pa.array(received, pa.int64())]
    return pa.Table.from_arrays(made, schema=BATCH), np.asarray(rest.doubted)
