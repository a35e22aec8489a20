"""Whole posts of a few records that a fast layout read, without an engine: the same as the ordinary way in gives."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from groundswell import schema
from groundswell.bus.joined import JoinedRecords
from groundswell.importing.derive import Origin, derive
from groundswell.importing.fast.posts import FastLayout, FastPosts, Rest, mapped
from groundswell.importing.fast.spans import Bools, Ints
from groundswell.platforms.layout import Layout
from groundswell.watch.arrivals import BATCH

#: From so many posts on all at once is quicker than one by one.
_SEVERAL: Final = 64
_decode: Final = msgspec.json.decode


def whole(
    posts: FastPosts, lines: list[bytes], fast: FastLayout, layout: Layout, origin: Origin, places: tuple[Ints, Ints]
) -> tuple[pa.Table, Bools]:
    """Rows of `BATCH` for `posts`, whose records are `lines`; and which of them the ordinary way must make instead.

    `places` are the numbers of the records and the times at which they were received.
    """
    numbers, received = places
    rest = rest_of(posts, lines, fast)
    rows = derive(mapped(posts, rest.columns, fast.platform), layout, origin, numbers, received)
    made = [rows.column(f.name) if f.name in rows.column_names else pa.nulls(len(rows), f.type) for f in schema.POSTS]
    made += [pa.array(numbers, pa.int64()), pa.array(received, pa.int64())]
    return pa.Table.from_arrays(made, schema=BATCH), np.asarray(rest.doubted)


def rest_of(posts: FastPosts, lines: list[bytes], fast: FastLayout) -> Rest:
    """What `posts` do not have themselves: of many at once, and of those that are left one by one."""
    if fast.every is None or fast.columns is None or len(lines) < _SEVERAL:
        return fast.rest(map(_decode, lines), posts)  # one at a time, so that none waits to be freed
    joined = JoinedRecords.of(lines)
    spans = fast.every.walk(np.frombuffer(joined.content, np.uint8), joined.bounds)
    again = fast.read(spans)
    quick = fast.columns(spans, again)
    place = np.full(len(lines), -1)
    sure = np.flatnonzero(~quick.doubted)
    place[again.row[sure]] = sure
    left = np.flatnonzero(place < 0)
    if not len(left):
        return Rest({name: column.take(pa.array(place)) for name, column in quick.columns.items()}, place < 0)
    slow = fast.rest((_decode(lines[n]) for n in left.tolist()), posts.take(left))
    place[left] = len(again.row) + np.arange(len(left))
    doubted = np.zeros(len(lines), np.bool_)
    doubted[left] = slow.doubted
    columns = {
        name: pa.concat_arrays([column.cast(slow.columns[name].type), slow.columns[name]]).take(pa.array(place))
        for name, column in quick.columns.items()
    }
    return Rest(columns, doubted)
