"""Messages of Kafka as an executor takes them: neighbouring ones of a partition, sorted by what they are.

Nothing here reads a record that is plainly one; only what is large, empty, Avro or set aside by a bus is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.bus import Kind
from groundswell.bus.kafka_pieces import Placed
from groundswell.bus.kafka_records import HINT, KIND, RECEIVED, SOURCE, Decode, Reading, read_message
from groundswell.watch.batches import Records, borders_of
from groundswell.watch.contract import Ints

if TYPE_CHECKING:
    from groundswell.bus.kafka_address import KafkaAddress
    from groundswell.settings import Settings

Batches = Iterator[pa.RecordBatch]
Work = Callable[[Batches], Batches]

#: A topic has fewer partitions than this; a record's number is its offset times this and its partition.
PARTITIONS: Final = 1 << 12
#: What works of executors give: one row a slice, which is some neighbouring messages of one partition.
SLICES: Final = pa.schema(
    [
        ("partition", pa.int32()),
        ("first", pa.int64()),
        ("last", pa.int64()),
        ("records", pa.int64()),
        ("received_from", pa.int64()),
        ("received_to", pa.int64()),
        ("body", pa.binary()),
    ]
)
#: The same for Spark.
SLICES_SQL: Final = (
    "`partition` int, `first` bigint, `last` bigint, `records` bigint, `received_from` bigint, `received_to` bigint, "
    "`body` binary"
)


@dataclass(frozen=True)
class Task:
    """What every task of a topic knows: how it is read, and the settings that decide what a post is."""

    topic: str
    source: str
    hint: str | None
    settings: tuple[tuple[str, Any], ...]
    imported_us: int
    registry: str | None = None
    """Address of the schema registry of Avro values; null: there is none."""
    keep_raw: bool = False
    """Whether the driver is given the raw records with what was made of them."""

    @classmethod
    def of(cls, address: KafkaAddress, settings: Settings, now_us: int) -> Task:
        """A task with these settings, as of now."""
        names = ("home", "tz", "memory", "max_record")
        return cls(
            topic=address.topic,
            source=address.source,
            hint=None if address.hint is None else msgspec.json.encode(address.hint).decode(),
            settings=tuple((name, getattr(settings, name)) for name in names),
            imported_us=now_us,
            registry=address.options.get("registry") or settings.schema_registry or None,
            keep_raw=settings.keep_raw,
        )

    @property
    def max_record(self) -> int:
        """Bytes of the largest record that is read."""
        return int(dict(self.settings)["max_record"])

    def reading(self) -> Reading:
        """How the messages are read."""
        decode = None if self.registry is None else _decoder(self.registry, str(dict(self.settings)["home"]))
        return Reading(self.topic, self.source, self.hint, decode, self.max_record)


@lru_cache(maxsize=2)
def _decoder(registry: str, home: str) -> Decode:
    """The decoder of this Python process, which keeps what it has asked for; on the disk only where the home is."""
    from groundswell.bus.avro import AvroDecoder, Registry  # noqa: PLC0415 - what only Avro needs
    from groundswell.watch.cluster.places import home_here  # noqa: PLC0415 - only an executor needs it

    return AvroDecoder(Registry(registry, home_here(home) / "cache" / "schemas"))


@dataclass(frozen=True)
class Group:
    """The records of a slice that have one source and hint; `offsets` and `received_us` have one each."""

    source: str
    hint: str | None
    values: Sequence[bytes]
    offsets: Ints
    received_us: Ints

    @property
    def said(self) -> dict[str, Any] | None:
        """The hint as a document."""
        found: dict[str, Any] | None = None if self.hint is None else msgspec.json.decode(self.hint)
        return found

    @property
    def content(self) -> bytes:
        """The records, each on a line."""
        data = b"\n".join(self.values) + b"\n"
        if data.count(b"\n") != len(self.values):
            data = b"".join(value.replace(b"\n", b" ") + b"\n" for value in self.values)
        return data

    def records(self, partition: int) -> Records:
        """As the watch takes them."""
        buffer = np.frombuffer(self.content, np.uint8)
        numbers = self.offsets * PARTITIONS + partition
        return Records(self.source, self.said, buffer, borders_of(buffer, len(numbers)), numbers, self.received_us)


@dataclass(frozen=True)
class Slice:
    """Neighbouring messages of one partition; `aside` are those that are no record, by offset."""

    partition: int
    first: int
    last: int
    received_us: Ints
    groups: Sequence[Group]
    aside: Sequence[Placed] = ()

    def row(self, body: bytes) -> pa.RecordBatch:
        """A row of `SLICES`."""
        received = self.received_us
        values = [self.partition, self.first, self.last, len(received), received.min(), received.max(), body]
        return pa.RecordBatch.from_arrays(
            [pa.array([value], one.type) for value, one in zip(values, SLICES, strict=True)], schema=SLICES
        )


def slices_of(batches: Batches, task: Task) -> Iterator[Slice]:
    """The messages (columns of `topic.COLUMNS`) as slices.

    Raises:
        UnavailableError: a value is Avro, and the schema registry cannot be reached.
    """
    reading = task.reading()
    for batch in batches:
        partitions = np.asarray(batch.column("partition"))
        for partition in np.unique(partitions).tolist():
            mine = batch.filter(pa.array(partitions == partition))
            if mine.num_rows:
                yield _slice(mine, int(partition), task, reading)


def _slice(batch: pa.RecordBatch, partition: int, task: Task, reading: Reading) -> Slice:
    offsets = np.asarray(batch.column("offset"), dtype=np.int64)
    # What a producer stamps may be any time; nothing is received in the future.
    stamped = np.minimum(np.asarray(batch.column("stamped_us"), dtype=np.int64), task.imported_us)
    headers = batch.column("headers")
    said = _header(headers, RECEIVED, len(batch))
    received = np.where(said.is_valid(), np.asarray(said.fill_null("0").cast(pa.int64())), stamped)
    values = batch.column("value").to_pylist()
    is_record = np.ones(len(values), np.bool_)
    aside: list[Placed] = []
    for at in np.flatnonzero(_doubtful(batch, task.max_record)).tolist():
        of = dict(_pairs(headers[at].as_py()))
        found = read_message(values[at] or b"", of, int(stamped[at]), reading, empty=values[at] is None)
        if found.empty:
            is_record[at] = False  # it says that others of its key are gone, or brings a position only
        elif found.reason is not None or found.kind is not Kind.RECORDS:
            is_record[at] = False
            aside.append((int(offsets[at]), found))
        else:
            values[at] = found.data
    if not is_record.all():
        rows = np.flatnonzero(is_record)
        values = [values[row] for row in rows.tolist()]
        headers, groups_at = headers.take(pa.array(rows)), (offsets[rows], received[rows])
    else:
        groups_at = (offsets, received)
    groups = _groups(headers, values, *groups_at, task) if values else []
    return Slice(partition, int(offsets[0]), int(offsets[-1]), received, groups, aside)


def _doubtful(batch: pa.RecordBatch, max_record: int) -> npt.NDArray[np.bool_]:
    """Which messages are to be looked at: none, empty, too large, Avro, or what a bus has set aside."""
    values = batch.column("value")
    sizes = np.asarray(pc.fill_null(pc.binary_length(values), 0))
    found = (sizes == 0) | (sizes > max_record)
    found |= np.asarray(pc.fill_null(pc.equal(pc.binary_slice(values, 0, 1), b"\0"), False))
    kinds = _header(batch.column("headers"), KIND, len(batch))
    if kinds.null_count < len(kinds):
        found |= np.asarray(pc.fill_null(pc.not_equal(kinds, str(Kind.RECORDS)), False))
    return np.asarray(found)


def _pairs(headers: Sequence[Mapping[str, Any]] | None) -> Iterator[tuple[str, bytes | None]]:
    for one in headers or ():
        yield one["key"], one["value"]


def _groups(headers: Any, values: list[bytes], offsets: Ints, received: Ints, task: Task) -> list[Group]:
    """Records by source and hint, in the order in which each comes first."""
    rows = len(values)
    source = _header(headers, SOURCE, rows)
    if source.null_count == rows:
        return [Group(task.source, task.hint, values, offsets, received)]
    hint = _header(headers, HINT, rows)
    at: dict[tuple[str, str | None], list[int]] = {}
    for row, (who, how) in enumerate(zip(source.to_pylist(), hint.to_pylist(), strict=True)):
        at.setdefault((task.source, task.hint) if who is None else (who, how), []).append(row)
    return [
        Group(who, how, [values[row] for row in mine], offsets[mine], received[mine]) for (who, how), mine in at.items()
    ]


def _header(headers: Any, name: str, rows: int) -> Any:
    """The text of the last header of that name of each message; null where there is none."""
    keys = headers.flatten().field("key") if len(headers) else pa.array([], pa.string())
    mine = pc.equal(keys, name)
    if not len(keys) or not pc.any(mine).as_py():
        return pa.nulls(rows, pa.string())
    at = np.flatnonzero(np.asarray(pc.fill_null(mine, False)))
    place = np.full(rows, -1, np.int64)
    place[np.asarray(pc.list_parent_indices(headers))[at]] = at
    values = headers.flatten().field("value").cast(pa.string())
    return values.take(pa.array(place, mask=place < 0))
