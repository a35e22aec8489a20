"""What an executor does with messages of Kafka: match trackers, make digests or posts of them.

The same kernels and layouts as in one process, around Arrow batches (`mapInArrow`). Everything here is a function of
the messages and of what the driver says with the task, so that a task that is done again gives the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc
import zstandard

from groundswell.bus import Kind
from groundswell.bus.kafka_pieces import record_in
from groundswell.bus.kafka_records import PoisonError, Reading, record_of
from groundswell.query import Matcher, parse
from groundswell.sources.replay import is_undated
from groundswell.watch.batches import Ways, arrivals_of_records, warm_up
from groundswell.watch.cluster.places import home_here
from groundswell.watch.cluster.slices import PARTITIONS, Batches, Group, Slice, Task, Work, slices_of
from groundswell.watch.contract import Arrivals, Ints
from groundswell.watch.digest import Wanted, digest_of

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.platforms import Registry
    from groundswell.settings import Settings

#: Raw records on their way to the driver; it packs them better once more.
_LEVEL: Final = 1


def digests(task: Task, wanted: Wanted) -> Work:
    """Digests of slices: what the detector takes of them."""

    def work(batches: Batches) -> Batches:
        matcher = Matcher([parse(one.query).root for one in wanted.trackers])
        for one in slices_of(batches, task):
            found = digest_of(_arrivals(one, task, matcher), matcher, wanted)
            yield one.row(replace(found, posts=_placed(found.posts, one, task)).to_bytes())

    return work


def whole_posts(task: Task, rows: Mapping[tuple[int, int], Ints]) -> Work:
    """Whole posts of some rows of the digests of slices, by partition and first offset."""

    def work(batches: Batches) -> Batches:
        for one in slices_of(batches, task):
            asked = rows.get((one.partition, one.first))
            if asked is not None:
                yield one.row(stream_of(_placed(_arrivals(one, task).take(asked), one, task)))

    return work


def _placed(whole: pa.Table, one: Slice, task: Task) -> pa.Table:
    """Posts with the place where a person finds them: topic, partition and offset, as the lake has it."""
    at, to = (whole.schema.get_field_index(name) for name in ("origin", "origin_offset"))
    origin = pa.array([f"{task.topic}/{one.partition}"] * len(whole), pa.string())
    offsets = pc.divide(whole["origin_offset"], PARTITIONS)
    placed = whole.set_column(at, whole.schema.field(at), origin.cast(whole.schema.field(at).type))
    return placed.set_column(to, whole.schema.field(to), offsets)


def posts(task: Task) -> Work:
    """Rows for the lake: of each slice a list of what became of its groups (`Normal`)."""

    def work(batches: Batches) -> Batches:
        reading = task.reading()
        for one in slices_of(batches, task):
            found = [*_aside(one, task)]
            for group in one.groups:
                found.append(_normal(group, one.partition, task, reading))
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
    poison: list[tuple[int, bytes, str]]
    """Of messages that are no records: offset, value as it was, reason."""
    raw: bytes
    """The records, each on a line, as a zstd frame; empty where the raw zone does not take them."""


def raw_of(one: Normal) -> bytes:
    """The raw records that came along, each on a line."""
    return zstandard.decompress(one.raw) if one.raw else b""


def _normal(group: Group, partition: int, task: Task, reading: Reading) -> Normal:
    from groundswell.bus.joined import JoinedRecords, borders  # noqa: PLC0415 - loads what an import needs
    from groundswell.importing.blocks import RawBlock, normalise  # noqa: PLC0415 - loads the engine

    engine, registry, settings = _tools(task.settings)
    content = group.content
    block = RawBlock(
        records=JoinedRecords(content, borders(content, len(group.offsets))),
        source=group.source,
        origin=f"{task.topic}/{partition}",
        numbers=group.offsets,
        received_us=group.received_us,
        hint=group.said,
        imported_us=task.imported_us,
    )
    out = normalise(block, engine, registry, settings)
    return Normal(
        source=block.source,
        origin=block.origin,
        hint=group.hint,
        offsets=group.offsets.tobytes(),
        received_us=group.received_us.tobytes(),
        ignored=out.ignored_records,
        rejected=stream_of(out.rejected),
        tables={name: stream_of(rows) for name, rows in {"posts": out.posts, **out.others}.items()},
        poison=_poison(group, out.rejected, reading),
        raw=zstandard.compress(content, _LEVEL) if task.keep_raw else b"",
    )


def _poison(group: Group, rejected: pa.Table, reading: Reading) -> list[tuple[int, bytes, str]]:
    """Which of the refused records are none at all: as a bus of Kafka says it."""
    found: list[tuple[int, bytes, str]] = []
    for offset in sorted(set(rejected["origin_offset"].to_pylist())):
        value = group.values[int(np.searchsorted(group.offsets, offset))]
        try:
            record_of(value, reading)
        except PoisonError as error:
            found.append((offset, value, error.reason))
    return found


def _aside(one: Slice, task: Task) -> Iterator[Normal]:
    """What is no record, one by one: there is little of it."""
    from groundswell.importing.stream import set_aside  # noqa: PLC0415 - loads the lake

    for offset, found in one.aside:
        refused = set_aside(found.source, [record_in(one.partition, offset, found)], [offset], [found.received_us])
        is_poison = found.kind is Kind.RECORDS and found.reason is not None
        yield Normal(
            source=found.source,
            origin=refused["origin"][0].as_py(),
            hint=found.hint,
            offsets=refused["origin_offset"].combine_chunks().to_numpy().tobytes(),
            received_us=np.array([found.received_us], np.int64).tobytes(),
            ignored=[],
            rejected=stream_of(refused),
            tables={},
            poison=[(offset, found.data, found.reason or "")] if is_poison else [],
            raw=b"",
        )


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
    return arrivals_of_records(
        [group.records(one.partition) for group in one.groups if not is_undated(group.said)], ways
    )


@lru_cache(maxsize=2)
def _tools(values: tuple[tuple[str, Any], ...]) -> tuple[Engine, Registry, Settings]:
    """Engine, layouts and settings of this Python process, which does one task after the other.

    Where the driver's home is not on this machine, there are no saved mappings, and a folder of its own is used.
    """
    from groundswell.engines import open_engine  # noqa: PLC0415 - loads DuckDB
    from groundswell.platforms.saved import registry_for  # noqa: PLC0415 - loads every layout
    from groundswell.settings import load_settings  # noqa: PLC0415 - reads the environment

    chosen = dict(values)
    chosen["home"] = home_here(str(chosen["home"]))
    settings = load_settings(**chosen, threads=1, engine="duckdb", bus="journal")
    return open_engine(settings), registry_for(settings), settings
