"""`groundswell watch run` on Spark as a process of the tests: it runs on until it is told to end."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import Producer
from sqlalchemy import select
from tests.conftest import wait_until
from tests.services import built
from tests.services.kafka import Kafka

from groundswell.bus.lag import PartitionLag, read_lag
from groundswell.desk import open_desk
from groundswell.desk.clock import wall_us
from groundswell.desk.tables import SeriesRow, TrackerRow
from groundswell.settings import Settings, load_settings

PROGRAM = (sys.executable, "-c", "from groundswell.cli import main; main()")
#: A JVM that lives for a minute has more from a quick start than from good machine code.
QUICK = "spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"
#: A busy machine may take this long for what takes some seconds.
PATIENCE_S = 300.0


@dataclass
class Live:
    """A home, what watches it, and what that said."""

    settings: Settings
    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        """All that it wrote."""
        return self.log.read_text(encoding="utf-8")

    def until(self, condition: object, what: str, seconds: float = PATIENCE_S) -> None:
        """Wait until a condition holds, while it runs."""

        def holds() -> bool:
            assert self.process.poll() is None, self.said()
            assert callable(condition)
            return bool(condition())

        wait_until(holds, seconds, f"{what} ({self.said()[-600:]})")

    def end(self, how: signal.Signals) -> int:
        """Tell the process (not those that it has started) to end; its exit code."""
        self.process.send_signal(how)
        return self.process.wait(PATIENCE_S)

    def counts(self, name: str) -> list[int]:
        """The counts of a tracker's closed windows, oldest first."""
        with open_desk(self.settings) as desk, desk.reading() as session:
            query = select(SeriesRow.count).join(TrackerRow, TrackerRow.id == SeriesRow.tracker_id)
            found = session.scalars(query.where(TrackerRow.name == name).order_by(SeriesRow.start))
            return [int(count) for count in found]

    def lags(self) -> list[PartitionLag]:
        """How far the topic is read."""
        with open_desk(self.settings) as desk, desk.reading() as session:
            return read_lag(session, wall_us())

    def is_level(self, records: int, partitions: int = 1) -> bool:
        """Whether both readers have read so many records, and there are no more."""
        found = [lag for lag in self.lags() if lag.behind == 0 and lag.complete_until_us]
        sums = {name: sum(lag.next_offset for lag in found if lag.consumer == name) for name in ("watch", "lake")}
        return len(found) == 2 * partitions and set(sums.values()) == {records}


@contextmanager
def watching(folder: Path, address: str, *more: str, **settings: object) -> Iterator[Live]:
    """Watch a topic; windows of a minute, a late post is too late, the lake every two seconds."""
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        pytest.skip("needs PySpark and Java")
    chosen = {
        "home": folder / "home",
        "engine": "local[2]",
        "threads": 2,
        "memory": 700,
        "spark_jars": str(built.jars("spark")),
        "spark_options": QUICK,
        "commit_every": 2,
        "windows": "60",
        "window": 60,
        "lateness": 0,
        "topics": 0,
        **settings,
    }
    environment = {f"GROUNDSWELL_{name.upper()}": str(value) for name, value in chosen.items()}
    log = folder / "watch.log"
    with log.open("ab") as file:
        process = subprocess.Popen(
            [*PROGRAM, "watch", "run", "--source", address, "--json", *more],
            stdout=file,
            stderr=file,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    try:
        yield Live(load_settings(home=folder / "home"), process, log)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def produce(kafka: Kafka, topic: str, values: Sequence[tuple[int, bytes]], partition: int = 0) -> None:
    """Write values with the time (µs) that Kafka is to give them."""
    producer = Producer({"bootstrap.servers": kafka.address, "enable.idempotence": True, "linger.ms": 5})
    for at_us, value in values:
        producer.produce(topic, value, partition=partition, timestamp=at_us // 1_000)
        producer.poll(0)
    assert producer.flush(30) == 0
