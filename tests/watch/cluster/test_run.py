"""A topic of Kafka watched on Spark, whose driver is killed in `foreachBatch`, gives what one process gives."""

from __future__ import annotations

import importlib.util
import json
import random
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from confluent_kafka import Producer
from sqlalchemy import select
from tests.services import built
from tests.services.jetstream import post
from tests.services.kafka import Kafka

from groundswell.bus import Bus
from groundswell.desk import open_desk
from groundswell.desk.tables import AlertRow, SeriesRow, TrackerRow
from groundswell.lake import Lake
from groundswell.settings import Settings, load_settings
from groundswell.watch.runner import Runner
from groundswell.watch.trackers import add_tracker

pytestmark = [pytest.mark.spark, pytest.mark.service, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[3]
SECOND = 1_000_000
MINUTE = 60 * SECOND
START = 1_772_409_600 * SECOND  # 2026-03-02T00:00:00Z
HOURS = 30
QUIET_HOUR = 20
#: In one micro-batch at most; there are about nine thousand messages.
MOST = 2_500
COLUMNS = ("id", "started_at", "opened_at", "updated_at", "closed_at", "observed", "expected", "posts", "headline")

Message = tuple[int, bytes]


def messages() -> list[Message]:
    """Time of receipt and value: a burst, a quiet hour, posts that come twice, late or broken."""
    chance = random.Random(5)  # noqa: S311 - not for secrets
    found: list[Message] = []
    for minute in range(HOURS * 60):
        if minute // 60 == QUIET_HOUR:
            continue
        burst = 12 if 26 * 60 + 10 <= minute < 26 * 60 + 40 else 0
        for at in sorted(chance.randrange(MINUTE) for _ in range(5 + burst)):
            words = [f"word{chance.randrange(900)}" for _ in range(8)]
            if burst or chance.random() < 0.2:
                words.insert(3, "aurora cola")
            number, received = len(found), (START + minute * MINUTE + at) // 1_000 * 1_000
            kind = chance.random()
            if kind < 0.01:
                other = {"did": "did:plc:someone", "time_us": received, "kind": "identity", "identity": {}}
                value = b"not JSON" if number % 2 else json.dumps(other).encode()
            elif kind < 0.03 and found:
                value = found[max(0, number - chance.randrange(1, 40))][1]
            else:
                late = chance.randrange(40 * MINUTE) if kind > 0.98 and minute > 60 else 0
                value = json.dumps(post(number, received - late, " ".join(words))).encode()
            found.append((received, value))
    return found


MESSAGES = messages()


@pytest.fixture(scope="module")
def topic(kafka: Kafka) -> str:
    """A topic with the messages in one partition, in order."""
    return filled(kafka, 1)


def filled(kafka: Kafka, partitions: int) -> str:
    name = kafka.new_topic(partitions, {"retention.ms": "-1"})
    producer = Producer({"bootstrap.servers": kafka.address, "enable.idempotence": True})
    for number, (received, value) in enumerate(MESSAGES):
        producer.produce(name, value, partition=number % partitions, timestamp=received // 1_000)
        producer.poll(0)
    assert producer.flush(30) == 0
    return name


class Given:
    """A source that has the messages at once, and ends."""

    kind = "given"

    def __init__(self, name: str) -> None:
        self.name = name

    def run(self, journal: Bus, stop: threading.Event) -> None:
        received = np.array([time for time, _ in MESSAGES])
        journal.append(self.name, [value for _, value in MESSAGES], received_us=received)


def home(path: Path, **more: Any) -> Settings:
    settings = load_settings(home=path, threads=2, **more)
    with open_desk(settings) as desk, desk.session() as session:
        for name, query in (("cola", '"aurora cola"'), ("words", "word1*")):
            add_tracker(session, name, query, 30.0, now_us=1)
            row = session.scalars(select(TrackerRow).where(TrackerRow.name == name)).one()
            row.id = f"tracker-{name}"
    return settings


def outcome(settings: Settings) -> dict[str, Any]:
    """What a watch left behind."""
    lake = Lake.open(settings)
    with open_desk(settings) as desk, desk.reading() as session:
        alerts = list(session.scalars(select(AlertRow).order_by(AlertRow.started_at, AlertRow.id)))
        points = list(session.scalars(select(SeriesRow)))
    ledger: dict[tuple[str, Any], list[int]] = {}
    for row in lake.read("ledger").to_pylist():
        sums = ledger.setdefault((row["source"], row["quarter"]), [0] * 5)
        for at, name in enumerate(("received", "stored", "known", "rejected", "ignored")):
            sums[at] += row[name]
    return {
        "alerts": [[getattr(row, name) for name in COLUMNS] for row in alerts],
        "windows": sorted((p.tracker_id, p.window_s, p.start, p.count, p.state, p.late) for p in points),
        "posts": sorted(lake.read("posts", ["post_id", "text", "source"]).to_pylist(), key=str),
        "ledger": ledger,
        "quarantine": sorted(lake.read("quarantine", ["reason"])["reason"].to_pylist()),
    }


@pytest.fixture(scope="module")
def in_one_process(topic: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    settings = home(tmp_path_factory.mktemp("one") / "home")
    Runner(settings, sources=[Given(f"kafka:{topic}")], live=False).run(threading.Event())
    found = outcome(settings)
    assert found["alerts"]
    assert any(late for *_, late in found["windows"])
    sums = np.sum(list(found["ledger"].values()), axis=0)
    assert (sums > 10).all(), sums
    return found


def on_spark(settings: Settings, address: str, at: str = "") -> subprocess.CompletedProcess[str]:
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        pytest.skip("needs PySpark and Java")
    command = [sys.executable, "-m", "tests.watch.cluster.driver", str(settings.home), address]
    more = [str(built.jars("spark")), "--most", str(MOST), "--at", at]
    return subprocess.run([*command, *more], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)


def killed_and_ended(folder: Path, address: str, *borders: str) -> dict[str, Any]:
    settings = home(folder / "home")
    for border in borders:
        killed = on_spark(settings, address, border)
        assert killed.returncode == -9, killed.stderr
    ended = on_spark(settings, address)
    assert ended.returncode == 0, ended.stderr
    return {**outcome(settings), "said": json.loads(ended.stdout)}


def same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    for name, value in expected.items():
        assert found[name] == value, name


@pytest.mark.soak  # the parity suite kills one in `make test`
@pytest.mark.timeout(600)
def test_a_driver_killed_in_foreach_batch_gives_what_one_process_gives(
    kafka: Kafka, topic: str, in_one_process: dict[str, Any], tmp_path: Path
) -> None:
    found = killed_and_ended(tmp_path, kafka.url(topic), "stepped:3")
    same(found, in_one_process)
    said = found["said"]
    assert 0 < said["records"] < len(MESSAGES)
    assert said["digest_bytes"] / said["records"] < 800


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("border", ["counted:2", "planned:2", "snapshot:2", "committing:2", "committed:2"])
def test_a_kill_at_each_border_changes_nothing(
    kafka: Kafka, topic: str, in_one_process: dict[str, Any], tmp_path: Path, border: str
) -> None:
    same(killed_and_ended(tmp_path, kafka.url(topic), border, border), in_one_process)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_three_partitions_give_the_same_alerts_and_posts(
    kafka: Kafka, topic: str, in_one_process: dict[str, Any], tmp_path: Path
) -> None:
    name = filled(kafka, 3)
    found = killed_and_ended(tmp_path, kafka.url(name), "committed:2")
    assert [row[0] for row in found["alerts"]] == [row[0] for row in in_one_process["alerts"]]
    names = {post["post_id"] for post in in_one_process["posts"]}
    assert {post["post_id"] for post in found["posts"]} == names
