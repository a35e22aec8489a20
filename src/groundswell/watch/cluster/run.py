"""The watch of a topic of Kafka on Spark: two streaming queries in one driver, each with a cursor of its own.

The *watch* query hands each micro-batch as digests to the one detector, which this process holds by the lease of the
watch; when a micro-batch is done, all that was found is in the desk and the detector's state on the disk, so Spark
never has to give it again. The *lake* query appends the posts. What was not finished Spark gives once more, and it is
recognised.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from groundswell.bus import Journal
from groundswell.bus.kafka_address import KafkaAddress
from groundswell.channels.sender import Sender, sending
from groundswell.desk import Desk, alert_cases, checkpoints, leases, open_desk, trackers
from groundswell.desk.clock import Clock, wall_us
from groundswell.errors import GroundswellError, UnavailableError
from groundswell.lake import Lake
from groundswell.watch.cluster.feed import MicroBatch, MicroBatches
from groundswell.watch.cluster.lake import LakeWriter
from groundswell.watch.cluster.topic import COLUMNS, reader_options
from groundswell.watch.cluster.worker import Task
from groundswell.watch.contract import TrackerSpec
from groundswell.watch.digest import Wanted
from groundswell.watch.emerging.state import Emerging
from groundswell.watch.history import StoppedError, teach
from groundswell.watch.loop import Hook, Parts, WatchLoop
from groundswell.watch.plan import params_of, spec_of
from groundswell.watch.runner import DRAIN_S, TICK_S, RunnerStatus, only_runner
from groundswell.watch.state import WatchState
from groundswell.watch.topic_history import teach_topics

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


class Place(msgspec.Struct, frozen=True):
    """What the folder of a topic remembers of itself: written before its queries first start."""

    app: str
    """Names the transactions of the lake."""
    base: int
    """The desk's block when it was made: micro-batch 0 is block `base` + 1."""


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
        self._failure: Exception | None = None
        self._watched: dict[int, int] = {}
        self._stored: dict[int, int] = {}
        self._reached_us: int | None = None
        self._recovered = False
        self._sender: Sender | None = None
        self.records = 0
        """Records done since it was made."""
        self.digest_bytes = 0
        """Bytes that executors sent of them."""

    @property
    def folder(self) -> Path:
        """Where the queries of this topic keep where they are."""
        name = sha256(f"{','.join(sorted(self._address.servers))}/{self._address.topic}".encode()).hexdigest()[:12]
        return self._settings.home.absolute() / "spark" / f"{self._address.topic}-{name}"

    def wake(self) -> None:
        """Say that there may be something to do; safe from any thread."""
        self._wake.set()

    def status(self) -> RunnerStatus | None:
        """How it does; null while it does not run."""
        loop = getattr(self, "_loop", None)
        if loop is None:
            return None
        trouble = None if self._failure is None else str(self._failure)
        behind = max(0, self._feed.newest - loop.progress.block)
        watermark = loop.progress.watermark_us
        return RunnerStatus(self.records, loop.clock_us or None, watermark, loop.progress.block, behind, trouble)

    def run(self, stop: threading.Event) -> None:
        """Hold the lease and watch.

        Raises:
            ConflictError: another process watches on this home.
            UsageError: Spark cannot speak to these brokers, or the engine is one that cannot watch.
            UnavailableError: Spark, Kafka, the desk or the lake cannot be used.
        """
        from groundswell.engines.spark_session import start_classic  # noqa: PLC0415 - an extra

        options = reader_options(self._address)
        with ExitStack() as stack:
            desk = stack.enter_context(open_desk(self._settings))
            held = stack.enter_context(only_runner(desk))
            journal = stack.enter_context(Journal(self._settings.journal_path))
            session, own = start_classic(self._settings)
            if own:
                stack.callback(session.stop)
            self._desk, self._journal = desk, journal
            self._lake = Lake.open(self._settings)
            self._feed = MicroBatches(params_of(self._settings), journal.connections)
            self._loop = self._make_loop(desk, held, stop)
            self._place = self._take_place()
            sender = stack.enter_context(sending(self._settings, desk, held, now=self._now, hook=self._hook))
            self._work(session, options, sender, stop)

    def _make_loop(self, desk: Desk, held: leases.Held, stop: threading.Event) -> WatchLoop:
        from groundswell.platforms.saved import registry_for  # noqa: PLC0415 - loads every layout

        params = params_of(self._settings)

        def teach_new(state: WatchState, specs: Sequence[TrackerSpec], until_us: int) -> WatchState:
            return teach(state, specs, until_us, params, lake=self._lake, stop=stop)

        def teach_words(topics: Emerging, until_us: int) -> Emerging:
            return teach_topics(topics, until_us, params, lake=self._lake, stop=stop)

        parts = Parts(
            settings=self._settings,
            desk=desk,
            journal=self._feed,
            held=held,
            engine=None,
            registry=registry_for(self._settings),
            teach=teach_new,
            teach_topics=teach_words,
            now=self._now,
            hook=self._hook,
            told=self._told,
            read=self._feed.read,
        )
        return WatchLoop(parts, live=self._pace.live)

    def _take_place(self) -> Place:
        path = self.folder / "place.json"
        if path.exists():
            return msgspec.json.decode(path.read_bytes(), type=Place)
        self.folder.mkdir(parents=True, exist_ok=True)
        place = Place(f"spark-{secrets.token_hex(6)}", self._loop.progress.block)
        partial = path.with_suffix(".partial")
        partial.write_bytes(msgspec.json.encode(place))
        partial.replace(path)
        return place

    def _work(self, session: Any, options: dict[str, str], sender: Sender, stop: threading.Event) -> None:
        self._sender = sender
        with self._turn:
            self._recover(None)
        writer = LakeWriter(self._lake, self._desk, self._place.app, self._now)
        queries = [
            self._start(session, options, "watch", self._pace.every_s, self._watch),
            self._start(session, options, "lake", self._settings.commit_every, lambda f, n: self._store(writer, f, n)),
        ]
        try:
            self._follow(queries, stop)
        finally:
            with self._turn:
                for query in queries:
                    with contextlib.suppress(Exception):
                        query.stop()
        if stop.is_set():
            return
        if not self._pace.live:
            with self._turn:
                self._end()
            sender.drain(DRAIN_S)

    def _start(
        self, session: Any, options: dict[str, str], name: str, every_s: float, do: Callable[[Any, int], None]
    ) -> Any:
        def batch(frame: Any, number: int) -> None:
            # What goes wrong here is told by Spark in many lines of Java; the caller wants what was said at first.
            try:
                do(frame, number)
            except Exception as error:
                self._failure = error
                raise

        frame = session.readStream.format("kafka").options(**options, maxOffsetsPerTrigger=self._pace.most).load()
        writer = frame.selectExpr(*COLUMNS).writeStream.queryName(f"groundswell-{name}").foreachBatch(batch)
        writer = writer.option("checkpointLocation", (self.folder / name).as_uri())
        live = self._pace.live
        writer = writer.trigger(processingTime=f"{every_s} seconds") if live else writer.trigger(availableNow=True)
        try:
            return writer.start()
        except Exception as error:
            raise _trouble(error, self._address) from error

    def _follow(self, queries: Sequence[Any], stop: threading.Event) -> None:
        while not stop.is_set():
            self._wake.clear()
            for query in queries:
                self._check(query)
            if not any(query.isActive for query in queries):
                return
            if self._pace.live:
                with self._turn:
                    self._idle(queries[0])
            self._wake.wait(TICK_S)

    def _check(self, query: Any) -> None:
        failed = None if query.isActive else query.exception()
        if failed is None:
            return
        said = self._failure
        if isinstance(said, StoppedError):
            return
        if isinstance(said, GroundswellError):
            raise said
        raise _trouble(said or failed, self._address) from (said or failed)

    def _idle(self, query: Any) -> None:
        """While nothing comes in, let the clock close windows: as far as the topic is known to hold no more."""
        last = query.lastProgress
        if last is None or last["numInputRows"] or not self._recovered:
            return
        asked_us = round(datetime.fromisoformat(last["timestamp"]).timestamp() * 1_000_000)
        self._beat(asked_us, asked_us)
        self._loop.tick(min(asked_us, self._now()))

    def _beat(self, from_us: int, to_us: int) -> None:
        """Everything that the topic got up to `to_us` was read: it keeps what comes while nobody reads."""
        begin = from_us if self._reached_us is None else min(self._reached_us, from_us)
        self._journal.connected(self._address.source, begin, max(begin, to_us))
        self._reached_us = max(begin, to_us)

    def _task(self) -> Task:
        address = self._address
        return Task.of(address.topic, address.source, address.hint, self._settings, self._now())

    def _watch(self, frame: Any, batch_id: int) -> None:
        with self._turn:
            loop, number = self._loop, self._place.base + batch_id + 1
            if loop.progress.block >= number:
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
            self._recover(micro)
            loop.advance()
            loop.checkpoint()
            self.records += micro.records
            self.digest_bytes += micro.digest_bytes
            self._watched = self._watched | micro.ends

    def _recover(self, micro: MicroBatch | None) -> None:
        """Do again what was planned; a batch that was is given again by Spark, so that waits for it."""
        if self._recovered:
            return
        with self._desk.reading() as session:
            planned = checkpoints.plans_after(session, self._loop.progress.batch)
        if micro is not None or all(row.last_block < row.first_block for row in planned):
            self._loop.recover()
            self._recovered = True

    def _store(self, writer: LakeWriter, frame: Any, batch_id: int) -> None:
        self._stored |= writer.write(frame, batch_id + 1, self._task())
        watched = self._watched
        if watched and all(self._stored.get(part, -1) >= last for part, last in watched.items()):
            self._settle()

    def _settle(self) -> None:
        """Note with alerts that the lake has all their posts."""
        with self._desk.session() as session:
            if alert_cases.waiting(session):
                alert_cases.settle(session, _ALL, self._lake.version(), self._lake.last_number())

    def _end(self) -> None:
        """Close what the topic's last record closes."""
        loop = self._loop
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


def _trouble(error: Exception, address: KafkaAddress) -> GroundswellError:
    text = str(error)
    if "kafka" in text and ("Failed to find data source" in text or "DATA_SOURCE_NOT_FOUND" in text):
        hint = "name its jars in GROUNDSWELL_SPARK_JARS, see docs/deploy/spark.md"
        return UnavailableError("Spark has no connector for Kafka", where=address.where, hint=hint)
    first = next((line for line in text.splitlines() if line.strip()), type(error).__name__)
    hint = "is the address right, and do the brokers answer? What was done stays done; start again to go on"
    return UnavailableError(f"the query ended ({first})", where=address.where, hint=hint)
