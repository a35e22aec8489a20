"""Whole posts that were made for the lake writer, for the watch itself: none of them is made twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.importing.same import nothing
from groundswell.watch.arrivals import BATCH, named
from groundswell.watch.contract import Ints

if TYPE_CHECKING:
    from groundswell.importing.fast.rows import Read
    from groundswell.watch.batches import Records


def in_order(tables: Sequence[pa.Table], places: Sequence[Ints]) -> pa.Table:
    """The rows of some tables as one; `places` has the place of each row among all."""
    place = np.concatenate(places)
    joined = pa.concat_tables(tables)
    return joined if (place[1:] > place[:-1]).all() else joined.take(pa.array(np.argsort(place)))


class MadeRows:
    """Posts of some of the `records`, those from `begin` on, as the lake has them; imported at a time (µs)."""

    def __init__(self, read: Read, records: Records, begin: int, imported_us: int) -> None:
        self._posts = read.posts
        self._here: Ints = read.posts["record"].to_numpy() + begin
        self._records = records
        self._imported_us = imported_us

    def among(self, rows: Ints) -> npt.NDArray[np.bool_]:
        """Of which of some records there is a post here."""
        if not len(self._here):
            return np.zeros(len(rows), np.bool_)
        at = np.minimum(np.searchsorted(self._here, rows), len(self._here) - 1)
        return np.asarray(self._here[at] == rows)

    def take(self, rows: Ints, columns: Sequence[str] | None = None) -> pa.Table:
        """Rows of `BATCH`, or of some of its columns, for records of which there is a post here, in their order."""
        schema = BATCH if columns is None else pa.schema([BATCH.field(name) for name in columns])
        found = named(self._posts, columns).take(pa.array(np.searchsorted(self._here, rows)))
        there = dict(zip(found.column_names, found.columns, strict=True))
        count, imported = len(rows), BATCH.field("imported_at").type
        there["record"] = pa.array(self._records.numbers[rows], pa.int64())
        there["received_us"] = pa.array(self._records.received_us[rows], pa.int64())
        if "imported_at" in there:
            there["imported_at"] = pa.repeat(pa.scalar(self._imported_us, imported), count)
        every = [there[one.name] if one.name in there else nothing(one.type, count) for one in schema]
        return pa.Table.from_arrays(every, schema=schema)
