"""Running the stream through the runner, and telling what the watch says while it says it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

from groundswell.bus import Bus
from groundswell.demo.score import Pace, RaisedAlert, Score, score
from groundswell.demo.staging import Show, Staged
from groundswell.desk import Desk, alerts, changes, open_desk, topics, trackers
from groundswell.desk.clock import moment, wall_us
from groundswell.engines import open_engine
from groundswell.importing import Options
from groundswell.platforms import registry
from groundswell.sources.files import find_files
from groundswell.sources.replay import ReplaySource
from groundswell.watch.replay import Reading, prepare
from groundswell.watch.runner import Runner

#: More alerts than a demo can raise.
_ALL = 1_000


class Play:
    """One run of the stream. `run` blocks; the other methods may be called from other threads meanwhile."""

    def __init__(self, staged: Staged, speed: float | None, show: Show, *, on_change: Callable[[], None]) -> None:
        """`on_change` is called after every commit that a page can see."""
        self._staged = staged
        self._speed = speed
        self._show = show
        self._tell = on_change
        self._told: set[str] = set()
        self._over = threading.Event()
        self._pace = Pace(_micros_of(staged), wall_us(), speed)

    def run(self, stop: threading.Event, *, report: Callable[[Score], None]) -> None:
        """Feed and watch until the stream has ended or `stop` is set.

        `report` is called once, when the story is over; never if `stop` was set before.
        """
        settings, staged = self._staged.settings, self._staged
        with closing(open_engine(settings)) as engine:
            reading = Reading(settings, engine, registry(), Options())
            prepared = prepare(find_files([str(staged.stream)], settings.tmp_path), reading)
        with open_desk(settings) as desk:
            source = ReplaySource(prepared, self._speed)

            def changed() -> None:
                self._tell()
                self._tell_alerts(desk)
                if not self._over.is_set() and self._story_is_over(runner):
                    self._over.set()
                    report(self._score(desk))

            def started(_desk: Desk, _journal: Bus) -> None:
                self._pace = Pace(prepared.first_us or 0, wall_us(), self._speed)

            runner = Runner(settings, sources=[source], live=False, started=started, on_change=changed)
            runner.run(stop)
            if not self._over.is_set() and not stop.is_set():
                self._over.set()
                report(self._score(desk))

    def _story_is_over(self, runner: Runner) -> bool:
        status = runner.status()
        end = round(self._staged.story.ends.timestamp() * 1e6)
        return status is not None and status.watermark_us is not None and status.watermark_us >= end

    def _score(self, desk: Desk) -> Score:
        with desk.reading() as session:
            watched = {row.query for row in trackers.list_active(session)}
        return score(self._staged.truth.events, raised(desk), self._pace, topics=emerged(desk), watched=watched)

    def _tell_alerts(self, desk: Desk) -> None:
        for alert in sorted([*raised(desk), *emerged(desk, unseen=True)], key=lambda alert: alert.opened_us):
            if alert.id not in self._told:
                self._told.add(alert.id)
                headline = alert.headline.replace("\n", ": ")
                self._show.say(f"{moment(alert.opened_us):%H:%M}  {headline}")


def raised(desk: Desk) -> list[RaisedAlert]:
    """All alerts of a desk, as the score takes them."""
    with desk.reading() as session:
        queries = {key: row.query for key, row in trackers.by_id(session).items()}
        return [
            RaisedAlert(
                id=row.id,
                query=queries[row.tracker_id],
                direction=row.direction,
                started_us=row.started_at,
                opened_us=row.opened_at,
                wall_us=row.created_wall,
                headline=row.headline,
            )
            for row in alerts.listed(session, limit=_ALL)
        ]


def emerged(desk: Desk, *, unseen: bool = False) -> list[RaisedAlert]:
    """All emerging topics of a desk, as the score takes them; `unseen`: only those that no tracker sees."""
    with desk.reading() as session:
        rows, _ = topics.page(session, limit=_ALL)
        told = changes.first_told(session, "topic")
        return [
            RaisedAlert(
                id=row.id,
                query=row.query,
                direction="burst",
                started_us=row.started_at,
                opened_us=row.opened_at,
                wall_us=told.get(row.id, 0),
                headline=f"{row.headline}\n{row.detail}",
                terms=frozenset(term["term"] for term in row.body["terms"]),
            )
            for row in rows
            if not (unseen and row.body.get("covered_by"))
        ]


def _micros_of(staged: Staged) -> int:
    return round(staged.story.begins.timestamp() * 1e6)
