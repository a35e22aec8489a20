"""What the routes share: the desk, the journal and its intake, the hub, the search, the watch."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import Depends, Request, WebSocket

from groundswell.bus import open_bus
from groundswell.desk import checkpoints, open_desk
from groundswell.desk.clock import Clock, wall_us
from groundswell.errors import GroundswellError
from groundswell.lake import Lake
from groundswell.settings import Settings
from groundswell.web.arrivals import Pace, PaceMeter
from groundswell.web.backtests import Backtests
from groundswell.web.books import Books
from groundswell.web.held import HeldRecords
from groundswell.web.hub import Hub
from groundswell.web.intake import Intake
from groundswell.web.metrics import HomeMetrics
from groundswell.web.nightly import Nightly
from groundswell.web.profiles import Profiles
from groundswell.web.search import PostSearch
from groundswell.web.state import read_status
from groundswell.web.stock import Stock
from groundswell.web.uploads import Uploads
from groundswell.web.watching import Watcher, Watching

log = logging.getLogger("groundswell.web")

#: How often the pace is measured and the page is told, seconds.
PACE_S: Final = 1.0


class Services:
    """Everything a route may use. Opening it creates the home if needed."""

    def __init__(self, settings: Settings, *, runner: bool, now: Clock = wall_us) -> None:
        """Open the desk, the journal and the lake of `settings`.

        Raises:
            UnavailableError: one of them cannot be opened.
        """
        self.settings = settings
        self.now = now
        self.desk = open_desk(settings)
        self.journal = open_bus(settings, self.desk)
        self.lake = Lake.open(settings)
        self.hub = Hub(self.desk)
        self.watching = Watching(self.desk, self._watcher if runner else None)
        self.intake = Intake(
            self.journal, self.desk, now=now, appended=self.watching.wake, max_behind=settings.max_behind
        )
        self.search = PostSearch(settings)
        self.pace = Pace()
        self._meter = PaceMeter(self.journal)
        self.stock = Stock(self.lake, now)
        self.books = Books(self.lake)
        self.metrics = HomeMetrics(
            self.desk, self.journal, self.lake, self.books, now=now, watched=self.watching.status
        )
        self.quarantine = HeldRecords(self.lake)
        self.profiles = Profiles(settings, self.lake)
        self.backtests = Backtests(settings)
        self.nightly = Nightly(settings, self.desk, now)
        self.uploads = Uploads(settings, self.desk, now, self.stock.forget)

    def _watcher(self) -> Watcher:
        from groundswell.watch.runner import Runner  # noqa: PLC0415 - slow to import and not always used

        return Runner(self.settings, on_change=self.hub.wake)

    def tell(self) -> None:
        """Say that the desk has changed: the hub looks at once, and the watch takes up changed trackers."""
        self.hub.wake()
        self.watching.wake()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Poll, measure and watch for the length of the block, then end in order."""
        tasks = [asyncio.create_task(work) for work in (self.hub.run(), self.intake.watch_distance(), self._measure())]
        self.watching.start()
        await asyncio.to_thread(self.uploads.start)
        self.nightly.start()
        try:
            yield
        finally:
            self.hub.close()
            await self.intake.close()
            self.profiles.close()
            await asyncio.to_thread(self.backtests.close)
            await asyncio.to_thread(self.nightly.stop)
            await asyncio.to_thread(self.uploads.stop)
            await asyncio.to_thread(self.watching.stop)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(self.close)

    async def _measure(self) -> None:
        while True:
            try:
                self.pace = await asyncio.to_thread(self._measure_once)
                if self.hub.listeners:
                    status = await asyncio.to_thread(read_status, self)
                    self.hub.tell("status", "status", self.now(), status.model_dump(mode="json"))
            except GroundswellError as error:
                log.warning("the pace cannot be measured: %s", error)
            await asyncio.sleep(PACE_S)

    def _measure_once(self) -> Pace:
        block = self.watching.block()
        if block is None:
            with self.desk.reading() as session:
                mark = checkpoints.get(session, "watch")
            block = 0 if mark is None else mark.block
        return self._meter.measure(self.now(), block)

    def close(self) -> None:
        """Close what was opened."""
        self.search.close()
        self.journal.close()
        self.desk.close()


# A dependency that is no coroutine is run in a thread, for each request.
async def _of_request(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _of_socket(socket: WebSocket) -> Services:
    services: Services = socket.app.state.services
    return services


ServicesOf = Annotated[Services, Depends(_of_request)]
SocketServices = Annotated[Services, Depends(_of_socket)]
