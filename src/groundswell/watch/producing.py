"""History written to a topic of Kafka as a stream: in the order of event time, at a chosen speed, each post by its id.

A part of the records and how far the replay is are one transaction of Kafka (the latter as the offset of a consumer
group that has no other use), so a replay that was interrupted, or killed, goes on with the next record. Kafka forgets
such a place `offsets.retention.minutes` after it was last written, a week by default.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from groundswell.bus import Bus, Kind
from groundswell.bus.blocks import Micros
from groundswell.bus.kafka_address import KafkaAddress
from groundswell.bus.kafka_clients import Complaints, kafka, make_consumer, make_producer, partitions_of, trouble_of
from groundswell.bus.kafka_write import commit
from groundswell.desk.clock import iso, wall_us
from groundswell.errors import UnavailableError
from groundswell.importing.blocks import RawBlock, normalise
from groundswell.sources.replay import Prepared, ReplaySource
from groundswell.watch.replay import Progress, Reading, prepare

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Producer

    from groundswell.engines.contract import Engine
    from groundswell.importing.choice import Options
    from groundswell.platforms import Registry
    from groundswell.settings import Settings
    from groundswell.sources.files import SourceFile

log = logging.getLogger("groundswell.kafka")

#: The streaming time of a record: a header of its message, and a field of its JSON.
TIME_STAMP: Final = "time_stamp"
_FIELD: Final = TIME_STAMP.encode()
_PATIENCE_S: Final = 30.0

Told = Callable[[int], None]
"""Told how many records of the replay are in the topic."""
Begun = Callable[[int, int], Told]


def stamped(record: bytes, at: str) -> bytes:
    """A JSON object with the field `time_stamp`, which replaces one that it has; anything else as it is.

    >>> stamped(b'{"id": 1}', "2026-01-01T00:00:00Z")
    b'{"id": 1,"time_stamp":"2026-01-01T00:00:00Z"}'
    """
    body = record.rstrip()
    if not body.startswith(b"{") or not body.endswith(b"}"):
        return record
    if b'"%b"' % _FIELD in body:
        try:
            found = json.loads(body)
        except ValueError:
            return record
        return json.dumps({**found, TIME_STAMP: at}, ensure_ascii=False).encode()
    comma = b"" if not body[1:-1].strip() else b","
    return b'%b%b"%b":"%b"}' % (body[:-1], comma, _FIELD, at.encode())


class TopicSink:
    """Takes what a `ReplaySource` would put into a bus, and writes it to a topic; knows how far the replay is."""

    def __init__(self, address: KafkaAddress, prepared: Prepared, reading: Reading) -> None:
        """Connect.

        Raises:
            UnavailableError: no broker can be reached, or they refuse this client.
            NotFoundError: there is no such topic.
        """
        self._address = address
        self._prepared = prepared
        self._reading = reading
        self._told: Told = _nobody
        self._complaints = Complaints()
        self.sent = self.too_large = 0
        partitions_of(address)
        name = f"groundswell-replay-{prepared.key[:12]}"
        self._place: Consumer = make_consumer(address, self._complaints, group__id=name)
        self._producer: Producer = make_producer(address, self._complaints, transactional__id=name)
        try:
            self._producer.init_transactions(_PATIENCE_S)
        except kafka().KafkaException as error:
            raise trouble_of(error.args[0], address, self._complaints) from error

    def tell(self, told: Told) -> None:
        """Have somebody told after each part."""
        self._told = told

    def position(self, _source: str, _partition: str = "") -> str | None:
        """How far the replay is, as `ReplaySource` reads it; null before its first record."""
        module = kafka()
        try:
            found = self._place.committed([module.TopicPartition(self._address.topic, 0)], _PATIENCE_S)[0].offset
        except module.KafkaException as error:
            raise trouble_of(error.args[0], self._address, self._complaints) from error
        if found is None or found < 0:
            return None
        return json.dumps({"next": found, "done": found >= self._prepared.records})

    def forget(self) -> None:
        """Begin anew."""
        module = kafka()
        self._place.commit(offsets=[module.TopicPartition(self._address.topic, 0, 0)], asynchronous=False)

    def append(
        self,
        source: str,
        records: Sequence[bytes],
        *,
        received_us: int | Micros,
        position: str,
        kind: Kind = Kind.RECORDS,
        hint: Mapping[str, Any] | None = None,
    ) -> None:
        """Write records and the position behind them, in one transaction.

        Raises:
            UnavailableError: Kafka cannot be reached or refuses them; nothing of this part was written.
        """
        following = int(json.loads(position)["next"])
        # What was too large to be read is only described here: there is nothing to write.
        values = list(records) if kind == Kind.RECORDS else []
        keys = self._keys(values, received_us, hint)
        module = kafka()
        large = len(records) - len(values)
        try:
            self._producer.begin_transaction()
            for value, key in zip(values, keys, strict=True):
                large += not self._produce(value, key)
            place = module.TopicPartition(self._address.topic, 0, following)
            metadata = self._place.consumer_group_metadata()
            self._producer.send_offsets_to_transaction([place], metadata, _PATIENCE_S)
            commit(self._producer)
        except module.KafkaException as error:
            raise trouble_of(error.args[0], self._address, self._complaints) from error
        self.sent += len(records) - large
        self.too_large += large
        self._told(following)

    def _produce(self, value: bytes, key: bytes | None) -> bool:
        """Whether the client took a record; not if it is larger than a message may be."""
        module = kafka()
        at = iso(wall_us()) or ""
        while True:
            try:
                self._producer.produce(self._address.topic, stamped(value, at), key, headers=[(TIME_STAMP, at)])
                self._producer.poll(0)
            except BufferError:
                self._producer.poll(0.1)
                continue
            except module.KafkaException as error:
                if error.args[0].code() != module.KafkaError.MSG_SIZE_TOO_LARGE:
                    raise
                log.warning("a record of %s bytes is larger than a message may be, and is left out", f"{len(value):,}")
                return False
            return True

    def _keys(
        self, records: Sequence[bytes], received_us: int | Micros, hint: Mapping[str, Any] | None
    ) -> list[bytes | None]:
        """The post's id of each record; null for what is no post."""
        keys: list[bytes | None] = [None] * len(records)
        if not records:
            return keys
        times = np.full(len(records), received_us) if isinstance(received_us, int) else received_us
        numbers = np.arange(len(records), dtype=np.int64)
        block = RawBlock(records, "replay", "replay", numbers, times, hint, wall_us())
        posts = normalise(block, self._reading.engine, self._reading.registry, self._reading.settings).posts
        ids = zip(posts["record"].to_pylist(), posts["post_id"].to_pylist(), strict=True)
        for record, post in ids:
            keys[record] = None if post is None else str(post).encode()
        return keys

    def close(self) -> None:
        """Let go of Kafka."""
        self._place.close()


@dataclass(frozen=True)
class Producing:
    """A replay of `files` into a topic, `speed` seconds of history in a second (null: as fast as possible)."""

    settings: Settings
    files: Sequence[SourceFile]
    options: Options
    address: KafkaAddress
    speed: float | None = None
    again: bool = False
    progress: Progress = field(default=lambda _what, _count: None)

    def run(self, stop: threading.Event, *, begun: Begun = lambda _at, _all: _nobody) -> dict[str, Any]:
        """Write what is left of it; the document of `groundswell replay --json`.

        `begun` is told at which record it begins and how many there are, and gives who is told of the next ones.

        Raises:
            UnreadableFileError: a file cannot be read to its end.
            NotFoundError: the files hold no record, or there is no such topic.
            UnavailableError: Kafka cannot be reached or refuses this; the same call goes on with the next record.
        """
        from groundswell.engines import open_engine  # noqa: PLC0415 - loads DuckDB or Spark
        from groundswell.platforms.saved import registry_for  # noqa: PLC0415 - loads every layout

        engine = open_engine(self.settings)
        try:
            return self._run(engine, registry_for(self.settings), stop, begun)
        finally:
            engine.close()

    def _run(self, engine: Engine, registry: Registry, stop: threading.Event, begun: Begun) -> dict[str, Any]:
        reading = Reading(self.settings, engine, registry, self.options)
        prepared = prepare(self.files, reading, progress=self.progress)
        started = time.monotonic()
        sink = TopicSink(self.address, prepared, reading)
        try:
            if self.again:
                sink.forget()
            before = json.loads(sink.position("") or '{"next": 0, "done": false}')
            if not before["done"]:
                sink.tell(begun(before["next"], prepared.records))
                # The sink is all of a bus that a replay needs.
                ReplaySource(prepared, self.speed).run(cast("Bus", sink), stop)
            after = json.loads(sink.position("") or '{"next": 0, "done": false}')
        except UnavailableError as error:
            hint = f"{error.hint}; the same command goes on with the next record"
            raise UnavailableError(error.what, where=error.where, hint=hint) from error
        finally:
            sink.close()
        return {
            "to": self.address.where,
            "files": [file.name for file in self.files],
            "records": prepared.records,
            "undated": prepared.records - prepared.dated,
            "from": iso(prepared.first_us),
            "until": iso(prepared.last_us),
            "begun_at": before["next"],
            "sent": sink.sent,
            "too_large": sink.too_large,
            "state": "done before" if before["done"] else "done" if after["done"] else "stopped",
            "seconds": round(time.monotonic() - started, 3),
        }


def _nobody(_records: int) -> None: ...
