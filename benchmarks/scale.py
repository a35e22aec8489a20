r"""What both engines cost for a million posts, batch and live, and how that grows with posts and with partitions.

    python benchmarks/scale.py [--posts 60000] [--quick] [--only batch live partitions kafka] [--json]
    python benchmarks/scale.py --work FOLDER --only batch      one part at a time: FOLDER keeps inputs and lines
    python benchmarks/scale.py --work FOLDER --only            the table of all that FOLDER has

*Batch* is an import of NDJSON into the lake. *Live* is the whole watch (read, match 200 trackers, count, detect,
topics, desk) and the lake writer: in one process from the journal, on Spark from a topic of Kafka. *Partitions* is the
same topic cut into 1, 2, 4 and 8. *Kafka* is our producer and follower beside what librdkafka does by itself with the
same messages. Posts are events of Bluesky's Jetstream of about 1 KB. What counts is `cpu s/M`, the processor's seconds
for a million posts, of all processes that do the work (of Spark the driver's Python, its JVM and the Python workers;
not the broker). Starting is counted for none: each way first does a small part of the same work.

Two workers share the two cores of one machine here. So this shows what a post costs on each engine, which part of it
can be given to more machines and which the one driver does, and that partitions add little by themselves. It cannot
show a network between machines, a shuffle, or how evenly a cluster is loaded. Needs Java, and Maven for the jars (see
the tests). A run whose process fails or takes more than five minutes (`--patience`) is said so, and the others go on.
All of it takes about ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.live_streams import queries, write_stream
from benchmarks.scale_children import BATCH, KAFKA, LIVE_HERE, LIVE_SPARK

RATE = 20
TRACKERS = 200
PARTITIONS = (1, 2, 4, 8)
PARTS = ("batch", "live", "partitions", "kafka")
#: A child may take this long by itself, seconds.
PATIENCE_S = 300
KAFKA_WAYS = ("librdkafka writes", "librdkafka reads", "bus writes", "bus reads")


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
    asked: int = 0
    """Posts of the input; with an accident some of them are known already."""

    @property
    def cpu_a_million(self) -> float:
        """Seconds of the processor for a million posts."""
        return sum(self.cpu.values()) / self.posts * 1e6


@dataclass
class Run:
    """A run of some parts: where its inputs are, and its lines."""

    work: Path
    sizes: Sequence[int]
    partitions: Sequence[int]
    lines: list[Measured] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    patience_s: float = PATIENCE_S

    def write(self) -> None:
        """Write the inputs that are not there yet."""
        begun = time.perf_counter()
        for name, count, seed in [("small", 12_000, 2), *((str(size), size, 1) for size in self.sizes)]:
            if not (self.work / name).exists():
                write_stream(self.work / "partial", count, RATE, seed=seed)
                (self.work / "partial").rename(self.work / name)
        print(f"  posts written in {time.perf_counter() - begun:.0f} s", file=sys.stderr)

    def home(self) -> str:
        """A folder for a home that nobody used before."""
        return tempfile.mkdtemp(prefix="home-", dir=self.work)

    def measure(self, way: str, engine: str, partitions: int | None, asked: int, code: str, *words: str) -> None:
        """Run a child, and keep what it says, unless that is known; a failure is said and passed over."""
        if any(
            (line.way, line.engine, line.partitions, line.asked) == (way, engine, partitions, asked)
            for line in self.lines
        ):
            return
        try:
            found = child(self.patience_s, code, *words)
        except (subprocess.SubprocessError, IndexError, ValueError) as error:
            said = getattr(error, "stderr", None) or str(error)
            text = said if isinstance(said, str) else said.decode(errors="replace")
            self.failures.append(f"{way} {engine} {partitions or ''}: {text.strip()[-300:]}")
            print(f"  failed: {self.failures[-1]}", file=sys.stderr)
            return
        line = Measured(
            way, engine, found["posts"], partitions, found["seconds"], found["cpu"], found.get("digest"), asked
        )
        self.lines.append(line)
        said = f"{line.cpu_a_million:,.0f} cpu s/M, {line.seconds:.1f} s"
        print(f"  {way} {engine} {line.posts:,} {partitions or ''}: {said}", file=sys.stderr)
        with (self.work / "lines.ndjson").open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(line)) + "\n")


def child(patience_s: float, code: str, *words: str) -> dict[str, Any]:
    """What a child process says of itself in its last line."""
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True, timeout=patience_s
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def batch(run: Run) -> None:
    """Imports of files of these many posts by both engines; on one core of Spark's only one of them."""
    small, middle = str(run.work / "small"), run.sizes[len(run.sizes) // 2]
    for engine, sizes in (("duckdb", run.sizes), ("local[2]", run.sizes), ("local[1]", [middle])):
        for size in sizes:
            options = json.dumps({"engine": engine, "threads": 1 if engine == "local[1]" else 2})
            run.measure("batch", engine, None, size, BATCH, small, str(run.work / f"{size}"), run.home(), options)


def live(run: Run) -> None:
    """The watch and the lake writer on as many posts, in one process, and on Spark from two partitions."""
    asked, small = json.dumps(queries(TRACKERS)), str(run.work / "small")
    for size in run.sizes:
        words = [small, str(run.work / f"{size}"), run.home(), json.dumps({"threads": 2}), asked]
        run.measure("live", "one process", None, size, LIVE_HERE, *words)
    on_spark(run, [(size, 2) for size in run.sizes])


def partitions(run: Run) -> None:
    """The smallest topic, cut into more and more partitions."""
    on_spark(run, [(run.sizes[0], count) for count in run.partitions])


def on_spark(run: Run, runs: Sequence[tuple[int, int]]) -> None:
    """The live way on Spark, from topics of so many posts in so many partitions."""
    from tests.services import built
    from tests.services.kafka import start_kafka

    asked, jars = json.dumps(queries(TRACKERS)), str(built.jars("spark"))
    options = json.dumps({"engine": "local[2]", "threads": 2, "memory": 1024, "spark_jars": jars})
    with start_kafka() as kafka:
        small = kafka.new_topic(2, {"retention.ms": "-1"})
        produce(kafka, small, run.work / "small", 2)
        for size, count in runs:
            topic = kafka.new_topic(count, {"retention.ms": "-1"})
            produce(kafka, topic, run.work / f"{size}", count)
            words = [kafka.url(small), kafka.url(topic), run.home(), options, asked, "40000"]
            run.measure("live", "local[2]", count, size, LIVE_SPARK, *words)


def kafka_alone(run: Run) -> None:
    """Our writer and follower beside what librdkafka does by itself, two partitions."""
    from tests.services.kafka import start_kafka

    size, few = run.sizes[len(run.sizes) // 2], str(run.work / "small")
    with start_kafka() as kafka:
        for pair in (KAFKA_WAYS[:2], KAFKA_WAYS[2:]):
            url, home = kafka.url(kafka.new_topic(2, {"retention.ms": "-1"})), run.home()
            for way in pair:
                run.measure("kafka", way, 2, size, KAFKA, way, few, str(run.work / f"{size}"), url, home)


def produce(kafka: Any, topic: str, file: Path, partitions: int) -> None:
    """Write a file's records to a topic, stamped with their time."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": kafka.address, "linger.ms": 20, "queue.buffering.max.messages": 500_000})
    for number, line in enumerate(file.read_bytes().splitlines()):
        stamp = json.loads(line)["time_us"] // 1_000
        producer.produce(topic, line, partition=number % partitions, timestamp=stamp)
        producer.poll(0)
    if producer.flush(60):
        sys.exit(f"the broker did not take all of {file}")


def table(lines: Sequence[Measured]) -> None:
    """Print the lines."""
    columns = f"{'cpu s/M':>8} {'driver':>7} {'JVM':>6} {'workers':>8} {'posts/s a core':>15} {'digest B':>9}"
    print(f"{'way':10} {'engine':18} {'posts':>9} {'partitions':>10} {'s':>6} {columns}")
    for line in lines:
        share = {kind: value / line.posts * 1e6 for kind, value in line.cpu.items()}
        digest = "" if line.digest is None else f"{line.digest / line.posts:.0f}"
        print(
            f"{line.way:10} {line.engine:18} {line.posts:9,} {line.partitions or '':>10} {line.seconds:6.1f} "
            f"{line.cpu_a_million:8.0f} {share['driver']:7.0f} {share['jvm']:6.0f} {share['workers']:8.0f} "
            f"{1e6 / line.cpu_a_million:15,.0f} {digest:>9}"
        )
    for way, engine, count in sorted({(line.way, line.engine, line.partitions or 0) for line in lines}):
        mine = sorted(
            (line for line in lines if (line.way, line.engine, line.partitions or 0) == (way, engine, count)),
            key=lambda line: line.posts,
        )
        few, many = mine[0], mine[-1]
        if many.posts > few.posts:
            grown = (sum(many.cpu.values()) - sum(few.cpu.values())) / (many.posts - few.posts) * 1e6
            print(f"{way} {engine}: a further million costs {grown:.0f} s ({few.posts:,} to {many.posts:,} posts)")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--posts", type=int, default=60_000, help="of the smallest run; others have 2 and 4 times as many"
    )
    parser.add_argument("--quick", action="store_true", help="one size, two numbers of partitions")
    parser.add_argument("--only", choices=PARTS, nargs="*", default=list(PARTS))
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_S, help="seconds that a run may take; more on a busy machine"
    )
    parser.add_argument("--work", type=Path, help="keep inputs and lines there, for the next parts")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    sizes = [chosen.posts] if chosen.quick else [chosen.posts, 2 * chosen.posts, 4 * chosen.posts]
    with tempfile.TemporaryDirectory(prefix="groundswell-bench-") as name:
        work = chosen.work or Path(name)
        work.mkdir(parents=True, exist_ok=True)
        before = work / "lines.ndjson"
        kept = [Measured(**json.loads(line)) for line in before.read_text().splitlines()] if before.exists() else []
        run = Run(work, sizes, PARTITIONS[:2] if chosen.quick else PARTITIONS, kept, patience_s=chosen.patience)
        run.write()
        for part, do in zip(PARTS, (batch, live, partitions, kafka_alone), strict=True):
            if part in chosen.only:
                do(run)
        lines = run.lines
    if chosen.json:
        print(json.dumps([asdict(line) for line in lines]))
    else:
        table(lines)
    if run.failures:
        sys.exit("\n".join(["failed:", *run.failures]))


if __name__ == "__main__":
    main()
