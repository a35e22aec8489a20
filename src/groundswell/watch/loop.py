"""The watch's own loop body: plan a batch, do it, and make a checkpoint. Used by one thread that holds the lease."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

from sqlalchemy.orm import Session

from groundswell.bus import Block
from groundswell.desk import checkpoints
from groundswell.telemetry import count, is_heard, stage
from groundswell.watch import flow
from groundswell.watch.ahead import ReadAhead, Wanted, parser
from groundswell.watch.alert_rows import close_lost
from groundswell.watch.commit import (
    load_progress,
    new_state,
    remove_generations,
    write_news,
    write_outcome,
    write_snapshot,
)
from groundswell.watch.contract import DAY, HOUR, SECOND, StepOutput, TrackerSpec, WatchBatch
from groundswell.watch.parts import Parts
from groundswell.watch.plan import Plan, covered_until, limits, params_of
from groundswell.watch.roster import Roster
from groundswell.watch.state import Key
from groundswell.watch.topic_rows import close_lost_topics
from groundswell.watch.windows import NEVER

#: A checkpoint is made about this often while records come in, seconds: so much is done again after a kill.
CHECKPOINT_S: Final = 10.0
#: … and the next one no sooner than so many times what the last one took: thousands of trackers that have learned for
#: weeks are a gigabyte.
_CHECKPOINTS_APART: Final = 20
#: Not when a window is so close to its end: the alert would wait for the checkpoint.
_CLOSE_US: Final = 2 * SECOND
#: Closed windows of all trackers together that one step may give about …
_MOST_POINTS: Final = 300_000
#: … which bounds the event time that a batch of a replay spans, between these.
_LEAST_SPAN_US: Final = HOUR
_MOST_SPAN_US: Final = 14 * DAY
#: A watermark further ahead of the clock than this belongs to a replay of another time, not to a live stream.
_AHEAD_US: Final = DAY


class WatchLoop:
    """Goes through the journal batch by batch. `live`: the clock of this machine moves quiet windows on.

    Where more waits than a batch holds, the next one is read in a thread while one is stepped; `close` ends it.
    """

    def __init__(self, parts: Parts, *, live: bool) -> None:
        self._parts = parts
        self._live = live
        self.params = params_of(parts.settings)
        self._folder = parts.settings.state_path
        self._clock_us = 0
        self._saved_at = time.monotonic()
        self._save_s = 0.0
        self._roster = Roster()
        self._keys: list[Key] = []
        self._untaught: list[TrackerSpec] = []
        self._ahead = ReadAhead(parts.journal, parser(parts.engine, parts.registry, parts.settings, parts.handover))
        with parts.desk.reading() as session:
            self.progress = load_progress(session, self._folder)

    @property
    def clock_us(self) -> int:
        """The stream's clock after the last batch; 0 before the first."""
        return self._clock_us

    def recover(self) -> None:
        """Do again what was planned and not committed when the last process ended."""
        remove_generations(self._folder, self.progress.generation)
        if self.progress.forgot:
            self._plan_anew()
        with self._parts.desk.reading() as session:
            rows = checkpoints.plans_after(session, self.progress.batch)
        for row in rows:
            plan = Plan.of_row(row)
            self._do(plan, self._parts.journal.between(plan.first_block, plan.last_block), tell=False)
        if rows:
            self.checkpoint()
        ahead = self.progress.watermark_us
        if self._live and ahead is not None and ahead > self._parts.now() + _AHEAD_US:
            self.reset()

    def _plan_anew(self) -> None:
        """Drop what was planned: its trackers would be known to a new state without having learned their past."""
        with self._parts.desk.session() as session:
            self._parts.held.guard(session)
            checkpoints.drop_plans_after(session, self.progress.batch)
            self._close_lost(session, "the watch learns anew after an upgrade")
        self.progress.forgot = False

    def reset(self) -> None:
        """Forget everything that the detector has learned; what is open in the desk is closed, and all of it stays."""
        with self._parts.desk.session() as session:
            self._parts.held.guard(session)
            self._close_lost(session, "the watch began anew")
        self.progress.state = new_state()
        self.progress.watermark_us = None
        self._clock_us = 0
        self.progress.batch += 1
        self._save()

    def _close_lost(self, session: Session, why: str) -> None:
        now_us = self._parts.now()
        close_lost(session, f"Closed as it stood: {why} and does not know this episode any more.", now_us)
        close_lost_topics(session, now_us)

    def advance(self) -> int:
        """Do the next batch of the journal, if there is one; how many records it had."""
        journal = self._parts.journal
        self._take_up_trackers()
        now_us = journal.complete_until(self._parts.now())
        last = journal.borders(self.progress.block, *limits(), self._span_us())
        if last == self.progress.block:
            return 0
        blocks = self._ahead.blocks(self.progress.block + 1, last)
        caught_up = self._live and last >= journal.last_block()
        self._pass_silence(blocks[0].received_from_us)
        received = max((block.received_to_us for block in blocks), default=0)
        clock_us = max(self._clock_us, received, now_us) if caught_up else max(self._clock_us, received)
        self._do(self._write_plan(last, clock_us), blocks)
        if self.progress.has_news or self._is_time_to_save():
            self.checkpoint()
        done = sum(block.count for block in blocks)
        count("records_done", done, "watch")
        return done

    def _span_us(self) -> int:
        # The state knows no trackers before its first batch.
        trackers = max(len(self.progress.state.keys), len(self._roster), 1)
        a_day = sum(DAY / size for size in self.params.sizes) * trackers
        return int(min(max(_MOST_POINTS / a_day * DAY, _LEAST_SPAN_US), _MOST_SPAN_US))

    def tick(self, clock_us: int | None = None) -> None:
        """Move the clock on without records, where that can close a window; else do nothing.

        `clock_us` is for the end of a replay; otherwise it is now.
        """
        self._take_up_trackers()
        at = self._parts.journal.complete_until(self._parts.now()) if clock_us is None else clock_us
        if at <= self._clock_us or not self._is_due(at):
            if self._is_time_to_save():
                self.checkpoint()
            return
        self._pass_silence(at)
        self._do(self._write_plan(self.progress.block, at), [])
        if self.progress.has_news:
            self.checkpoint()

    def _pass_silence(self, until_us: int) -> None:
        """Close the windows of a long silence before `until_us` some at a time: a week of all trackers is too much.

        They are the same windows, because the clock moves on with what is received next as it does by itself.
        """
        clock, span_us = self.progress.state.clock, self._span_us()
        if clock.event_us == NEVER:
            return
        at_us = max(clock.tick_us, clock.received_us) + span_us
        # No windows are closed after a stream was away for that long.
        until_us = min(until_us, clock.received_us + self.params.silence_us + DAY)
        while at_us < until_us:
            self._do(self._write_plan(self.progress.block, at_us), [])
            if self.progress.has_news:
                self.checkpoint()
            at_us += span_us

    def _is_time_to_save(self) -> bool:
        since = time.monotonic() - self._saved_at
        size, watermark = self.params.base_us, self.progress.watermark_us
        is_closing = self._live and watermark is not None and size - watermark % size < _CLOSE_US
        wait_s = max(CHECKPOINT_S, _CHECKPOINTS_APART * self._save_s)
        return since >= (wait_s + 2 * _CLOSE_US / SECOND if is_closing else wait_s)

    def due_us(self) -> int | None:
        """When the next window of the smallest size may close by the clock of this machine, if records come as of late.

        Null before the first record.
        """
        watermark, clock = self.progress.watermark_us, self.progress.state.clock
        if watermark is None:
            return None
        size, lag = self.params.base_us, max(clock.received_us - clock.event_us, 0)
        return (watermark // size + 1) * size + self.params.lateness_us + lag

    def _is_due(self, clock_us: int) -> bool:
        watermark = self.progress.watermark_us
        if watermark is None:
            return False
        size = self.params.base_us
        return (clock_us - self.params.lateness_us) // size > watermark // size

    def _write_plan(self, last_block: int, clock_us: int) -> Plan:
        parts = self._parts
        covered = covered_until(parts.journal.connections(clock_us - 2 * DAY), clock_us) if self._live else None
        with stage("watch", "plan"), parts.desk.session() as session:
            parts.held.guard(session)
            keys, roster = self._roster.planned(session)
            plan = Plan(self.progress.batch + 1, self.progress.block + 1, last_block, clock_us, keys, covered)
            checkpoints.plan(
                session,
                plan.number,
                first_block=plan.first_block,
                last_block=plan.last_block,
                clock_us=plan.clock_us,
                trackers=plan.trackers,
                covered=plan.covered,
                roster=roster,
            )
        parts.hook("planned")
        return plan

    def _do(self, plan: Plan, blocks: Sequence[Block], *, tell: bool = True) -> None:
        parts = self._parts
        specs = self._roster.of(plan, parts.desk)
        if parts.read is None:
            wanted = Wanted(plan.first_block, plan.last_block, plan.clock_us, flow.compiled(specs)[1])
            batch = WatchBatch(self._ahead.posts(blocks, wanted), clock_us=plan.clock_us, covered=plan.covered)
            if blocks and tell:
                self._ahead.go_on(wanted, self._clock_us, self._span_us())
        else:
            with stage("watch", "parse"):
                batch = parts.read(plan, blocks, specs, self.progress.state)
        with stage("watch", "step", records=sum(block.count for block in blocks)):
            state, output, rest = flow.look(self.progress.state, batch, specs, self.params)
        self.progress.take(state, output, block=plan.last_block, batch=plan.number)
        tell = tell and self._live
        if tell:
            self._publish()
        with stage("watch", "cards"):
            self.progress.take_rest(flow.make_cards(state, rest))
        if tell:
            self._publish()
        with stage("watch", "settle"):
            self.progress.take_rest(flow.settle(state, rest))
        if tell:
            self._publish()
        if is_heard():
            _tell(output)
        self._clock_us = max(self._clock_us, plan.clock_us)
        parts.hook("stepped")

    def close(self) -> None:
        """End the thread that reads ahead."""
        self._ahead.close()

    def _take_up_trackers(self) -> None:
        """Teach trackers that the state does not know yet their history, before a batch counts for them; so topics.

        What is planned next counts for the trackers that are active now.
        """
        with self._parts.desk.reading() as session:
            self._roster.take_up(session)
        new = self._roster.unknown_to(self.progress.state)
        late = self.untaught()
        if late and self._parts.may_catch_up(self.progress.block):
            new = [*new, *late]
        topics = self.params.topics.per_day > 0 and self.progress.state.topics.window_us == 0
        if not new and not topics:
            return
        until_us = self._first_open_us()
        if until_us is None:
            return  # nothing has come yet; the first batch says what time it is
        # A kill in between teaches them again, from a lake that may know more; so nothing planned may depend on it.
        self.checkpoint()
        if topics:
            self.progress.state.topics = self._parts.teach_topics(self.progress.state.topics, until_us)
        if new:
            self.progress.state = self._parts.teach(self.progress.state, new, until_us)
            self._keys = []  # some may have learned their past, or may not
        self.progress.take_past({(spec.id, spec.version) for spec in new})
        self.progress.batch += 1
        self._save()

    def untaught(self) -> list[TrackerSpec]:
        """The trackers that started without their past and are still to be taught it."""
        state = self.progress.state
        if self._keys is not state.keys:
            self._keys = state.keys
            self._untaught = [one.tracker for one in state.series if one.untaught and one.tracker is not None]
        return self._untaught

    def _first_open_us(self) -> int | None:
        size = self.params.base_us
        if self.progress.watermark_us is not None:
            return self.progress.watermark_us // size * size
        following = self._parts.journal.between(self.progress.block + 1, self.progress.block + 1)
        if not following:
            return None
        return (following[0].received_from_us - self.params.lateness_us) // size * size

    def _publish(self) -> None:
        """Tell people what is new, if anything is; the detector's state may be written to the disk later.

        A kill in between does the batches since the last checkpoint again, as they were planned, before anything else
        is told. So what is told never depends on it.
        """
        parts, progress = self._parts, self.progress
        if not progress.has_news:
            return
        with stage("watch", "publish", alerts=len(progress.alerts)), parts.desk.session() as session:
            parts.held.guard(session)
            write_news(session, progress, parts.now())
        progress.told()
        parts.told()
        parts.hook("published")

    def checkpoint(self) -> None:
        """Commit what was done since the last checkpoint, if anything was."""
        if self.progress.batch > self.progress.generation:
            self._save()

    def _save(self) -> None:
        parts, progress = self._parts, self.progress
        generation = progress.batch
        begun = time.monotonic()
        with stage("watch", "checkpoint", generation=generation):
            write_snapshot(progress.state, self._folder, generation)
        self._save_s = time.monotonic() - begun
        parts.hook("snapshot")
        with stage("watch", "publish", alerts=len(progress.alerts)), parts.desk.session() as session:
            parts.held.guard(session)
            write_outcome(session, progress, generation, parts.now())
            parts.hook("committing")
        parts.hook("committed")
        progress.generation = generation
        progress.told()
        parts.told()
        self._saved_at = time.monotonic()
        remove_generations(self._folder, generation)

    def end_of_stream_us(self, newest_us: int | None = None) -> int:
        """A clock at which every window of the smallest size that has a record is closed.

        `newest_us` is when the last record was received, if the bus does not hold it any more.
        """
        size, slack = self.params.base_us, self.params.lateness_us + max(self.params.quiet_us, SECOND)
        # Told by the last record and not by the clock: a process that takes up a stream whose end was reached already
        # must not move it on once more.
        done = self._parts.journal.between(self.progress.block, self.progress.block)
        if newest_us is None:
            newest_us = max((block.received_to_us for block in done), default=self._clock_us)
        return (newest_us // size + 1) * size + slack


def _tell(output: StepOutput) -> None:
    closed = Counter(point.window_s for point in output.points)
    for window_s, windows in closed.items():
        count("windows_closed", windows, str(window_s))
