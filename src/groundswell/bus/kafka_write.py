"""Writing to a topic: an append is one transaction of Kafka, so that all of it is there or nothing.

A transaction belongs to a name. A process that takes up the name of one that was killed ends what that one had begun,
so readers need not wait for it. Names are leases in the desk: `bus-0`, `bus-1` and so on, one for each process that
appends.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from groundswell.bus.blocks import Kind, Micros
from groundswell.bus.kafka_address import KafkaAddress
from groundswell.bus.kafka_clients import Complaints, kafka, make_producer, trouble_of
from groundswell.bus.kafka_records import (
    HINT,
    KIND,
    PARTITION,
    POSITION,
    RECEIVED,
    SOURCE,
    Incoming,
    describe_poison,
)
from groundswell.desk import leases
from groundswell.errors import ConflictError, GroundswellError, UnavailableError

if TYPE_CHECKING:
    from confluent_kafka import Message, Producer

    from groundswell.desk import Desk

#: Processes that may append to one desk's bus at the same time.
_NAMES: Final = 64
#: How long an append may take before it is given up, seconds.
PATIENCE_S: Final = 30.0
_TRY_S: Final = 5.0
#: Largest message by itself (`message.max.bytes` of the address says another), and room for its headers, bytes.
_MESSAGE_BYTES: Final = 1_000_000
_HEADER_BYTES: Final = 8_192
_TOO_LARGE: Final = "record is larger than a message of Kafka may be"
#: A transaction whose process is gone and whose name nobody takes up is ended by Kafka after this, milliseconds.
_TRANSACTION_MS: Final = 60_000


class Writer:
    """Appends to one topic; threads may share it. Connects at the first append."""

    def __init__(self, address: KafkaAddress, desk: Desk) -> None:
        self._address = address
        self._desk = desk
        self._lock = threading.Lock()
        self._complaints = Complaints()
        self._producer: Producer | None = None
        self._stack = contextlib.ExitStack()
        self._behind: dict[int, int] = {}

    def behind(self) -> dict[int, int]:
        """The offset behind what this process appended last, by partition.

        A commit is answered before its markers are written, so for a moment the topic seems to end before it.
        """
        return dict(self._behind)

    def ready(self) -> None:
        """Take a name, so that what was begun under it before has ended, one way or the other.

        Raises:
            UnavailableError: Kafka cannot be reached.
        """
        with self._lock:
            try:
                self._open()
            except kafka().KafkaException as error:
                raise trouble_of(error.args[0], self._address, self._complaints) from error

    def append(
        self,
        source: str,
        records: Sequence[bytes],
        *,
        kind: Kind,
        received_us: int | Micros,
        hint: Mapping[str, Any] | None,
        position: tuple[str, str] | None,
    ) -> None:
        """Write records, with the name and value of a position behind the last.

        Raises:
            UnavailableError: Kafka cannot be reached or refuses them; nothing was written.
        """
        if not records and position is None:
            return
        common: list[tuple[str, str | bytes | None]] = [(SOURCE, source)]
        if kind != Kind.RECORDS:
            common.append((KIND, str(kind)))
        if hint is not None:
            common.append((HINT, json.dumps(hint, ensure_ascii=False, sort_keys=True)))
        times = [received_us] * len(records) if isinstance(received_us, int) else received_us.tolist()
        values: list[bytes | None] = [*records] if records else [None]
        if not records:
            times = [received_us if isinstance(received_us, int) else 0]
        headers = [[*common, (RECEIVED, str(at))] for at in times]
        if kind == Kind.RECORDS:
            self._describe_large(source, values, headers)
        if position is not None:
            headers[-1] += [(PARTITION, position[0]), (POSITION, position[1])]
        # One source, one partition: its records stay in their order, and its position is behind all of them.
        key = source.encode()
        with self._lock:
            self._transaction(key, values, headers)

    def _describe_large(self, source: str, values: list[bytes | None], headers: list[Any]) -> None:
        """Put a description in the place of each record that is larger than a message may be; it is quarantined."""
        limit = int(self._address.more.get("message.max.bytes", _MESSAGE_BYTES)) - _HEADER_BYTES
        for at, value in enumerate(values):
            if value is not None and len(value) > limit:
                found = Incoming(value, source, Kind.OVERSIZED, None, 0, _TOO_LARGE, f"{len(value):,} bytes")
                values[at] = describe_poison(found, source, 0)
                headers[at].append((KIND, str(Kind.OVERSIZED)))

    def _transaction(self, key: bytes, values: Sequence[bytes | None], headers: Sequence[Any]) -> None:
        module = kafka()
        try:
            producer = self._open()
            self._complaints.clear()
            producer.begin_transaction()
            last = len(values) - 1
            placed: list[tuple[int, int]] = []
            for number, (value, each) in enumerate(zip(values, headers, strict=True)):
                self._produce(producer, key, value, each, placed if number == last else None)
            producer.flush(PATIENCE_S)
            commit(producer)
            self._behind.update(placed)
        except (module.KafkaException, BufferError) as error:
            cause = error.args[0] if isinstance(error, module.KafkaException) else None
            self._give_up(cause)
            if isinstance(cause, module.KafkaError):
                raise _not_written(trouble_of(cause, self._address, self._complaints)) from error
            what = f"Kafka does not take these records ({error})"
            raise UnavailableError(what, where=self._address.where, hint="send them again") from error

    def _produce(
        self,
        producer: Producer,
        key: bytes,
        value: bytes | None,
        headers: Any,
        placed: list[tuple[int, int]] | None,
    ) -> None:
        """Send one; `placed` takes its partition and the offset behind it once it is written."""

        def note(error: object, message: Message) -> None:
            partition, offset = message.partition(), message.offset()
            if error is None and placed is not None and partition is not None and offset is not None:
                placed.append((partition, offset + 1))

        more: dict[str, Any] = {} if placed is None else {"on_delivery": note}
        while True:
            try:
                producer.produce(self._address.topic, value, key, headers=headers, **more)
                producer.poll(0)
            except BufferError:
                producer.poll(0.1)  # full: what it holds goes out first
                continue
            return

    def _give_up(self, cause: Any) -> None:
        """Take back what was begun; a producer that cannot be used again is made anew at the next append."""
        producer = self._producer
        if producer is None:
            return
        with contextlib.suppress(Exception):
            if cause is None or not cause.fatal():
                producer.abort_transaction(2.0)
                return
        self._drop()

    def _open(self) -> Producer:
        if self._producer is not None:
            return self._producer
        name = self._take_name()
        whose = hashlib.blake2b(f"{self._desk.where}\n{self._address.topic}".encode(), digest_size=6).hexdigest()
        try:
            producer = make_producer(
                self._address,
                self._complaints,
                transactional__id=f"groundswell-{whose}-{name}",
                transaction__timeout__ms=_TRANSACTION_MS,
            )
            producer.init_transactions(PATIENCE_S)
        except BaseException:
            self._drop()
            raise
        self._producer = producer
        return producer

    def _take_name(self) -> str:
        for number in range(_NAMES):
            name = f"bus-{number}"
            try:
                self._stack.enter_context(leases.hold(self._desk, name))
            except ConflictError:
                continue
            return name
        what = f"{_NAMES} processes append to this bus already"
        raise UnavailableError(what, where=self._desk.where, hint="stop some of them")

    def _drop(self) -> None:
        self._producer = None
        with contextlib.suppress(GroundswellError):
            self._stack.close()

    def close(self) -> None:
        """Let go of the name."""
        with self._lock:
            self._drop()


def commit(producer: Producer) -> None:
    """Commit a transaction; what timed out may have been done, so that is asked again until it is known."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            producer.commit_transaction(_TRY_S)
        except kafka().KafkaException as error:
            if not error.args[0].retriable() or time.monotonic() > deadline:
                raise
            continue
        return


def _not_written(error: GroundswellError) -> UnavailableError:
    hint = f"{error.hint}; nothing of these records was written, so they can be sent again"
    return UnavailableError(error.what, where=error.where, hint=hint)
