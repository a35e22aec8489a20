"""The runner: sources into the journal, the journal through the watch and into the lake, in one process.

One runner a home, by the `watch` lease. `serve` runs it as a library; `groundswell watch run` in the foreground.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from groundswell import kernels
from groundswell.bus import Bus, open_bus
from groundswell.channels.sender import Sender, sending
from groundswell.desk import Desk, DeskLostError, leases, open_desk
from groundswell.desk.clock import Clock, wall_us
from groundswell.errors import ConflictError, GroundswellError, UnavailableError
from groundswell.sources.feed import LiveSource
from groundswell.stores import hurried
from groundswell.stores.refusals import StoreLostError
from groundswell.watch.closing_time import ClosingTime
from groundswell.watch.delivery import Delivery
from groundswell.watch.history import StoppedError
from groundswell.watch.learning import Teacher
from groundswell.watch.loop import WatchLoop
from groundswell.watch.parts import Hook, Parts
from groundswell.watch.plan import params_of

if TYPE_CHECKING:
    from groundswell.importing.handover import Handover
    from groundswell.settings import Settings

log = logging.getLogger("groundswell.watch")

#: How long the watch waits for records before it looks at the clock again, seconds.
TICK_S: Final = 0.25
#: After a batch of fewer records than this a live watch lets some more gather.
_SMALL: Final = 5_000
#: A replay at full speed may be this many journal blocks ahead of the watch.
MAX_AHEAD: Final = 200
#: How long a watch whose sources have ended goes on sending what is due, seconds.
DRAIN_S: Final = 15.0
#: How long a watch that is stopped waits for the lake's store to take a last batch, seconds.
LAST_S: Final = 3.0
#: A lease that was not given back has lapsed after this time, seconds.
_LAPSED_S: Final = 30.0

LEASE: Final = "watch"


@dataclass(frozen=True, slots=True)
class RunnerStatus:
    """How a runner does: records done since its start, its clock and watermark (µs, null before the first)."""

    records: int
    clock_us: int | None
    watermark_us: int | None
    block: int
    behind_blocks: int
    trouble: str | None
    bus_trouble: str | None = None
    """Why nothing comes in by the bus."""
    untaught: int = 0
    """Trackers that started without their past, because the lake could not be read, and are still to be taught it."""


class Runner:
    """Watches until it is told to stop, or until its sources have ended and all that they gave is done.

    Without `sources` it only reads what others append to the journal. `live=False` is for a replay: the clock
    is the recorded receive time, and when the sources have ended it moves past the last window. `on_change` is
    called after every commit that the page can see. `hook` is called at each border of a step (for tests).
    """

    def __init__(
        self,
        settings: Settings,
        *,
        sources: Sequence[LiveSource] = (),
        live: bool = True,
        fresh: Callable[[Desk, Bus], bool] = lambda _desk, _journal: False,
        started: Callable[[Desk, Bus], None] = lambda _desk, _journal: None,
        on_change: Callable[[], None] = lambda: None,
        now: Clock = wall_us,
        hook: Hook = lambda _border: None,
    ) -> None:
        """`fresh` says whether the detector is to forget what it knows; `started` is called once it is ready."""
        self._settings = settings
        self._sources = list(sources)
        self._live = live
        self._fresh = fresh
        self._started = started
        self._on_change = on_change
        self._now = now
        self._hook = hook
        self._wake = threading.Event()
        self._records = 0
        self._loop: WatchLoop | None = None
        self._delivery: Delivery | None = None
        self._journal: Bus | None = None
        self._sender: Sender | None = None
        self._closing_time = ClosingTime(self._due_us, now)
        self._handover: Handover | None = None

    def add(self, source: LiveSource) -> None:
        """Add a source before `run`."""
        self._sources.append(source)

    def wake(self) -> None:
        """Say that there may be something to do; safe from any thread."""
        self._wake.set()

    @property
    def records(self) -> int:
        """Records done since it was made."""
        return self._records

    def status(self) -> RunnerStatus | None:
        """How it does; null while it does not run."""
        loop, delivery, journal = self._loop, self._delivery, self._journal
        if loop is None or delivery is None or journal is None:
            return None
        return RunnerStatus(
            records=self._records,
            clock_us=loop.clock_us or None,
            watermark_us=loop.progress.watermark_us,
            block=loop.progress.block,
            behind_blocks=max(0, journal.last_block() - loop.progress.block),
            trouble=delivery.said(),
            bus_trouble=journal.trouble(),
            untaught=len(loop.untaught()),
        )

    def may_append(self) -> bool:
        """Whether the watch keeps up with the journal; a replay at full speed waits until it does."""
        loop, journal = self._loop, self._journal
        return loop is None or journal is None or journal.last_block() - loop.progress.block < MAX_AHEAD

    def run(self, stop: threading.Event) -> None:
        """Hold the lease and watch.

        Raises:
            ConflictError: another runner works on this home, or took over while this one was stopped.
            UnavailableError: the desk, the journal, the lake or a source cannot be used.
        """
        despite_a_lost_desk(lambda: self._run_once(stop), stop, live=self._live)

    def _run_once(self, stop: threading.Event) -> None:
        _refuse_after_spark(self._settings)
        with ExitStack() as stack:
            desk = stack.enter_context(open_desk(self._settings))
            held = stack.enter_context(only_runner(desk))
            journal = stack.enter_context(open_bus(self._settings, desk))
            stack.callback(journal.follow(self.wake, stop))
            self._run(stack, desk, journal, held, stop)

    def _run(self, stack: ExitStack, desk: Desk, journal: Bus, held: leases.Held, stop: threading.Event) -> None:
        self._closing_time = ClosingTime(self._due_us, self._now)
        delivery = self._make_delivery(stack, desk, journal)
        loop = self._make_loop(stack, desk, journal, held, delivery, stop)
        sender = stack.enter_context(sending(self._settings, desk, held, now=self._now, hook=self._hook))
        self._journal, self._delivery, self._loop, self._sender = journal, delivery, loop, sender
        stack.callback(self._forget)
        with contextlib.suppress(StoppedError):
            self._work(stack, desk, journal, loop, delivery, stop)
        self._closing_time.end()
        loop.checkpoint()
        self._changed()
        delivery.stop()
        if stop.is_set():
            # Whoever stops it does not want to wait; the journal keeps what the lake does not have yet, and the outbox
            # what was not sent.
            if delivery.said() is None:
                with hurried(LAST_S):
                    delivery.write_some()
        else:
            delivery.drain()
            sender.drain(DRAIN_S)

    def _due_us(self) -> int | None:
        return None if self._loop is None else self._loop.due_us()

    def _changed(self) -> None:
        self._closing_time.told()
        if self._sender is not None:
            self._sender.wake()
        self._on_change()

    def _work(
        self, stack: ExitStack, desk: Desk, journal: Bus, loop: WatchLoop, delivery: Delivery, stop: threading.Event
    ) -> None:
        loop.recover()
        if self._fresh(desk, journal):
            while loop.advance():
                if stop.is_set():
                    return
            loop.reset()
        self._started(desk, journal)
        delivery.start()
        stack.callback(delivery.stop)
        crew = _Crew(self._sources, journal, self.wake)
        try:
            self._watch(journal, loop, crew, stop)
        finally:
            crew.stop()
        if not stop.is_set() and not self._live:
            loop.tick(loop.end_of_stream_us())

    def _watch(self, journal: Bus, loop: WatchLoop, crew: _Crew, stop: threading.Event) -> None:
        crew.start()
        while not stop.is_set():
            self._wake.clear()
            ended = crew.has_ended()  # asked first: what an ended source appended is then read below
            if ended:
                journal.settle(stop)
            count = loop.advance()
            self._records += count
            if not count:
                if ended:
                    return
                if self._live:
                    loop.tick()
            if not count:
                self._wake.wait(TICK_S)
            elif self._live and count < _SMALL:
                stop.wait(self._closing_time.gather_s())

    def _make_loop(
        self,
        stack: ExitStack,
        desk: Desk,
        journal: Bus,
        held: leases.Held,
        delivery: Delivery,
        stop: threading.Event,
    ) -> WatchLoop:
        from groundswell.engines import open_engine  # noqa: PLC0415 - loads DuckDB or Spark
        from groundswell.lake import Lake  # noqa: PLC0415 - loads Arrow and the lake
        from groundswell.platforms.saved import registry_for  # noqa: PLC0415 - loads every layout

        if not self._live:
            # Months of windows: the detector's kernel is loaded anyway, and with the others topics take a fifth.
            kernels.load(self._settings.home / "cache")
        engine = open_engine(self._settings)
        stack.callback(engine.close)
        lake = Lake.open(self._settings)
        params = params_of(self._settings)
        # What the watch has counted is history; what is behind it, it counts itself.
        teacher = Teacher(lake, params, stop, delivery.said, lambda: delivery.bring(loop.progress.block), delivery.has)
        parts = Parts(
            settings=self._settings,
            desk=desk,
            journal=journal,
            held=held,
            engine=engine,
            registry=registry_for(self._settings),
            teach=teacher.teach,
            teach_topics=teacher.teach_topics,
            may_catch_up=teacher.may_catch_up,
            handover=self._handover,
            now=self._now,
            hook=self._hook,
            told=self._changed,
        )
        loop = WatchLoop(parts, live=self._live)
        stack.callback(loop.close)
        return loop

    def _make_delivery(self, stack: ExitStack, desk: Desk, journal: Bus) -> Delivery:
        from groundswell.engines import open_engine  # noqa: PLC0415 - loads DuckDB or Spark
        from groundswell.importing import journal_to_lake  # noqa: PLC0415 - loads what an import needs
        from groundswell.importing.handover import Handover  # noqa: PLC0415 - the same
        from groundswell.lake import Lake  # noqa: PLC0415 - loads Arrow and the lake

        # An engine belongs to one thread at a time, so the lake writer has its own.
        engine = open_engine(self._settings)
        stack.callback(engine.close)
        lake = Lake.open(self._settings).keeping()  # whoever delivers or asks has the turn
        self._handover = handover = Handover()

        def rest() -> None:
            # While the watch catches up no window closes in time anyway, and each would wait for the other.
            if self._live and not handover.is_catching_up:
                self._closing_time.wait()

        def deliver(wait_s: float) -> bool:
            given = (journal, lake, desk, engine, self._settings)
            return journal_to_lake(*given, now=self._now, wait_s=wait_s, rest=rest, handover=handover) is not None

        delivery = Delivery(
            *(self._settings, desk, journal, deliver),
            now=self._now,
            lake_state=lambda: (lake.version(), lake.last_number()),
            waiting=lambda: lake.trouble,
            hasten=handover.end,
            wanted=lambda: handover.calls,
        )
        handover.come = delivery.come
        return delivery

    def _forget(self) -> None:
        self._loop = self._delivery = self._journal = self._sender = self._handover = None


def despite_a_lost_desk(run: Callable[[], None], stop: threading.Event, *, live: bool) -> None:
    """Run, and where the server of desk or lake went away meanwhile once more, from the last checkpoint.

    Raises:
        ConflictError: another process watches, or took over.
        DeskLostError, StoreLostError: it is to stop, or it is not `live`: who runs it runs it again.
    """
    begun = 0.0
    while True:
        try:
            run()
        except (DeskLostError, StoreLostError) as error:
            # A live watch goes on from its last checkpoint, as after a kill; a replay is run again by who runs it.
            if stop.is_set() or not live:
                raise
            log.warning("%s; going on from the last checkpoint as soon as it answers", error.what)
            begun = time.monotonic()
        except ConflictError as error:
            # The lease that could not be given back without the desk lapses by itself.
            mine = error.fields.get("holder") == leases.this_process()
            if not mine or not begun or time.monotonic() - begun > _LAPSED_S:
                raise
        else:
            return
        stop.wait(1.0)


def _refuse_after_spark(settings: Settings) -> None:
    """The desk of a home says how far the watch is in one stream of blocks; those of Spark are others."""
    found = next(settings.home.absolute().glob("spark/*/place.json"), None)
    if found is not None:
        what = "the watch of this home reads a topic on Spark"
        hint = "use another GROUNDSWELL_HOME for other sources, or set GROUNDSWELL_ENGINE to Spark again"
        raise ConflictError(what, where=found.parent, hint=hint)


class _Crew:
    """The sources at work, each in a thread of its own."""

    def __init__(self, sources: Sequence[LiveSource], journal: Bus, wake: Callable[[], None]) -> None:
        self._stop = threading.Event()
        self._wake = wake
        self._failure: GroundswellError | None = None
        for source in sources:
            if getattr(source, "reads_behind", False):
                journal.hold(source.name, 0)  # until it says how far it is
        self._threads = [
            threading.Thread(target=self._work, args=(source, journal), name=source.name, daemon=True)
            for source in sources
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def has_ended(self) -> bool:
        """Whether there were sources and none is left; raises what one of them failed with."""
        if self._failure is not None:
            raise self._failure
        return bool(self._threads) and not any(thread.is_alive() for thread in self._threads)

    def _work(self, source: LiveSource, journal: Bus) -> None:
        try:
            source.run(journal, self._stop)
        except GroundswellError as error:
            self._failure = error
        except Exception as error:
            self._failure = UnavailableError(f"the source failed ({error!r})", where=source.name)
        finally:
            self._wake()


@contextmanager
def only_runner(desk: Desk) -> Iterator[leases.Held]:
    """Hold the lease of the watch; raises ConflictError where another process watches."""
    try:
        hold = leases.hold(desk, LEASE)
        held = hold.__enter__()
    except ConflictError as error:
        holder = str(error.fields.get("holder", ""))
        what = f"{leases.describe(holder)} watches on this home already"
        hint = "stop it first, or use another home; `groundswell serve` watches by itself unless told not to"
        raise ConflictError(what, where=desk.where, hint=hint, fields=error.fields) from error
    with contextlib.ExitStack() as stack:
        stack.push(hold)
        yield held
