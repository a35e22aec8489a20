"""The text index of a table: for each data file, which of its row groups can hold a word, hashtag, handle or post.

An index is a file of its own under `LAKE/terms` (of a lake in a store: in the cache of this home), made after the data
file and never changed: data files are never changed either, and their names are never used again. So nothing has to be
kept in step: a file without an index is scanned, an index without its file is removed when the lake is cleaned. Making
one needs no lease; it appears under its name when it is complete.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from groundswell import kernels
from groundswell.lake.failures import told
from groundswell.stores import Place, parquet, way
from groundswell.text.terms import Hashes, Kind

if TYPE_CHECKING:
    from groundswell.lake.store import Lake
    from groundswell.lake.term_collector import TermCollector

#: Stands for a time that is not known: earlier than all others.
NEVER: Final = -(1 << 63)
#: Stands for a bound that is not known: later than all times.
ALWAYS: Final = (1 << 63) - 1
#: A file of fewer rows is read as quickly as its index.
LEAST_ROWS: Final = 20_000

_MAGIC: Final = b"GSTERMS1"
_HEAD: Final = struct.Struct("<8sQIII")
_MOST_GROUPS: Final = 64
_FOLDER: Final = "terms"
_CONTENT: Final = ("author_id", "author_name", "created_at", "text")
_HANDLES: Final = ("mentions", "author_name")


@dataclass(frozen=True, slots=True)
class Group:
    """One row group: its rows, and the earliest and latest `created_at` (µs since 1970, `NEVER` without any)."""

    rows: int
    earliest: int
    latest: int


@dataclass(frozen=True, slots=True)
class TermIndex:
    """The index of one file: bit g of a mask stands for row group g."""

    groups: tuple[Group, ...]
    hashes: Hashes
    masks: npt.NDArray[np.unsignedinteger]

    @property
    def every(self) -> int:
        """The mask of all row groups."""
        return (1 << len(self.groups)) - 1

    def find(self, term: int) -> int:
        """The row groups that can hold the term with this hash."""
        return int(self.find_all(np.array([term], np.uint32))[0])

    def find_all(self, terms: Hashes) -> npt.NDArray[np.uint64]:
        """As `find`, for each of `terms` (uint32)."""
        if not len(self.hashes):
            return np.zeros(len(terms), np.uint64)
        places = np.minimum(np.searchsorted(self.hashes, terms), len(self.hashes) - 1)
        return np.where(self.hashes[places] == terms, self.masks[places].astype(np.uint64), np.uint64(0))


def content_identity(rows: pa.Table) -> pa.Array:
    """What stands for the id of a post that has none: its author, time and text, as `post_identity` says it."""
    author = pc.fill_null(pc.coalesce(_flat(rows, "author_id"), _flat(rows, "author_name")), "")
    created = pc.fill_null(_flat(rows, "created_at").cast(pa.int64()).cast(pa.string()), "")
    return pc.binary_join_element_wise(author, created, pc.fill_null(_flat(rows, "text"), ""), "\n")


def index_path(lake: Lake, file: Place, table: str = "posts") -> Path:
    """Where the index of a data file stands, or would stand."""
    return (lake.beside / _FOLDER / table / way(file, lake.path(table))).with_suffix(".terms")


def open_index(lake: Lake, file: Place, table: str = "posts") -> TermIndex | None:
    """The index of a data file; null if there is none that can be read."""
    try:
        return _load(index_path(lake, file, table), lake.size_of(file))
    except (OSError, ValueError, struct.error):
        return None


def index_texts(
    lake: Lake, *, threads: int = 1, seconds: float | None = None, progress: Callable[[int, int], None] | None = None
) -> int:
    """Make the index of each file of `posts` that has none, newest files first; returns how many were made.

    A small file gets none. Begins no further file once `seconds` are over. `progress` gets (rows done, rows in all).

    Raises:
        UnavailableError: the folder of the lake cannot be written.
    """
    begun = time.monotonic()
    todo = missing_indexes(lake)
    if not todo:
        return 0
    kernels.load(lake.compiled)
    total, done, made = sum(todo.values()), 0, 0

    def make(file: Place) -> bool:
        return (seconds is None or time.monotonic() - begun < seconds) and _make(lake, file)

    with told("write the text index", lake.beside / _FOLDER), ThreadPoolExecutor(threads, "terms") as pool:
        for one, rows in zip(pool.map(make, todo), todo.values(), strict=True):
            made += one
            done += rows
            if progress is not None:
                progress(done, total)
    return made


def missing_indexes(lake: Lake) -> dict[Place, int]:
    """The files of `posts` that should have an index and have none, newest first, with their rows."""
    snapshot = lake.snapshot("posts")
    counted = zip(reversed(snapshot.files), reversed(snapshot.counts), strict=True)
    return {file: rows for file, rows in counted if rows >= LEAST_ROWS and not index_path(lake, file).exists()}


def drop_orphans(lake: Lake, table: str = "posts") -> int:
    """Remove the indexes whose data file is gone; returns how many."""
    root = lake.beside / _FOLDER / table
    gone = 0
    if not root.is_dir():
        return 0
    there = lake.data_files(table)
    for path in root.rglob("*.terms"):
        if path.relative_to(root).with_suffix(".parquet").as_posix() not in there:
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def footer_groups(file: pq.ParquetFile) -> tuple[Group, ...]:
    """The row groups of a data file, from its own statistics."""
    metadata = file.metadata
    paths = [metadata.schema.column(i).path for i in range(metadata.num_columns)]
    position = paths.index("created_at") if "created_at" in paths else -1
    return tuple(_group(metadata.row_group(g), position) for g in range(metadata.num_row_groups))


def _group(group: pq.RowGroupMetaData, position: int) -> Group:
    statistics = group.column(position).statistics if position >= 0 else None
    if statistics is None or statistics.null_count is None:
        return Group(group.num_rows, NEVER, ALWAYS)
    if not statistics.has_min_max:
        # Without bounds: either no row has a time, or nothing is known.
        empty = statistics.null_count == group.num_rows
        return Group(group.num_rows, NEVER, NEVER if empty else ALWAYS)
    bounds = [pa.scalar(value, pa.timestamp("us", "UTC")).value for value in (statistics.min, statistics.max)]
    return Group(group.num_rows, bounds[0], bounds[1])


def _make(lake: Lake, path: Place) -> bool:
    """Write the index of one file; false if it is gone, or has more row groups than an index has bits."""
    from groundswell.lake.term_collector import TermCollector  # noqa: PLC0415 - loads Numba

    try:
        file = parquet(path)
    except FileNotFoundError:
        return False
    with file:
        if not 0 < file.metadata.num_row_groups <= _MOST_GROUPS:
            return False
        terms = TermCollector()
        groups = footer_groups(file)
        for number in range(len(groups)):
            _collect(terms, file, number)
    hashes, masks = terms.sorted_terms()
    _save(index_path(lake, path), lake.size_of(path), groups, hashes, masks)
    return True


def _collect(terms: TermCollector, file: pq.ParquetFile, number: int) -> None:
    rows = file.read_row_group(number, columns=["tokens", "hashtags", *_HANDLES, "post_id"], use_threads=False)
    terms.add_words(_flat(rows, "tokens"), number)
    terms.add(Kind.TAG, pc.list_flatten(_flat(rows, "hashtags")), number)
    terms.add(Kind.HANDLE, pc.list_flatten(_flat(rows, "mentions")), number)
    terms.add(Kind.HANDLE, pc.utf8_lower(_flat(rows, "author_name")), number)
    ids = _flat(rows, "post_id")
    terms.add_posts(ids, number)
    if ids.null_count:
        rows = file.read_row_group(number, columns=list(_CONTENT), use_threads=False)
        terms.add_posts(content_identity(rows.filter(pc.is_null(ids))), number)


def _save(path: Path, size: int, groups: tuple[Group, ...], hashes: Hashes, masks: npt.NDArray[np.uint64]) -> None:
    width = next(kind for kind in (np.uint16, np.uint32, np.uint64) if len(groups) <= np.dtype(kind).itemsize * 8)
    bounds = np.array([(g.rows, g.earliest, g.latest) for g in groups], np.int64)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}-{time.monotonic_ns():x}")
    try:
        with partial.open("wb") as out:
            out.write(_HEAD.pack(_MAGIC, size, len(groups), len(hashes), np.dtype(width).itemsize))
            out.write(bounds.astype("<i8").tobytes())
            out.write(hashes.astype("<u4").tobytes())
            out.write(masks.astype(np.dtype(width).newbyteorder("<")).tobytes())
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def _load(path: Path, size: int) -> TermIndex:
    with path.open("rb") as file:
        magic, written, groups, terms, width = _HEAD.unpack(file.read(_HEAD.size))
        if magic != _MAGIC or written != size:
            what = "not the index of this file"
            raise ValueError(what)
        bounds = np.frombuffer(file.read(24 * groups), "<i8").reshape(groups, 3)
    first = _HEAD.size + 24 * groups
    if path.stat().st_size != first + (4 + width) * terms:
        what = "the index is cut short"
        raise ValueError(what)
    body = np.memmap(path, np.uint8, "r", first) if terms else np.zeros(0, np.uint8)
    hashes = cast("Hashes", body[: 4 * terms].view("<u4"))
    masks = body[4 * terms :].view(f"<u{width}")
    return TermIndex(tuple(Group(int(r), int(a), int(b)) for r, a, b in bounds), hashes, masks)


def _flat(rows: pa.Table, name: str) -> pa.Array:
    column = rows.column(name)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def iter_groups(mask: int) -> Iterator[int]:
    """The row groups of a mask, ascending.

    >>> list(iter_groups(0b1010))
    [1, 3]
    """
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
