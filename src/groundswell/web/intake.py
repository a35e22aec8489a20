"""Pushed records on their way into the journal: many requests share one commit, and there is a limit to what waits."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from groundswell.bus.joined import JoinedRecords
from groundswell.desk import checkpoints
from groundswell.desk.clock import Clock, wall_us
from groundswell.errors import GroundswellError, UnavailableError, UsageError
from groundswell.web.problems import BusyError

if TYPE_CHECKING:
    from groundswell.bus import Bus
    from groundswell.desk import Desk

log = logging.getLogger("groundswell.web")

#: Records that may be in the journal and not yet in the watch and the lake, unless it is said otherwise.
MAX_BEHIND: Final = 5_000_000
#: Least and longest time that a client is asked to wait, seconds.
_LEAST_WAIT: Final = 1
_LONGEST_WAIT: Final = 60
#: Bytes of records that may wait in memory for the journal.
MAX_WAITING: Final = 192 << 20
#: Records of several requests that go into one commit.
MAX_COMMIT: Final = 20_000
#: How often the distance is measured and sources are noted as connected, seconds.
MEASURE_S: Final = 1.0
BEAT_S: Final = 3.0
#: A source that has pushed nothing for this long does not count as connected any more, microseconds.
PRESENT_US: Final = 3_600_000_000

Hint = dict[str, Any]
Numbers = tuple[int, int] | None
"""The first and the last record's; null where the bus numbers records when they are read."""


def push_hint(layout: str | None, tz: str | None, fields: Sequence[str]) -> Hint | None:
    """How records are to be read, as their journal block says it; null where nothing was said.

    >>> push_hint("generic.table", None, ["text=body"])
    {'layout': 'generic.table', 'map': {'text': 'body'}}

    Raises:
        UsageError: a `map` is not `field=column`, or there is no such time zone.
    """
    hint: Hint = {}
    if layout:
        hint["layout"] = layout
    if fields:
        pairs = [pair.partition("=") for pair in fields]
        wrong = next((name for name, equals, column in pairs if not (name and equals and column)), None)
        if wrong is not None:
            what = f"not a mapping: `{wrong}`"
            raise UsageError(what, hint="write map=field=column, for example map=text=body")
        hint["map"] = {name: column for name, _, column in pairs}
    if tz:
        try:
            ZoneInfo(tz)
        except (KeyError, ValueError, OSError) as error:
            what = f"no time zone `{tz}`"
            raise UsageError(what, hint="use an IANA name such as Europe/Paris") from error
        hint["tz"] = tz
    return hint or None


@dataclass(eq=False)
class _Push:
    """One request's records and where their numbers go."""

    source: str
    records: Sequence[bytes]
    hint: Hint | None
    size: int
    answer: asyncio.Future[Numbers]

    @property
    def sort(self) -> tuple[str, str]:
        """What may share a block: the same source, read in the same way."""
        return self.source, json.dumps(self.hint, sort_keys=True)


class Intake:
    """The one way of pushed records into the journal of this server. Belongs to one event loop."""

    def __init__(
        self,
        journal: Bus,
        desk: Desk,
        *,
        now: Clock = wall_us,
        appended: Callable[[], None],
        max_behind: int = MAX_BEHIND,
    ) -> None:
        """`appended` is called after each commit, from the writing thread, to wake an in-process runner.

        `max_behind`: records that may wait for the watch and the lake before requests are told to wait.
        """
        self._max_behind = max_behind
        self._done_rate = 0.0
        self._looked: tuple[float, int] | None = None
        self._journal = journal
        self._desk = desk
        self._now = now
        self._appended = appended
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._waiting: list[_Push] = []
        self._size = 0
        self._writer: asyncio.Task[None] | None = None
        self._present: dict[str, int] = {}
        self.behind = 0

    def check_room(self) -> None:
        """Refuse a request before its body is read when too much waits.

        Raises:
            BusyError: the journal is too far ahead of the watch or the lake, or too much waits for the journal.
        """
        if self.behind > self._max_behind:
            what = f"{self.behind:,} records in the journal wait for the watch and the lake"
            raise BusyError(what, retry_s=self._wait_s())
        if self._size > MAX_WAITING:
            what = "too many records wait for the journal"
            raise BusyError(what, retry_s=1)

    def _wait_s(self) -> int:
        """When there is room again, by how fast records were worked off lately."""
        if self._done_rate <= 0:
            return 10
        return round(min(max((self.behind - self._max_behind) / self._done_rate, _LEAST_WAIT), _LONGEST_WAIT))

    async def append(self, source: str, records: Sequence[bytes], hint: Hint | None) -> Numbers:
        """Numbers of the first and the last record (null where the bus gives them later), once they are durable.

        Raises:
            UnavailableError: the journal cannot be written; none of these records is in it.
        """
        size = records.content.nbytes if isinstance(records, JoinedRecords) else sum(map(len, records))
        push = _Push(source, records, hint, size, asyncio.get_running_loop().create_future())
        self._waiting.append(push)
        self._size += push.size
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        try:
            return await push.answer
        finally:
            self._size -= push.size

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch = self._next_batch()
            try:
                first = await loop.run_in_executor(self._thread, self._commit, batch)
            except GroundswellError as error:
                _settle(batch, error)
            except Exception as error:  # whatever it is, the requests must not hang
                log.exception("the journal failed")
                _settle(batch, UnavailableError(f"the journal failed ({type(error).__name__})"))
            else:
                _settle(batch, first)

    def _next_batch(self) -> list[_Push]:
        """The longest waiting push and those behind it that may share its blocks, in their order."""
        sort, room = self._waiting[0].sort, MAX_COMMIT
        batch: list[_Push] = []
        rest: list[_Push] = []
        for push in self._waiting:
            if push.sort == sort and (not batch or room >= len(push.records)):
                batch.append(push)
                room -= len(push.records)
            else:
                rest.append(push)
        self._waiting = rest
        return batch

    def _commit(self, batch: list[_Push]) -> int | None:
        records = JoinedRecords.chained([push.records for push in batch])
        source = batch[0].source
        now = self._now()
        numbers = self._journal.append(source, records, received_us=now, hint=batch[0].hint)
        if source not in self._present:
            self._journal.heartbeat(source, now)
        self._present[source] = now
        self._appended()
        return None if numbers is None else numbers[0]

    async def watch_distance(self) -> None:
        """Measure how far the journal is ahead and note sources as connected, until cancelled."""
        loop = asyncio.get_running_loop()
        next_beat = 0.0
        while True:
            beat = loop.time() >= next_beat
            if beat:
                next_beat = loop.time() + BEAT_S
            try:
                self.behind = await loop.run_in_executor(self._thread, self._measure, beat)
            except GroundswellError as error:
                log.warning("the journal's distance cannot be measured: %s", error)
            await asyncio.sleep(MEASURE_S)

    def _measure(self, beat: bool) -> int:
        now = self._now()
        if beat:
            # The server can take a source's records at any time, so a quiet source is quiet, not away; only after a
            # long silence nobody knows whether it still sends.
            for source, seen in list(self._present.items()):
                if now - seen > PRESENT_US:
                    del self._present[source]
                else:
                    self._journal.heartbeat(source, now)
        with self._desk.reading() as session:
            marks = [checkpoints.get(session, name) for name in ("watch", "lake")]
        done = min(0 if mark is None else mark.block for mark in marks)
        waiting = self._journal.read(done, 1, 1)
        following = self._journal.next_record()
        behind = following - waiting[0].first_record if waiting else 0
        self._note_rate(following - behind)
        return behind

    def _note_rate(self, done: int) -> None:
        """Records that are worked off in a second, smoothed over half a minute: the lake commits only so often."""
        at = time.monotonic()
        if self._looked is not None and at > self._looked[0]:
            rate = max(0, done - self._looked[1]) / (at - self._looked[0])
            weight = min(1.0, (at - self._looked[0]) / 30)
            self._done_rate += weight * (rate - self._done_rate)
        self._looked = at, done

    async def close(self) -> None:
        """Write what waits, then stop."""
        if self._writer is not None:
            await self._writer
        await asyncio.to_thread(self._thread.shutdown)


def _settle(batch: list[_Push], outcome: int | GroundswellError | None) -> None:
    for push in batch:
        # A client that went away has cancelled its answer; its records are durable all the same.
        if isinstance(outcome, GroundswellError):
            if not push.answer.done():
                push.answer.set_exception(outcome)
            continue
        numbers = None if outcome is None else (outcome, outcome + len(push.records) - 1)
        if not push.answer.done():
            push.answer.set_result(numbers)
        outcome = None if outcome is None else outcome + len(push.records)
