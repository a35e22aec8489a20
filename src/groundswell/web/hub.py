"""One poller of the desk's changes, any number of listeners.

Every listener says which change it has seen last. It is given what it missed from the desk, page by page, and is
attached to the live fan-out in the moment in which it has caught up, so that nothing is missing and nothing comes
twice. One that does not keep up is detached when its queue is full, and reads on from the desk at its own pace.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from groundswell.desk import changes
from groundswell.desk.tables import ChangeRow
from groundswell.errors import GroundswellError
from groundswell.web.problems import GoneError

if TYPE_CHECKING:
    from groundswell.desk import Desk

log = logging.getLogger("groundswell.web")

#: How often the desk is asked, seconds. A runner in this process wakes the hub at once.
POLL_S: Final = 0.15
#: Changes that may wait for one listener.
QUEUE: Final = 256
#: Changes that are read from the desk at once.
PAGE: Final = 500


class ClosingError(GroundswellError):
    """The server stops; a listener may resume from the last change that it got once it is back."""

    status = 503


@dataclass(frozen=True, slots=True)
class Message:
    """A change, encoded once for all listeners. News of the moment carries the number of the change before it."""

    seq: int
    text: str
    momentary: bool = False


class _Listener:
    """What waits for one client."""

    def __init__(self, queue: int) -> None:
        self.waiting: deque[Message] = deque()
        self.ready = asyncio.Event()
        self.limit = queue
        self.overflowed = False

    def put(self, message: Message) -> None:
        """Add a change, unless one before it found no room: then the desk has them all."""
        self.overflowed = self.overflowed or len(self.waiting) >= self.limit
        if self.overflowed:
            self.waiting.clear()
        else:
            self.waiting.append(message)
        self.ready.set()

    async def news(self, seconds: float | None) -> bool:
        """Wait for something to happen; false if nothing did in that time."""
        try:
            await asyncio.wait_for(self.ready.wait(), seconds)
        except TimeoutError:
            return False
        self.ready.clear()
        return True


class Hub:
    """Fans changes out. Everything but `wake` belongs to the event loop that runs it."""

    def __init__(self, desk: Desk, *, poll_s: float = POLL_S, queue: int = QUEUE) -> None:
        self._desk = desk
        self._poll_s = poll_s
        self._queue = queue
        self._listeners: set[_Listener] = set()
        self._wake = asyncio.Event()
        self._begun = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False
        self.seq = 0

    @property
    def listeners(self) -> int:
        """How many clients follow live."""
        return len(self._listeners)

    def wake(self) -> None:
        """Say that there may be new changes; may be called from any thread."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has just been closed
                loop.call_soon_threadsafe(self._wake.set)

    def close(self) -> None:
        """Let all listeners go; later ones are refused."""
        self._closing = True
        self._begun.set()
        for listener in self._listeners:
            listener.ready.set()

    async def run(self) -> None:
        """Poll and fan out until cancelled; a desk that cannot be read is tried again."""
        self._loop = asyncio.get_running_loop()
        self.seq = await asyncio.to_thread(self._last)
        self._begun.set()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._poll_s)
            self._wake.clear()
            try:
                await self._fan_out()
            except GroundswellError as error:
                log.warning("the live hub cannot read the desk: %s", error)

    async def _fan_out(self) -> None:
        while page := await asyncio.to_thread(self._page, self.seq):
            for message in page:
                self.seq = message.seq
                for listener in self._listeners:
                    listener.put(message)
            if len(page) < PAGE:
                return

    def tell(self, kind: str, subject: str, at_us: int, body: dict[str, object]) -> None:
        """Tell all who listen now something that need not be replayed, such as the pace."""
        row = ChangeRow(seq=self.seq, at=at_us, kind=kind, subject=subject, body=body)
        message = Message(self.seq, _encoded(changes.document(row)), momentary=True)
        for listener in self._listeners:
            if not listener.waiting:  # a slow client has no use for news that is old
                listener.put(message)

    async def follow(self, after: int | None, *, beat_s: float | None = None) -> AsyncGenerator[Message | None, None]:
        """Every change after `after` (null: from now on); null each `beat_s` seconds in which nothing happens.

        Raises:
            GoneError: the changes after `after` are not kept any more: load everything anew.
            ClosingError: the server stops.
        """
        if after is None:
            # Before the first look at the desk nobody knows which change "now" is.
            await self._begun.wait()
            seen = self.seq
        else:
            await self.check(after)
            seen = after
        while not self._closing:
            while seen < self.seq:
                for message in await asyncio.to_thread(self._page, seen):
                    yield message
                    seen = message.seq
            with self._attached() as listener:
                while not listener.overflowed and not self._closing:
                    while listener.waiting:
                        message = listener.waiting.popleft()
                        if message.seq > seen or message.momentary:
                            yield message
                            seen = max(seen, message.seq)
                    if not await listener.news(beat_s):
                        yield None
        what = "the server stops"
        raise ClosingError(what, hint=f"connect again with after={seen}")

    async def check(self, after: int) -> None:
        """Make sure that the changes after `after` are kept.

        Raises:
            GoneError: they are not, or `after` is of another home.
        """
        await asyncio.to_thread(self._check, after)

    @contextlib.contextmanager
    def _attached(self) -> Iterator[_Listener]:
        listener = _Listener(self._queue)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def _last(self) -> int:
        with self._desk.reading() as session:
            return changes.last_seq(session)

    def _page(self, after: int) -> list[Message]:
        with self._desk.reading() as session:
            rows = changes.after(session, after, PAGE)
        return [Message(row.seq, _encoded(changes.document(row))) for row in rows]

    def _check(self, after: int) -> None:
        with self._desk.reading() as session:
            first, last = changes.first_seq(session), changes.last_seq(session)
        if after > last or (first > 0 and after < first - 1):
            known = f"changes {first} to {last} are kept"
            what = f"cannot continue after change {after}: {known}"
            raise GoneError(
                what,
                hint="load everything anew, then connect with `seq` of /api/v1/status",
            )


def _encoded(document: dict[str, object]) -> str:
    if document.get("tracker") == {}:
        document["tracker"] = None  # it was removed
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
