"""The sender: brings the outbox to its channels, beside the watch that holds the lease.

A message is claimed in one transaction, sent, and settled in another. Killed in between, it is claimed again and sent
with the same id. Each channel is worked on by itself and in order, so one that is slow or away holds up no other, and
what is said of an alert comes in the order in which it happened.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from sqlalchemy.orm import Session

from groundswell.channels.http import NotSentError
from groundswell.channels.kinds import config_of
from groundswell.channels.messages import Message, link_of
from groundswell.channels.quiet import quiet_of
from groundswell.channels.send import Sending, send
from groundswell.desk import Desk, channels, outbox
from groundswell.desk.clock import Clock, iso, wall_us
from groundswell.desk.tables import ChannelRow, OutboxRow
from groundswell.errors import GroundswellError

if TYPE_CHECKING:
    from groundswell.settings import Settings

log = logging.getLogger("groundswell.channels")

_SECOND: Final = 1_000_000
_DAY: Final = 86_400 * _SECOND
#: How often the outbox is looked at without being asked to, seconds.
_LOOK_S: Final = 1.0
#: A claim of a process that does not answer any more lapses after this, or this much after its program had to end.
CLAIM_US: Final = 120 * _SECOND
_AFTER_PROGRAM_US: Final = 30 * _SECOND
#: Waiting after the first failure, and at most, seconds; twice as long each time, of which a random half is left out.
FIRST_WAIT_S: Final = 5.0
MAX_WAIT_S: Final = 1_800.0
#: A message that is refused for what it is is given up after so many tries.
REFUSALS: Final = 3
#: Another channel is told after so many failures.
TOLD_AFTER: Final = 3
#: Channels that are worked on at the same time.
_AT_ONCE: Final = 8
#: Messages that came to their end are kept this long.
KEEP_US: Final = 30 * _DAY
_CLEAN_EVERY: Final = 600

Hook = Callable[[str], None]
"""Called at each border of a send with its name: `claimed`, `delivered`, `settled` (for tests)."""


class Held(Protocol):
    """The lease under which messages are sent."""

    def guard(self, session: Session) -> None:
        """Raise ConflictError where another process has taken it over."""
        ...


class Sender:
    """Sends what waits in the outbox until it is told to stop. Threads of its own; belongs to one runner."""

    def __init__(
        self,
        settings: Settings,
        desk: Desk,
        held: Held,
        *,
        now: Clock = wall_us,
        hook: Hook = lambda _border: None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._desk = desk
        self._held = held
        self._now = now
        self._hook = hook
        self._chance = chance
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._busy: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._rounds = 0

    def start(self) -> None:
        """Begin to send."""
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Say that there may be something to send; safe from any thread."""
        self._wake.set()

    def stop(self, within_s: float = 5.0) -> None:
        """End after the messages that are under way; one that takes longer is taken up by the next sender."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        until = time.monotonic() + within_s
        with self._lock:
            working = list(self._busy.values())
        for thread in working:
            thread.join(max(0.0, until - time.monotonic()))

    def drain(self, within_s: float) -> None:
        """Send what can be sent within that time: for a watch whose sources have ended."""
        pause = threading.Event()
        until = time.monotonic() + within_s
        while (left := until - time.monotonic()) > 0 and self._has_due(self._now() + round(left * _SECOND)):
            self.wake()
            pause.wait(0.05)

    def _has_due(self, by_us: int) -> bool:
        if self._busy:
            return True
        with contextlib.suppress(GroundswellError), self._desk.reading() as session:
            return any(self._is_due(session, channel, by_us) for channel in channels.in_force(session))
        return False

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                self._round()
            except GroundswellError as error:
                log.warning("the outbox cannot be read: %s", error)
            self._wake.wait(_LOOK_S)

    def _round(self) -> None:
        if self._rounds % _CLEAN_EVERY == 0:
            self._clean()
        self._rounds += 1
        with self._desk.reading() as session:
            now = self._now()
            due = [row.id for row in channels.in_force(session) if self._is_due(session, row, now)]
        for channel in due:
            with self._lock:
                if channel in self._busy or len(self._busy) >= _AT_ONCE or self._stop.is_set():
                    continue
                thread = threading.Thread(target=self._work, args=(channel,), name=f"channel {channel}", daemon=True)
                self._busy[channel] = thread
            thread.start()

    def _is_due(self, session: Session, channel: ChannelRow, at_us: int) -> bool:
        if channel.retry_at is not None and channel.retry_at > at_us:
            return False
        waiting = outbox.has_work(session, channel.id)
        return bool(waiting - {"held"}) or ("held" in waiting and not _is_quiet(channel, at_us))

    def _clean(self) -> None:
        now = self._now()
        with self._desk.session() as session:
            self._held.guard(session)
            dead = outbox.bury(session, now - round(self._settings.outbox_days * _DAY), now)
            outbox.prune(session, now - KEEP_US)
        if dead:
            log.error("%d messages were not delivered within %g days", dead, self._settings.outbox_days)

    def _work(self, channel_id: str) -> None:
        try:
            while not self._stop.is_set() and self.send_next(channel_id):
                pass
        except GroundswellError as error:
            log.warning("the outbox cannot be worked on: %s", error)
        except Exception:  # a defect of one channel must not silence the others
            log.exception("sending failed")
            self._note_defect(channel_id)
        finally:
            with self._lock:
                del self._busy[channel_id]

    def send_next(self, channel_id: str) -> bool:
        """Send the next message of a channel; false when there is none, it is quiet, or the try failed."""
        with self._desk.session() as session:
            self._held.guard(session)
            channel = session.get_one(ChannelRow, channel_id)
            row = self._claim(session, channel)
            if row is None:
                return False
        self._hook("claimed")
        try:
            config = config_of(channel.kind, channel.config)
            how = Sending(private=self._settings.private_urls, clock=lambda: self._now() / _SECOND)
            words = channel.templates
            send(config, message_of(row, self._settings), words, how, again=row.attempts > 1)
        except NotSentError as error:
            self._failed(channel_id, row, error)
            return error.refused and row.attempts >= REFUSALS
        except GroundswellError as error:
            self._failed(channel_id, row, NotSentError(error.what, hint=error.hint))
            return False
        except Exception:  # a defect: the message must not stay claimed, and the channel must say so
            log.exception("sending failed")
            what = "an unexpected error; the log has it"
            self._failed(channel_id, row, NotSentError(what))
            return False
        self._hook("delivered")
        self._delivered(channel_id, row)
        self._hook("settled")
        return True

    def _claim(self, session: Session, channel: ChannelRow) -> OutboxRow | None:
        now = self._now()
        if channel.removed_at is not None or channel.paused_at is not None:
            return None
        if channel.retry_at is not None and channel.retry_at > now:
            return None
        quiet = quiet_of(channel.quiet)
        if quiet is not None and quiet.covers(now):
            outbox.hold(session, channel.id, "held" if quiet.then == "digest" else "dropped", now)
        else:
            outbox.digest(session, channel.id, now)
        may_take = round(float(channel.config.get("timeout_s") or 0) * _SECOND)
        return outbox.claim(session, channel.id, now, max(CLAIM_US, may_take + _AFTER_PROGRAM_US))

    # What became of a message is noted by who claimed it, also where the lease has gone meanwhile: the claim fences it.
    def _delivered(self, channel_id: str, row: OutboxRow) -> None:
        now = self._now()
        with self._desk.session() as session:
            if not outbox.settle(session, row.seq, "sent", now):
                return
            channel = session.get_one(ChannelRow, channel_id)
            since, told = channel.trouble_since, channel.failures >= TOLD_AFTER
            channels.well(channel, now)
            if since is not None and told:
                body = {"channel": channel.name, "since": iso(since), "until": iso(now)}
                self._report(session, channel, "recovered", since, body)

    def _failed(self, channel_id: str, row: OutboxRow, error: NotSentError) -> None:
        now = self._now()
        with self._desk.session() as session:
            channel = session.get_one(ChannelRow, channel_id)
            gives_up = error.refused and row.attempts >= REFUSALS
            if not outbox.settle(session, row.seq, "dead" if gives_up else "waiting", now, error.what):
                return
            wait_s = self._wait_s(channel.failures, error.wait_s)
            said = f"{error.what}. {error.hint}" if error.hint else error.what
            channels.failed(channel, said, now, now if gives_up else now + round(wait_s * _SECOND))
            if channel.failures == TOLD_AFTER:
                waiting = sum(outbox.counts(session)[channel_id][state] for state in channels.PENDING)
                body = {
                    "channel": channel.name,
                    "error": said,
                    "since": iso(channel.trouble_since),
                    "waiting": waiting,
                }
                self._report(session, channel, "trouble", channel.trouble_since or now, body)
        log.warning("channel %s: %s", channel.name, error.what)

    def _wait_s(self, failures: int, asked: float | None) -> float:
        longest = min(FIRST_WAIT_S * 2.0 ** min(failures, 20), MAX_WAIT_S)
        wait = longest * (0.5 + 0.5 * self._chance())
        return wait if asked is None else max(wait, asked)

    def _report(
        self, session: Session, channel: ChannelRow, event: str, since: int, body: Mapping[str, str | int | None]
    ) -> None:
        """Let the channel that this one names say so; one report of a kind for each time that it fails."""
        if channel.report_to is None:
            return
        identity = outbox.message_id(channel.report_to, channel.id, event, str(since))
        outbox.add(session, channel.report_to, event, body, identity=identity, now_us=self._now())
        self._wake.set()

    def _note_defect(self, channel_id: str) -> None:
        now = self._now()
        with contextlib.suppress(GroundswellError), self._desk.session() as session:
            channel = session.get_one(ChannelRow, channel_id)
            wait = now + round(self._wait_s(channel.failures, None) * _SECOND)
            channels.failed(channel, "an unexpected error; the log has it", now, wait)


def message_of(row: OutboxRow, settings: Settings) -> Message:
    """The message that a row of the outbox stands for."""
    return Message(row.id, row.event, iso(row.created_at) or "", row.body, link_of(settings.public_url, row.alert_id))


def _is_quiet(channel: ChannelRow, now_us: int) -> bool:
    quiet = quiet_of(channel.quiet)
    return quiet is not None and quiet.covers(now_us)


@contextmanager
def sending(
    settings: Settings, desk: Desk, held: Held, *, now: Clock = wall_us, hook: Hook = lambda _border: None
) -> Iterator[Sender]:
    """A sender at work for the length of the block."""
    sender = Sender(settings, desk, held, now=now, hook=hook)
    sender.start()
    try:
        yield sender
    finally:
        sender.stop()
