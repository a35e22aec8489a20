"""What a remap is about: which rows were read by an older layout, and the raw content that they came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.lake import Lake, raw_index
from groundswell.lake.failures import told
from groundswell.lake.raw_index import Kept
from groundswell.stores import Place, parquet

if TYPE_CHECKING:
    from groundswell.platforms import Registry

#: The tables that layouts write to; the posts last, as in an import.
TABLES: Final = ("authors", "comments", "posts")
#: Content that is replayed for one commit, bytes: what it replaces is rewritten with all that lies in the same files.
GROUP: Final = 2 << 30
_LIGHT: Final = ("source", "origin", "imported_at", "layout", "layout_version")
_FOREVER: Final = 1 << 62
_QUARTER_US: Final = 900_000_000


@dataclass(frozen=True)
class Meant:
    """Which rows are meant: of `layouts` (id to the version that is installed), those read by version `since` or later.

    `named`: a person named the layout, so rows of its present version are meant too.
    """

    layouts: Mapping[str, int]
    since: int = 0
    named: bool = False

    @classmethod
    def of(cls, registry: Registry, layout: str | None, since: int | None) -> Meant:
        """What the options of a remap mean.

        Raises:
            UnknownChoiceError: there is no such layout.
        """
        chosen = registry.layouts if layout is None else (registry.get(layout),)
        return cls({each.id: each.version for each in chosen}, since or 0, layout is not None)

    def rows(self, rows: pa.Table) -> npt.NDArray[np.bool_]:
        """Which rows (columns layout, layout_version) are meant."""
        names = rows["layout"].combine_chunks().dictionary_encode()
        known = [self.layouts.get(name) for name in names.dictionary.to_pylist()]
        newest = np.array([-1 if version is None else version for version in known] or [-1])
        versions = rows["layout_version"].to_numpy()
        below = newest[names.indices.to_numpy(zero_copy_only=False)] + (1 if self.named else 0)
        # An unknown layout has -1, below which (and at which) no version is.
        return np.asarray((versions < below) & (versions >= self.since))


@dataclass(eq=False)
class Content:
    """The raw content of one origin from one import, and the time up to which later rows are of it too."""

    parts: list[Kept]
    until_us: int
    rows: int = 0

    @property
    def source(self) -> str:
        """The source."""
        return self.parts[0].source

    @property
    def origin(self) -> str:
        """The file or partition."""
        return self.parts[0].origin

    @property
    def imported_us(self) -> int:
        """When it was imported."""
        return self.parts[0].imported_us

    @property
    def size(self) -> int:
        """Bytes of content."""
        return sum(part.length for part in self.parts)

    def holds(self, rows: pa.Table) -> npt.NDArray[np.bool_]:
        """Which rows (columns source, origin, imported_at) were read from it."""
        same = pc.and_(pc.equal(rows["origin"], self.origin), pc.equal(rows["source"], self.source))
        times = rows["imported_at"].cast(pa.int64()).to_numpy()
        return np.asarray(same.to_numpy() & (times >= self.imported_us) & (times < self.until_us))


@dataclass
class Plan:
    """Contents to replay, in the order of their import, and the rows whose content is not kept, by origin."""

    contents: list[Content] = field(default_factory=list)
    without: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows that are meant and can be read again."""
        return sum(content.rows for content in self.contents)

    def groups(self) -> Iterator[list[Content]]:
        """Contents that are replayed together, for one commit."""
        group: list[Content] = []
        size = 0
        for content in self.contents:
            if group and size + content.size > GROUP:
                yield group
                group, size = [], 0
            group.append(content)
            size += content.size
        if group:
            yield group


def light_rows(lake: Lake, table: str) -> Iterator[tuple[Place, pa.Table]]:
    """Each file of a table with where its rows are from and what read them."""
    files = lake.snapshot(table).files
    with told(f"read the table `{table}`", lake.path(table)):
        for file in files:
            yield file, parquet(file).read(columns=list(_LIGHT)).select(_LIGHT)


def plan(lake: Lake, meant: Meant) -> Plan:
    """What there is to replay."""
    counts: dict[tuple[str, str], dict[int, int]] = {}
    for table in TABLES:
        for _, rows in light_rows(lake, table):
            for source, origin, imported_us, count in _counted(rows.filter(pa.array(meant.rows(rows)))):
                by_time = counts.setdefault((source, origin), {})
                by_time[imported_us] = by_time.get(imported_us, 0) + count
    if meant.named:
        # Where a layout refused every record there is no row of it.
        for source, origin, imported_us, _ in _counted(_held(lake, meant)):
            counts.setdefault((source, origin), {}).setdefault(imported_us, 0)
        for source, origin, imported_us in _all_known(lake):
            counts.setdefault((source, origin), {}).setdefault(imported_us, 0)
    found = Plan()
    for (source, origin), by_time in counts.items():
        contents = contents_of(raw_index.of_origin(lake, source, origin))
        for imported_us, count in by_time.items():
            content = next((c for c in contents if c.imported_us <= imported_us < c.until_us), None)
            if content is None and count:
                found.without[origin] = found.without.get(origin, 0) + count
            elif content is not None:
                content.rows += count
                if content not in found.contents:
                    found.contents.append(content)
    found.contents.sort(key=lambda content: (content.imported_us, content.source, content.origin))
    return found


def _held(lake: Lake, meant: Meant) -> pa.Table:
    """Where the records are from that the layouts refused and that are held still."""
    rows = lake.read("quarantine", ["source", "origin", "at", "layout"], {"state": "held"})
    rows = rows.filter(pc.is_in(rows["layout"], value_set=pa.array(list(meant.layouts), pa.string())))
    return rows.rename_columns(["source", "origin", "imported_at", "layout"])


def _all_known(lake: Lake) -> Iterator[tuple[str, str, int]]:
    """Source, origin and import time of contents in which nothing was new: another layout may tell more apart."""
    ledger = lake.read("ledger", ["source", "origin", "quarter", "stored", "known"])
    nothing_new = pc.and_(pc.equal(ledger["stored"], 0), pc.greater(ledger["known"], 0))
    rows = ledger.filter(nothing_new)
    begun = rows["quarter"].cast(pa.int64()).to_pylist()
    for source, origin, quarter in zip(rows["source"].to_pylist(), rows["origin"].to_pylist(), begun, strict=True):
        for content in contents_of(raw_index.of_origin(lake, source, origin)):
            if quarter <= content.imported_us < quarter + _QUARTER_US:
                yield source, origin, content.imported_us


def contents_of(kept: Sequence[Kept]) -> list[Content]:
    """The contents of one origin, oldest first; the parts of one import are one content."""
    by_time: dict[int, list[Kept]] = {}
    for entry in kept:
        by_time.setdefault(entry.imported_us, []).append(entry)
    times = sorted(by_time)
    borders = pairwise([*times, _FOREVER])
    return [Content(by_time[begun], end) for begun, end in borders]


def _counted(rows: pa.Table) -> Iterator[tuple[str, str, int, int]]:
    """Source, origin, import time (µs) and number of rows."""
    sums = rows.group_by(["source", "origin", "imported_at"]).aggregate([([], "count_all")])
    times = sums["imported_at"].cast(pa.int64()).to_pylist()
    names = (sums[name].to_pylist() for name in ("source", "origin"))
    yield from zip(*names, times, sums["count_all"].to_pylist(), strict=True)
