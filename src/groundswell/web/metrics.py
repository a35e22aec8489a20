"""Metrics that the home itself knows, read when somebody asks: the same from every process, and after a restart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from groundswell import __version__
from groundswell.bus.lag import read_lag
from groundswell.desk import checkpoints, leases, tallies
from groundswell.desk.channels import PENDING
from groundswell.desk.clock import Clock
from groundswell.errors import GroundswellError
from groundswell.lake.ledger import COUNTS
from groundswell.lake.tables import TABLES
from groundswell.telemetry.metrics import REGISTRY, Together
from groundswell.web.lags import reader_lags

if TYPE_CHECKING:
    from groundswell.bus import Bus
    from groundswell.desk import Desk
    from groundswell.lake import Lake
    from groundswell.watch.runner import RunnerStatus
    from groundswell.web.books import Books

#: Sources that have a series of their own, those with the most records; the others are summed as `other`.
MOST_SOURCES: Final = 100
OTHER: Final = "other"
#: A source that was not heard of for this long is not connected, microseconds.
_CONNECTED_US: Final = 12_000_000
#: Sources that were connected this long ago are still named, microseconds.
_NAMED_US: Final = 24 * 3_600_000_000
#: How long the sizes of the lake's tables are given again, microseconds.
_FRESH_US: Final = 10_000_000
_SECOND: Final = 1e6
#: Kinds of runs whose last success is told.
_RUNS: Final = ("daily", "import-call", "replay")


class HomeMetrics:
    """Reads one home each time it is collected; safe to use from several threads.

    A part that cannot be read is left out and named by `groundswell_unreadable`; the others are told all the same.
    """

    def __init__(
        self,
        desk: Desk,
        journal: Bus,
        lake: Lake,
        books: Books,
        *,
        now: Clock,
        watched: Callable[[], RunnerStatus | None] = lambda: None,
    ) -> None:
        """`watched`: how a watch of this process does, which is newer than its checkpoint."""
        self._desk = desk
        self._journal = journal
        self._lake = lake
        self._books = books
        self._now = now
        self._watched = watched
        self._turn = threading.Lock()
        self._sizes: list[tuple[str, int, int, int, int]] = []
        self._sized_at = -_FRESH_US

    def collect(self) -> Iterator[Metric]:
        """All metrics of the home."""
        yield _gauge("groundswell_build_info", "The version that answers.", ("version",), {(__version__,): 1})
        unreadable: dict[tuple[str, ...], float] = {}
        for part, read in (("ledger", self._records), ("bus", self._bus), ("desk", self._states), ("lake", self._held)):
            try:
                found = list(read())
                unreadable[part,] = 0
            except GroundswellError:
                found = []
                unreadable[part,] = 1
            yield from found
        what = "1: this part of the home cannot be read now, so its metrics are missing."
        yield _gauge("groundswell_unreadable", what, ("part",), unreadable)

    def _records(self) -> Iterable[Metric]:
        sums = self._books.sums()
        by_source = sums.group_by("source").aggregate([(name, "sum") for name in COUNTS])
        rows = by_source.sort_by([("received_sum", "descending")]).to_pylist()
        found: dict[tuple[str, ...], float] = {}
        for number, row in enumerate(rows):
            source = row["source"] if number < MOST_SOURCES else OTHER
            for name in COUNTS:
                found[source, name] = found.get((source, name), 0) + (row[f"{name}_sum"] or 0)
        what = "Records in the ledger by source and by what became of them; received is the sum of the others."
        yield _counter("groundswell_records", what, ("source", "fate"), found)

    def _bus(self) -> Iterable[Metric]:
        journal, now = self._journal, self._now()
        received = journal.next_record()
        yield _counter("groundswell_bus_records", "Records that the bus has received.", (), {(): received})
        status = self._watched()
        with self._desk.reading() as session:
            mark = checkpoints.get(session, "watch")
            watched = None if status is None else status.block
            lags = reader_lags(session, journal, read_lag(session, now), now, watched)
        watermark_us = None if mark is None else mark.watermark
        if status is not None:
            watermark_us = status.watermark_us
        records = {(lag.reader,): float(lag.records) for lag in lags}
        seconds = {(lag.reader,): lag.seconds for lag in lags}
        yield _gauge("groundswell_lag_records", "Records of the bus that a reader has not done.", ("reader",), records)
        what = "Seconds since the oldest record was received that a reader has not done; 0: none waits."
        yield _gauge("groundswell_lag_seconds", what, ("reader",), seconds)
        if watermark_us is not None:
            at = watermark_us / _SECOND
            yield _gauge("groundswell_watermark_timestamp_seconds", "The watermark, Unix time.", (), {(): at})
            delay = {(): now / _SECOND - at}
            yield _gauge("groundswell_watermark_delay_seconds", "How far the watermark is behind now.", (), delay)
        if status is not None:
            what = "Queries that are watched without their past, because the lake could not be read."
            yield _gauge("groundswell_trackers_untaught", what, (), {(): status.untaught})
        beats = {(one.source,): float(one.to_us >= now - _CONNECTED_US) for one in journal.connections(now - _NAMED_US)}
        yield _gauge("groundswell_source_connected", "1: the source is connected.", ("source",), _most(beats))

    def _states(self) -> Iterable[Metric]:
        now = self._now()
        with self._desk.reading() as session:
            alerts, topics = tallies.alerts(session), tallies.topics(session)
            trackers, messages = tallies.trackers(session), tallies.messages(session)
            oldest = tallies.oldest_message(session, PENDING)
            runs = tallies.last_runs(session, _RUNS)
            watching = leases.holder_of(session, "watch") is not None
        yield _gauge("groundswell_watching", "1: some process runs the watch of this home.", (), {(): float(watching)})
        yield _gauge("groundswell_trackers", "Queries that are watched.", (), {(): trackers})
        yield _gauge("groundswell_alerts", "Alerts of the desk by state.", ("state",), _keyed(alerts))
        yield _gauge("groundswell_topics", "Emerging topics of the desk by state.", ("state",), _keyed(topics))
        what = "Messages of the outbox by the kind of their channel and their state."
        yield _gauge("groundswell_outbox_messages", what, ("channel", "state"), messages)
        waiting = {(): 0.0 if oldest is None else max(now - oldest, 0) / _SECOND}
        what = "Seconds since the oldest message was planned that is not sent; 0: none waits."
        yield _gauge("groundswell_outbox_wait_seconds", what, (), waiting)
        done = {(kind,): at / _SECOND for kind, at in runs.items()}
        what = "When a run of this kind was done last, Unix time."
        yield _gauge("groundswell_run_done_timestamp_seconds", what, ("kind",), done)

    def _held(self) -> Iterable[Metric]:
        with self._turn:
            if self._now() >= self._sized_at + _FRESH_US:
                self._sizes, self._sized_at = [self._size(name) for name in TABLES], self._now()
            sizes = list(self._sizes)
        told = ("version", "files", "rows", "bytes")
        meaning = ("Version of a table of the lake.", "Data files of it.", "Rows in them.", "Bytes of them.")
        for place, (name, what) in enumerate(zip(told, meaning, strict=True), 1):
            values: dict[tuple[str, ...], float] = {
                (str(size[0]),): float(size[place]) for size in sizes if size[1] >= 0
            }
            yield _gauge(f"groundswell_lake_{name}", what, ("table",), values)

    def _size(self, name: str) -> tuple[str, int, int, int, int]:
        table = self._lake.delta(name)
        if table is None:
            return name, -1, 0, 0, 0
        files = pa.table(table.get_add_actions(flatten=True))
        rows, size = (pc.sum(files[column]).as_py() or 0 for column in ("num_records", "size_bytes"))
        return name, table.version(), files.num_rows, rows, size


def _keyed(values: dict[str, int]) -> dict[tuple[str, ...], float]:
    return {(name,): value for name, value in values.items()}


def _most(values: Mapping[tuple[str], float]) -> dict[tuple[str], float]:
    return dict(sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_SOURCES])


def _gauge(name: str, what: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> Metric:
    family = GaugeMetricFamily(name, what, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _counter(name: str, what: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> Metric:
    family = CounterMetricFamily(name, what, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def everything(home: HomeMetrics) -> Together:
    """What the home knows and what this process has counted."""
    return Together(home, REGISTRY)
