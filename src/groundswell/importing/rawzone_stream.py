"""Keeping the raw records of streams, as the lake writer takes them from the journal; found by source and number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from groundswell.bus.joined import JoinedRecords
from groundswell.desk.clock import moment
from groundswell.importing.choice import Options
from groundswell.lake import Lake, raw_index
from groundswell.lake.failures import told
from groundswell.lake.raw import FRAME, Extent, RawReader, RawWriter, stream_object
from groundswell.lake.raw_index import NUMBERED, Kept
from groundswell.stores import raw_root

if TYPE_CHECKING:
    from groundswell.importing.blocks import Frame, RawBlock
    from groundswell.settings import Settings
    from groundswell.sources.lines import Numbers


class StreamKeeping:
    """Goes along with one batch of a stream and keeps its records (see `importing.along`)."""

    def __init__(self, lake: Lake, settings: Settings, day_us: int) -> None:
        self._lake = lake
        self._tz = settings.tz
        self._root = raw_root(settings)
        day = stream_object(moment(day_us).strftime("%Y-%m-%d"))
        self._writer = RawWriter(self._root, day, append=True, staging=settings.tmp_path)
        self._kept: list[tuple[Kept, list[Extent]]] = []

    def add(self, block: RawBlock) -> None:
        """Keep the records of a block.

        Raises:
            UnavailableError: the disk is full or cannot be written.
        """
        if not len(block.records):
            return
        kept = Kept(block.source, block.origin, block.imported_us, NUMBERED, encoding="utf-8")
        kept.hint = Options.from_hint(block.hint, self._tz).to_hint(self._tz)
        kept.first_record, kept.last_record = int(block.numbers.min()), int(block.numbers.max())
        records = JoinedRecords.of(block.records)
        ends = records.bounds[1:]
        places: list[Extent] = []
        with told("keep the raw records", self._root):
            self._keep(records, block.frames, kept.extents)
            received = block.received_us if block.received_us is not None else np.full(len(records), block.imported_us)
            self._writer.add(_packed(block.numbers, np.asarray(received), ends), 0, places)
        kept.length = int(ends[-1])
        self._kept.append((kept, places))

    def _keep(self, records: JoinedRecords, frames: Sequence[Frame], extents: list[Extent]) -> None:
        """Keep records: those that came in a frame as they are packed, what is between them in new ones."""
        at = 0
        for frame in frames:
            self._pack(records, at, frame.begin, extents)
            self._writer.adopt(frame.packed, frame.length, frame.begin, extents)
            at = frame.begin + frame.length
        self._pack(records, at, int(records.bounds[-1]), extents)

    def _pack(self, records: JoinedRecords, begin: int, end: int, extents: list[Extent]) -> None:
        bounds = records.bounds
        first, last = np.searchsorted(bounds, [begin, end]).tolist()
        for start, stop in _borders(bounds[first : last + 1]):
            self._writer.add(records.content[start:stop], start, extents)

    def commit(self, txn: tuple[str, int]) -> None:
        """Enter what was added in the index, unless this transaction did so before.

        Raises:
            UnavailableError: the disk is full or cannot be written; nothing was kept.
        """
        if not self._kept or (self._lake.txn_version(raw_index.TABLE, txn[0]) or 0) >= txn[1]:
            self._writer.abort()
            return
        with told("keep the raw records", self._root):
            self._writer.seal()
        for kept, places in self._kept:
            kept.batch, kept.part = txn
            kept.places = places[0]
        self._lake.append(raw_index.TABLE, raw_index.table_of(kept for kept, _ in self._kept), txn=txn)

    def abort(self) -> None:
        """Take back what was written; does nothing after `commit`."""
        self._writer.__exit__()


@dataclass(frozen=True)
class Numbered:
    """The records of one entry with numbers: their numbers, receive times (µs) and ends in the content, in order."""

    kept: Kept
    numbers: Numbers
    received_us: Numbers
    ends: Numbers

    @classmethod
    def of(cls, reader: RawReader, kept: Kept) -> Numbered:
        """Read where the records are.

        Raises:
            UnavailableError: the content is missing or damaged.
        """
        assert kept.places is not None  # noqa: S101 - every entry of that form has them
        columns = np.frombuffer(reader.read(kept.places), np.int64).reshape(3, -1)
        numbers, received, ends = np.cumsum(columns, axis=1)
        return cls(kept, numbers, received, ends)

    def record(self, reader: RawReader, number: int) -> bytes | None:
        """The record of that number; null if it is not here."""
        found = np.flatnonzero(self.numbers == number)
        if not len(found):
            return None
        at = int(found[0])
        start, end = int(self.ends[at - 1]) if at else 0, int(self.ends[at])
        extent = next(extent for extent in self.kept.extents if extent.content <= start < extent.end)
        return reader.read(extent)[start - extent.content : end - extent.content - 1]

    def records(self, reader: RawReader) -> list[bytes]:
        """All records."""
        content = b"".join(reader.stream(self.kept.extents))
        return content.split(b"\n")[:-1]


def _packed(numbers: Numbers, received: Numbers, ends: Numbers) -> bytes:
    """Three rows of differences: they are small and alike, which is what compresses well."""
    rows: list[Any] = [np.diff(row.astype(np.int64), prepend=0) for row in (numbers, received, ends)]
    return np.stack(rows).astype(np.int64).tobytes()


def _borders(bounds: Numbers) -> Iterator[tuple[int, int]]:
    """From where to where the records that make at most a frame each go (a longer record: one by itself)."""
    at = 0
    while at < len(bounds) - 1:
        stop = max(at + 1, int(np.searchsorted(bounds, bounds[at] + FRAME, side="right")) - 1)
        yield int(bounds[at]), int(bounds[stop])
        at = stop
