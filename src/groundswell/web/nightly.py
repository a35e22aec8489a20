"""The day's work in the server: once a day after a set time, in a process of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from groundswell.desk import Desk
from groundswell.desk.clock import Clock
from groundswell.errors import GroundswellError
from groundswell.settings import Settings
from groundswell.watch.daily import is_done
from groundswell.web.children import Child, EndedError

log = logging.getLogger("groundswell.web")

#: How often it is looked whether it is time, seconds.
EVERY_S: Final = 60.0
#: What failed is tried again after so long, seconds.
AGAIN_S: Final = 3600.0

Work = Callable[[Mapping[str, Any]], dict[str, Any]]


def due(now: datetime, at: str, tz: str) -> date | None:
    """The date whose work is to be done by now, once the clock of `tz` has passed `at` today; null before.

    It is the last date (UTC) that was over at that moment, so it stays the same until `at` comes again.

    >>> due(datetime(2026, 11, 20, 4, 0, tzinfo=UTC), "03:30", "UTC")
    datetime.date(2026, 11, 19)
    >>> due(datetime(2026, 11, 20, 3, 0, tzinfo=UTC), "03:30", "UTC") is None
    True
    >>> due(datetime(2026, 11, 20, 1, 0, tzinfo=UTC), "03:30", "Asia/Tokyo")
    datetime.date(2026, 11, 18)
    """
    if not at:
        return None
    local = now.astimezone(ZoneInfo(tz))
    today = datetime.combine(local.date(), time.fromisoformat(at), ZoneInfo(tz))
    if local.time() < time.fromisoformat(at):
        return None
    return today.astimezone(UTC).date() - timedelta(days=1)


class Nightly:
    """Does the day's work in a thread of its own, where the settings name a time for it."""

    def __init__(self, settings: Settings, desk: Desk, now: Clock, *, every_s: float = EVERY_S) -> None:
        self._settings = settings
        self._desk = desk
        self._now = now
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._child: Child | None = None
        self._not_before = 0

    def start(self) -> None:
        """Begin to look at the clock; does nothing where no time is set."""
        if self._settings.daily_at:
            self._thread = threading.Thread(target=self._keep, name="daily", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End what is done; it is taken up with the next start."""
        self._stop.set()
        child = self._child
        if child is not None:
            child.end()
        if self._thread is not None:
            self._thread.join()

    def look(self) -> bool:
        """Do the work if it is due; whether it was done now."""
        now_us = self._now()
        on = due(datetime.fromtimestamp(now_us / 1e6, UTC), self._settings.daily_at, self._settings.tz)
        if on is None or now_us < self._not_before or is_done(self._desk, on):
            return False
        self._child = Child({"do": "daily", "settings": self._settings.model_dump(mode="json"), "date": on.isoformat()})
        try:
            document = self._child.run(lambda _progress: None)
        except EndedError:
            if self._stop.is_set():
                return False
            raise
        if document["state"] != "done":
            self._not_before = now_us + round(AGAIN_S * 1e6)
            failed = [f"{step['name']}: {step['error']}" for step in document["steps"] if step["error"]]
            log.warning("the work of %s is not done: %s", on, "; ".join(failed))
            return False
        log.info("the work of %s is done", on)
        return True

    def _keep(self) -> None:
        while not self._stop.wait(self._every_s):
            try:
                self.look()
            except GroundswellError as error:
                self._not_before = self._now() + round(AGAIN_S * 1e6)
                log.warning("the day's work cannot be done: %s", error)
            except Exception:  # a defect of one night must not end all others
                self._not_before = self._now() + round(AGAIN_S * 1e6)
                log.exception("the day's work cannot be done")
