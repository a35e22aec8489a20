"""What cannot be made a record goes to a topic of its own as it was; the quarantine has it too, with the reason."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from groundswell.bus.kafka_address import KafkaAddress
from groundswell.bus.kafka_clients import Complaints, kafka, make_producer
from groundswell.bus.kafka_pieces import Taken
from groundswell.telemetry import count

if TYPE_CHECKING:
    from confluent_kafka import Producer
    from confluent_kafka.cimpl import KafkaError
    from confluent_kafka.cimpl import Message as Delivered

log = logging.getLogger("groundswell.kafka")

#: How long a dead letter may take, and how long none is tried after one that failed, seconds.
_PATIENCE_S: Final = 10.0
_REST_S: Final = 60.0


class DeadLetters:
    """Writes values that are no records to the address's topic of dead letters, with the reason in the headers.

    At least once: one that was written before a kill is written again, and has the same place in its headers. A topic
    that cannot be made or written is said in the log, and stops nothing.
    """

    def __init__(self, address: KafkaAddress) -> None:
        self._address = address
        self._producer: Producer | None = None
        self._rest_until = 0.0
        self._failed = 0

    def write(self, taken: Sequence[Taken]) -> None:
        """Write what is no record among `taken`, and wait until it is there."""
        self.write_all([(part.partition, *each) for part in taken for each in part.poison])

    def write_all(self, found: Sequence[tuple[int, int, bytes, str]]) -> None:
        """Write these values (partition, offset, value, reason), and wait until they are there."""
        if not found:
            return
        topic = self._address.dead_letter
        log.warning(
            "%s messages of %s cannot be read (%s); they are in the quarantine%s",
            f"{len(found):,}",
            self._address.where,
            found[0][3],
            "" if topic is None else f" and in the topic {topic}",
        )
        count("dead_letters", len(found), self._address.topic)
        if topic is None or time.monotonic() < self._rest_until:
            return
        try:
            self._write(topic, found)
        except (kafka().KafkaException, BufferError) as error:
            self._failed = len(found)
            log.warning("the topic of dead letters %s cannot be written (%s)", topic, error)
        if self._failed:
            self._failed, self._rest_until = 0, time.monotonic() + _REST_S

    def _write(self, topic: str, found: Sequence[tuple[int, int, bytes, str]]) -> None:
        producer = self._open(topic)
        for partition, offset, value, reason in found:
            place = {"topic": self._address.topic, "partition": str(partition), "offset": str(offset)}
            said = {**place, "reason": reason[:500]}
            headers: dict[str, str | bytes | None] = {f"groundswell-{name}": text for name, text in said.items()}
            producer.produce(topic, value, headers=headers, on_delivery=self._delivered)
            producer.poll(0)
        self._failed += producer.flush(_PATIENCE_S)

    def _delivered(self, error: KafkaError | None, _message: Delivered) -> None:
        if error is not None:
            self._failed += 1
            log.warning("a dead letter was not taken (%s)", error.str())

    def _open(self, topic: str) -> Producer:
        if self._producer is None:
            self._producer = make_producer(
                self._address, Complaints(), message__timeout__ms=round(_PATIENCE_S * 1000) - 1000
            )
            _make_topic(self._address, topic)
        return self._producer


def _make_topic(address: KafkaAddress, topic: str) -> None:
    """Make the topic where it is missing and this client may."""
    from confluent_kafka.admin import AdminClient  # noqa: PLC0415 - an extra
    from confluent_kafka.cimpl import NewTopic  # noqa: PLC0415 - an extra

    admin = AdminClient(address.client())
    try:
        admin.create_topics([NewTopic(topic, num_partitions=1)])[topic].result(_PATIENCE_S)
    except kafka().KafkaException as error:
        if error.args[0].code() != kafka().KafkaError.TOPIC_ALREADY_EXISTS:
            log.warning("the topic of dead letters %s cannot be made (%s)", topic, error.args[0].str())
