"""Reading a topic as a member of a consumer group, and giving on what came in the order of its receipt.

Records of several partitions are put in one order: what was received later than the slowest active partition has come
to waits. A partition whose end was reached is not active, and moves on with the clock. Whoever takes the records keeps
the position of each partition with them, in one transaction; that position counts, and Kafka's own is only told.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from groundswell.bus.kafka_address import KafkaAddress
from groundswell.bus.kafka_clients import Complaints, kafka, make_consumer, partitions_of, refused, trouble_of
from groundswell.bus.kafka_pieces import Taken, cut
from groundswell.bus.kafka_records import Incoming, Reading, read_message
from groundswell.desk.clock import Clock, wall_us
from groundswell.errors import GroundswellError, UnavailableError
from groundswell.telemetry import stage

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message, TopicPartition
    from confluent_kafka.cimpl import KafkaError

log = logging.getLogger("groundswell.kafka")

#: Messages taken at once, and how long is waited for the first, seconds.
_MOST: Final = 5_000
_POLL_S: Final = 0.05
#: How often the ends of the partitions are looked at, and how long the broker may take to say them, seconds.
LOOK_S: Final = 0.25
_ANSWER_S: Final = 2.0
#: Records of a partition that may wait for slower ones before it is not read on.
_MOST_WAITING: Final = 20_000
#: Where several partitions come together, records are ordered in slots of so much receive time, microseconds.
SLOT_US: Final = 5_000_000
#: One that was away for longer has left a hole: the clock goes on without it, seconds.
HOLE_S: Final = 60.0
#: A broker that was away for less than this has not left a hole that an operator need be told of, seconds.
_AWAY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class End:
    """How far a partition is: the first offset that is not taken, its end, whether all before that was taken."""

    next_offset: int
    end_offset: int
    is_complete: bool
    until_us: int
    """Time of receipt up to which everything was taken; 0: not known."""


class Taker(Protocol):
    """Who takes the records: keeps them and the positions of their partitions in one transaction."""

    def begin(self, partitions: Sequence[int]) -> Mapping[int, int | None]:
        """Where each partition goes on; null: it was never read."""
        ...

    def take(self, taken: Sequence[Taken], ends: Mapping[int, tuple[int, int]]) -> list[int]:
        """Keep records; `ends` says from and to which offset each partition goes.

        Gives the partitions that another consumer has moved on meanwhile: nothing of them was kept.
        """
        ...

    def look(self, ends: Mapping[int, End], at_us: int) -> None:
        """Note how far partitions are at a time."""
        ...

    def away(self, for_s: float) -> None:
        """Note that no broker has answered for so many seconds."""
        ...

    def lose(self, partition: int, from_offset: int, to_offset: int) -> None:
        """Note that Kafka has removed messages before they were read."""
        ...


@dataclass
class _Partition:
    """A partition that this consumer has; `taken` is the first offset that was not given on."""

    taken: int
    waiting: deque[tuple[int, Incoming]] = field(default_factory=deque)
    following: int = 0
    """The offset behind the last message that came."""
    end: int | None = None
    """The offset at which its end was reached, while nothing came since."""
    last_us: int = 0
    """Time of receipt of the last record that came."""
    until_us: int = 0
    paused: bool = False


class Follower:
    """Reads one topic until it is stopped. Belongs to one thread, but for `trouble`."""

    def __init__(
        self,
        address: KafkaAddress,
        group: str,
        taker: Taker,
        reading: Reading,
        *,
        changed: Callable[[], None] = lambda: None,
        now: Clock = wall_us,
    ) -> None:
        """`changed` is called after records were taken."""
        self._address = address
        self._group = group
        self._taker = taker
        self._reading = reading
        self._changed = changed
        self._now = now
        self._complaints = Complaints()
        self._mine: dict[int, _Partition] = {}
        self._next_look = 0.0
        self._away_since: float | None = None
        self._stop = threading.Event()
        self.trouble: GroundswellError | None = None

    def run(self, stop: threading.Event) -> None:
        """Read until `stop` is set.

        Raises:
            GroundswellError: there is no such topic, or the brokers refuse this client. A broker that is away is
                waited for.
        """
        self._stop = stop
        self._reach(stop)
        if stop.is_set():
            return
        consumer = make_consumer(
            self._address,
            self._complaints,
            group__id=self._group,
            enable__partition__eof=True,
            session__timeout__ms=10_000,
            # Partitions change hands within a second or so.
            heartbeat__interval__ms=1_000,
            partition__assignment__strategy="range",
        )
        try:
            consumer.subscribe([self._address.topic], on_assign=self._assigned, on_revoke=self._revoked)
            while not stop.is_set():
                with stage("kafka", "poll"):
                    messages = consumer.consume(_MOST, _POLL_S)
                self._sort_in(consumer, messages)
                self._give(consumer)
                if time.monotonic() >= self._next_look:
                    self._look(consumer)
        except kafka().KafkaException as error:
            raise trouble_of(error.args[0], self._address, self._complaints) from error
        finally:
            consumer.close()
            self._mine = {}

    def _reach(self, stop: threading.Event) -> None:
        """Wait for the first broker that answers."""
        while not stop.is_set():
            try:
                partitions_of(self._address, wait_s=2.0)
            except UnavailableError as error:
                if "reached" not in error.what:
                    raise
                if self.trouble is None:
                    log.error("%s; tried again until there is one: %s", error.what, error.where)
                self.trouble = error
                continue
            if self.trouble is not None:
                log.info("Kafka is there: %s", self._address.where)
                self.trouble = None
            return

    # ---- partitions come and go

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        numbers = sorted(each.partition for each in partitions)
        starts = self._taker.begin(numbers)
        for number in numbers:
            self._start(consumer, number, self._first(consumer, number, starts.get(number)))
        consumer.assign([self._place(number, self._mine[number].taken) for number in numbers])
        log.info("this process reads partitions %s of %s", _listed(numbers), self._address.where)

    def _start(self, consumer: Consumer, number: int, start: int) -> None:
        low, high = consumer.get_watermark_offsets(self._place(number), _ANSWER_S * 5)
        if start < low:
            log.error(
                "Kafka has removed %s messages of partition %s of %s before they were read: keep them for longer"
                " (retention.ms), or do not stop for so long",
                f"{low - start:,}",
                number,
                self._address.where,
            )
            self._taker.lose(number, start, low)
            start = low
        elif start > high:
            what = f"partition {number} ends at {high:,}, before the {start:,} that was read: the topic was made anew"
            hint = "use a topic of another name, or another home"
            raise UnavailableError(what, where=self._address.where, hint=hint)
        self._mine[number] = _Partition(start, following=start)

    def _first(self, consumer: Consumer, number: int, kept: int | None) -> int:
        """Where a partition goes on: as it was kept, or as the group has gone on since elsewhere, or as is said."""
        done = consumer.committed([self._place(number)], _ANSWER_S * 5)[0].offset
        found = [at for at in (kept, done) if at is not None and at >= 0]
        if found:
            return max(found)
        low, high = consumer.get_watermark_offsets(self._place(number), _ANSWER_S * 5)
        return int(low if self._address.start == "earliest" else high)

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # What waits of them was given on to nobody, so whoever has them next reads it again.
        gone = sorted(each.partition for each in partitions)
        done = [self._place(number, self._mine[number].taken) for number in gone if number in self._mine]
        with contextlib.suppress(kafka().KafkaException):
            if done:
                consumer.commit(offsets=done, asynchronous=False)
        for number in gone:
            self._mine.pop(number, None)
        log.info("this process gives back partitions %s of %s", _listed(gone), self._address.where)

    def _place(self, number: int, offset: int | None = None) -> TopicPartition:
        module = kafka()
        found: TopicPartition = (
            module.TopicPartition(self._address.topic, number)
            if offset is None
            else module.TopicPartition(self._address.topic, number, offset)
        )
        return found

    # ---- records come

    def _sort_in(self, consumer: Consumer, messages: list[Message]) -> None:
        now_us = self._now()
        for message in messages:
            part = self._mine.get(int(message.partition() or 0))
            error = message.error()
            if error is not None:
                self._complain(part, message, error)
                continue
            if part is None:
                continue
            offset = int(message.offset() or 0)
            part.following, part.end = offset + 1, None
            found = self._read(message, now_us)
            if found is None:
                return  # stopped
            if found.empty and found.position is None:
                continue  # what remains of a record that compaction has removed
            part.last_us = max(part.last_us, found.received_us)
            part.waiting.append((offset, found))
        self._hold_back(consumer)

    def _read(self, message: Message, now_us: int) -> Incoming | None:
        """The record of a message; waits while the schema registry cannot be reached, null when stopped meanwhile."""
        while True:
            try:
                found = incoming_of(message, now_us, self._reading)
            except UnavailableError as error:
                if self.trouble is None:
                    log.error("%s; tried again until it is there: %s", error.what, error.where)
                self.trouble = error
                if self._stop.wait(1.0):
                    return None
                continue
            if self.trouble is not None and self._away_since is None:
                self.trouble = None
            return found

    def _complain(self, part: _Partition | None, message: Message, error: KafkaError) -> None:
        if error.code() == kafka().KafkaError._PARTITION_EOF:
            if part is not None:
                part.end = part.following = max(int(message.offset() or 0), part.following)
            return
        if error.fatal() or refused([error]) is not None:
            raise trouble_of(error, self._address, self._complaints)
        self._complaints(error)

    def _hold_back(self, consumer: Consumer) -> None:
        for number, part in self._mine.items():
            if not part.paused and len(part.waiting) > _MOST_WAITING and len(self._mine) > 1:
                consumer.pause([self._place(number)])
                part.paused = True
            elif part.paused and len(part.waiting) < _MOST_WAITING // 2:
                consumer.resume([self._place(number)])
                part.paused = False

    def _give(self, consumer: Consumer) -> None:
        """Give on what no slower partition has to come before."""
        # A time of receipt may lie before an earlier one's; what counts is the latest of a partition.
        limits = [part.last_us for part in self._mine.values() if part.end is None and not part.paused]
        limit = min(limits, default=None)
        several = sum(1 for part in self._mine.values() if part.waiting) > 1
        found: dict[int, list[tuple[int, Incoming]]] = {}
        ends: dict[int, tuple[int, int]] = {}
        for number, part in self._mine.items():
            ready = _ready(part.waiting, limit)
            if ready:
                found[number] = ready
            following = part.waiting[0][0] if part.waiting else part.following
            if following > part.taken:
                ends[number] = (part.taken, following)
        if not ends or (not found and not any(part.end is not None for part in self._mine.values())):
            return
        with stage("kafka", "commit", records=sum(map(len, found.values()))):
            taken = cut(found, SLOT_US if several else None)
            moved = self._taker.take(taken, ends)
        for number, (_, following) in ends.items():
            self._mine[number].taken = following
        for number in moved:
            self._seek_anew(consumer, number)
        self._tell(consumer, [number for number in ends if number not in moved])
        if taken:
            self._changed()

    def _seek_anew(self, consumer: Consumer, number: int) -> None:
        start = self._taker.begin([number]).get(number)
        if start is not None:
            log.warning("another consumer has read partition %s of %s; going on behind it", number, self._address.where)
            self._mine[number] = _Partition(start, following=start)
            consumer.seek(self._place(number, start))

    def _tell(self, consumer: Consumer, numbers: Sequence[int]) -> None:
        """Let Kafka know where the group is, for tools that show it; what counts is kept with the records."""
        if numbers:
            consumer.commit(offsets=[self._place(number, self._mine[number].taken) for number in numbers])

    # ---- how far it is

    def _look(self, consumer: Consumer) -> None:
        at_us = self._now()
        found: dict[int, End] = {}
        try:
            for number, part in self._mine.items():
                _, high = consumer.get_watermark_offsets(self._place(number), _ANSWER_S)
                complete = part.end is not None and part.end >= high and not part.waiting
                part.until_us = at_us if complete else max(part.until_us, _until(part))
                found[number] = End(part.taken, high, complete, part.until_us)
        except kafka().KafkaException as error:
            self._is_away(error.args[0])
            return
        finally:
            self._next_look = time.monotonic() + LOOK_S
        self._is_back()
        self._taker.look(found, at_us)
        if found and all(end.is_complete for end in found.values()):
            self._changed()

    def _is_away(self, error: KafkaError) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic()
        known = trouble_of(error, self._address, self._complaints)
        if self.trouble is None and time.monotonic() - self._away_since >= _AWAY_S:
            log.error("%s; records wait where they are, and are read when it is back: %s", known.what, known.where)
            self.trouble = known
        self._taker.away(time.monotonic() - self._away_since)

    def _is_back(self) -> None:
        if self.trouble is not None and self._away_since is not None:
            away = time.monotonic() - self._away_since
            log.info("Kafka is back after %.0f s: %s", away, self._address.where)
        self._away_since = self.trouble = None
        self._complaints.clear()


def incoming_of(message: Message, now_us: int, reading: Reading) -> Incoming:
    """What a message of Kafka is; a time of its producer's own that is still to come counts as now."""
    kind, stamp = message.timestamp()
    stamped = min(stamp * 1000, now_us) if kind else now_us
    value, said = message.value(), message.headers()
    headers = {str(name): _bytes(of) for name, of in (said.items() if isinstance(said, dict) else said or ())}
    return read_message(value or b"", headers, stamped, reading, empty=value is None)


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def _ready(waiting: deque[tuple[int, Incoming]], limit_us: int | None) -> list[tuple[int, Incoming]]:
    found: list[tuple[int, Incoming]] = []
    while waiting and (limit_us is None or waiting[0][1].received_us <= limit_us):
        found.append(waiting.popleft())
    return found


def _until(part: _Partition) -> int:
    return max(0, part.waiting[0][1].received_us - 1) if part.waiting else part.last_us


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"
