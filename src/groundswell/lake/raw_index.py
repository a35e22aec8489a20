"""The index of raw content: which bytes of which object are the content of which origin, of which import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.lake import raw
from groundswell.lake.raw import Extent
from groundswell.lake.rewriting import replace
from groundswell.lake.store import Lake
from groundswell.schema import EXTENT, RAW_INDEX, TIMESTAMP

TABLE: Final = "raw_index"
#: Form of records that have numbers instead of places: those of streams, and rows that are no text.
NUMBERED: Final = "numbered"
#: Forms whose rows are numbered from 1 while the content is that of a file: text, or a workbook or Parquet.
TEXT_TABLE: Final = "table"
FILE: Final = "file"

#: Batch, source and origin.
Place = tuple[str, str, str]

#: Rows of the index that are held in memory to look for content that is kept already.
_IN_MEMORY: Final = 200_000
_DAY_US: Final = 86_400_000_000
_LIGHT: Final = ("batch", "source", "origin", "imported_at", "head", "position", "length")


@dataclass
class Kept:
    """Raw content of one origin from one import, or a part of it: `length` bytes from place `position`.

    `first_record`, `last_record` and `places` are set where records have numbers (`form` is `NUMBERED`).
    """

    source: str
    origin: str
    imported_us: int
    form: str
    position: int = 0
    length: int = 0
    batch: str = ""
    part: int = 0
    identity: str | None = None
    head: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    hint: str | None = None
    first_record: int | None = None
    last_record: int | None = None
    extents: list[Extent] = field(default_factory=list)
    places: Extent | None = None

    @property
    def end(self) -> int:
        """Place in the content of the origin behind it."""
        return self.position + self.length


def table_of(kept: Iterable[Kept]) -> pa.Table:
    """The rows of the index."""
    rows = list(kept)
    columns = []
    for spec in RAW_INDEX:
        if spec.name == "imported_at":
            columns.append(pa.array([row.imported_us for row in rows], pa.int64()).cast(TIMESTAMP))
        elif spec.name == "extents":
            columns.append(pa.array([[_plain(e) for e in row.extents] for row in rows], spec.type))
        elif spec.name == "places":
            columns.append(pa.array([_plain(row.places) for row in rows], EXTENT))
        else:
            columns.append(pa.array([getattr(row, spec.name) for row in rows], spec.type))
    return pa.table(columns, schema=RAW_INDEX)


def kept_of(rows: pa.Table) -> list[Kept]:
    """What `table_of` was made of."""
    found = []
    times = rows["imported_at"].cast(pa.int64()).to_pylist()
    for row, imported_us in zip(rows.drop_columns(["imported_at"]).to_pylist(), times, strict=True):
        row["extents"] = [Extent(**extent) for extent in row["extents"]]
        row["places"] = None if row["places"] is None else Extent(**row["places"])
        found.append(Kept(imported_us=imported_us, **row))
    return found


def _plain(extent: Extent | None) -> dict[str, Any] | None:
    return None if extent is None else {spec.name: getattr(extent, spec.name) for spec in EXTENT}


def of_origin(lake: Lake, source: str, origin: str) -> list[Kept]:
    """What is kept of one origin, oldest import first, its parts in order."""
    rows = lake.read(TABLE, where={"source": source, "origin": origin})
    return sorted(kept_of(rows), key=lambda kept: (kept.imported_us, kept.position))


def at(kept: Sequence[Kept], imported_us: int, offset: int) -> Kept | None:
    """Which of the contents of an origin (`of_origin`) a row was read from; null if that is not kept.

    It is that of the row's own import, or of the newest before it: content that had not changed is kept once.
    """
    for entry in sorted(kept, key=lambda k: k.imported_us, reverse=True):
        if entry.imported_us <= imported_us and holds(entry, offset):
            return entry
    return None


def holds(entry: Kept, offset: int) -> bool:
    """Whether the record at that place (or of that number) can be in it."""
    if entry.form == NUMBERED:
        return entry.first_record is not None and entry.first_record <= offset <= (entry.last_record or 0)
    if entry.form in (TEXT_TABLE, FILE):
        return True
    return entry.position <= offset < max(entry.end, entry.position + 1)


@dataclass(frozen=True)
class Earlier:
    """What is kept already, by origin and by how it begins: where the same content may be found again."""

    lake: Lake
    newest: Mapping[tuple[str, str], Place]
    """Of (source, origin) the newest batch."""

    heads: Mapping[str, Place]
    """Of a head the place that was kept last."""

    rows: pa.Table | None
    """The whole index, null where it is too long for the memory."""

    numbers: Mapping[Place, list[int]]
    """Which rows of it are of a place."""

    def content(self, source: str, origin: str, head: str | None) -> list[Kept]:
        """The newest content of the origin, else one that begins alike; its parts in order, none if there is none."""
        place = self.newest.get((source, origin)) or self.heads.get(head or "")
        if place is None:
            return []
        if self.rows is not None:
            rows = self.rows.take(pa.array(self.numbers[place]))
        else:
            rows = self.lake.read(TABLE, where=dict(zip(("batch", "source", "origin"), place, strict=True)))
        return sorted(kept_of(rows), key=lambda kept: kept.position)


def earlier(lake: Lake) -> Earlier:
    """What is kept as of now; it takes a look at the lake, so ask once for many files."""
    return _earlier(lake, lake.version(TABLE))


@lru_cache(maxsize=1)
def _earlier(lake: Lake, _version: int) -> Earlier:
    small = lake.count(TABLE) <= _IN_MEMORY
    rows = lake.read(TABLE, None if small else _LIGHT).sort_by("imported_at")
    newest: dict[tuple[str, str], Place] = {}
    heads: dict[str, Place] = {}
    numbers: dict[Place, list[int]] = {}
    columns = (rows[name].to_pylist() for name in ("batch", "source", "origin", "head", "position"))
    for number, (batch, source, origin, head, position) in enumerate(zip(*columns, strict=True)):
        place = batch, source, origin
        newest[source, origin] = place
        if head is not None and position == 0:
            heads[head] = place
        if small:
            numbers.setdefault(place, []).append(number)
    return Earlier(lake, newest, heads, rows if small else None, numbers)


@dataclass(frozen=True, slots=True)
class Swept:
    """What cleaning the raw content did: origins forgotten, objects removed, and their bytes."""

    forgotten: int
    objects: int
    bytes: int


def forget_old(lake: Lake, keep_days: float, now_us: int) -> Swept:
    """Forget content whose import is older than `keep_days` (0: none is) and remove objects that nobody refers to.

    Rows whose posts never came (their import was killed and not taken up within a day) are forgotten too. Hold
    the lease `lake`: what an import has written and not yet committed looks like garbage.
    """
    rows = lake.read(TABLE)
    times = rows["imported_at"].cast(pa.int64()).to_numpy()
    old = times < now_us - int(keep_days * _DAY_US) if keep_days else np.zeros(len(times), np.bool_)
    old |= _abandoned(lake, rows, times < now_us - _DAY_US)
    if old.any():
        kept = rows.filter(pa.array(~old))
        replace(lake, TABLE, kept)
    else:
        kept = rows
    wanted = set(pc.unique(pc.struct_field(pc.list_flatten(kept["extents"]), "object")).to_pylist())
    wanted |= set(pc.unique(pc.struct_field(kept["places"], "object")).to_pylist())
    objects, size = raw.sweep(lake.root / "raw", wanted)
    return Swept(int(old.sum()), objects, size)


def _abandoned(lake: Lake, rows: pa.Table, aged: Any) -> Any:
    """Rows of imports that did not come to their posts: those are committed after the raw content."""
    out = np.zeros(rows.num_rows, np.bool_)
    if not aged.any():
        return out
    pairs = list(zip(rows["batch"].to_pylist(), rows["part"].to_pylist(), strict=True))
    reached = {batch: lake.txn_version("posts", batch) or 0 for batch in {pairs[i][0] for i in np.flatnonzero(aged)}}
    for place in np.flatnonzero(aged).tolist():
        batch, part = pairs[place]
        out[place] = reached[batch] < part
    return out


def bytes_kept(lake: Lake) -> tuple[int, int]:
    """Bytes of content that is kept, and bytes that it takes on disk."""
    content = pc.sum(lake.read(TABLE, ["length"])["length"]).as_py() or 0
    return content, sum(size for _, size in raw.objects(lake.root / "raw"))
