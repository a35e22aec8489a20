"""The bus in a topic of Kafka: records lie there, and the desk has the index of their blocks.

An append is a transaction of Kafka. One process, the one that watches, *follows* the topic and numbers what came:
block by block, in the order of receipt, in one transaction of the desk with the position of each partition. So numbers,
plans and cursors of the readers are the same as with the journal, and a block is read again by its offsets.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Final

from groundswell.bus.blocks import Block, Kind, Micros, last_of_batch
from groundswell.bus.contract import BEAT_GAP_US, Arrivals, Connected, Holds
from groundswell.bus.kafka_address import KafkaAddress
from groundswell.bus.kafka_clients import partitions_of
from groundswell.bus.kafka_dead import DeadLetters
from groundswell.bus.kafka_fetch import FetchedBlock, Fetcher, Loader
from groundswell.bus.kafka_follow import Follower
from groundswell.bus.kafka_index import CONSUMER, Index, Kept
from groundswell.bus.kafka_records import Decode, Reading
from groundswell.bus.kafka_write import Writer
from groundswell.desk import Desk, bus_index
from groundswell.desk.clock import Clock, wall_us
from groundswell.desk.leases import holder_of
from groundswell.desk.tables import BusBlockRow
from groundswell.errors import GroundswellError, UnavailableError

log = logging.getLogger("groundswell.kafka")

#: How long is waited for what was appended before to be numbered, and between two looks, seconds.
_SETTLE_S: Final = 60.0
_LOOK_S: Final = 0.05
#: What failed for good is tried again after this, seconds.
_AGAIN_S: Final = 2.0


class KafkaBus:
    """A topic as a bus (see `contract.Bus`). Opening it reaches no broker; threads may share it."""

    def __init__(
        self,
        address: KafkaAddress,
        desk: Desk,
        *,
        max_record: int,
        decode: Decode | None = None,
        now: Clock = wall_us,
        own_desk: bool = False,
    ) -> None:
        """`decode` reads Avro; `own_desk`: the desk is closed with the bus."""
        self.address = address
        self._desk = desk
        self._own_desk = own_desk
        self._now = now
        self._reading = Reading(address.topic, address.source, _hint(address), decode, max_record)
        self._kept = Kept()
        self._writer = Writer(address, desk)
        self._fetcher = Fetcher(address, self._reading)
        self._holds = Holds()
        self._partitions: list[int] | None = None
        self._follower: Follower | None = None
        self._index: Index | None = None
        self._failure: GroundswellError | None = None

    # ---- those who write

    def append(
        self,
        source: str,
        records: Sequence[bytes],
        *,
        kind: Kind = Kind.RECORDS,
        received_us: int | Micros,
        hint: Mapping[str, Any] | None = None,
        position: str | None = None,
        partition: str = "",
    ) -> None:
        """Append records, and the source's own position behind them, in one transaction of Kafka.

        Raises:
            UnavailableError: Kafka cannot be reached or refuses them; nothing was appended.
        """
        placed = None if position is None else (_key(source, partition), position)
        self._writer.append(source, records, kind=kind, received_us=received_us, hint=hint, position=placed)

    def position(self, source: str, partition: str = "") -> str | None:
        """The position that came with the source's last records; null if it never gave one.

        Raises:
            UnavailableError: Kafka cannot be reached, so that nobody knows.
        """
        self._reach()
        self._writer.ready()
        self.settle()
        with self._desk.reading() as session:
            return bus_index.position(session, _key(source, partition))

    def forget(self, source: str, partition: str = "") -> None:
        """Drop a source's position, so that it is read from the start again."""
        self.settle()
        with self._desk.session() as session:
            bus_index.forget_position(session, _key(source, partition))

    def heartbeat(self, source: str, at_us: int) -> None:
        """Say that `source` is connected at `at_us`."""
        self.connected(source, at_us, at_us)

    def connected(self, source: str, from_us: int, to_us: int) -> None:
        """Say that `source` has everything from one time to another; joins an interval that ends close before it."""
        with self._desk.session() as session:
            bus_index.connect(session, source, from_us, to_us, BEAT_GAP_US)

    def connections(self, since_us: int = 0) -> list[Connected]:
        """The intervals that reach beyond `since_us`, by source and start."""
        with self._desk.reading() as session:
            return [Connected(*found) for found in bus_index.connections(session, since_us)]

    # ---- those who read

    def borders(self, after_block: int, max_records: int, max_bytes: int, max_span_us: int | None = None) -> int:
        """The last block of a batch that starts after `after_block` and keeps to the limits."""
        with self._desk.reading() as session:
            rows = bus_index.sizes(session, after_block, max_records + 1)
        return last_of_batch(rows, after_block, max_records, max_bytes, max_span_us)

    def between(self, first_block: int, last_block: int) -> list[Block]:
        """The blocks numbered first to last, inclusive, in order; their records are read when they are asked for."""
        if last_block < first_block:
            return []
        with self._desk.reading() as session:
            rows = bus_index.blocks(session, first_block, last_block)
        loader = Loader(rows, self._fetcher, self._kept)
        return [_block(row, loader) for row in rows]

    def read(self, after_block: int, max_records: int, max_bytes: int) -> list[Block]:
        """The next blocks, as many as keep to the limits, at least one if there is any."""
        return self.between(after_block + 1, self.borders(after_block, max_records, max_bytes))

    def last_block(self) -> int:
        """Number of the newest block that was numbered; 0 if there was none."""
        with self._desk.reading() as session:
            found = bus_index.numbers(session)
        return 0 if found is None else found.next_block - 1

    def first_block(self) -> int:
        """Number of the oldest block of the index; one more than the newest if it is empty."""
        with self._desk.reading() as session:
            found = bus_index.first_kept(session)
        return self.last_block() + 1 if found is None else found

    def next_record(self) -> int:
        """The number that the next record will get."""
        with self._desk.reading() as session:
            found = bus_index.numbers(session)
        return 0 if found is None else found.next_record

    def arrivals(self, after_block: int) -> list[Arrivals]:
        """What each source brought in the blocks after `after_block`, by source."""
        with self._desk.reading() as session:
            return [Arrivals(*found) for found in bus_index.arrivals(session, after_block)]

    def cut(self, before_block: int, older_than_us: int) -> int:
        """Take old blocks out of the index; how long Kafka keeps their records is said there (`retention.ms`)."""
        with self._desk.session() as session:
            return bus_index.cut(session, before_block, older_than_us)

    # ---- following

    def follow(self, changed: Callable[[], None], stop: threading.Event) -> Callable[[], None]:
        """Number what comes in, in a thread, until what this gives is called.

        Raises:
            UnavailableError: no broker can be reached, or they refuse this client.
            NotFoundError: there is no such topic.
        """
        self._partitions = partitions_of(self.address)
        with self._desk.session() as session:
            group = self.address.options.get("group") or bus_index.begin(session, 1, 0).group
        dead = DeadLetters(self.address)
        index = Index(self._desk, self.address.topic, self.address.source, self._kept, dead, now=self._now)
        follower = Follower(self.address, group, index, self._reading, changed=changed, now=self._now)
        ended = threading.Event()
        thread = threading.Thread(target=self._keep, args=(follower, ended), name="kafka", daemon=True)
        self._index, self._follower = index, follower
        thread.start()

        def end() -> None:
            ended.set()
            thread.join()
            self._index = self._follower = None

        return end

    def _keep(self, follower: Follower, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                follower.run(stop)
                self._failure = None
            except GroundswellError as error:
                self._fail(error)
            except Exception as error:  # it goes on, and says so
                log.exception("reading Kafka failed")
                self._fail(UnavailableError(f"reading Kafka failed ({error!r})", where=self.address.where))
            stop.wait(_AGAIN_S)

    def _fail(self, error: GroundswellError) -> None:
        if self._failure is None or self._failure.what != error.what:
            log.error("nothing comes in: %s", error)
        self._failure = error

    def settle(self, stop: threading.Event | None = None) -> None:
        """Wait until everything that was in the topic is numbered, or until `stop`.

        Numbers it itself where no process follows.

        Raises:
            UnavailableError: Kafka cannot be reached, or it takes too long.
        """
        behind = self._writer.behind()
        ends = self._fetcher.ends(self._reach())
        ends = {number: max(end, behind.get(number, 0)) for number, end in ends.items()}
        if self._is_numbered(ends):
            return
        with ExitStack() as stack:
            if self._follower is None and not self._is_followed():
                stack.callback(self.follow(lambda: None, threading.Event()))
            deadline = time.monotonic() + _SETTLE_S
            pause = stop or threading.Event()
            while not self._is_numbered(ends):
                if time.monotonic() > deadline:
                    what = "what is in the topic is not numbered"
                    hint = self.trouble() or "see the log of the process that watches"
                    raise UnavailableError(what, where=self.address.where, hint=hint)
                if pause.wait(_LOOK_S):
                    return

    def _reach(self) -> list[int]:
        self._partitions = self._partitions or partitions_of(self.address)
        return self._partitions

    def _is_followed(self) -> bool:
        with self._desk.reading() as session:
            return holder_of(session, "watch") is not None

    def _is_numbered(self, ends: Mapping[int, int]) -> bool:
        with self._desk.reading() as session:
            rows = bus_index.partitions(session, CONSUMER, self.address.topic)
        done = {row.partition: row.next_offset for row in rows}
        return all(done.get(number, -1) >= end for number, end in ends.items() if end > 0)

    def hold(self, source: str, until_us: int | None) -> None:
        """Say that more of `source` is to come that was received after a time; null: it is complete up to now."""
        self._holds.hold(source, until_us)

    def complete_until(self, now_us: int) -> int:
        """Time of receipt up to which every partition was read: the least of them, and not after now.

        A partition whose end was reached moves on with the clock. While no broker answers it stands still, for a
        minute; then that time counts as a hole, unless there was more to read before.
        """
        least = self._holds.complete_until(now_us)
        index = self._index
        if index is not None and index.is_away:
            return least
        mine = {} if index is None else index.ends()
        known = {number: end.until_us for number, end in mine.items()}
        if set(known) != set(self._partitions or ()):
            with self._desk.reading() as session:
                rows = bus_index.partitions(session, CONSUMER, self.address.topic)
            known = {row.partition: row.complete_until for row in rows} | known
        return min([least, *(known.get(number, 0) for number in self._partitions or (0,))])

    def trouble(self) -> str | None:
        """Why nothing comes in, in a sentence; null while all is well."""
        follower = self._follower
        found = self._failure or (None if follower is None else follower.trouble)
        return None if found is None else str(found)

    def close(self) -> None:
        """Close it; further calls fail."""
        self._writer.close()
        self._fetcher.close()
        if self._own_desk:
            self._desk.close()

    def __enter__(self) -> KafkaBus:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _hint(address: KafkaAddress) -> str | None:
    return None if address.hint is None else json.dumps(address.hint, ensure_ascii=False, sort_keys=True)


def _key(source: str, partition: str) -> str:
    # A newline is in no source's name, so two pairs never share a key.
    return f"{source}\n{partition}" if partition else source


def _block(row: BusBlockRow, loader: Loader) -> FetchedBlock:
    return FetchedBlock(
        seq=row.seq,
        source=row.source,
        kind=Kind(row.kind),
        hint=None if row.hint is None else json.loads(row.hint),
        first_record=row.first_record,
        count=row.count,
        size=row.size,
        received_from_us=row.received_from,
        received_to_us=row.received_to,
        body=b"",
        times=None,
        loader=loader,
    )
