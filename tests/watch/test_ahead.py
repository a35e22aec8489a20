"""A batch that is read while the last one is stepped: the same comes out, and what does not fit is thrown away."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select
from tests.watch.test_loop import SECOND, START, Home

from groundswell import kernels
from groundswell.bus import Block, Journal
from groundswell.desk import open_desk
from groundswell.desk.tables import AlertRow, PlanRow, SeriesRow, TopicRow
from groundswell.errors import UnavailableError
from groundswell.query import Matcher, parse
from groundswell.settings import load_settings
from groundswell.watch import ahead, flow, plan
from groundswell.watch.ahead import ReadAhead, Wanted
from groundswell.watch.arrivals import TableArrivals
from groundswell.watch.batches import Ways, arrivals_of
from groundswell.watch.contract import Arrivals
from groundswell.watch.loop import WatchLoop
from groundswell.watch.trackers import add_tracker

WORDS = ("shoes", "hats", "socks", "#sale", "gloves and scarves")
MATCHER = Matcher([parse("shoes").root])


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    yield from opened(tmp_path / "home")


def opened(folder: Path) -> Iterator[Home]:
    settings = load_settings(home=folder, threads=2, window=60, windows="60,300", lateness=10)
    with open_desk(settings) as desk, Journal(settings.journal_path) as journal:
        yield Home(settings, desk, journal)


def fill(home: Home, seed: int, *, jetstream: bool = False) -> None:
    """A stream with silences, duplicates, dirt and two sources, in many small blocks."""
    chance = random.Random(seed)  # noqa: S311 - made-up posts
    at = START
    for number in range(30):
        at += chance.choice((1, 5, 20, 70, 400)) * SECOND
        source = chance.choice(("push", "push", "tail"))
        records = []
        for n in range(chance.randint(1, 12)):
            text = " ".join(chance.choices(WORDS, k=3))
            created = datetime.fromtimestamp(at / SECOND - chance.random() * 30, UTC).isoformat(timespec="milliseconds")
            name = f"{chance.randint(0, number)}.{n}"
            row: dict[str, Any] = {"id": name, "user_name": f"u{n}", "text": text, "created_at": created}
            row["followers"] = chance.choice((1, 10, 100, 5_000))
            if jetstream and source == "push":
                post = {"$type": "app.bsky.feed.post", "createdAt": created.replace("+00:00", "Z"), "text": text}
                commit = {"operation": "create", "collection": "app.bsky.feed.post", "rkey": name, "record": post}
                row = {"did": f"did:plc:{n}", "time_us": at, "kind": "commit", "commit": commit}
            records.append(b"{dirt" if chance.random() < 0.02 else json.dumps(row).encode())
        home.journal.append(source, records, received_us=at)


def add(home: Home, name: str) -> None:
    with home.desk.session() as session:
        add_tracker(session, name, name.lower(), 30.0, options={"reach_followers": 1_000}, now_us=1)


def rows(home: Home, table: Any) -> list[dict[str, Any]]:
    names = [column.key for column in inspect(table).columns if column.key != "created_wall"]
    with home.desk.reading() as session:
        found = session.scalars(select(table).order_by(*inspect(table).primary_key))
        return [{name: getattr(row, name) for name in names} for row in found]


def outcome(home: Home, loop: WatchLoop) -> tuple[object, ...]:
    """Everything that a run leaves behind."""
    loop.checkpoint()
    path = home.settings.home / "state.arrow"
    flow.dump_state(loop.progress.state, path)
    found = [rows(home, table) for table in (AlertRow, SeriesRow, TopicRow, PlanRow)]
    assert found[0]
    return repr(found), path.read_bytes(), loop.progress.batch, loop.progress.block, loop.clock_us


@pytest.mark.parametrize(("seed", "jetstream"), [(1, False), (3, True)])
def test_what_comes_out_does_not_depend_on_reading_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, jetstream: bool
) -> None:
    if jetstream:
        kernels.load_live()
    for name in ("LIMITS", "LIMITS_LIVE"):
        monkeypatch.setattr(plan, name, (20, 1 << 20))
    monkeypatch.setattr("os.urandom", bytes)
    given: list[bool] = []
    found = []
    for reads_ahead in (True, False):
        for home in opened(tmp_path / str(reads_ahead)):
            fill(home, seed, jetstream=jetstream)
            add(home, "Shoes")
            with home.loop() as loop:
                if not reads_ahead:
                    monkeypatch.setattr(loop._ahead, "go_on", lambda *_: None)
                turn = 0
                while loop.advance():
                    given.append(len(loop._ahead._guesses) == ahead.DEPTH)
                    turn += 1
                    if turn == 4:
                        add(home, "Hats")
                loop.tick(loop.end_of_stream_us())
                found.append(outcome(home, loop))
                loop.close()
    assert sum(given) > 3
    assert found[0] == found[1]


def test_batches_for_other_trackers_are_thrown_away(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "DEPTH", 2)
    monkeypatch.setattr(plan, "LIMITS", (2, 1 << 20))
    monkeypatch.setattr(plan, "LIMITS_LIVE", (2, 1 << 20))
    asked: list[tuple[str, int, int, Matcher]] = []

    def noted(blocks: Sequence[Block], ways: Ways) -> Arrivals:
        if blocks and ways.matcher is not None:
            where = threading.current_thread().name.split("_")[0]
            asked.append((where, blocks[0].seq, blocks[-1].seq, ways.matcher))
        return arrivals_of(blocks, ways)

    monkeypatch.setattr(ahead, "arrivals_of", noted)
    first = home.add("Shoes")
    for number in range(10):
        home.push(number, number, "shoes hats")
    with home.loop() as loop:
        for _ in range(2):
            assert loop.advance() == 2
        home.add("Hats")
        while loop.advance():
            pass
        loop.close()
    one, both = asked[0][3], asked[-1][3]
    here = threading.current_thread().name
    assert one is not both
    # The second pair is read ahead; so are the next two, for one tracker, and read again for two; the last is newest.
    assert asked[0] == (here, 1, 2, one)
    assert sorted(each[:3] for each in asked[1:4]) == [("ahead", first, first + 1) for first in (3, 5, 7)]
    assert asked[4:] == [(here, 5, 6, both), ("ahead", 7, 8, both), (here, 9, 10, both)]
    assert {each[3] for each in asked[:4]} == {one}
    assert sum(home.counts(first)) == 8


class Bus:
    """A journal that cannot be read for a while."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.broken = False
        self.read: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.journal, name)

    def between(self, first: int, last: int) -> Sequence[Block]:
        if self.broken:
            what = "the journal cannot be used"
            raise UnavailableError(what)
        self.read.append(first)
        return self.journal.between(first, last)


@pytest.fixture
def bus(home: Home, monkeypatch: pytest.MonkeyPatch) -> Bus:
    for name in ("LIMITS", "LIMITS_LIVE"):
        monkeypatch.setattr(plan, name, (2, 1 << 20))
    for number in range(8):
        home.push(number, number, "shoes")
    return Bus(home.journal)


def empty(_blocks: Sequence[Block], _wanted: Wanted) -> Arrivals:
    return TableArrivals.empty()


def test_what_goes_wrong_is_raised_where_its_batch_is_asked_for_and_it_is_read_anew_after_that(bus: Bus) -> None:
    reader = ReadAhead(bus, empty)
    bus.broken = True
    reader.go_on(Wanted(1, 2, 0, MATCHER), 0)
    with pytest.raises(UnavailableError):
        reader.blocks(3, 4)
    bus.broken = False
    assert [block.seq for block in reader.blocks(3, 4)] == [3, 4]
    failing = [True]

    def fail(_blocks: Sequence[Block], wanted: Wanted) -> Arrivals:
        if wanted.first_block == 3 and failing.pop():
            raise ZeroDivisionError
        return TableArrivals.empty()

    reader.close()
    reader = ReadAhead(bus, fail)
    reader.go_on(Wanted(1, 2, 0, MATCHER), 0)
    blocks = reader.blocks(3, 4)
    wanted = Wanted(3, 4, blocks[-1].received_to_us, MATCHER)
    with pytest.raises(ZeroDivisionError):
        reader.posts(blocks, wanted)
    failing[:] = [False]
    assert len(reader.posts(blocks, wanted)) == 0
    reader.close()


def test_what_goes_wrong_with_a_batch_that_nobody_asks_for_is_nobodys_trouble(bus: Bus) -> None:
    reader = ReadAhead(bus, empty)
    bus.broken = True
    reader.go_on(Wanted(1, 2, 0, MATCHER), 0)
    reader.forget()
    bus.broken = False
    assert [block.seq for block in reader.blocks(3, 4)] == [3, 4]
    reader.close()


def test_a_batch_that_may_grow_is_not_read_ahead(bus: Bus) -> None:
    reader = ReadAhead(bus, empty)
    reader.go_on(Wanted(5, 6, 0, MATCHER), 0)  # blocks 7 and 8 are the newest: their clock would be now
    assert not bus.read
    reader.go_on(Wanted(3, 4, 0, MATCHER), 0)
    assert [block.seq for block in reader.blocks(5, 6)] == [5, 6]
    assert bus.read == [5]
    reader.close()


def test_batches_are_read_at_once_and_each_goes_on_with_the_clock_of_the_one_before(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "DEPTH", 2)
    both, clocks = threading.Barrier(ahead.DEPTH, timeout=20), dict[int, int]()

    def meet(_blocks: Sequence[Block], wanted: Wanted) -> Arrivals:
        clocks[wanted.first_block] = wanted.clock_us
        both.wait()
        return TableArrivals.empty()

    reader, late = ReadAhead(bus, meet), START + 10 * 60 * SECOND
    reader.go_on(Wanted(0, 0, 0, MATCHER), late)
    blocks = reader.blocks(1, 2)
    reader.posts(blocks, Wanted(1, 2, late, MATCHER))
    reader.posts(reader.blocks(3, 4), Wanted(3, 4, late, MATCHER))
    assert clocks == {1: late, 3: late}
    reader.close()


def test_another_clock_is_another_batch_and_no_thread_is_left(bus: Bus) -> None:
    clocks: list[int] = []

    def note(_blocks: Sequence[Block], wanted: Wanted) -> Arrivals:
        if wanted.first_block == 3:
            clocks.append(wanted.clock_us)
        return TableArrivals.empty()

    reader = ReadAhead(bus, note)
    late = START + 10 * 60 * SECOND
    reader.go_on(Wanted(1, 2, 0, MATCHER), 0)
    blocks = reader.blocks(3, 4)
    reader.posts(blocks, Wanted(3, 4, late, MATCHER))
    assert clocks == [blocks[-1].received_to_us, late]
    reader.go_on(Wanted(1, 2, 0, MATCHER), late)
    reader.posts(blocks, Wanted(3, 4, late, MATCHER))
    assert clocks[2:] == [late]
    reader.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]
