"""Reading blocks of the index again: exactly their offsets, by as many consumers as there are readers at once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from groundswell.bus.blocks import Block, Kind, Micros
from groundswell.bus.kafka_address import KafkaAddress
from groundswell.bus.kafka_clients import Complaints, kafka, make_consumer, trouble_of
from groundswell.bus.kafka_follow import incoming_of
from groundswell.bus.kafka_index import Held, Kept
from groundswell.bus.kafka_pieces import Placed, record_in
from groundswell.bus.kafka_records import Incoming, Reading
from groundswell.desk.tables import BusBlockRow
from groundswell.errors import UnavailableError

if TYPE_CHECKING:
    from confluent_kafka import Consumer

log = logging.getLogger("groundswell.kafka")

#: Blocks of a partition with at most so many offsets between them are read in one go.
_GAP: Final = 2_000
_MOST: Final = 10_000
#: How long Kafka may give nothing before it is trouble, seconds.
_PATIENCE_S: Final = 30.0


@dataclass(frozen=True)
class FetchedBlock(Block):
    """A block whose records are read when they are first asked for, with those that were asked for with it."""

    loader: Loader = field(default=None, repr=False, compare=False)  # type: ignore[assignment]  # a field with a default comes before it; every caller gives one

    @property
    def records(self) -> list[bytes]:
        """The raw records."""
        return self.loader.get(self.seq)[0]

    @property
    def content(self) -> bytes:
        """The raw records with a line feed behind each."""
        return b"\n".join((*self.records, b""))

    @property
    def received_us(self) -> Micros:
        """When each record was received, microseconds since 1970 UTC."""
        return self.loader.get(self.seq)[1]


class Loader:
    """The records of some blocks, together."""

    def __init__(self, rows: Sequence[BusBlockRow], fetcher: Fetcher, kept: Kept) -> None:
        self._rows = rows
        self._fetcher = fetcher
        self._lock = threading.Lock()
        self._found: dict[int, Held] = {}
        for row in rows:
            held = kept.get(row.seq)
            if held is not None:
                self._found[row.seq] = held

    def get(self, seq: int) -> Held:
        """The records of a block.

        Raises:
            UnavailableError: Kafka cannot be reached.
        """
        with self._lock:
            if seq not in self._found:
                self._found |= self._fetcher.fetch([row for row in self._rows if row.seq not in self._found])
            return self._found[seq]


class Fetcher:
    """Reads blocks from a topic; threads may share it, each has a consumer for itself while it reads."""

    def __init__(self, address: KafkaAddress, reading: Reading) -> None:
        self._address = address
        self._reading = reading
        self._complaints = Complaints()
        self._lock = threading.Lock()
        self._idle: list[Consumer] = []

    def fetch(self, rows: Sequence[BusBlockRow]) -> dict[int, Held]:
        """The records of blocks, by number.

        Raises:
            UnavailableError: Kafka cannot be reached, or gives nothing.
        """
        module = kafka()
        found: dict[int, Held] = {}
        with self._consumer() as consumer:
            try:
                for run in _runs(rows):
                    placed = self._read(consumer, run)
                    found |= {row.seq: _held(row, placed) for row in run}
            except module.KafkaException as error:
                raise trouble_of(error.args[0], self._address, self._complaints) from error
        return found

    def _read(self, consumer: Consumer, run: Sequence[BusBlockRow]) -> list[Placed]:
        module = kafka()
        first, last, number = run[0].first_offset, run[-1].last_offset, run[0].partition
        low, high = consumer.get_watermark_offsets(module.TopicPartition(self._address.topic, number), _PATIENCE_S)
        placed: list[Placed] = []
        if low > last or high <= first:
            return placed
        consumer.assign([module.TopicPartition(self._address.topic, number, max(first, low))])
        waited = time.monotonic()
        while True:
            messages = consumer.consume(_MOST, 1.0)
            if not messages and time.monotonic() - waited > _PATIENCE_S:
                what = f"Kafka gives nothing of partition {number} from offset {first:,} on"
                raise UnavailableError(what, where=self._address.where, hint="look at its brokers")
            for message in messages:
                error = message.error()
                if error is not None:
                    if error.code() == module.KafkaError._PARTITION_EOF:
                        return placed
                    self._complaints(error)
                    continue
                waited = time.monotonic()
                offset = int(message.offset() or 0)
                if offset <= last:
                    placed.append((offset, incoming_of(message, 1 << 62, self._reading)))
                if offset >= last:
                    return placed

    @contextmanager
    def _consumer(self) -> Iterator[Consumer]:
        with self._lock:
            consumer = self._idle.pop() if self._idle else None
        if consumer is None:
            consumer = make_consumer(self._address, self._complaints, enable__partition__eof=True)
        try:
            yield consumer
        except BaseException:
            consumer.close()
            raise
        consumer.unassign()
        with self._lock:
            self._idle.append(consumer)

    def ends(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """The end of each partition now.

        Raises:
            UnavailableError: Kafka cannot be reached.
        """
        module = kafka()
        with self._consumer() as consumer:
            try:
                places = {number: module.TopicPartition(self._address.topic, number) for number in partitions}
                return {number: consumer.get_watermark_offsets(at, _PATIENCE_S)[1] for number, at in places.items()}
            except module.KafkaException as error:
                raise trouble_of(error.args[0], self._address, self._complaints) from error

    def close(self) -> None:
        """Close the consumers that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for consumer in idle:
            consumer.close()


def _runs(rows: Sequence[BusBlockRow]) -> Iterator[list[BusBlockRow]]:
    """Blocks of one partition that lie close together."""
    run: list[BusBlockRow] = []
    for row in sorted(rows, key=lambda row: (row.partition, row.first_offset)):
        if run and (row.partition != run[-1].partition or row.first_offset - run[-1].last_offset > _GAP):
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def _held(row: BusBlockRow, placed: Sequence[Placed]) -> Held:
    """The records of a block as they were when it was numbered."""
    mine = [each for each in placed if row.first_offset <= each[0] <= row.last_offset and not each[1].empty]
    records = [record_in(row.partition, offset, _as_then(row, each)) for offset, each in mine]
    received = np.array([each.received_us for _, each in mine], dtype=np.int64)
    missing = row.count - len(records)
    if missing > 0:
        log.error("Kafka has removed %s records of block %s before they were read", f"{missing:,}", row.seq)
        # Each keeps its number; an empty one is set aside.
        records = [b""] * missing + records
        received = np.concatenate([np.full(missing, row.received_from, np.int64), received])
    return records[: row.count], np.clip(received[: row.count], row.received_from, row.received_to)


def _as_then(row: BusBlockRow, each: Incoming) -> Incoming:
    if row.kind == Kind.OVERSIZED and each.kind == Kind.RECORDS and each.reason is None:
        return replace(each, reason="it could not be decoded when it came")
    if row.kind == Kind.RECORDS and each.reason is not None:
        what = f"a record that was read before cannot be decoded now ({each.reason})"
        raise UnavailableError(what, hint="see that the schema registry still has its schema")
    return each
