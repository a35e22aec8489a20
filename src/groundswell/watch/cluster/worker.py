"""What an executor does with messages of Kafka: read the records, match trackers, make digests or posts of them.

The same kernels and layouts as in one process, around Arrow batches (`mapInArrow`). Everything here is a function of
the messages and of what the driver says with the task, so that a task that is done again gives the same.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc

from groundswell.bus.kafka_records import HINT, KIND, RECEIVED, SOURCE
from groundswell.query import Matcher, parse
from groundswell.watch.batches import Records, Ways, arrivals_of_records, borders_of, warm_up
from groundswell.watch.contract import Arrivals, Ints
from groundswell.watch.digest import Wanted, digest_of

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.platforms import Registry
    from groundswell.settings import Settings

Batches = Iterator[pa.RecordBatch]
Work = Callable[[Batches], Batches]

#: A topic has fewer partitions than this; a record's number is its offset times this and its partition.
PARTITIONS: Final = 1 << 12
#: What `digests` and `posts` give: one row a slice, which is some neighbouring messages of one partition.
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

    @classmethod
    def of(cls, topic: str, source: str, hint: Mapping[str, Any] | None, settings: Settings, now_us: int) -> Task:
        """A task with these settings, as of now."""
        names = ("home", "tz", "memory", "max_record")
        values = tuple((name, getattr(settings, name)) for name in names)
        return cls(topic, source, None if hint is None else msgspec.json.encode(hint).decode(), values, now_us)


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

    def records(self, partition: int) -> Records:
        """As the watch takes them."""
        data = b"\n".join(self.values) + b"\n"
        if data.count(b"\n") != len(self.values):
            data = b"".join(value.replace(b"\n", b" ") + b"\n" for value in self.values)
        buffer = np.frombuffer(data, np.uint8)
        numbers = self.offsets * PARTITIONS + partition
        return Records(self.source, self.said, buffer, borders_of(buffer, len(numbers)), numbers, self.received_us)


@dataclass(frozen=True)
class Slice:
    """Neighbouring messages of one partition."""

    partition: int
    first: int
    last: int
    received_us: Ints
    groups: Sequence[Group]

    def row(self, body: bytes) -> pa.RecordBatch:
        """A row of `SLICES`."""
        received = self.received_us
        values = [self.partition, self.first, self.last, len(received), received.min(), received.max(), body]
        return pa.RecordBatch.from_arrays(
            [pa.array([value], one.type) for value, one in zip(values, SLICES, strict=True)], schema=SLICES
        )


def slices_of(batches: Batches, task: Task) -> Iterator[Slice]:
    """The messages (columns of `topic.COLUMNS`) as slices."""
    for batch in batches:
        partitions = np.asarray(batch.column("partition"))
        for partition in np.unique(partitions).tolist():
            mine = batch.filter(pa.array(partitions == partition))
            if mine.num_rows:
                yield _slice(mine, int(partition), task)


def _slice(batch: pa.RecordBatch, partition: int, task: Task) -> Slice:
    offsets = np.asarray(batch.column("offset"), dtype=np.int64)
    # What a producer stamps may be any time; nothing is received in the future.
    stamped = np.minimum(np.asarray(batch.column("stamped_us"), dtype=np.int64), task.imported_us)
    headers = batch.column("headers")
    said = _header(headers, RECEIVED, len(batch))
    received = np.where(said.is_valid(), np.asarray(said.fill_null("0").cast(pa.int64())), stamped)
    values = [value or b"" for value in batch.column("value").to_pylist()]
    groups = _groups(headers, values, offsets, received, task)
    return Slice(partition, int(offsets[0]), int(offsets[-1]), received, groups)


def _groups(headers: Any, values: list[bytes], offsets: Ints, received: Ints, task: Task) -> list[Group]:
    """Records by source and hint, in the order in which each comes first. Those of another kind are left out."""
    rows = len(values)
    source = _header(headers, SOURCE, rows)
    if source.null_count == rows:
        return [Group(task.source, task.hint, values, offsets, received)]
    hint, kind = _header(headers, HINT, rows), _header(headers, KIND, rows)
    at: dict[tuple[str, str | None], list[int]] = {}
    for row, (who, how, what) in enumerate(zip(source.to_pylist(), hint.to_pylist(), kind.to_pylist(), strict=True)):
        if what in (None, "records"):
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


def digests(task: Task, wanted: Wanted) -> Work:
    """Digests of slices: what the detector takes of them."""

    def work(batches: Batches) -> Batches:
        matcher = Matcher([parse(one.query).root for one in wanted.trackers])
        for one in slices_of(batches, task):
            yield one.row(digest_of(_arrivals(one, task, matcher), matcher, wanted).to_bytes())

    return work


def whole_posts(task: Task, rows: Mapping[tuple[int, int], Ints]) -> Work:
    """Whole posts of some rows of the digests of slices, by partition and first offset."""

    def work(batches: Batches) -> Batches:
        for one in slices_of(batches, task):
            asked = rows.get((one.partition, one.first))
            if asked is not None:
                yield one.row(stream_of(_arrivals(one, task).take(asked)))

    return work


def posts(task: Task) -> Work:
    """Rows for the lake: of each slice a list of what became of its groups (`Normal`)."""

    def work(batches: Batches) -> Batches:
        for one in slices_of(batches, task):
            found = [part for group in one.groups for part in _normal(group, one.partition, task)]
            yield one.row(msgspec.msgpack.encode(found))

    return work


class Normal(msgspec.Struct, frozen=True):
    """What became of the records of a group. Tables are Arrow streams; numbers are int64 arrays as bytes."""

    source: str
    origin: str
    hint: str | None
    offsets: bytes
    received_us: bytes
    ignored: list[int]
    rejected: bytes
    tables: dict[str, bytes]


def _normal(group: Group, partition: int, task: Task) -> Iterator[Normal]:
    from groundswell.importing.blocks import RawBlock, normalise  # noqa: PLC0415 - loads the engine
    from groundswell.importing.derive import Origin  # noqa: PLC0415
    from groundswell.importing.refusals import Rejection, quarantine_rows  # noqa: PLC0415
    from groundswell.sources.documents import Oversized  # noqa: PLC0415

    engine, registry, settings = _tools(task.settings)
    origin = f"{task.topic}/{partition}"
    fits = np.array([len(value) <= settings.max_record for value in group.values], np.bool_)
    block = RawBlock(
        records=[value for value, fit in zip(group.values, fits.tolist(), strict=True) if fit],
        source=group.source,
        origin=origin,
        numbers=group.offsets[fits],
        received_us=group.received_us[fits],
        hint=group.said,
        imported_us=task.imported_us,
    )
    if block.records:
        out = normalise(block, engine, registry, settings)
        tables = {name: stream_of(rows) for name, rows in {"posts": out.posts, **out.others}.items()}
        yield _made(block, group.hint, out.ignored_records, stream_of(out.rejected), tables)
    for at in np.flatnonzero(~fits).tolist():
        offset, value = int(group.offsets[at]), group.values[at]
        big = Oversized(offset, len(value), hashlib.sha256(value).hexdigest(), value[: 1 << 16])
        received = group.received_us[at : at + 1]
        refused = quarantine_rows(
            [Rejection.too_long(offset, big)], Origin(group.source, origin, int(received[0])), None
        )
        alone = RawBlock([], group.source, origin, group.offsets[at : at + 1], received, None, task.imported_us)
        yield _made(alone, group.hint, [], stream_of(refused), {})


def _made(block: Any, hint: str | None, ignored: list[int], rejected: bytes, tables: dict[str, bytes]) -> Normal:
    offsets, received = (np.asarray(part, np.int64).tobytes() for part in (block.numbers, block.received_us))
    return Normal(block.source, block.origin, hint, offsets, received, ignored, rejected, tables)


def stream_of(table: pa.Table) -> bytes:
    """A table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def table_of(data: bytes) -> pa.Table:
    """The table of an Arrow stream."""
    with pa.ipc.open_stream(data) as reader:
        return reader.read_all()


def _arrivals(one: Slice, task: Task, matcher: Matcher | None = None) -> Arrivals:
    engine, registry, settings = _tools(task.settings)
    warm_up(len(one.received_us), settings.home / "cache")
    ways = Ways(engine, registry, settings, task.imported_us, matcher)
    return arrivals_of_records([group.records(one.partition) for group in one.groups], ways)


@lru_cache(maxsize=2)
def _tools(values: tuple[tuple[str, Any], ...]) -> tuple[Engine, Registry, Settings]:
    """Engine, layouts and settings of this Python process, which does one task after the other.

    Where the driver's home is not on this machine, there are no saved mappings, and a folder of its own is used.
    """
    from groundswell.engines import open_engine  # noqa: PLC0415 - loads DuckDB
    from groundswell.platforms.saved import registry_for  # noqa: PLC0415
    from groundswell.settings import load_settings  # noqa: PLC0415

    chosen = dict(values)
    if not Path(chosen["home"]).is_dir():
        chosen["home"] = Path(tempfile.mkdtemp(prefix="groundswell-"))
    settings = load_settings(**chosen, threads=1, engine="duckdb", bus="journal")
    return open_engine(settings), registry_for(settings), settings
