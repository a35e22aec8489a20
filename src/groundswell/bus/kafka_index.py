"""What a follower took becomes numbered blocks in the desk, in one transaction with the position of its partition."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy.orm import Session

from groundswell.bus.blocks import Micros
from groundswell.bus.contract import BEAT_GAP_US
from groundswell.bus.kafka_dead import DeadLetters
from groundswell.bus.kafka_follow import HOLE_S, End
from groundswell.bus.kafka_pieces import Taken
from groundswell.desk import Desk, bus_index
from groundswell.desk.clock import Clock
from groundswell.desk.leases import this_process
from groundswell.telemetry import level

#: What the rows of partitions that are read into the index are called.
CONSUMER: Final = "bus"
#: How often the desk is told how far partitions are, seconds; this process knows it at once.
_TELL_S: Final = 1.0
#: Bytes of records that are kept for readers of this process, so that Kafka need not be asked again.
_KEPT_BYTES: Final = 96 << 20

Held = tuple[list[bytes], Micros]
"""The records of a block, and when each was received."""


class Kept:
    """The records of the newest blocks, by number; safe from several threads."""

    def __init__(self, limit: int = _KEPT_BYTES) -> None:
        self._lock = threading.Lock()
        self._limit = limit
        self._size = 0
        self._found: OrderedDict[int, tuple[int, Held]] = OrderedDict()

    def put(self, seq: int, size: int, held: Held) -> None:
        """Keep a block, and let the oldest go where there are too many."""
        with self._lock:
            self._found[seq] = (size, held)
            self._size += size
            while self._size > self._limit and len(self._found) > 1:
                self._size -= self._found.popitem(last=False)[1][0]

    def get(self, seq: int) -> Held | None:
        """A block that is still kept."""
        with self._lock:
            found = self._found.get(seq)
            return None if found is None else found[1]


class Index:
    """Takes records into the index of `topic` (see `kafka_follow.Taker`)."""

    def __init__(self, desk: Desk, topic: str, source: str, kept: Kept, dead: DeadLetters, *, now: Clock) -> None:
        """`source` is that of records of other programs, which nobody else says is connected."""
        self._desk = desk
        self._topic = topic
        self._source = source
        self._kept = kept
        self._dead = dead
        self._now = now
        self._ends: dict[int, End] = {}
        self._told_at = 0.0
        self._covered_us: int | None = None
        self._has_foreign: bool | None = None
        self.is_away = False
        """No broker has answered for long, and everything was read before."""

    def begin(self, partitions: Sequence[int]) -> Mapping[int, int | None]:
        """Where each partition goes on; null: it was never read."""
        with self._desk.reading() as session:
            rows = {row.partition: row.next_offset for row in bus_index.partitions(session, CONSUMER, self._topic)}
        self._ends = {number: end for number, end in self._ends.items() if number in partitions}
        return {number: rows.get(number) for number in partitions}

    def take(self, taken: Sequence[Taken], ends: Mapping[int, tuple[int, int]]) -> list[int]:
        """Number records and move the positions of their partitions on; gives those that another has moved."""
        self._dead.write(taken)
        now = self._now()
        with self._desk.session() as session:
            bus_index.begin(session, 1, 0)  # its lock first: whoever has it, numbers
            at = {row.partition: row.next_offset for row in bus_index.partitions(session, CONSUMER, self._topic)}
            moved = [number for number, (start, _) in ends.items() if at.get(number, start) != start]
            mine = [part for part in taken if part.partition not in moved]
            parts = [part for part in mine if part.records]
            rows = bus_index.enter(session, self._topic, [piece_of(part) for part in parts], now)
            for number, (_, following) in ends.items():
                if number not in moved:
                    self._put(session, number, next_offset=following, owner=this_process())
            bus_index.put_positions(session, dict(pair for part in mine for pair in part.positions), now)
        for row, part in zip(rows, parts, strict=True):
            self._kept.put(row.seq, part.size, (part.records, part.received_us))
        if any(part.source == self._source for part in parts):
            self._has_foreign = True
        return moved

    def _put(self, session: Session, number: int, **values: object) -> None:
        row = {"consumer": CONSUMER, "topic": self._topic, "partition": number, **values}
        bus_index.put_partition(session, row)

    def look(self, ends: Mapping[int, End], at_us: int) -> None:
        """Note how far partitions are."""
        self.is_away = False
        was_complete = all(end.is_complete for end in self._ends.values()) if self._ends else False
        self._ends = dict(ends)
        for number, end in ends.items():
            level("kafka_lag", max(0, end.end_offset - end.next_offset), self._topic, str(number))
        is_complete = all(end.is_complete for end in ends.values())
        if time.monotonic() - self._told_at < _TELL_S and was_complete == is_complete:
            return
        self._told_at = time.monotonic()
        with self._desk.session() as session:
            for number, end in ends.items():
                self._put(
                    session,
                    number,
                    next_offset=end.next_offset,
                    end_offset=end.end_offset,
                    complete_until=end.until_us,
                    looked_at=at_us,
                    owner=this_process(),
                )
            if ends:
                self._cover(session, min(end.until_us for end in ends.values()))

    def _cover(self, session: Session, until_us: int) -> None:
        """Say that everything of other programs is here up to a time: Kafka kept what came while nobody read."""
        if self._has_foreign is None:
            known = [each for each in bus_index.connections(session, 0) if each[0] == self._source]
            self._has_foreign = bool(known)
            self._covered_us = max((each[2] for each in known), default=None)
        if not self._has_foreign or not until_us:
            return
        begin = until_us if self._covered_us is None else min(self._covered_us, until_us)
        bus_index.connect(session, self._source, begin, until_us, BEAT_GAP_US)
        self._covered_us = until_us

    def away(self, for_s: float) -> None:
        """Let the clock go on without a broker that is away for long, unless there was more to read before."""
        if for_s > HOLE_S and self._ends and all(end.is_complete for end in self._ends.values()):
            self.is_away = True
            if self._covered_us is not None:
                self._covered_us = self._now()

    def lose(self, partition: int, from_offset: int, to_offset: int) -> None:
        """Note that Kafka has removed messages before they were read."""
        with self._desk.session() as session:
            rows = {row.partition: row for row in bus_index.partitions(session, CONSUMER, self._topic)}
            before = rows[partition].lost if partition in rows else 0
            self._put(session, partition, next_offset=to_offset, lost=before + to_offset - from_offset)

    def ends(self) -> Mapping[int, End]:
        """How far the partitions of this process were when they were looked at last."""
        return self._ends


def piece_of(part: Taken) -> bus_index.Piece:
    """What the index says of a block."""
    return bus_index.Piece(
        partition=part.partition,
        first_offset=part.first_offset,
        last_offset=part.last_offset,
        source=part.source,
        kind=str(part.kind),
        hint=part.hint,
        count=len(part.records),
        size=part.size,
        received_from=int(part.received_us.min()),
        received_to=int(part.received_us.max()),
    )
