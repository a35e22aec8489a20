"""The watch of a topic of Kafka on Spark: two streaming queries in one driver, each with a cursor of its own.

The *watch* query hands each micro-batch as digests to the one detector, which this process holds by the lease of the
watch; when a micro-batch is done, all that was found is in the desk and the detector's state on the disk, so Spark
never has to give it again. The *lake* query appends the posts. What was not finished Spark gives once more, and it is
recognised. A query that ends because brokers, a schema registry or the lake are away is started again from there.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from groundswell.bus import open_bus
from groundswell.bus.kafka_address import KafkaAddress
from groundswell.bus.kafka_clients import partitions_of
from groundswell.bus.kafka_dead import DeadLetters
from groundswell.bus.kafka_follow import HOLE_S
from groundswell.channels.sender import Sender, sending
from groundswell.desk import Desk, alert_cases, checkpoints, leases, open_desk, trackers
from groundswell.desk.clock import Clock, wall_us
from groundswell.lake import Lake
from groundswell.stores import until
from groundswell.watch.cluster.feed import MicroBatch, MicroBatches
from groundswell.watch.cluster.lake import LakeWriter
from groundswell.watch.cluster.places import Place, folder_of
from groundswell.watch.cluster.queries import Batch, Query, ends_of
from groundswell.watch.cluster.reach import LAKE, WATCH, Reach
from groundswell.watch.cluster.slices import Task
from groundswell.watch.cluster.topic import COLUMNS, reader_options
from groundswell.watch.digest import Wanted
from groundswell.watch.learning import Teacher
from groundswell.watch.loop import WatchLoop
from groundswell.watch.parts import Hook, Parts
from groundswell.watch.plan import params_of, spec_of
from groundswell.watch.runner import DRAIN_S, TICK_S, RunnerStatus, despite_a_lost_desk, only_runner

if TYPE_CHECKING:
    from groundswell.settings import Settings

#: A micro-batch of the watch begins this often, seconds: about so much later than in one process an alert may be.
EVERY_S: Final = 2.0
#: Messages of one micro-batch, at most.
MOST: Final = 200_000
#: A micro-batch of more than this part of that left messages behind.
_FULL: Final = 0.9
#: A record's number is never greater.
_ALL: Final = 1 << 62


@dataclass(frozen=True)
class Pace:
    """How a topic is read. `live`: until stopped, by the clock of this machine; else what it holds now."""

    live: bool = True
    every_s: float = EVERY_S
    most: int = MOST


class SparkWatch:
    """Watches a topic on a Spark session; one a home, by the lease of the watch.

    `hook` is called at each border of a step, and at `counted` when the executors have given their digests.
    """

    def __init__(
        self,
        settings: Settings,
        address: KafkaAddress,
        pace: Pace | None = None,
        *,
        on_change: Callable[[], None] = lambda: None,
        now: Clock = wall_us,
        hook: Hook = lambda _border: None,
    ) -> None:
        self._settings = settings
        self._address = address
        self._pace = pace or Pace()
        self._on_change = on_change
        self._now = now
        self._hook = hook
        self._turn = threading.RLock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._queries: dict[str, Query] = {}
        self._watched: dict[int, int] = {}
        self._stored: dict[int, int] = {}
        self._covered_us: int | None = None
        self._recovered = False
        self._loop: WatchLoop | None = None
        self._reach: Reach | None = None
        self._sender: Sender | None = None
        self.records = 0
        """Records done since it was made."""
        self.digest_bytes = 0
        """Bytes that executors sent of them."""

    @property
    def folder(self) -> Path:
        """Where the queries of this topic keep where they are."""
        return folder_of(self._address, self._settings.home)

    def wake(self) -> None:
        """Say that there may be something to do; safe from any thread."""
        self._wake.set()

    def status(self) -> RunnerStatus | None:
        """How it does; null while it does not run."""
        loop, reach = self._loop, self._reach
        if loop is None or reach is None:
            return None
        watch = self._queries.get(WATCH)
        bus_trouble = reach.trouble or (None if watch is None else watch.trouble)
        return RunnerStatus(
            records=self.records,
            clock_us=loop.clock_us or None,
            watermark_us=loop.progress.watermark_us,
            block=loop.progress.block,
            behind_blocks=max(0, self._feed.newest - loop.progress.block),
            trouble=self._lake_trouble(),
            untaught=len(loop.untaught()),
            bus_trouble=None if bus_trouble is None else str(bus_trouble),
        )

    def run(self, stop: threading.Event) -> None:
        """Hold the lease and watch.

        Raises:
            ConflictError: another process watches on this home.
            UsageError: Spark cannot speak to these brokers, or the engine is one that cannot watch.
            NotFoundError: there is no such topic, and it is to be read only as far as it goes now.
            UnavailableError: Spark, Kafka, the desk or the lake cannot be used.
        """
        from groundswell.engines.spark_session import start_classic  # noqa: PLC0415 - an extra

        options = reader_options(self._address)
        if not self._pace.live:
            partitions_of(self._address)
        with ExitStack() as stack:
            session, own = start_classic(self._settings)
            if own:
                stack.callback(_end, session)
            despite_a_lost_desk(lambda: self._run_once(session, options, stop), stop, live=self._pace.live)

    def _run_once(self, session: Any, options: dict[str, str], stop: threading.Event) -> None:
        with ExitStack() as stack:
            stack.callback(self._forget)
            self._stop = stop
            desk = stack.enter_context(open_desk(self._settings))
            held = stack.enter_context(only_runner(desk))
            self._desk, self._bus = desk, stack.enter_context(open_bus(self._settings, desk))
            self._reach = Reach(self._address, desk, now=self._now)
            self._lake = Lake.open(self._settings)
            self._feed = MicroBatches(params_of(self._settings), self._bus.connections)
            self._make = partial(self._make_loop, desk, held, stop)
            self._loop = self._make()
            stack.callback(self._close)
            self._place = Place.taken(self.folder, self._loop.progress.block)
            self._recovered = False
            self._sender = stack.enter_context(sending(self._settings, desk, held, now=self._now, hook=self._hook))
            if not self._pace.live or self._reach.wait(stop):
                self._reach.start()
                stack.callback(self._reach.stop)
                self._work(self._loop, session, options, self._sender, stop)

    def _close(self) -> None:
        if self._loop is not None:
            self._loop.close()

    def _lake_trouble(self) -> str | None:
        """Why the lake is not written, or its store waited for."""
        query = self._queries.get(LAKE)
        trouble = None if query is None else query.trouble
        return self._lake.trouble if trouble is None else str(trouble)

    def _has(self, block: int) -> bool:
        """Whether the lake has all that was watched since this process began."""
        del block  # the lake's micro-batches are others
        return all(self._stored.get(number, -1) >= last for number, last in self._watched.items())

    def _forget(self) -> None:
        self._loop = self._reach = self._sender = None
        self._queries = {}

    def _make_loop(self, desk: Desk, held: leases.Held, stop: threading.Event) -> WatchLoop:
        from groundswell.platforms.saved import registry_for  # noqa: PLC0415 - loads every layout

        params = params_of(self._settings)
        teacher = Teacher(self._lake, params, stop, said=self._lake_trouble, has=self._has)
        parts = Parts(
            settings=self._settings,
            desk=desk,
            journal=self._feed,
            held=held,
            engine=None,
            registry=registry_for(self._settings),
            teach=teacher.teach,
            teach_topics=teacher.teach_topics,
            may_catch_up=teacher.may_catch_up,
            now=self._now,
            hook=self._hook,
            told=self._told,
            read=self._feed.read,
        )
        return WatchLoop(parts, live=self._pace.live)

    def _work(
        self, loop: WatchLoop, session: Any, options: dict[str, str], sender: Sender, stop: threading.Event
    ) -> None:
        with self._turn:
            self._recover(loop, None)
        dead = DeadLetters(self._address)
        writer = LakeWriter(self._lake, self._desk, self._settings, self._place.app, dead, self._now)
        every = {WATCH: self._pace.every_s, LAKE: self._settings.commit_every}
        does: dict[str, Batch] = {WATCH: self._watch, LAKE: lambda frame, number: self._store(writer, frame, number)}
        for name, do in does.items():
            begin = self._beginner(session, options, name, every[name])
            renew = self._renew if name == WATCH else lambda: None
            waits = name == LAKE
            self._queries[name] = Query(begin, do, self._address, live=self._pace.live, waits=waits, renew=renew)
            self._queries[name].start()
        try:
            self._follow(stop)
        finally:
            # Without its turn: a micro-batch that is under way is to come to its end.
            for query in self._queries.values():
                with contextlib.suppress(Exception):
                    query.stop()
        self._note_ends()
        with self._turn:
            last = self._loop
            if self._recovered and last is not None and not self._queries[WATCH].has_failed:
                if not self._pace.live and not stop.is_set():
                    self._end(last)
                last.checkpoint()
        self._told()
        if not stop.is_set() and not self._pace.live:
            sender.drain(DRAIN_S)

    def _beginner(self, session: Any, options: dict[str, str], name: str, every_s: float) -> Callable[[Batch], Any]:
        def begin(do: Batch) -> Any:
            frame = session.readStream.format("kafka").options(**options, maxOffsetsPerTrigger=self._pace.most).load()
            writer = frame.selectExpr(*COLUMNS).writeStream.queryName(f"groundswell-{name}").foreachBatch(do)
            writer = writer.option("checkpointLocation", (self.folder / name).as_uri())
            live = self._pace.live
            writer = writer.trigger(processingTime=f"{every_s} seconds") if live else writer.trigger(availableNow=True)
            return writer.start()

        return begin

    def _renew(self) -> None:
        """Go on from the last checkpoint: what a micro-batch had begun when its query ended is not in force."""
        with self._turn:
            self._close()
            self._loop = self._make()
            self._recovered = False
            self._recover(self._loop, None)

    def _follow(self, stop: threading.Event) -> None:
        queries = self._queries.values()
        while not stop.is_set():
            self._wake.clear()
            for query in queries:
                query.keep()
            if not any(query.is_active for query in queries):
                return
            self._note_ends()
            if self._pace.live:
                with self._turn:
                    self._idle(self._queries[WATCH])
            self._wake.wait(TICK_S)

    def _note_ends(self) -> None:
        for name, query in self._queries.items():
            with contextlib.suppress(Exception):  # of a JVM that has ended
                progress = query.progress()
                if progress is not None and self._reach is not None:
                    self._reach.readers[name].next_offset |= ends_of(progress, self._address.topic)

    def _idle(self, query: Query) -> None:
        """While nothing comes in, let the clock close windows: as far as the topic is known to hold no more."""
        loop, reach = self._loop, self._reach
        if not self._recovered or loop is None or reach is None:
            return
        if reach.away_s() > HOLE_S:
            # Nobody can write to a broker that is away; what it may have got meanwhile is a hole.
            self._covered_us = self._now()
            loop.tick(self._covered_us)
            return
        last = query.progress() if query.trouble is None else None
        if last is None or last["numInputRows"]:
            return
        asked_us = round(datetime.fromisoformat(last["timestamp"]).timestamp() * 1_000_000)
        self._beat(asked_us, asked_us)
        loop.tick(min(asked_us, self._now()))

    def _beat(self, from_us: int, to_us: int) -> None:
        """Everything that the topic got up to `to_us` was read: it keeps what comes while nobody reads."""
        begin = from_us if self._covered_us is None else min(self._covered_us, from_us)
        self._bus.connected(self._address.source, begin, max(begin, to_us))
        self._covered_us = max(begin, to_us)

    def _task(self) -> Task:
        return Task.of(self._address, self._settings, self._now())

    def _watch(self, frame: Any, batch_id: int) -> None:
        with self._turn:
            loop, number = self._loop, self._place.base + batch_id + 1
            if loop is None or loop.progress.block >= number:
                return  # it was done, and the driver ended before Spark knew
            with self._desk.reading() as session:
                specs = [spec_of(row) for row in trackers.list_active(session)]
            wanted = Wanted.of(loop.progress.state.topics, specs, loop.params)
            micro = MicroBatch(number, frame, self._task(), wanted)
            self._hook("counted")
            if not micro.records:
                return
            left = micro.records > _FULL * self._pace.most
            self._feed.pending, self._feed.newest = micro, number + left
            block = micro.block
            if self._pace.live:
                self._beat(block.received_from_us, block.received_to_us if left else self._now())
            self._recover(loop, micro)
            loop.advance()
            loop.checkpoint()
            self.records += micro.records
            self.digest_bytes += micro.digest_bytes
            self._watched = self._watched | micro.ends
            self._note(WATCH, micro.ends, micro.received)

    def _note(self, name: str, ends: dict[int, int], received_us: dict[int, int]) -> None:
        if self._reach is not None:
            reached = self._reach.readers[name]
            reached.next_offset |= {number: last + 1 for number, last in ends.items()}
            reached.received_us |= received_us

    def _recover(self, loop: WatchLoop, micro: MicroBatch | None) -> None:
        """Do again what was planned; a batch that was is given again by Spark, so that waits for it."""
        if self._recovered:
            return
        with self._desk.reading() as session:
            planned = checkpoints.plans_after(session, loop.progress.batch)
        if micro is not None or all(row.last_block < row.first_block for row in planned):
            loop.recover()
            self._recovered = True

    def _store(self, writer: LakeWriter, frame: Any, batch_id: int) -> None:
        with until(self._stop):
            written = writer.write(frame, batch_id + 1, self._task())
        self._stored |= written.ends
        self._note(LAKE, written.ends, written.received_us)
        if self._watched and self._has(self._place.base):
            self._settle()

    def _settle(self) -> None:
        """Note with alerts that the lake has all their posts."""
        with self._desk.session() as session:
            if alert_cases.waiting(session):
                alert_cases.settle(session, _ALL, self._lake.version(), self._lake.last_number())

    def _end(self, loop: WatchLoop) -> None:
        """Close what the topic's last record closes."""
        received = loop.progress.state.clock.received_us
        if received > 0:
            loop.tick(loop.end_of_stream_us(received))
            loop.checkpoint()
        self._settle()

    def _told(self) -> None:
        """There is something that people should see."""
        if self._sender is not None:
            self._sender.wake()
        self._on_change()


def _end(session: Any) -> None:
    """End Spark; a signal to the whole group of processes may have ended it before."""
    with contextlib.suppress(Exception):
        session.stop()
