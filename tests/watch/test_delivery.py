"""The lake writer waits for other writers; the watch never does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from groundswell.bus import Journal
from groundswell.desk import Desk, checkpoints, leases, open_desk, series
from groundswell.desk.clock import wall_us
from groundswell.errors import ConflictError, GroundswellError, UnavailableError
from groundswell.lake import Lake
from groundswell.settings import Settings, load_settings
from groundswell.watch import delivery as module
from groundswell.watch.delivery import Delivery
from groundswell.watch.runner import Runner
from groundswell.watch.trackers import add_tracker

Until = Callable[..., None]


@pytest.fixture
def journal(settings: Settings) -> Iterator[Journal]:
    with Journal(settings.journal_path) as journal:
        yield journal


class Writer:
    """Takes one block at a time, unless it is told to fail; a stream goes on meanwhile."""

    def __init__(self, desk: Desk, journal: Journal, *, endless: bool = False) -> None:
        self.calls = 0
        self.failure: GroundswellError | None = None
        self._desk, self._journal, self._endless = desk, journal, endless

    def __call__(self, wait_s: float) -> bool:
        self.calls += 1
        if self.failure is not None:
            raise self.failure
        with self._desk.session() as session:
            row = checkpoints.get(session, "lake")
            block = 0 if row is None else row.block
            if block >= self._journal.last_block():
                return False
            checkpoints.put(session, "lake", block=block + 1, batch=block + 1)
        if self._endless:
            self._journal.append("push", [b"{}"], received_us=1)
        return True


def refused() -> ConflictError:
    what = "the `lake` lease is held"
    return ConflictError(what)


def test_a_stream_that_never_ends_does_not_keep_the_writer_for_ever(
    settings: Settings, desk: Desk, journal: Journal
) -> None:
    for _ in range(3):
        journal.append("push", [b"{}"], received_us=1)
    writer = Writer(desk, journal, endless=True)
    Delivery(settings, desk, journal, writer, now=wall_us).drain()
    assert writer.calls == 3


def test_somebody_else_writing_is_no_trouble_until_it_takes_long(
    desk: Desk, journal: Journal, until: Until, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK_S", 0.02)
    monkeypatch.setattr(module, "PATIENCE_S", 0.2)
    settings = load_settings(home=tmp_path / "home", commit_every=0.02)
    journal.append("push", [b"{}"], received_us=1)
    writer = Writer(desk, journal)
    writer.failure = refused()
    delivery = Delivery(settings, desk, journal, writer, now=wall_us)
    delivery.write_some()
    assert delivery.trouble is None
    delivery.start()
    until(lambda: delivery.trouble is not None, what="patience at its end")
    writer.failure = None
    until(lambda: delivery.trouble is None and delivery.behind() == 0, what="the commit")
    delivery.stop()


def test_a_writer_that_is_called_writes_at_once_however_little_waits(
    desk: Desk, journal: Journal, until: Until, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK_S", 60.0)
    settings = load_settings(home=tmp_path / "home", commit_every=3600)
    journal.append("push", [b"{}"], received_us=1)
    writer = Writer(desk, journal)
    delivery = Delivery(settings, desk, journal, writer, now=wall_us)
    assert not delivery.come()
    delivery.start()
    until(delivery.come, what="the writer at rest")
    until(lambda: delivery.behind() == 0, what="the commit")
    assert not delivery.come()  # there is nothing to write
    delivery.stop()
    journal.append("push", [b"{}"], received_us=1)
    assert not delivery.come()


def test_a_writer_that_is_waited_for_does_not_rest(
    desk: Desk, journal: Journal, until: Until, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK_S", 60.0)
    settings = load_settings(home=tmp_path / "home", commit_every=3600)
    journal.append("push", [b"{}"], received_us=1)
    delivery = Delivery(settings, desk, journal, Writer(desk, journal), now=wall_us, wanted=lambda: True)
    delivery.start()
    until(lambda: delivery.behind() == 0, what="the commit")
    delivery.stop()


def test_what_the_lake_has_is_not_brought_once_more(settings: Settings, desk: Desk, journal: Journal) -> None:
    for _ in range(2):
        journal.append("push", [b"{}"], received_us=1)
    writer = Writer(desk, journal)
    delivery = Delivery(settings, desk, journal, writer, now=wall_us)
    for block in (0, 1, 1):
        delivery.bring(block)
    assert writer.calls == 1


def test_a_full_disk_is_said_at_once(settings: Settings, desk: Desk, journal: Journal) -> None:
    journal.append("push", [b"{}"], received_us=1)
    writer = Writer(desk, journal)
    writer.failure = UnavailableError("the disk is full")
    with pytest.raises(UnavailableError):
        Delivery(settings, desk, journal, writer, now=wall_us).write_some()


@contextmanager
def watching(settings: Settings) -> Iterator[Callable[[], float]]:
    """A live runner; the function stops it and says how many seconds that took."""
    stop, runner = threading.Event(), Runner(settings)
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()

    def end() -> float:
        begun = time.monotonic()
        stop.set()
        runner.wake()
        thread.join(60)
        return time.monotonic() - begun

    try:
        yield end
    finally:
        end()


def push(journal: Journal, count: int) -> None:
    now = datetime.now(UTC)
    rows = [{"id": str(n), "user_name": "a", "text": "shoes", "created_at": now.isoformat()} for n in range(count)]
    at = round(now.timestamp() * 1_000_000)
    journal.heartbeat("push", at)
    journal.append("push", [json.dumps(row).encode() for row in rows], received_us=at)


def test_an_import_that_holds_the_lake_stalls_neither_the_watch_nor_its_end(tmp_path: Path, until: Until) -> None:
    settings = load_settings(home=tmp_path / "home", threads=1, window=60, lateness=0, commit_every=0.2)
    with open_desk(settings) as desk, Journal(settings.journal_path) as journal:
        with desk.session() as session:
            add_tracker(session, "Shoes", "shoes", 30.0)
        with leases.hold(desk, "lake"), watching(settings) as end:
            push(journal, 5)
            until(lambda: _watched(desk) >= 1, what="the first batch")
            with desk.session() as session:  # a tracker that comes now is taught without the stream's last minutes
                hats = add_tracker(session, "Hats", "shoes", 30.0).id
            push(journal, 7)
            until(lambda: _watched(desk) >= 2, what="the second batch")
            assert end() < 5
        assert Lake.open(settings).count() == 0
        with watching(settings) as end:
            until(lambda: Lake.open(settings).count() == 7, what="the posts in the lake")
            end()
        with desk.reading() as session:
            assert series.of_tracker(session, hats, 60) == []


def _watched(desk: Desk) -> int:
    with desk.reading() as session:
        row = checkpoints.get(session, "watch")
        plans = checkpoints.plans_after(session, 0)
    return max([0 if row is None else row.block, *(plan.last_block for plan in plans)])


def test_many_records_that_wait_are_written_before_it_is_time(
    desk: Desk, journal: Journal, until: Until, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK_S", 0.02)
    monkeypatch.setattr(module, "_BACKLOG", 5)
    settings = load_settings(home=tmp_path / "home", commit_every=3600)
    for _ in range(4):
        journal.append("push", [b"{}"], received_us=1)
    writer = Writer(desk, journal)
    delivery = Delivery(settings, desk, journal, writer, now=wall_us)
    assert delivery.waiting() == 4
    delivery.start()
    try:
        journal.append("push", [b"{}", b"{}"], received_us=1)
        until(lambda: delivery.behind() == 0, what="the commit")
    finally:
        delivery.stop()
    assert delivery.waiting() == 0
