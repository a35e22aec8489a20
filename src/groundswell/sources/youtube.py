"""The YouTube collector: asks page by page, keeps within the day's units, and puts every answer into the journal.

Exactly once into the journal: an answer and what is left to be asked are appended in one transaction. Killed anywhere,
the request that was under way is made again (its units are spent twice), and nothing else.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import msgspec

from groundswell.bus import Bus
from groundswell.desk import Desk, quotas
from groundswell.desk.clock import Clock, wall_us
from groundswell.sources.feed import Feed
from groundswell.sources.records import Line
from groundswell.sources.youtube_api import COSTS, Answer, Fault, NotReachedError
from groundswell.sources.youtube_tasks import (
    Job,
    Request,
    State,
    advance,
    begin,
    lead_of,
    next_request,
    restart,
    skip,
)

NAME: Final = "youtube"
SERVICE: Final = "youtube"
#: Units renew at midnight there.
PACIFIC: Final = ZoneInfo("America/Los_Angeles")
ATTEMPTS: Final = 7
_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 64.0
#: A platform that asks for a longer pause than this is asked again by the next run.
_PATIENCE_S: Final = 300.0
#: Answers are forgotten after so many days.
_KEEP_DAYS: Final = 90

Wait = Callable[[float], bool]
"""Waits so many seconds; true if it was told to stop meanwhile."""


class Api(Protocol):
    """What the collector asks: `YouTubeApi`."""

    def get(self, resource: str, parameters: dict[str, object], etag: str | None = None) -> Answer:
        """The answer to a call."""
        ...


@dataclass
class Collected:
    """What a run did. `state` is `done`, `out of units` or `stopped`; `skipped` says what was not there, and why."""

    state: str = "done"
    resumed: bool = False
    requests: int = 0
    unchanged: int = 0
    retries: int = 0
    units: int = 0
    videos: int = 0
    records: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)


def pacific_day(now_us: int) -> str:
    """The day in whose allowance a request falls.

    >>> pacific_day(1_767_254_400_000_000)
    '2026-01-01'
    """
    return datetime.fromtimestamp(now_us / 1e6, PACIFIC).date().isoformat()


def renewal(now_us: int) -> datetime:
    """When the units renew next, UTC."""
    here = datetime.fromtimestamp(now_us / 1e6, PACIFIC)
    midnight = datetime.combine(here.date() + timedelta(days=1), datetime.min.time(), PACIFIC)
    return midnight.astimezone(UTC)


class _OutOfUnitsError(Exception):
    """Nothing is left today."""


class _StoppedError(Exception):
    """A person or the system wants it to end."""


@dataclass
class YouTubeCollector:
    """Collects one job into the journal.

    Args:
        job: what to collect.
        api: whom to ask.
        desk: keeps units and ETags.
        limit: units a day.
        max_record: bytes of the largest record.
        also: gets the items of each answer before the journal does; what it raises ends the run, which goes on there.
        only: whether `also` is the only one to get them.
        tell: called after each request with what it is about and the numbers so far.
        now, wait, jitter: clock, pause, and the random part of a pause (0 to 1), for tests.
    """

    job: Job
    api: Api
    desk: Desk
    limit: int
    tell: Callable[[str, Collected], None] = lambda _what, _done: None
    also: Callable[[list[dict[str, Any]]], None] | None = None
    only: bool = False
    now: Clock = wall_us
    wait: Wait | None = None
    jitter: Callable[[], float] = random.random
    result: Collected = field(default_factory=Collected)

    def run(self, journal: Bus, stop: threading.Event) -> Collected:
        """Ask until nothing is left, the units are spent, or `stop` is set.

        Raises:
            UnavailableError: YouTube cannot be reached, or refuses; what was answered before is in the journal.
            UsageError: what was asked for makes no sense to YouTube.
        """
        wait = self.wait or stop.wait
        feed = Feed(journal, NAME, now=self.now)
        state = self._begin(journal)
        try:
            while (request := next_request(state, self.job)) is not None:
                if stop.is_set():
                    raise _StoppedError
                state = self._step(state, request, feed, wait)
                self.tell(request.of or request.resource, self.result)
        except _OutOfUnitsError:
            self.result.state = "out of units"
        except _StoppedError:
            self.result.state = "stopped"
        return self.result

    def _begin(self, journal: Bus) -> State:
        kept = journal.position(NAME, self.job.id)
        state = msgspec.json.decode(kept, type=State) if kept else None
        if state is not None and not state.done:
            self.result.resumed = True
        else:
            state = begin(self.job)
            with self.desk.session() as session:
                quotas.forget_answers(session, self.now() - _KEEP_DAYS * 86_400_000_000)
        return state

    def _step(self, state: State, request: Request, feed: Feed, wait: Wait) -> State:
        with self.desk.reading() as session:
            known = quotas.answer(session, request.id)
        answer = self._ask(request, None if known is None else known[0], wait)
        if answer.is_unchanged and known is not None:
            self.result.unchanged += 1
            return self._move(feed, advance(state, self.job, request, known[1]), [])
        if not answer.is_good:
            return self._move(feed, self._past(state, request, answer), [])
        lead = lead_of(request, answer.document())
        self.result.records += lead["count"]
        self.result.videos += lead["count"] if request.do == "videos" else 0
        self._miss(request, lead["count"])
        # An answer without items is no record; that it was empty is what the state says.
        lines = [Line(0, answer.body)] if lead["count"] and not self.only else []
        if lead["count"] and self.also is not None:
            self.also(answer.document().get("items", []))
        state = self._move(feed, advance(state, self.job, request, lead), lines)
        if answer.etag:
            with self.desk.session() as session:
                quotas.keep_answer(session, request.id, answer.etag, lead, now_us=self.now())
        return state

    def _miss(self, request: Request, found: int) -> None:
        """Note what the API leaves out without a word: ids that are deleted, private, or never were."""
        if request.do == "channel" and not found:
            self.result.skipped.append((f"channel {request.of}", "there is no such channel"))
        elif request.do in ("videos", "authors"):
            missing = len(str(request.parameters["id"]).split(",")) - found
            if missing > 0:
                what = f"{missing} of the {'videos' if request.do == 'videos' else 'channels'}"
                self.result.skipped.append((what, "deleted, private, or never there"))

    def _move(self, feed: Feed, state: State, lines: list[Line]) -> State:
        feed.append(lines, position=msgspec.json.encode(state).decode(), partition=self.job.id)
        return state

    def _past(self, state: State, request: Request, answer: Answer) -> State:
        if answer.fault is Fault.PAGE:
            return restart(state, self.job, request)
        if answer.fault is Fault.GONE or (answer.status == 403 and request.do in ("threads", "replies", "uploads")):
            self.result.skipped.append((f"{request.resource} of {request.of or 'videos'}", answer.message))
            return skip(state, self.job, request)
        raise answer.error()

    def _ask(self, request: Request, etag: str | None, wait: Wait) -> Answer:
        """The answer, after as many attempts as it takes; each that is answered costs its units."""
        for attempt in range(1, ATTEMPTS + 1):
            self._take(COSTS.get(request.resource, 1))
            pause, said = None, None
            try:
                answer = self.api.get(request.resource, request.parameters, etag)
            except NotReachedError as error:
                if not error.was_asked:
                    self._take(-COSTS.get(request.resource, 1))
                if attempt == ATTEMPTS:
                    raise
                said = error
            else:
                self.result.requests += 1
                if answer.is_good or answer.is_unchanged:
                    return answer
                if answer.fault is Fault.SPENT:
                    with self.desk.session() as session:
                        quotas.exhaust(session, SERVICE, pacific_day(self.now()), self.limit)
                    raise _OutOfUnitsError
                pause = answer.retry_after
                if answer.fault is not Fault.AGAIN:
                    return answer
                if attempt == ATTEMPTS or (pause or 0) > _PATIENCE_S:
                    raise answer.error()
            self.result.retries += 1
            if wait(self._pause(attempt, pause)):
                raise _StoppedError from said
        raise AssertionError

    def _take(self, units: int) -> None:
        with self.desk.session() as session:
            if not quotas.take(session, SERVICE, pacific_day(self.now()), units, self.limit):
                raise _OutOfUnitsError
        self.result.units += units

    def _pause(self, attempt: int, asked: float | None) -> float:
        """Seconds before the next attempt: doubled each time, half of it by chance; no less than was asked for."""
        longest: float = min(_FIRST_WAIT_S * 2 ** (attempt - 1), _LONGEST_WAIT_S)
        return max(longest * (0.5 + self.jitter() / 2), asked or 0.0)
