r"""What both engines cost for a million posts, batch and live, and how that grows with posts and with partitions.

    python benchmarks/scale.py [--posts 60000] [--quick] [--only batch live …] [--json]

*Batch* is an import of NDJSON into the lake. *Live* is the whole watch (read, match 200 trackers, count, detect,
topics, desk) and the lake writer: in one process from the journal, on Spark from a topic of Kafka. Posts are events of
Bluesky's Jetstream of about 1 KB. What counts is `cpu s/M`, the processor's seconds for a million posts, of all
processes that do the work (of Spark the driver's Python, its JVM and the Python workers; not the broker). Starting is
counted for none: each way first does a small part of the same work.

Two workers share the two cores of one machine here. So this shows what a post costs on each engine, which part of it
can be given to more machines and which the one driver does, and that partitions add little by themselves. It cannot
show a network between machines, a shuffle, or how evenly a cluster is loaded. Needs Java, and Maven for the jars (see
the tests).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.live_streams import queries, write_stream

RATE = 20
TRACKERS = 200
#: Where every child says how much of the processor each kind of process has used since `begin`.
METER = """
import json, sys, threading, time
from pathlib import Path
import psutil

class Meter:
    def _now(self):
        sums = {"driver": 0.0, "jvm": 0.0, "workers": 0.0}
        me = psutil.Process()
        for one in [me, *me.children(recursive=True)]:
            try:
                times, words = one.cpu_times(), " ".join(one.cmdline())
            except psutil.Error:
                continue
            kind = "driver" if one.pid == me.pid else "jvm" if "java" in words[:80] else "workers"
            sums[kind] += times.user + times.system
        return time.perf_counter(), sums

    def begin(self):
        self.start = self._now()

    def end(self, **said):
        (before, was), (after, now) = self.start, self._now()
        cpu = {kind: now[kind] - was[kind] for kind in now}
        print(json.dumps({"seconds": after - before, "cpu": cpu, **said}))

meter = Meter()
"""
BATCH = (
    METER
    + """
from groundswell.desk import open_desk
from groundswell.engines import open_engine
from groundswell.importing import Options, import_paths
from groundswell.lake import Lake
from groundswell.settings import load_settings

small, file, home = sys.argv[1:4]
settings = load_settings(home=Path(home), keep_raw=False, memory=1024, **json.loads(sys.argv[4]))
engine = open_engine(settings)
with open_desk(settings) as desk:
    lake = Lake.open(settings)
    import_paths([small], Options(), lake, desk, engine, settings)
    meter.begin()
    done = import_paths([file], Options(), lake, desk, engine, settings).document()
    meter.end(posts=done["stored"])
engine.close()
"""
)
LIVE_HERE = (
    METER
    + """
import numpy as np
from groundswell import kernels
from groundswell.desk import open_desk
from groundswell.settings import load_settings
from groundswell.watch.runner import Runner
from groundswell.watch.trackers import add_tracker

small, file, home = sys.argv[1:4]
settings = load_settings(home=Path(home), keep_raw=False, **json.loads(sys.argv[4]))
with open_desk(settings) as desk, desk.session() as session:
    for number, query in enumerate(json.loads(sys.argv[5])):
        add_tracker(session, f"t{number}", query, 30.0, now_us=1)
kernels.load(settings.home / "cache")
kernels.load_live(settings.home / "cache")

class File:
    kind = "file"
    def __init__(self, path):
        self.name, self.path = "kafka:posts", path
    def run(self, journal, stop):
        lines = Path(self.path).read_bytes().splitlines()
        times = np.array([json.loads(line)["time_us"] for line in lines])
        for at in range(0, len(lines), 20_000):
            journal.append(self.name, lines[at:at + 20_000], received_us=times[at:at + 20_000])

Runner(settings, sources=[File(small)], live=False).run(threading.Event())
meter.begin()
runner = Runner(settings, sources=[File(file)], live=False)
runner.run(threading.Event())
meter.end(posts=runner.records)
"""
)
LIVE_SPARK = (
    METER
    + """
from groundswell.bus.kafka_address import read_address
from groundswell.desk import open_desk
from groundswell.settings import load_settings
from groundswell.watch.cluster.run import Pace, SparkWatch
from groundswell.watch.trackers import add_tracker
from groundswell.engines.spark_session import start_classic

small, topic, home = sys.argv[1:4]
settings = load_settings(home=Path(home), **json.loads(sys.argv[4]))
with open_desk(settings) as desk, desk.session() as session:
    for number, query in enumerate(json.loads(sys.argv[5])):
        add_tracker(session, f"t{number}", query, 30.0, now_us=1)
session, _ = start_classic(settings)
most = int(sys.argv[6])
SparkWatch(settings, read_address(small), Pace(live=False, most=most)).run(threading.Event())
meter.begin()
watch = SparkWatch(settings, read_address(topic), Pace(live=False, most=most))
watch.run(threading.Event())
meter.end(posts=watch.records, digest=watch.digest_bytes)
session.stop()
"""
)


@dataclass(frozen=True)
class Measured:
    """One line of the table: seconds, and the processor's seconds of each kind of process."""

    way: str
    engine: str
    posts: int
    partitions: int | None
    seconds: float
    cpu: dict[str, float]
    digest: int | None = None

    @property
    def cpu_a_million(self) -> float:
        """Seconds of the processor for a million posts."""
        return sum(self.cpu.values()) / self.posts * 1e6


def child(code: str, *words: str) -> dict[str, Any]:
    """What a child process says of itself in its last line."""
    done = subprocess.run(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, text=True, check=True, env=dict(os.environ)
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def batch(work: Path, sizes: Sequence[int], say: Callable[[Measured], None]) -> None:
    """Imports of files of these many posts by both engines."""
    for engine in ("duckdb", "local[1]", "local[2]"):
        for size in sizes:
            home = work / f"batch-{engine}-{size}"
            options = json.dumps({"engine": engine, "threads": 1 if engine == "local[1]" else 2})
            found = child(BATCH, str(work / "small"), str(work / f"{size}"), str(home), options)
            say(Measured("batch", engine, found["posts"], None, found["seconds"], found["cpu"]))


def live(work: Path, sizes: Sequence[int], partitions: Sequence[int], say: Callable[[Measured], None]) -> None:
    """The watch and the lake writer on as many posts; on Spark from topics of as many partitions."""
    asked = json.dumps(queries(TRACKERS))
    for size in sizes:
        words = [str(work / "small"), str(work / f"{size}"), str(work / f"live-{size}")]
        found = child(LIVE_HERE, *words, json.dumps({"threads": 2}), asked)
        say(Measured("live", "one process", found["posts"], None, found["seconds"], found["cpu"]))
    from tests.services import built
    from tests.services.kafka import start_kafka

    with ExitStack() as stack:
        kafka = stack.enter_context(start_kafka())
        small = kafka.new_topic(2, {"retention.ms": "-1"})
        produce(kafka, small, work / "small", 2)
        runs = [(sizes[0], count) for count in partitions] + [(size, partitions[-1]) for size in sizes[1:]]
        for size, count in runs:
            topic = kafka.new_topic(count, {"retention.ms": "-1"})
            produce(kafka, topic, work / f"{size}", count)
            options = {"engine": "local[2]", "threads": 2, "memory": 1024, "spark_jars": str(built.jars("spark"))}
            words = [kafka.url(small), kafka.url(topic), str(work / f"spark-{size}-{count}")]
            found = child(LIVE_SPARK, *words, json.dumps(options), asked, "40000")
            line = Measured("live", "local[2]", found["posts"], count, found["seconds"], found["cpu"], found["digest"])
            say(line)


def produce(kafka: Any, topic: str, file: Path, partitions: int) -> None:
    """Write a file's records to a topic, stamped with their time."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": kafka.address, "linger.ms": 20, "queue.buffering.max.messages": 500_000})
    for number, line in enumerate(file.read_bytes().splitlines()):
        stamp = json.loads(line)["time_us"] // 1_000
        producer.produce(topic, line, partition=number % partitions, timestamp=stamp)
        producer.poll(0)
    producer.flush(60)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--posts", type=int, default=60_000, help="of the smallest run; others have 2 and 4 times as many"
    )
    parser.add_argument("--quick", action="store_true", help="one size, two numbers of partitions")
    parser.add_argument("--only", choices=["batch", "live"], nargs="+", default=["batch", "live"])
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    sizes = [chosen.posts] if chosen.quick else [chosen.posts, 2 * chosen.posts, 4 * chosen.posts]
    partitions = [1, 2] if chosen.quick else [1, 2, 4, 8]
    results: list[Measured] = []

    def say(line: Measured) -> None:
        results.append(line)
        print(f"  {line.way} {line.engine} {line.posts:,}: {line.cpu_a_million:,.0f} cpu s/M", file=sys.stderr)

    with tempfile.TemporaryDirectory(prefix="groundswell-bench-") as name:
        work = Path(name)
        begun = time.perf_counter()
        write_stream(work / "small", 12_000, RATE, seed=2)
        for size in sizes:
            write_stream(work / f"{size}", size, RATE)
        print(f"  posts written in {time.perf_counter() - begun:.0f} s", file=sys.stderr)
        if "batch" in chosen.only:
            batch(work, sizes, say)
        if "live" in chosen.only:
            live(work, sizes, partitions, say)
    if chosen.json:
        print(json.dumps([asdict(line) for line in results]))
        return
    columns = f"{'cpu s/M':>8} {'driver':>7} {'JVM':>6} {'workers':>8} {'posts/s a core':>15} {'digest B':>9}"
    print(f"{'way':6} {'engine':12} {'posts':>9} {'partitions':>10} {'s':>6} {columns}")
    for line in results:
        share = {kind: value / line.posts * 1e6 for kind, value in line.cpu.items()}
        digest = "" if line.digest is None else f"{line.digest / line.posts:.0f}"
        print(
            f"{line.way:6} {line.engine:12} {line.posts:9,} {line.partitions or '':>10} {line.seconds:6.1f} "
            f"{line.cpu_a_million:8.0f} {share['driver']:7.0f} {share['jvm']:6.0f} {share['workers']:8.0f} "
            f"{1e6 / line.cpu_a_million:15,.0f} {digest:>9}"
        )


if __name__ == "__main__":
    main()
