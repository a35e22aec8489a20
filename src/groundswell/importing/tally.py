"""The counts of a run over its files, what a part adds to them, and how they are written into a commit."""

from __future__ import annotations

import base64
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.importing.reads import Ignored, Posts
from groundswell.importing.refusals import Rejection
from groundswell.importing.summary import COUNTS, FileSummary
from groundswell.platforms.layout import Layout
from groundswell.schema import LEDGER

#: Commit metadata that says what a part of a run did, and where the run is.
PART_KEY: Final = "part"
_PACKED: Final = "zlib:"
_LONG: Final = 8 << 10

#: The file of each row (its number in the tally), or the one file of all.
Owners = int | npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run goes on: which of its files, which member of that, and the place in the member's content."""

    file: int = 0
    member: int = 0
    offset: int = 0
    line: int = 1


@dataclass(frozen=True, slots=True)
class Part:
    """What a part of a run left in its commit: all counts so far, its rows of the ledger, and where it ended."""

    files: list[dict[str, Any]]
    ledger: list[list[Any]]
    position: Position | None
    """Null: the run is done."""

    def metadata(self) -> dict[str, str]:
        """As it stands in the commit."""
        at = self.position
        place = None if at is None else [at.file, at.member, at.offset, at.line]
        text = msgspec.json.encode({"files": self.files, "ledger": self.ledger, "position": place}).decode()
        if len(text) > _LONG:
            text = _PACKED + base64.b64encode(zlib.compress(text.encode(), 1)).decode()
        return {PART_KEY: text}

    @classmethod
    def read(cls, metadata: Mapping[str, str]) -> Part:
        """The part that `metadata` was made of."""
        text = metadata[PART_KEY]
        if text.startswith(_PACKED):
            text = zlib.decompress(base64.b64decode(text.removeprefix(_PACKED))).decode()
        said = msgspec.json.decode(text)
        return cls(said["files"], said["ledger"], None if said["position"] is None else Position(*said["position"]))

    def ledger_rows(self, batch: str, source: str, quarter_us: int) -> pa.Table:
        """Its rows of the ledger."""
        rows = [[batch, source, path, quarter_us, *counts] for path, *counts in self.ledger]
        columns: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) if rows else [()] * len(LEDGER)
        arrays = [pa.array(values, column.type) for values, column in zip(columns, LEDGER, strict=True)]
        return pa.table(arrays, schema=LEDGER)


@dataclass
class Tally:
    """The summaries of the files of a run, in the order in which they are read."""

    files: list[FileSummary] = field(default_factory=list)
    _index: dict[str, int] = field(default_factory=dict)
    _before: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _touched: dict[int, None] = field(default_factory=dict)

    @classmethod
    def of(cls, part: Part | None) -> Tally:
        """The tally as it was when a part was committed."""
        tally = cls()
        for document in part.files if part is not None else ():
            summary = FileSummary.from_document(document)
            tally._before[summary.path] = _counts(summary)
            tally._index[summary.path] = len(tally.files)
            tally.files.append(summary)
        return tally

    def open(self, path: str, size: int) -> int:
        """The number of a file, which is counted from now on; the next one, or one that was begun before."""
        number = self._index.setdefault(path, len(self.files))
        if number == len(self.files):
            self.files.append(FileSummary(path, size))
        self._touched[number] = None
        return number

    def posts(self, read: Posts, new: npt.NDArray[np.bool_], owners: Owners) -> None:
        """Count usable rows: those that are new, and the others."""
        layout = read.layout
        if isinstance(owners, int):
            stored = int(new.sum())
            self._add(owners, layout, stored, len(new) - stored)
            return
        first = int(owners.min()) if len(owners) else 0
        every = np.bincount(owners - first)
        fresh = np.bincount(owners[new] - first, minlength=len(every))
        for at in np.flatnonzero(every).tolist():
            self._add(first + at, layout, int(fresh[at]), int(every[at] - fresh[at]))

    def named(self, path: str) -> FileSummary:
        """The summary of a file that was opened."""
        return self.files[self._index[path]]

    def ignored(self, read: Ignored, owners: Owners) -> None:
        """Count records that are no posts."""
        for owner, some in _each(owners, read.count).items():
            self.files[owner].ignore(read.layout, read.reason, some)

    def refused(self, rejections: Sequence[Rejection], owner: int) -> None:
        """Count records of one file that were set aside."""
        self.files[owner].reject(rejections)

    def part(self, position: Position | None) -> Part:
        """All counts as they are now, and what came to them since the last part."""
        ledger = []
        for number in self._touched:
            summary = self.files[number]
            counts = _counts(summary)
            before = self._before.get(summary.path)
            if counts != before:
                added = zip(counts, before or (0,) * len(counts), strict=True)
                ledger.append([summary.path, *(now - then for now, then in added)])
                self._before[summary.path] = counts
        # The last one may be read on in the next part.
        self._touched = dict.fromkeys(list(self._touched)[-1:])
        return Part([summary.document() for summary in self.files], ledger, position)

    def _add(self, owner: int, layout: Layout, stored: int, known: int) -> None:
        counts = self.files[owner].of(layout.platform, layout.id, layout.table)
        counts.stored += stored
        counts.known += known


def _counts(summary: FileSummary) -> tuple[int, ...]:
    return tuple(summary.count(name) for name in COUNTS)


def _each(owners: Owners, count: int) -> Counter[int]:
    return Counter({owners: count}) if isinstance(owners, int) else Counter(owners.tolist())
