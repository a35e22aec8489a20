"""The ledger, summed by source and quarter hour; every file of it is read once, however often the page asks."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from groundswell.bus import Bus
from groundswell.desk.clock import moment
from groundswell.lake import Lake
from groundswell.lake.failures import told
from groundswell.lake.ledger import COUNTS
from groundswell.schema import LEDGER, TIMESTAMP
from groundswell.stores import Place, parquet
from groundswell.web.data_models import Connection, Counts, Ledger, LedgerRow
from groundswell.web.documents import micros_of

_SUMMED: Final = pa.schema([LEDGER.field(name) for name in ("source", "quarter", *COUNTS)])


class Books:
    """The ledger of one lake, in memory as sums; safe to use from several threads."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._turn = threading.Lock()
        self._files: set[Place] = set()
        self._sums = _SUMMED.empty_table()
        self._origins: dict[str, set[str]] = {}

    def sums(self) -> pa.Table:
        """Columns `source`, `quarter` and `COUNTS`, one row for each source and quarter hour.

        Raises:
            UnavailableError: the ledger cannot be read.
        """
        with self._turn:
            self._catch_up()
            return self._sums

    def origins(self, source: str) -> int:
        """How many files (or partitions) of a source are in the ledger as `sums` saw it last."""
        with self._turn:
            return len(self._origins.get(source, ()))

    def _catch_up(self) -> None:
        files = set(self._lake.snapshot("ledger").files)
        if not self._files <= files:
            # Files were joined into others: what was summed of them is in there again.
            self._files, self._sums, self._origins = set(), _SUMMED.empty_table(), {}
        fresh = files - self._files
        if not fresh:
            return
        parts = [self._sums, *(self._take(file) for file in sorted(fresh))]
        self._sums = summed(parts)
        self._files = files

    def _take(self, file: Place) -> pa.Table:
        with told("read the table `ledger`", self._lake.path("ledger")):
            rows = parquet(file).read(columns=["source", "origin", *_SUMMED.names[1:]])
        pairs = rows.group_by(["source", "origin"]).aggregate([])
        for source, origin in zip(pairs["source"].to_pylist(), pairs["origin"].to_pylist(), strict=True):
            self._origins.setdefault(source, set()).add(origin)
        return rows.select(_SUMMED.names).cast(_SUMMED)


def summed(parts: Iterable[pa.Table]) -> pa.Table:
    """Tables of `source`, `quarter` and `COUNTS` as one, with one row for each source and quarter hour."""
    sums = pa.concat_tables(parts).group_by(["source", "quarter"]).aggregate([(name, "sum") for name in COUNTS])
    named = sums.rename_columns({f"{name}_sum": name for name in COUNTS})
    return named.select(_SUMMED.names)


def since(rows: pa.Table, start: datetime | int) -> pa.Table:
    """The rows whose quarter hour starts at or after a time (microseconds, or a datetime)."""
    micros = start if isinstance(start, int) else micros_of(start)
    return rows.filter(pc.greater_equal(rows["quarter"], pa.scalar(micros, pa.int64()).cast(TIMESTAMP)))


def counts_of(rows: pa.Table) -> Counts:
    """All rows in one sum."""
    return Counts(**{name: pc.sum(rows[name]).as_py() or 0 for name in COUNTS})


def read_ledger(books: Books, journal: Bus, source: str | None, start: datetime | None, limit: int) -> Ledger:
    """Sums by source and quarter hour, newest first, and the intervals in which sources were connected."""
    rows = books.sums()
    if source is not None:
        rows = rows.filter(pc.equal(rows["source"], source))
    if start is not None:
        rows = since(rows, start)
    newest = rows.sort_by([("quarter", "descending"), ("source", "ascending")]).slice(0, limit)
    connected = [
        Connection(source=each.source, connected_from=moment(each.from_us), connected_to=moment(each.to_us))
        for each in journal.connections(0 if start is None else micros_of(start))
        if source is None or each.source == source
    ]
    return Ledger(items=[LedgerRow(**row) for row in newest.to_pylist()], connections=connected[-limit:])
