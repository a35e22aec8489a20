"""Killing a watch on a live source loses nothing and doubles nothing: alerts, posts, ledger, messages."""

from __future__ import annotations

import json
import random
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.services.jetstream import FakeJetstream, jetstream, post
from tests.services.receiver import Receiver, receiving

from groundswell.bus import Journal
from groundswell.desk import channels, checkpoints, open_desk, outbox
from groundswell.desk.channels import Rules
from groundswell.desk.tables import AlertRow
from groundswell.engines import open_engine
from groundswell.importing import journal_to_lake
from groundswell.lake import Lake
from groundswell.settings import Settings, load_settings
from groundswell.watch.trackers import add_tracker

ROOT = Path(__file__).resolve().parents[2]
SECOND = 1_000_000
MINUTE = 60 * SECOND
START = 1_772_409_600 * SECOND  # 2026-03-02T00:00:00Z
#: What is fed at once; the lateness is larger, so that no child is ever too late for a window.
CHUNK_HOURS = 3
LATENESS_S = 6 * 3_600
HOURS = 30
#: Snapshots come seldom, so those are last.
BORDERS = ("planned", "published", "stepped", "claimed", "delivered", "settled", "snapshot", "committing", "committed")
PATIENCE_S = 300.0


@pytest.fixture(scope="module")
def chunks() -> list[list[dict[str, Any]]]:
    """Posts of thirty hours, a few hours at once; a topic bursts in the twenty-seventh."""
    chance = random.Random(5)  # noqa: S311 - not for secrets
    found: list[list[dict[str, Any]]] = []
    number = 0
    for hour in range(HOURS):
        if hour % CHUNK_HOURS == 0:
            found.append([])
        for minute in range(60):
            burst = 12 if hour == 26 and 10 <= minute < 40 else 0
            for at in sorted(chance.randrange(MINUTE) for _ in range(5 + burst)):
                words = [f"word{chance.randrange(900)}" for _ in range(8)]
                if burst or chance.random() < 0.2:
                    words.insert(3, "aurora cola")
                time_us = START + hour * 60 * MINUTE + minute * MINUTE + at
                found[-1].append(post(number, time_us, " ".join(words)))
                number += 1
    return found


class Feeder:
    """Gives a source what it is to read, in its own way."""

    def __init__(self, spec: str, give: Callable[[int, list[dict[str, Any]]], None]) -> None:
        self.spec = spec
        self.give = give


def lines_of(chunk: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in chunk)


@contextmanager
def a_file(path: Path) -> Iterator[Feeder]:
    file = path / "posts.ndjson"
    file.touch()

    def give(_: int, chunk: list[dict[str, Any]]) -> None:
        data = lines_of(chunk)
        # In the middle of a line, as a program that writes it may be.
        for part in (data[: len(data) // 2], data[len(data) // 2 :]):
            with file.open("ab") as out:
                out.write(part)

    yield Feeder(f"file:{file}", give)


@contextmanager
def a_folder(path: Path) -> Iterator[Feeder]:
    folder = path / "incoming"
    folder.mkdir()

    def give(number: int, chunk: list[dict[str, Any]]) -> None:
        partial = folder / f"{number:04}.part"
        partial.write_bytes(lines_of(chunk))
        partial.rename(folder / f"{number:04}.ndjson")

    yield Feeder(f"folder:{folder}", give)


@contextmanager
def a_stream(_: Path) -> Iterator[Feeder]:
    with jetstream(cut_after=2_000) as one, jetstream() as two:
        servers: tuple[FakeJetstream, ...] = (one, two)

        def give(_: int, chunk: list[dict[str, Any]]) -> None:
            for server in servers:
                server.add(*chunk)

        # The first child may come when the first chunk is there already.
        yield Feeder(f"bluesky?host={one.url},{two.url}&rewind=5", give)


SOURCES = {"file": a_file, "folder": a_folder, "jetstream": a_stream}


def home_that_tells(path: Path, receiver: Receiver) -> Settings:
    settings = load_settings(home=path, threads=1, private_urls=True)
    with open_desk(settings) as desk, desk.session() as session:
        for name, query in (("cola", '"aurora cola"'), ("words", "word1*")):
            add_tracker(session, name, query, 30.0, now_us=1)
        channels.add(session, "ops", "webhook", {"url": receiver.url}, Rules(), now_us=1)
    return settings


def wait(condition: Callable[[], bool], process: subprocess.Popen[str], what: str) -> None:
    pause, deadline = threading.Event(), time.monotonic() + PATIENCE_S
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            pytest.fail(f"{what}: {process.communicate()}")
        pause.wait(0.02)


def run(
    settings: Settings, source: str, chunks: list[list[dict[str, Any]]], folder: Path, *options: str
) -> dict[str, Any]:
    """Feed the source, chunk by chunk, while the watch on it is killed; what the killer says in the end."""
    clock = folder / "clock"
    clock.write_bytes(struct.pack("<q", START))
    with SOURCES[source](folder) as feeder, Journal(settings.journal_path) as journal:
        if source == "jetstream":
            place = json.dumps({"time_us": START})
            journal.append(feeder.spec.partition("?")[0], [], received_us=START, position=place)
        command = [sys.executable, "-m", "tests.crash.follower", str(settings.home), feeder.spec, str(clock)]
        with subprocess.Popen(
            [*command, "--lateness", str(LATENESS_S), *options], stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as process:
            fed = 0
            for number, chunk in enumerate(chunks):
                now = chunk[-1]["time_us"] + SECOND
                with clock.open("r+b") as file:
                    file.write(struct.pack("<q", now))
                feeder.give(number, chunk)
                fed += len(chunk)
                wait(lambda: _place(journal, source, chunk, fed), process, f"chunk {number} in the journal")  # noqa: B023 - waited for before the next chunk
            end = chunks[-1][-1]["time_us"] + LATENESS_S * SECOND + 120 * MINUTE
            with clock.open("r+b") as file:
                file.write(struct.pack("<q", end))
            wait(lambda: _all_is_told(settings, journal, end), process, "the last message")
            (settings.home / "stop").touch()
            said, _ = process.communicate(timeout=PATIENCE_S)
    result: dict[str, Any] = json.loads(said)
    assert result["last"] == 0
    return result


def _place(journal: Journal, source: str, chunk: list[dict[str, Any]], fed: int) -> bool:
    if source != "jetstream":
        return journal.next_record() >= fed
    position = journal.position("bluesky")
    return position is not None and int(json.loads(position)["time_us"]) >= chunk[-1]["time_us"]


def _all_is_told(settings: Settings, journal: Journal, end: int) -> bool:
    with open_desk(settings) as desk, desk.reading() as session:
        mark = checkpoints.get(session, "watch")
        done = mark is not None and mark.block == journal.last_block()
        closed = mark is not None and mark.watermark is not None and mark.watermark >= end - 3 * LATENESS_S * SECOND
        still_open = session.scalars(select(AlertRow).where(AlertRow.closed_at.is_(None))).first()
        return done and closed and still_open is None and outbox.pending(session) == 0


def outcome(settings: Settings, receiver: Receiver) -> dict[str, Any]:
    """What a watch leaves behind, in a form that can be compared over sources."""
    lake = Lake.open(settings)
    engine = open_engine(settings)
    with open_desk(settings) as desk, Journal(settings.journal_path) as journal:
        while journal_to_lake(journal, lake, desk, engine, settings, now=lambda: START) is not None:
            pass
        with desk.reading() as session:
            alerts = list(session.scalars(select(AlertRow).order_by(AlertRow.started_at, AlertRow.id)))
            planned = outbox.listed(session, limit=1_000)
    engine.close()
    assert {message.state for message in planned} <= {"sent"}
    assert set(receiver.ids) == {message.id for message in planned}
    bodies: dict[str, bytes] = {}
    for request in receiver.requests:
        assert bodies.setdefault(request.headers["webhook-id"], request.body) == request.body
    columns = ("id", "started_at", "opened_at", "updated_at", "closed_at", "observed", "expected", "posts", "headline")
    ledger = lake.read("ledger")
    return {
        "alerts": [[getattr(row, name) for name in columns] for row in alerts],
        "messages": sorted((m.alert_id or "", m.event) for m in planned),
        "posts": sorted(lake.read("posts", ["post_id"])["post_id"].to_pylist()),
        "stored": sum(ledger["stored"].to_pylist()),
        "new records": sum(ledger["received"].to_pylist()) - sum(ledger["known"].to_pylist()),
        "quarantine": lake.count("quarantine"),
    }


@pytest.fixture(scope="module")
def undisturbed(chunks: list[list[dict[str, Any]]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("undisturbed")
    with receiving() as receiver:
        settings = home_that_tells(folder / "home", receiver)
        run(settings, "file", chunks, folder)
        found = outcome(settings, receiver)
        assert len(receiver.ids) == len(found["messages"]) == 2 * len(found["alerts"])
    assert found["alerts"]
    assert len(found["posts"]) == sum(map(len, chunks))
    return found


def disturb(
    source: str, chunks: list[list[dict[str, Any]]], folder: Path, expected: dict[str, Any], *options: str
) -> dict[str, Any]:
    with receiving() as receiver:
        settings = home_that_tells(folder / "home", receiver)
        result = run(settings, source, chunks, folder, *options)
        found = outcome(settings, receiver)
        killed = result["killed"] + sum(line.endswith(" -9") for line in result["at"])
        assert len(receiver.ids) <= len(set(receiver.ids)) + killed
    for name, value in expected.items():
        assert found[name] == value, name
    return result


@pytest.mark.slow
@pytest.mark.parametrize("source", sorted(SOURCES))
def test_a_few_kills_of_a_live_watch_change_nothing(
    source: str, chunks: list[list[dict[str, Any]]], undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    result = disturb(source, chunks, tmp_path, undisturbed, "--kills", "3", "--seed", "1", "--longest", "3")
    assert result["killed"] >= 1


@pytest.mark.slow
def test_a_kill_at_each_border_of_a_live_watch_changes_nothing(
    chunks: list[list[dict[str, Any]]], undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    result = disturb("file", chunks, tmp_path, undisturbed, *(o for b in BORDERS for o in ("--at", f"{b}:1")))
    assert sum(line.endswith(" -9") for line in result["at"]) == len(BORDERS), result


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", range(2, 9))
@pytest.mark.parametrize("source", sorted(SOURCES))
def test_two_hundred_kills_of_live_watches_change_nothing(
    seed: int, source: str, chunks: list[list[dict[str, Any]]], undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    disturb(source, chunks, tmp_path, undisturbed, "--kills", "10", "--seed", str(seed), "--longest", "3")
