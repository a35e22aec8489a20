"""Bluesky as it happens: the public Jetstream over a WebSocket, without any key.

Replayable: the time of the last event is kept with the records, and a new connection begins a few seconds before it, on
whichever server answers. What comes twice by that is known to the lake and the watch. Servers keep about 36 hours; what
is older is a hole, and the journal's connections say so: they follow the time of the stream, so that what was played
back counts as covered. While the watch is behind, nothing is read; the server then ends the connection, and the next
one goes on from the same place.
"""

from __future__ import annotations

import hashlib
import json
import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Final

import msgspec
import zstandard
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from groundswell import __version__
from groundswell.bus import Bus
from groundswell.desk.clock import Clock, wall_us
from groundswell.errors import UsageError
from groundswell.sources.feed import BEAT_S, POLL_S, Feed
from groundswell.sources.jetstream_options import Options, load_dictionary
from groundswell.sources.records import Line, describe_oversized

log = logging.getLogger("groundswell.sources")

#: Servers play back about so much, microseconds.
KEPT_US: Final = 36 * 3_600_000_000
#: A stream whose last event is this young is up to date, microseconds.
_FRESH_US: Final = 10_000_000
#: After this long without an event there is none that waits, seconds.
_IDLE_S: Final = 2.0
#: The first event after a resumed place is at most so much later if nothing was left out, microseconds.
_NEAR_US: Final = 60_000_000
_AHEAD_US: Final = 300_000_000
_RECORDS: Final = 500
_BYTES: Final = 4 << 20
_GATHER_S: Final = 0.2
_OPEN_S: Final = 10.0
FIRST_WAIT_S: Final = 0.5
MAX_WAIT_S: Final = 60.0
_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_SECOND: Final = 1_000_000


class _Event(msgspec.Struct):
    """The part of an event that the source reads."""

    time_us: int | None = None


class JetstreamSource:
    """Follows the stream until it is stopped; servers that go away are replaced by the next one."""

    kind = "bluesky"

    def __init__(
        self,
        options: Options,
        max_record: int,
        *,
        may_append: Callable[[], bool] = lambda: True,
        now: Clock = wall_us,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`may_append` says whether the watch keeps up; nothing is read while it does not."""
        self.name = options.name
        self._options = options
        self._max_record = max_record
        self._may_append = may_append
        self._now = now
        self._chance = chance
        self._decode = msgspec.json.Decoder(_Event).decode
        self._dictionary = None if options.dictionary is None else load_dictionary(options.dictionary)

    def run(self, journal: Bus, stop: threading.Event) -> None:
        """Append events until `stop` is set.

        Raises:
            UsageError: a server does not accept what is asked, or compresses with another dictionary.
        """
        feed = Feed(journal, self.name, now=self._now)
        turn = failures = 0
        while not stop.is_set():
            host = self._options.hosts[turn % len(self._options.hosts)]
            follow = _Follower(self, feed, stop)
            reason = self._follow(host, follow, stop)
            if stop.is_set():
                return
            turn += 1
            failures = 0 if follow.events else failures + 1
            wait = min(FIRST_WAIT_S * 2.0 ** min(failures, 10), MAX_WAIT_S) * (0.5 + 0.5 * self._chance())
            log.warning("%s: %s; the next server in %.1f s", host, reason, wait)
            stop.wait(wait)

    def _follow(self, host: str, follow: _Follower, stop: threading.Event) -> str:
        """Read from one server until the connection ends; why it did."""
        try:
            connection = self._open(host, follow.cursor_us, stop)
            if connection is None:
                return "stopped"
            with connection:
                follow.read(connection)
                return "stopped"
        except InvalidStatus as error:
            status = error.response.status_code
            if status == 400:
                said = bytes(error.response.body or b"").decode(errors="replace").strip()[:200]
                what = f"{host} does not accept what is asked" + (f": {said}" if said else "")
                raise UsageError(what, hint="check collection= and did= of the source") from error
            return f"the server says {status}"
        except ConnectionClosed as error:
            return f"the connection ended ({error})"
        except (WebSocketException, OSError, TimeoutError) as error:
            return f"cannot be reached ({str(error) or type(error).__name__})"
        finally:
            follow.flush()

    def _open(self, host: str, cursor_us: int | None, stop: threading.Event) -> ClientConnection | None:
        """A connection; null if stopped in the meantime, which must not wait for a server that does not answer."""
        dial = _Dial(self._options.address(host, cursor_us), 4 * self._max_record)
        dial.start()
        while not dial.done.wait(POLL_S):
            if stop.is_set():
                dial.give_up()
                return None
        return dial.result()

    def record_of(self, frame: bytes) -> bytes:
        """The event in a frame.

        Raises:
            UsageError: it is compressed with another dictionary.
        """
        if not frame.startswith(_MAGIC):
            return frame
        try:
            with zstandard.ZstdDecompressor(dict_data=self._dictionary).stream_reader(frame) as reader:
                return reader.read(self._max_record + 1)
        except zstandard.ZstdError as error:
            what = f"events are compressed in a way that cannot be read ({error})"
            hint = "give the dictionary that the servers use now as dictionary=FILE, or leave it out"
            raise UsageError(what, where=self._options.dictionary, hint=hint) from error

    def line_of(self, frame: bytes, at_us: int) -> tuple[Line, int | None]:
        """The event as the journal takes it, and its time (null if it says none)."""
        record = self.record_of(frame)
        if len(record) > self._max_record:
            size, digest = len(record), hashlib.sha256(record).hexdigest()
            return Line(at_us, None, describe_oversized(record, size, digest, at_us, self.name)), None
        try:
            return Line(0, record), self._decode(record).time_us
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Line(0, record), None  # the lake sets it aside, with the reason

    def place(self, feed: Feed) -> int | None:
        """Time of the last event that is in the journal; null before the first."""
        text = feed.journal.position(self.name)
        return None if text is None else int(json.loads(text)["time_us"])

    @property
    def options(self) -> Options:
        """What is wanted."""
        return self._options

    def may_append(self) -> bool:
        """Whether the watch keeps up."""
        return self._may_append()

    def now(self) -> int:
        """The clock."""
        return self._now()


class _Follower:
    """What was read over one connection, on its way into the journal."""

    def __init__(self, source: JetstreamSource, feed: Feed, stop: threading.Event) -> None:
        self._source = source
        self._feed = feed
        self._stop = stop
        self.events = 0
        self._place_us = source.place(feed)
        back = round(source.options.rewind_s * _SECOND)
        self.cursor_us = None if self._place_us is None else self._place_us - back
        #: Until when the stream is covered without a hole; null before that is known.
        self._covered_us: int | None = None
        self._last_us: int | None = None
        self._lines: list[Line] = []
        self._size = 0
        self._next_beat = 0.0

    def read(self, connection: ClientConnection) -> None:
        """Read until stopped; raises what ends the connection."""
        heard = begun = time.monotonic()
        while not self._stop.is_set():
            if not self._source.may_append():
                self.flush()
                self._stop.wait(POLL_S)
                continue
            try:
                frame = connection.recv(timeout=_GATHER_S if self._lines else POLL_S, decode=False)
            except TimeoutError:
                self.flush()
                self._beat(is_idle=time.monotonic() - heard > _IDLE_S)
                continue
            heard = time.monotonic()
            if not self._lines:
                begun = heard
            self._take(frame)
            if len(self._lines) >= _RECORDS or self._size >= _BYTES or heard - begun > _GATHER_S:
                self.flush()
                self._beat(is_idle=False)

    def _take(self, frame: bytes) -> None:
        line, time_us = self._source.line_of(frame, self._source.now())
        self._lines.append(line)
        self._size += len(line.data or line.description or b"")
        self.events += 1
        if time_us is None or time_us > self._source.now() + _AHEAD_US:
            return  # a time that is to come would be no place to go on from
        if self._last_us is None:
            self._covered_us = self._begins_at(time_us)
        self._last_us = max(time_us, self._last_us or 0)

    def _begins_at(self, first_us: int) -> int:
        """From when on the stream is covered, told by the first event that came."""
        if self.cursor_us is None:
            return min(first_us, self._source.now())
        # A server that does not have the place any more begins with what it has, and does not say so.
        is_near = first_us - self.cursor_us <= _NEAR_US + round(self._source.options.rewind_s * _SECOND)
        is_kept = bool(self._source.options.dids) and self._source.now() - self.cursor_us < KEPT_US
        return self.cursor_us if is_near or is_kept else first_us

    def flush(self) -> None:
        """Put what was read into the journal, with the place behind it."""
        if not self._lines:
            return
        lines, self._lines, self._size = self._lines, [], 0
        # A server that plays back from before our place does not move it back.
        place = max((us for us in (self._last_us, self._place_us) if us is not None), default=None)
        position = None if place is None else json.dumps({"time_us": place})
        self._feed.append(lines, position=position)
        self._place_us = place

    def _beat(self, *, is_idle: bool) -> None:
        """Say how far the stream is covered, at most every few seconds."""
        if time.monotonic() < self._next_beat:
            return
        now = self._source.now()
        last = self._last_us
        if last is None:
            if not is_idle:
                return
            last = now  # connected, and there is nothing
        until = now if is_idle or last >= now - _FRESH_US else last
        begin = until if self._covered_us is None else min(self._covered_us, until)
        self._feed.journal.connected(self._source.name, begin, until)
        self._covered_us = until
        self._next_beat = time.monotonic() + BEAT_S


class _Dial(threading.Thread):
    """Opens a connection beside its caller, who may lose patience."""

    def __init__(self, address: str, max_size: int) -> None:
        super().__init__(name="jetstream dial", daemon=True)
        self.done = threading.Event()
        self._address = address
        self._max_size = max_size
        self._lock = threading.Lock()
        self._is_unwanted = False
        self._connection: ClientConnection | None = None
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Open it."""
        try:
            connection = connect(
                self._address,
                open_timeout=_OPEN_S,
                close_timeout=0.5,
                ping_interval=20.0,
                ping_timeout=20.0,
                max_size=self._max_size,
                max_queue=1_024,
                # Servers compress by zstd with a dictionary, or not at all.
                compression=None,
                user_agent_header=f"groundswell/{__version__}",
            )
        except BaseException as error:  # whatever it is, the caller is told
            self._failure = error
        else:
            with self._lock:
                self._connection = connection
                if self._is_unwanted:
                    connection.close()
        self.done.set()

    def give_up(self) -> None:
        """Nobody waits for it any more."""
        with self._lock:
            self._is_unwanted = True
            if self._connection is not None:
                self._connection.close()

    def result(self) -> ClientConnection:
        """The connection, or what failed."""
        if self._failure is not None:
            raise self._failure
        if self._connection is None:
            raise AssertionError  # one of the two is there when it is done
        return self._connection
