"""A topic of Kafka that other programs write: `groundswell watch run --source kafka://host:9092/topic`."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final

import numpy as np

from groundswell.bus import Bus
from groundswell.bus.avro import decoder_for
from groundswell.bus.kafka_address import KafkaAddress
from groundswell.bus.kafka_clients import partitions_of
from groundswell.bus.kafka_dead import DeadLetters
from groundswell.bus.kafka_follow import HOLE_S, End, Follower
from groundswell.bus.kafka_pieces import Taken
from groundswell.bus.kafka_records import Reading
from groundswell.desk import Desk, bus_index, open_desk
from groundswell.desk.clock import Clock, wall_us
from groundswell.desk.leases import this_process
from groundswell.sources.feed import BEAT_S
from groundswell.telemetry import level

if TYPE_CHECKING:
    from groundswell.settings import Settings

#: What the rows of partitions that are read by a source are called.
CONSUMER: Final = "source"


class KafkaSource:
    """Reads a topic as a member of a consumer group. Exactly once into the bus: offsets are kept with the records.

    Homes that share a group share its partitions; of one that is killed, another may read the last second once more.
    """

    kind = "kafka"
    reads_behind = True

    def __init__(self, address: KafkaAddress, settings: Settings, *, now: Clock = wall_us) -> None:
        self.address = address
        self.name = address.source
        self._settings = settings
        self._now = now

    def run(self, journal: Bus, stop: threading.Event) -> None:
        """Append what comes until `stop` is set; a broker that goes away meanwhile is waited for.

        Raises:
            UnavailableError: no broker can be reached, or they refuse this client.
            NotFoundError: there is no such topic.
        """
        address = self.address
        partitions_of(address)
        hint = None if address.hint is None else json.dumps(address.hint, ensure_ascii=False, sort_keys=True)
        decode = decoder_for(address, self._settings)
        reading = Reading(address.topic, self.name, hint, decode, self._settings.max_record)
        with open_desk(self._settings) as desk:
            taker = _Into(journal, desk, address, self._now)
            group = address.options.get("group") or _group(desk)
            try:
                Follower(address, group, taker, reading, now=self._now).run(stop)
            finally:
                journal.hold(self.name, None)


class _Into:
    """Puts what was taken into the bus, with the offset behind it as the source's position."""

    def __init__(self, journal: Bus, desk: Desk, address: KafkaAddress, now: Clock) -> None:
        self._journal = journal
        self._desk = desk
        self._name = address.source
        self._topic = address.topic
        self._dead = DeadLetters(address)
        self._now = now
        self._covered_us: int | None = None
        self._was_complete = False
        self._told_at = 0.0

    def begin(self, partitions: Sequence[int]) -> Mapping[int, int | None]:
        """Where each partition goes on; null: it was never read."""
        found = {number: self._journal.position(self._name, self._place(number)) for number in partitions}
        return {number: None if text is None else int(json.loads(text)["next"]) for number, text in found.items()}

    def _place(self, number: int) -> str:
        return f"{self._topic}/{number}"

    def take(self, taken: Sequence[Taken], ends: Mapping[int, tuple[int, int]]) -> list[int]:
        """Append records, each with its position; nobody else moves the positions of this bus."""
        self._dead.write(taken)
        for parts in _together(part for part in taken if part.records):
            first, last = parts[0], parts[-1]
            self._journal.append(
                self._name,
                [record for part in parts for record in part.records],
                kind=first.kind,
                received_us=np.concatenate([part.received_us for part in parts]),
                hint=None if first.hint is None else json.loads(first.hint),
                position=json.dumps({"next": last.last_offset + 1}),
                partition=self._place(first.partition),
            )
        return []

    def look(self, ends: Mapping[int, End], at_us: int) -> None:
        """Note how far partitions are."""
        for number, end in ends.items():
            level("kafka_lag", max(0, end.end_offset - end.next_offset), self._topic, str(number))
        self._was_complete = all(end.is_complete for end in ends.values())
        until_us = min((end.until_us for end in ends.values()), default=at_us)
        self._journal.hold(self._name, until_us if ends else None)
        if time.monotonic() - self._told_at < BEAT_S:
            return
        self._told_at = time.monotonic()
        if until_us and ends:
            # What Kafka kept while this process was away is here now.
            begin = until_us if self._covered_us is None else min(self._covered_us, until_us)
            self._journal.connected(self._name, begin, until_us)
            self._covered_us = until_us
        with self._desk.session() as session:
            for number, end in ends.items():
                row = {"consumer": CONSUMER, "topic": self._topic, "partition": number, "owner": this_process()}
                row |= {"next_offset": end.next_offset, "end_offset": end.end_offset}
                bus_index.put_partition(session, {**row, "complete_until": end.until_us, "looked_at": at_us})

    def away(self, for_s: float) -> None:
        """Let the clock go on without a broker that is away for long; that time counts as a hole."""
        if for_s > HOLE_S and self._was_complete:
            self._journal.hold(self._name, None)
            self._covered_us = self._now()

    def lose(self, partition: int, from_offset: int, to_offset: int) -> None:
        """Note that Kafka has removed messages before they were read."""
        with self._desk.session() as session:
            lost = {row.partition: row.lost for row in bus_index.partitions(session, CONSUMER, self._topic)}
            row = {"consumer": CONSUMER, "topic": self._topic, "partition": partition, "next_offset": to_offset}
            bus_index.put_partition(session, {**row, "lost": lost.get(partition, 0) + to_offset - from_offset})


def _together(taken: Iterable[Taken]) -> Iterator[list[Taken]]:
    """Blocks that follow each other and may be appended at once."""
    for _, parts in groupby(taken, key=lambda part: (part.partition, part.kind, part.hint)):
        yield list(parts)


def _group(desk: Desk) -> str:
    """The group of a home where the address names none."""
    whose = hashlib.blake2b(f"{socket.gethostname()}\n{desk.where}".encode(), digest_size=4).hexdigest()
    return f"groundswell-{whose}"
