"""Row groups of the lake's data files: which can hold wanted posts, and the rows of one that match.

Search reads them itself, through Arrow, whatever the engine: it needs a few row groups out of thousands, in its own
order, and stops in the middle. What matches is decided by the same query, by its mask over Arrow rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from groundswell.lake.terms import ALWAYS, NEVER, Group, content_identity, footer_groups, iter_groups, open_index
from groundswell.marts.wanted import MEMBER, Wanted
from groundswell.query.pruning import columns_of, possible_parts
from groundswell.schema import POSTS, TIMESTAMP
from groundswell.stores import Place, parquet

if TYPE_CHECKING:
    from groundswell.lake import Lake
    from groundswell.lake.terms import TermIndex

Mask = npt.NDArray[np.bool_]

CONTENT: Final = ("author_id", "author_name", "created_at", "text")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=False)
class DataFile:
    """One data file of `posts`. Safe to read from several threads."""

    lake: Lake
    path: Place
    bound: int
    """No `created_at` in it is later (µs since 1970)."""

    _metadata: pq.FileMetaData | None = field(default=None, repr=False)

    @cached_property
    def platform(self) -> str:
        """The platform of all of its rows."""
        return platform_of(self.path)

    @cached_property
    def index(self) -> TermIndex | None:
        """Its text index, if it has one."""
        return open_index(self.lake, self.path)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Its row groups."""
        return self.index.groups if self.index is not None else footer_groups(self.open())

    def open(self) -> pq.ParquetFile:
        """The file, its footer parsed once."""
        file = parquet(self.path, self._metadata)
        self._metadata = file.metadata
        return file

    def read(self, group: int, columns: list[str]) -> pa.Table:
        """Columns of one row group, one chunk each, in their order; `platform` is known from the path."""
        stored = [name for name in columns if name != "platform"]
        with self.open() as file:
            rows = file.read_row_group(group, columns=stored, use_threads=False)
        count = self.groups[group].rows
        arrays = [
            pa.repeat(pa.scalar(self.platform), count) if name == "platform" else _flat(rows, name) for name in columns
        ]
        return pa.table(arrays, schema=pa.schema([POSTS.field(name) for name in columns]))

    def greatest(self, group: int, column: str) -> int:
        """The greatest value of a counter in a row group; `ALWAYS` if nothing says, `NEVER` if all are null."""
        with self.open() as file:
            metadata = file.metadata.row_group(group)
            for position in range(metadata.num_columns):
                if metadata.column(position).path_in_schema == column:
                    known = metadata.column(position).statistics
                    if known is None:
                        return ALWAYS
                    if known.has_min_max:
                        return int(known.max)
                    return NEVER if known.null_count == metadata.num_rows else ALWAYS
        return ALWAYS

    def possible(self, wanted: Wanted) -> list[int]:
        """The row groups that can hold wanted posts."""
        mask = (1 << len(self.groups)) - 1
        if self.index is not None and wanted.query is not None:
            mask = possible_parts(wanted.query.root, self.index.find, mask)
        since, until = micros(wanted.since), micros(wanted.until)
        return [
            number
            for number in iter_groups(mask)
            if (since is None or self.groups[number].latest >= since)
            and (until is None or (self.groups[number].earliest < until and self.groups[number].latest != NEVER))
        ]


def data_files(lake: Lake, platforms: tuple[str, ...]) -> tuple[list[DataFile], int]:
    """The current data files of `platforms` (none: all) and the version of the table."""
    snapshot = lake.snapshot("posts", platforms=platforms or None)
    return [DataFile(lake, path, bound) for path, bound in zip(snapshot.files, snapshot.latest, strict=True)], (
        snapshot.version
    )


def matching_rows(file: DataFile, group: int, wanted: Wanted) -> npt.NDArray[np.int64]:
    """The places of the wanted rows in a row group, ascending."""
    count = file.groups[group].rows
    mask = np.ones(count, np.bool_)
    if wanted.query is not None:
        mask = wanted.query.mask(file.read(group, list(columns_of(wanted.query.root))))
        if not mask.any():
            return np.zeros(0, np.int64)
    if wanted.since is not None or wanted.until is not None:
        mask = mask & _in_period(file.read(group, ["created_at"])["created_at"], wanted)
    if wanted.origin is not None:
        origin = file.read(group, ["origin"])["origin"].chunk(0)
        came = pc.or_(pc.equal(origin, wanted.origin), pc.starts_with(origin, f"{wanted.origin}{MEMBER}"))
        mask = mask & pc.fill_null(came, False).to_numpy(zero_copy_only=False)
    return np.flatnonzero(mask)


def identities(file: DataFile, group: int) -> pa.Array:
    """What says which post each row of a row group observes: the id, or author, time and text; never null."""
    ids = file.read(group, ["post_id"])["post_id"].chunk(0)
    if not ids.null_count:
        return ids
    return pc.coalesce(ids, content_identity(file.read(group, list(CONTENT))))


def platform_of(path: Place) -> str:
    """The platform of all rows of a data file, from its folder."""
    return next(part.removeprefix("platform=") for part in path.parts if part.startswith("platform="))


def micros(moment: datetime | None) -> int | None:
    """Microseconds since 1970."""
    return None if moment is None else (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def whole_numbers(column: pa.ChunkedArray | pa.Array, missing: int = NEVER) -> npt.NDArray[np.int64]:
    """A column of counts or times as int64, `missing` for null."""
    values = column.cast(pa.int64())
    filled: npt.NDArray[np.int64] = pc.fill_null(values, missing).to_numpy().astype(np.int64, copy=False)
    return filled


def _in_period(created: pa.ChunkedArray, wanted: Wanted) -> Mask:
    mask: Any = pc.is_valid(created)
    if wanted.since is not None:
        mask = pc.and_(mask, pc.greater_equal(created, pa.scalar(wanted.since, TIMESTAMP)))
    if wanted.until is not None:
        mask = pc.and_(mask, pc.less(created, pa.scalar(wanted.until, TIMESTAMP)))
    within: Mask = pc.fill_null(mask, False).to_numpy().astype(np.bool_)
    return within


def _flat(rows: pa.Table, name: str) -> pa.Array:
    column = rows.column(name)
    whole = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    wanted = POSTS.field(name).type
    return whole if whole.type == wanted else whole.cast(wanted)
