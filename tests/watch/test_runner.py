"""The runner on a live stream: records in, alerts and posts out, one runner a home, trackers taken up as it runs."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from groundswell.bus import Bus, Journal
from groundswell.desk import changes, checkpoints, open_desk, series
from groundswell.errors import ConflictError, UnavailableError, UsageError
from groundswell.lake import Lake
from groundswell.settings import Settings, load_settings
from groundswell.sources.tail import TailSource
from groundswell.watch.jobs import sources_of
from groundswell.watch.runner import Runner
from groundswell.watch.trackers import add_tracker, remove_tracker

Until = Callable[..., None]
NOW = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)
SECOND = 1_000_000


class StoppedClock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.us = round(NOW.timestamp() * SECOND)

    def __call__(self) -> int:
        return self.us

    def move(self, **span: float) -> None:
        self.us += round(timedelta(**span).total_seconds() * SECOND)


@pytest.fixture
def live(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home", threads=1, window=60, lateness=10)


def tweet(number: int, text: str, at: datetime) -> bytes:
    row = {"id": str(number), "user_name": f"u{number}", "text": text, "created_at": at.isoformat()}
    return json.dumps(row).encode()


def push(settings: Settings, clock: StoppedClock, start: int, count: int, text: str) -> None:
    at = NOW + timedelta(microseconds=clock.us - round(NOW.timestamp() * SECOND))
    with Journal(settings.journal_path) as journal:
        journal.heartbeat("push", clock.us)
        journal.append("push", [tweet(start + n, text, at) for n in range(count)], received_us=clock.us)


@contextmanager
def running(runner: Runner) -> Iterator[None]:
    stop = threading.Event()
    failure: list[BaseException] = []

    def work() -> None:
        try:
            runner.run(stop)
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        runner.wake()
        thread.join()
    if failure:
        raise failure[0]


def windows(settings: Settings, tracker: str) -> list[int]:
    with open_desk(settings) as desk, desk.reading() as session:
        return [row.count for row in series.of_tracker(session, tracker, settings.window)]


def test_windows_close_by_the_clock_and_posts_reach_the_lake(live: Settings, until: Until) -> None:
    clock, told = StoppedClock(), threading.Event()
    with open_desk(live) as desk, desk.session() as session:
        tracker = add_tracker(session, "Shoes", "shoes", 30.0).id
    with running(Runner(live, now=clock, on_change=told.set)):
        push(live, clock, 0, 5, "new shoes")
        until(lambda: _block(live) == 1, what="the first batch")
        clock.move(seconds=80)
        until(lambda: windows(live, tracker) == [5], what="the window closing by the clock")
        assert told.wait(60)
    with open_desk(live) as desk, desk.reading() as session:
        kinds = [row.kind for row in changes.after(session, 0)]
    assert "window" in kinds
    assert Lake.open(live).count() == 5


def _block(settings: Settings) -> int:
    with open_desk(settings) as desk, desk.reading() as session:
        row = checkpoints.get(session, "watch")
        plans = checkpoints.plans_after(session, 0)
    return max([0 if row is None else row.block, *(plan.last_block for plan in plans)])


def test_trackers_are_taken_up_and_dropped_while_it_runs(live: Settings, until: Until) -> None:
    clock = StoppedClock()
    with running(Runner(live, now=clock)):
        push(live, clock, 0, 3, "new shoes and hats")
        until(lambda: _block(live) >= 1)
        with open_desk(live) as desk, desk.session() as session:
            tracker = add_tracker(session, "Hats", "hats", 30.0).id
        clock.move(seconds=120)
        push(live, clock, 10, 4, "hats")
        clock.move(seconds=75)
        until(lambda: 4 in windows(live, tracker), what="a window of the new tracker")
        with open_desk(live) as desk, desk.session() as session:
            remove_tracker(session, "Hats")
        seen = len(windows(live, tracker))
        clock.move(seconds=120)
        push(live, clock, 20, 4, "hats")
        clock.move(seconds=120)
        until(lambda: _block(live) >= 3)
    assert len(windows(live, tracker)) <= seen + 1


def test_a_second_runner_on_the_same_home_is_refused_and_names_the_first(live: Settings, until: Until) -> None:
    with running(Runner(live)):
        until(lambda: _holds(live))
        with pytest.raises(ConflictError, match=r"process \d+ on .* watches on this home already"):
            Runner(live).run(threading.Event())


def _holds(settings: Settings) -> bool:
    from groundswell.desk import leases

    with open_desk(settings) as desk, desk.reading() as session:
        return leases.holder_of(session, "watch") is not None


def test_a_restart_goes_on_where_it_ended(live: Settings, until: Until) -> None:
    clock = StoppedClock()
    with open_desk(live) as desk, desk.session() as session:
        tracker = add_tracker(session, "Shoes", "shoes", 30.0).id
    with running(Runner(live, now=clock)):
        push(live, clock, 0, 2, "shoes")
        until(lambda: _block(live) == 1)
    with running(Runner(live, now=clock)):
        push(live, clock, 5, 3, "shoes")
        until(lambda: _block(live) == 2)
        clock.move(seconds=80)
        until(lambda: windows(live, tracker) == [5], what="both parts in one window")
    assert len(list(live.state_path.iterdir())) == 1


def test_a_source_that_fails_ends_the_run_with_its_reason(live: Settings, tmp_path: Path) -> None:
    class Broken:
        name = "broken"
        kind = "test"

        def run(self, journal: Bus, stop: threading.Event) -> None:
            what = "the cable is cut"
            raise UnavailableError(what, where=self.name)

    with pytest.raises(UnavailableError, match="the cable is cut"):
        Runner(live, sources=[Broken()]).run(threading.Event())


def test_a_source_is_named_as_people_type_it(live: Settings, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "log").write_text("")
    specs = ["-", "push", str(tmp_path / "in"), f"folder:{tmp_path / 'later'}", str(tmp_path / "log")]
    assert [source.kind for source in sources_of(specs, live)] == ["stdin", "push", "folder", "folder", "tail"]
    with pytest.raises(UsageError, match="stdin"):
        sources_of(["pusj"], live)
    with pytest.raises(UsageError, match="--replay"):
        sources_of(["posts.ndjson.gz"], live)


def test_records_of_a_followed_file_are_watched_and_stored(live: Settings, tmp_path: Path, until: Until) -> None:
    log = tmp_path / "log"
    log.write_bytes(tweet(1, "shoes", datetime.now(UTC)) + b"\nnot json\n")
    with running(Runner(live, sources=[TailSource(log, 1 << 20)])):
        until(lambda: _block(live) >= 1)
    lake = Lake.open(live)
    assert (lake.count(), lake.count("quarantine")) == (1, 1)


def test_a_fenced_off_runner_commits_nothing(live: Settings, until: Until) -> None:
    from groundswell.desk.tables import LeaseRow

    clock = StoppedClock()
    runner = Runner(live, now=clock)

    def be_fenced() -> None:
        with running(runner):
            until(lambda: runner.status() is not None)
            with open_desk(live) as other, other.session() as session:
                row = session.get_one(LeaseRow, "watch")
                row.epoch, row.holder = row.epoch + 1, "elsewhere/1:42:1"
            push(live, clock, 0, 2, "shoes")
            runner.wake()
            until(lambda: runner.status() is None, what="the end of the fenced runner")

    with pytest.raises(ConflictError, match="taken over"):
        be_fenced()
    with open_desk(live) as other, other.reading() as session:
        assert checkpoints.get(session, "watch") is None


def test_a_record_from_the_future_is_quarantined_and_moves_nothing(live: Settings, until: Until) -> None:
    clock = StoppedClock()
    with running(Runner(live, now=clock)):
        with Journal(live.journal_path) as journal:
            later = NOW + timedelta(hours=2)
            journal.append("push", [tweet(1, "shoes", NOW), tweet(2, "shoes", later)], received_us=clock.us)
        until(lambda: _block(live) == 1)
    lake = Lake.open(live)
    assert (lake.count(), lake.count("quarantine")) == (1, 1)
    with open_desk(live) as desk, desk.reading() as session:
        row = checkpoints.get(session, "watch")
    assert row is not None
    assert row.watermark is not None
    assert row.watermark <= clock.us
