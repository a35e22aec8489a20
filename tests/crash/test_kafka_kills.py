"""A watch by Kafka whose process and whose broker are killed: nothing is lost or doubled, and the operator is told."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from tests.services.kafka import Kafka, start_kafka

from groundswell.bus import open_bus
from groundswell.bus.lag import read_lag
from groundswell.desk import bus_index, checkpoints, open_desk
from groundswell.lake import Lake
from groundswell.settings import Settings, load_settings
from groundswell.watch.trackers import add_tracker

Until = Callable[..., None]
PATIENCE_S = 60.0
PARTITIONS = 3


@dataclass
class Watch:
    """`groundswell watch run` in a process of its own, started again after each kill; `log` is what it says."""

    settings: Settings
    log: Path
    process: subprocess.Popen[bytes] | None = None
    kills: int = 0

    def start(self) -> None:
        environment = {**os.environ, "GROUNDSWELL_HOME": str(self.settings.home), "GROUNDSWELL_BUS": self.settings.bus}
        environment |= {"GROUNDSWELL_COMMIT_EVERY": "1", "GROUNDSWELL_THREADS": "1", "GROUNDSWELL_WINDOW": "60"}
        code = "from groundswell.cli import main; main()"
        with self.log.open("ab") as out:
            command = [sys.executable, "-c", code, "watch", "run", "--source", "journal"]
            self.process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)

    def kill(self) -> None:
        assert self.process is not None
        assert self.process.poll() is None, self.said()
        self.process.kill()
        self.process.wait()
        self.kills += 1

    def stop(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, self.said()

    def said(self) -> str:
        return self.log.read_text()


@dataclass
class Stream:
    """Posts by another program, each with its number."""

    kafka: Kafka
    topic: str
    sent: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(3))  # noqa: S311 - not for secrets

    def send(self, count: int) -> None:
        at = datetime.now(UTC).isoformat()
        for partition in range(PARTITIONS):
            rows = [
                {"id": str(number), "user_name": f"u{number % 90}", "text": "aurora cola", "created_at": at}
                for number in range(self.sent + partition, self.sent + count, PARTITIONS)
            ]
            self.kafka.produce(self.topic, [json.dumps(row).encode() for row in rows], partition=partition)
        self.sent += count


@contextmanager
def watched(broker: Kafka, home: Path) -> Iterator[tuple[Watch, Stream]]:
    topic = broker.new_topic(PARTITIONS)
    settings = load_settings(home=home, bus=broker.url(topic), threads=1)
    with open_desk(settings) as desk, desk.session() as session:
        add_tracker(session, "cola", '"aurora cola"', 30.0)
    watch = Watch(settings, home / "watch.log")
    watch.start()
    try:
        yield watch, Stream(broker, topic)
    finally:
        if watch.process is not None and watch.process.poll() is None:
            watch.process.kill()
            watch.process.wait()


def check(watch: Watch, stream: Stream) -> None:
    lake = Lake.open(watch.settings)
    assert sorted(map(int, lake.read("posts", ["post_id"])["post_id"].to_pylist())) == list(range(stream.sent))
    ledger = lake.read("ledger")
    assert sum(ledger["received"].to_pylist()) == sum(ledger["stored"].to_pylist()) == stream.sent
    with open_desk(watch.settings) as desk, desk.reading() as session:
        rows = bus_index.blocks(session, 0, 1 << 40)
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        assert sum(row.count for row in rows) == stream.sent
        places = sorted((row.partition, row.first_offset, row.last_offset) for row in rows)
        assert all(a[0] != b[0] or a[2] < b[1] for a, b in pairwise(places))
        marks = [checkpoints.get(session, name) for name in ("watch", "lake")]
        assert {mark.block for mark in marks if mark is not None} == {len(rows)}
        assert [lag.behind for lag in read_lag(session, 0)] == [0] * PARTITIONS


def has_all(watch: Watch, stream: Stream) -> Callable[[], bool]:
    def done() -> bool:
        with open_desk(watch.settings) as desk, open_bus(watch.settings, desk) as bus, desk.reading() as session:
            marks = [checkpoints.get(session, name) for name in ("watch", "lake")]
            done = {None if mark is None else mark.block for mark in marks}
            return bus.next_record() >= stream.sent and done == {bus.last_block()}

    return done


@pytest.mark.service
@pytest.mark.slow
def test_a_killed_watch_and_a_killed_broker_lose_and_double_nothing(tmp_path: Path, until: Until) -> None:
    with start_kafka() as broker, watched(broker, tmp_path / "home") as (watch, stream):

        def numbered() -> bool:
            with open_desk(watch.settings) as desk, open_bus(watch.settings, desk) as bus:
                return bus.next_record() >= stream.sent

        stream.send(400)
        until(numbered, PATIENCE_S, "the first posts")
        watch.kill()
        stream.send(400)
        watch.start()
        until(numbered, PATIENCE_S, "what came meanwhile")
        broker.process.kill()
        until(lambda: "no broker of Kafka can be reached" in watch.said(), PATIENCE_S, "the operator is told")
        broker.process.start()
        stream.send(400)
        until(lambda: "Kafka is back after" in watch.said(), PATIENCE_S, "the operator is told again")
        until(has_all(watch, stream), PATIENCE_S, "everything in lake and watch")
        watch.stop()
        check(watch, stream)


@pytest.mark.soak
@pytest.mark.service
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", range(3))
def test_many_kills_of_watch_and_broker_lose_and_double_nothing(seed: int, tmp_path: Path, until: Until) -> None:
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    with start_kafka() as broker, watched(broker, tmp_path / "home") as (watch, stream):
        for _ in range(15):
            stream.send(chance.randrange(100, 3_000))
            if chance.random() < 0.5:
                until(lambda: chance.random() < 0.02, 30.0, "some time")
            if chance.random() < 0.7:
                watch.kill()
                stream.send(chance.randrange(100, 3_000))
                watch.start()
            if chance.random() < 0.3:
                broker.process.kill()
                broker.process.start()
        until(has_all(watch, stream), 300.0, "everything in lake and watch")
        watch.stop()
        check(watch, stream)
        assert watch.kills > 3
