"""Whole posts of many raw records at once, by compiled kernels: the same rows as the engine gives, without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from groundswell.bus.joined import JoinedRecords
from groundswell.importing.derive import Origin, derive
from groundswell.importing.fast.layouts import FAST
from groundswell.importing.fast.posts import mapped
from groundswell.importing.fast.spans import Ints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from groundswell.platforms.layout import Layout

#: Fewer records than these an engine reads as quickly.
LEAST: Final = 200


@dataclass(frozen=True)
class Read:
    """Posts of some records, with the index of their record as `record`, and the records that another must read."""

    posts: pa.Table
    left: Ints


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
    fast = FAST.get(layout.id)
    if fast is None or fast.version != layout.version or fast.every is None or fast.columns is None:
        return None
    if layout.parameters or len(records) < LEAST:
        return None
    joined = JoinedRecords.of(records)
    spans = fast.every.walk(np.frombuffer(joined.content, np.uint8), joined.bounds)
    posts = fast.read(spans)
    rest = fast.columns(spans, posts)
    created, known = posts.created
    good = ~rest.doubted & ~(known & (created > received_us[posts.row] + future_us))
    columns = rest.columns
    if not good.all():
        some = np.flatnonzero(good)
        posts, columns = posts.take(some), {name: column.take(pa.array(some)) for name, column in columns.items()}
    rows = posts.row
    left = np.ones(len(records), np.bool_)
    left[rows] = False
    found = derive(mapped(posts, columns, fast.platform), layout, origin, numbers[rows], received_us[rows])
    return Read(found.append_column("record", pa.array(rows, pa.int64())), np.flatnonzero(left))
