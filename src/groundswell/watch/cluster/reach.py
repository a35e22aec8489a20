"""How far the queries of a topic are behind its end: asked of the brokers beside them, and noted in the desk.

So it is known while a query is in the middle of a long micro-batch, and while no broker answers.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from groundswell.bus.kafka_address import KafkaAddress
from groundswell.bus.kafka_clients import Complaints, kafka, make_consumer, partitions_of, trouble_of
from groundswell.desk import Desk, bus_index
from groundswell.desk.clock import Clock
from groundswell.desk.leases import this_process
from groundswell.errors import GroundswellError, NotFoundError, UnavailableError
from groundswell.telemetry import level

if TYPE_CHECKING:
    from confluent_kafka import Consumer

log = logging.getLogger("groundswell.watch")

#: The readers of a topic, as the desk calls them.
WATCH: Final = "watch"
LAKE: Final = "lake"
#: How often the brokers are asked, and how long one may take to answer, seconds.
_LOOK_S: Final = 1.0
_ANSWER_S: Final = 2.0


@dataclass
class Reached:
    """How far a reader is: of each partition the next offset, and when its last record was received (µs)."""

    next_offset: dict[int, int] = field(default_factory=dict)
    received_us: dict[int, int] = field(default_factory=dict)


class Reach:
    """Looks once a second, in a thread, from `start` to `stop`."""

    def __init__(self, address: KafkaAddress, desk: Desk, *, now: Clock) -> None:
        self._address = address
        self._desk = desk
        self._now = now
        self._complaints = Complaints()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="reach", daemon=True)
        self._away_since: float | None = None
        self._was_complete = False
        self.readers: Mapping[str, Reached] = {WATCH: Reached(), LAKE: Reached()}
        """Written by those who read."""
        self.trouble: GroundswellError | None = None
        """Why no broker can be asked; null while all is well."""

    def wait(self, stop: threading.Event) -> bool:
        """Wait until there is a broker and the topic; whether there is, which it is not only where `stop` was set.

        Raises:
            UnavailableError: the brokers refuse this client.
        """
        while not stop.is_set():
            try:
                partitions_of(self._address, wait_s=_ANSWER_S)
            except (UnavailableError, NotFoundError) as error:
                if isinstance(error, UnavailableError) and "reached" not in error.what:
                    raise
                if self.trouble is None or self.trouble.what != error.what:
                    log.error("%s; waiting until there is: %s", error.what, error.where)
                self.trouble = error
                stop.wait(_LOOK_S)
                continue
            if self.trouble is not None:
                log.info("it is there: %s", self._address.where)
                self.trouble = None
            return True
        return False

    def start(self) -> None:
        """Begin to look; what the desk knows of an earlier run is taken up."""
        with self._desk.reading() as session:
            for name, reached in self.readers.items():
                rows = bus_index.partitions(session, name, self._address.topic)
                reached.next_offset |= {row.partition: row.next_offset for row in rows}
                reached.received_us |= {row.partition: row.complete_until for row in rows}
        self._thread.start()

    def stop(self) -> None:
        """Look a last time, and end."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def away_s(self) -> float:
        """How long no broker has answered after all that there was had been read, seconds; 0 otherwise."""
        since = self._away_since
        return 0.0 if since is None or not self._was_complete else time.monotonic() - since

    def _keep(self) -> None:
        consumer = make_consumer(self._address, self._complaints)
        try:
            while True:
                is_last = self._ended.is_set()
                try:
                    self._look(consumer)
                except UnavailableError as error:
                    log.debug("the desk does not take how far the topic is read: %s", error)
                if is_last:
                    return
                self._ended.wait(_LOOK_S)
        finally:
            consumer.close()

    def _look(self, consumer: Consumer) -> None:
        at_us = self._now()
        try:
            ends = self._ends(consumer)
        except kafka().KafkaException as error:
            self._is_away(trouble_of(error.args[0], self._address, self._complaints))
            return
        if self.trouble is not None:
            log.info("Kafka is back: %s", self._address.where)
        self._away_since = self.trouble = None
        self._complaints.clear()
        with self._desk.session() as session:
            for name, reached in self.readers.items():
                for number, (low, high) in ends.items():
                    place = max(reached.next_offset.get(number, low), low)
                    if name == WATCH:
                        level("kafka_lag", max(0, high - place), self._address.topic, str(number))
                    row = {"consumer": name, "topic": self._address.topic, "partition": number}
                    until_us = at_us if place >= high else reached.received_us.get(number, 0)
                    more = {"complete_until": until_us, "looked_at": at_us, "owner": this_process()}
                    bus_index.put_partition(session, {**row, "next_offset": place, "end_offset": high, **more})
        watched = self.readers[WATCH].next_offset
        self._was_complete = all(watched.get(number, low) >= high for number, (low, high) in ends.items())

    def _ends(self, consumer: Consumer) -> dict[int, tuple[int, int]]:
        module, topic = kafka(), self._address.topic
        found = consumer.list_topics(topic, _ANSWER_S).topics[topic]
        if found.error is not None:
            raise module.KafkaException(found.error)
        return {
            number: consumer.get_watermark_offsets(module.TopicPartition(topic, number), _ANSWER_S)
            for number in sorted(found.partitions)
        }

    def _is_away(self, error: GroundswellError) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic()
        if self.trouble is None:
            log.error("%s; records wait where they are, and are read when it is back: %s", error.what, error.where)
        self.trouble = error
