"""Whole posts of many raw records at once, by compiled kernels: the same rows as the engine gives, without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from groundswell.bus.joined import JoinedRecords
from groundswell.importing.derive import Origin, derive
from groundswell.importing.fast.layouts import FAST
from groundswell.importing.fast.posts import FastLayout, FastPosts, mapped
from groundswell.importing.fast.spans import Ints, Spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundswell.platforms.layout import Layout
    from groundswell.text.tokens import Words

#: Fewer records than these an engine reads as quickly.
LEAST: Final = 200


@dataclass(frozen=True)
class Read:
    """Posts of some records, with the index of their record as `record`, and the records that another must read."""

    posts: pa.Table
    left: Ints


def gives_rows(layout: Layout) -> bool:
    """Whether whole posts of this layout can be made here."""
    fast = FAST.get(layout.id)
    if fast is None or fast.version != layout.version or layout.parameters:
        return False
    return fast.every is not None and fast.columns is not None


def read_records(
    records: Sequence[bytes],
    layout: Layout,
    origin: Origin,
    numbers: Ints,
    received_us: Ints,
    future_us: int,
) -> Read | None:
    """The posts of those records that are plainly of the layout and at most so far in the future; null: none can be.

    `numbers` and `received_us` have one a record.
    """
    if not gives_rows(layout) or len(records) < LEAST:
        return None
    fast = FAST[layout.id]
    assert fast.every is not None  # noqa: S101 - asked above
    joined = JoinedRecords.of(records)
    spans = fast.every.walk(np.frombuffer(joined.content, np.uint8), joined.bounds)
    posts = fast.read(spans)
    created, known = posts.created
    true = ~(known & (created > received_us[posts.row] + future_us))
    if not true.all():
        posts = posts.take(np.flatnonzero(true))
    return rows_of(fast, layout, spans, posts, origin, numbers, received_us)


def rows_of(
    fast: FastLayout,
    layout: Layout,
    spans: Spans,
    posts: FastPosts,
    origin: Origin,
    numbers: Ints,
    received_us: Ints,
    words: Words | None = None,
) -> Read:
    """The rows of `posts`, which were read of `spans`; all records without a row are left.

    `numbers` and `received_us` have one a record of `spans`; `words` are those of the posts' texts, if they are known.
    """
    assert fast.columns is not None  # noqa: S101 - who asks has looked with `gives_rows`
    rest = fast.columns(spans, posts)
    columns = rest.columns
    if rest.doubted.any():
        good = ~rest.doubted
        some = np.flatnonzero(good)
        posts, columns = posts.take(some), {name: column.take(pa.array(some)) for name, column in columns.items()}
        words = None if words is None else words.of(good)
    rows = posts.row
    left = np.ones(len(spans), np.bool_)
    left[rows] = False
    places = (numbers[rows], received_us[rows])
    found = derive(mapped(posts, columns, fast.platform), layout, origin, *places, words)
    return Read(found.append_column("record", pa.array(rows, pa.int64())), np.flatnonzero(left))
