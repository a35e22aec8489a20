"""What the loop plans: only for trackers that have learned their past."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.watch.test_alert_rows import record

from groundswell.bus import Journal
from groundswell.desk import Desk, alert_life, alerts, checkpoints, leases, open_desk, series
from groundswell.desk import trackers as tracker_rows
from groundswell.engines import open_engine
from groundswell.platforms.saved import registry_for
from groundswell.settings import Settings, load_settings
from groundswell.watch import loop as loops
from groundswell.watch import snapshot
from groundswell.watch.alert_rows import write_alerts
from groundswell.watch.contract import SeriesPoint, TrackerSpec
from groundswell.watch.loop import WatchLoop
from groundswell.watch.parts import Parts
from groundswell.watch.state import WatchState
from groundswell.watch.trackers import add_tracker
from groundswell.watch.warm import take_up

SECOND = 1_000_000
START = 1_772_452_800 * SECOND  # 2026-03-02T12:00:00Z


class KilledError(Exception):
    """The process ends here."""


@dataclass
class Home:
    """A home with a loop on it, and what was asked of it."""

    settings: Settings
    desk: Desk
    journal: Journal
    taught: list[list[str]] = field(default_factory=list)
    told: dict[tuple[str, int, int], SeriesPoint] = field(default_factory=dict)
    while_teaching: Callable[[], None] = lambda: None
    away: bool = False
    asked: list[int] = field(default_factory=list)

    def push(self, number: int, minute: int, text: str) -> None:
        at = START + minute * 60 * SECOND
        created = datetime.fromtimestamp(at / SECOND, UTC).isoformat()
        row = {"id": str(number), "user_name": "u", "text": text, "created_at": created}
        self.journal.append("push", [json.dumps(row).encode()], received_us=at)

    def add(self, name: str) -> str:
        with self.desk.session() as session:
            return add_tracker(session, name, name.lower(), 30.0).id

    def counts(self, tracker: str) -> list[int]:
        with self.desk.reading() as session:
            return [row.count for row in series.of_tracker(session, tracker, self.settings.window)]

    @contextmanager
    def loop(self, killed_at: str = "") -> Iterator[WatchLoop]:
        def hook(border: str) -> None:
            if border == "snapshot":
                self.told |= loop.progress.points
            if border == killed_at:
                raise KilledError

        def teach(state: WatchState, specs: Sequence[TrackerSpec], _: int) -> WatchState:
            self.taught.append([spec.name for spec in specs])
            take_up(state, specs, loop.params)
            for one in state.series:
                one.untaught = self.away
            self.while_teaching()
            return state

        def may_catch_up(block: int) -> bool:
            self.asked.append(block)
            return not self.away

        with ExitStack() as stack:
            engine = open_engine(self.settings)
            stack.callback(engine.close)
            parts = Parts(
                settings=self.settings,
                desk=self.desk,
                journal=self.journal,
                held=stack.enter_context(leases.hold(self.desk, "watch")),
                engine=engine,
                registry=registry_for(self.settings),
                teach=teach,
                teach_topics=lambda topics, _: topics,
                may_catch_up=may_catch_up,
                now=lambda: START,
                hook=hook,
            )
            loop = WatchLoop(parts, live=False)
            yield loop


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    settings = load_settings(home=tmp_path / "home", threads=1, window=60, lateness=10, topics=0)
    with open_desk(settings) as desk, Journal(settings.journal_path) as journal:
        yield Home(settings, desk, journal)


def test_a_tracker_that_is_made_while_another_is_taught_is_taught_too_before_anything_counts_for_it(home: Home) -> None:
    first = home.add("Shoes")
    made: list[str] = []
    home.while_teaching = lambda: made.append(home.add(f"Hats{len(made)}")) if len(made) < 1 else None
    home.push(0, 0, "shoes hats0")
    with home.loop() as loop:
        assert loop.advance() == 1
        assert loop.progress.state.keys == [(first, 1)]
        home.push(1, 5, "shoes hats0")
        home.push(2, 9, "shoes hats0")
        while loop.advance():
            pass
        assert home.taught == [["Shoes"], ["Hats0"]]
        assert {key for key, _ in loop.progress.state.keys} == {first, *made}
        loop.checkpoint()
    assert sum(home.counts(first)) == 2
    assert sum(home.counts(made[0])) == 1


def test_a_tracker_that_started_without_its_past_is_taught_once_the_lake_has_what_came_meanwhile(home: Home) -> None:
    home.add("Shoes")
    home.push(0, 0, "shoes")
    home.away = True
    with home.loop() as loop:
        assert loop.advance() == 1
        assert [one.name for one in loop.untaught()] == ["Shoes"]
        loop.checkpoint()
    with home.loop() as loop:
        home.push(1, 1, "shoes")
        assert loop.advance() == 1
        assert home.taught == [["Shoes"]]
        home.away = False
        home.push(2, 2, "shoes")
        assert loop.advance() == 1
        assert loop.untaught() == []
        home.push(3, 3, "shoes")
        assert loop.advance() == 1
    assert home.taught == [["Shoes"], ["Shoes"]]
    assert home.asked == [1, 2]


def test_what_was_planned_before_an_upgrade_is_planned_anew_once_trackers_have_learned(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = home.add("Shoes")
    home.push(0, 0, "shoes")
    with home.loop() as loop:
        assert loop.advance() == 1
        loop.checkpoint()
        home.push(1, 1, "shoes")
    with pytest.raises(KilledError), home.loop("planned") as loop:
        loop.advance()
    with home.desk.reading() as session:
        assert len(checkpoints.plans_after(session, 0)) == 1
    with home.desk.session() as session:
        write_alerts(session, [record(tracker, "growing")], tracker_rows.by_id(session), 7)
    monkeypatch.setattr(snapshot, "STATE_VERSION", snapshot.STATE_VERSION + 1)
    with home.loop() as loop:
        loop.recover()
        assert loop.progress.state.keys == []
        with home.desk.reading() as session:
            alert = alerts.get(session, "growing")
            assert (alert.phase, alert.closed_at) == ("closed", alert.updated_at)
            (why,) = alert_life.events(session, "growing")
            assert why.text == (
                "Closed as it stood: the watch learns anew after an upgrade and does not know this episode any more."
            )
        home.push(2, 9, "shoes")
        while loop.advance():
            pass
        loop.checkpoint()
        assert (loop.progress.block, loop.progress.state.keys) == (3, [(tracker, 1)])
    assert home.taught == [["Shoes"], ["Shoes"]]
    assert sum(home.counts(tracker)) == 1


@pytest.mark.parametrize("most_points", [10, 300_000])
def test_a_long_silence_is_passed_some_windows_at_a_time_and_says_the_same(
    home: Home, monkeypatch: pytest.MonkeyPatch, most_points: int
) -> None:
    monkeypatch.setattr(loops, "_MOST_POINTS", most_points)
    home.settings = load_settings(home=home.settings.home, threads=1, window=900, lateness=10, topics=0)
    home.add("Shoes")
    for number, minute in enumerate((0, 1, 600, 601, 20_000, 20_001, 20_035)):
        home.push(number, minute, "shoes")
    with home.loop() as loop:
        while loop.advance():
            pass
        loop.checkpoint()
        assert (loop.progress.batch > 50) == (most_points == 10)
    hour = 3_600 * SECOND
    starts = sorted(point.start for point in home.told.values())
    assert {point.start: point.count for point in home.told.values() if point.count} == {
        START: 2,
        START + 10 * hour: 2,
        START + 333 * hour + hour // 4: 2,
    }
    # Ten hours, then a week of silence; after that no windows until posts come again.
    away = [(first, then) for first, then in itertools.pairwise(starts) if then - first > hour // 4]
    assert away == [(START + 178 * hour, START + 333 * hour + hour // 4)]
