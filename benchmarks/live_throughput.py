r"""How many posts a second the live way takes, records in to alerts out; Spark beside it on the same file.

    python benchmarks/live_throughput.py [--posts 1200000] [--rate 5000] [--quick] [--only NAME …] [--file FILE]

The file has events of Bluesky's Jetstream, about 1 KB each, in five scripts, a tenth of them with `\u` escapes, and so
many in a second of event time. Each way runs in a process of its own on the same two cores. *live* is the product's own
loop (`WatchLoop`) with a desk of its own, over raw bytes in blocks of a thousand records: it reads (the next batch
while one is stepped), folds, matches trackers, counts in windows of 1, 5, 15 and 60 minutes for every signal, finds
emerging topics, detects, and writes down what it found and its state. *product* is the runner as `groundswell watch
run --source -` has it, with a file as its standard input: journal (fsync), watch, desk and lake, from the first record
until the last is in the lake. Spark does windowed word counts only, a part of that. The file is in memory for all;
starting (compiling, sessions, what is loaded once) is counted for none. `cpu s/M` is the processor's time for a
million posts, all threads together.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.live_streams import START_US, queries, write_stream

WINDOWS = (60, 300, 900, 3600)

LIVE = """
import json, os, sys, time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
import numpy as np
from groundswell import kernels
from groundswell.bus import Block, Connected, Kind
from groundswell.bus.blocks import last_of_batch
from groundswell.desk import leases, open_desk
from groundswell.desk.tables import AlertRow, SeriesRow, TopicRow
from groundswell.engines import open_engine
from groundswell.platforms import registry
from groundswell.settings import load_settings
from groundswell.telemetry import stages
from groundswell.watch.detector import warm
from groundswell.watch.loop import WatchLoop
from groundswell.watch.parts import Parts
from groundswell.watch.trackers import add_tracker
from groundswell.watch.warm import take_up

file, home, written, first_us, gap_us = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], *map(int, sys.argv[4:6])
kernels.load_live()
warm()

class Raw(Block):
    # Records as they lie in the file; read from there in place of unpacking them.
    frame, at = b"", 0
    def __init__(self, *told, at): super().__init__(*told); object.__setattr__(self, "at", at)
    def unpack(self, into): os.preadv(descriptor, [into], self.at)
    @property
    def content(self): return os.pread(descriptor, self.size, self.at)

class Stream:
    # The file as the loop sees a journal: blocks of a thousand records.
    def __init__(self, blocks): self.blocks = blocks
    def borders(self, after, records, size, span=None):
        following = self.blocks[after : after + 200]
        sizes = ((b.seq, b.count, b.size, b.received_from_us, b.received_to_us) for b in following)
        return last_of_batch(sizes, after, records, size, span)
    def between(self, first, last): return self.blocks[first - 1 : last]
    def last_block(self): return len(self.blocks)
    def connections(self, since=0): return [Connected("bench", 0, 1 << 60)]
    def complete_until(self, now): return now

def cut():
    ends, at = [[0]], 0
    with file.open("rb", buffering=0) as stream:
        while data := stream.read(32 << 20):
            ends.append(np.flatnonzero(np.frombuffer(data, np.uint8) == 10) + at + 1)
            at += len(data)
    ends = np.concatenate(ends)
    for number, first in enumerate(range(0, len(ends) - 1, 1_000), 1):
        last = min(first + 1_000, len(ends) - 1)
        us, size = first_us + gap_us * last, int(ends[last] - ends[first])
        told = (number, "bench", Kind.RECORDS, None, first, last - first, size, us, us, b"", None)
        yield Raw(*told, at=int(ends[first]))

class Listener:
    # Seconds of each stage; those of reading are beside the others.
    def __init__(self): self.spent = defaultdict(float)
    def begin(self, part, name): return None
    def end(self, begun, part, name, seconds, facts, error): self.spent[name] += seconds
    def count(self, *_): pass
    def level(self, *_): pass

def run(folder, blocks):
    settings = load_settings(home=folder)
    with ExitStack() as stack:
        desk = stack.enter_context(open_desk(settings))
        with desk.session() as session:
            for n, query in enumerate(json.loads(Path(written).read_text())):
                add_tracker(session, f"t{n}", query, 30.0)
        engine = open_engine(settings)
        stack.callback(engine.close)
        parts = Parts(
            settings=settings, desk=desk, journal=Stream(blocks), engine=engine, registry=registry(),
            held=stack.enter_context(leases.hold(desk, "watch")), now=lambda: 0, hook=lambda _: None,
            teach=lambda state, specs, _: take_up(state, specs, loop.params) or state,
            teach_topics=lambda topics, _: topics,
        )
        loop = WatchLoop(parts, live=True)  # one that is behind: it tells at once, and saves its state now and then
        stack.callback(loop.close)
        listener = Listener()
        stages.listen(listener)
        cpu, begun, posts = time.process_time(), time.perf_counter(), 0
        while done := loop.advance():
            posts += done
        loop.checkpoint()
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
        stages.leave(listener)
        with desk.reading() as session:
            windows, alerts, topics = (session.query(table).count() for table in (SeriesRow, AlertRow, TopicRow))
    spent = ", ".join(f"{name} {s:.1f} s" for name, s in listener.spent.items() if s >= 0.05)
    return {"posts": posts, "seconds": seconds, "cpu": cpu,
            "told": f"{windows} windows of trackers, {alerts} alerts, {topics} topics; {spent}"}

descriptor = os.open(file, os.O_RDONLY)
blocks = list(cut())
run(home / "first", blocks[:40])  # loads what is loaded once
print(json.dumps(run(home / "second", blocks)))
"""

PRODUCT = """
from groundswell.web.sharing import settle_for_streams
settle_for_streams()  # as the command line has it
import gc, json, os, sys, threading, time
from pathlib import Path
from deltalake import DeltaTable
from groundswell import kernels
from groundswell.desk import open_desk
from groundswell.desk.tables import AlertRow, SeriesRow, TopicRow
from groundswell.lake import Lake
from groundswell.settings import load_settings
from groundswell.sources.stdin import StdinSource
from groundswell.watch.runner import Runner
from groundswell.watch.trackers import add_tracker

file, home, written, first_us, gap_us = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], *map(int, sys.argv[4:6])
gc.set_threshold(50_000, 20, 100)  # as the command line has it
kernels.load_live()

class Source(StdinSource):
    # As `groundswell watch run --source - < FILE` has it. Received when it was written, and that is what time it is.
    def run(self, journal, stop):
        begun.extend((time.process_time(), time.perf_counter()))  # now the first record comes
        super().run(journal, stop)
        read.append(time.perf_counter())

def run(folder, path):
    begun.clear(), read.clear()
    settings = load_settings(home=folder)
    with open_desk(settings) as desk, desk.session() as session:
        for n, query in enumerate(json.loads(Path(written).read_text())):
            add_tracker(session, f"t{n}", query, 30.0)
    descriptor = os.open(path, os.O_RDONLY)
    size = os.fstat(descriptor).st_size
    with path.open("rb") as stream:
        span_us = gap_us * sum(part.count(b"\\n") for part in iter(lambda: stream.read(1 << 22), b""))

    def now():
        return first_us + span_us * os.lseek(descriptor, 0, os.SEEK_CUR) // size

    runner = Runner(settings, now=now)
    runner.add(Source(settings.max_record, descriptor=descriptor, now=now, may_append=runner.may_append))
    runner.run(threading.Event())
    cpu, seconds = time.process_time() - begun[0], time.perf_counter() - begun[1]
    files = DeltaTable(str(Lake.open(settings).root / "posts")).get_add_actions(flatten=True)
    with open_desk(settings) as desk, desk.reading() as session:
        windows, alerts, topics = (session.query(table).count() for table in (SeriesRow, AlertRow, TopicRow))
    return {"posts": sum(files["num_records"].to_pylist()), "seconds": seconds, "cpu": cpu,
            "told": f"{windows} windows of trackers, {alerts} alerts, {topics} topics; "
                    f"all in the journal after {read[0] - begun[1]:.1f} s"}

begun, read = [], []
home.mkdir(parents=True)
with file.open("rb") as stream:
    (home / "first.ndjson").write_bytes(b"".join(stream.readline() for _ in range(40_000)))
run(home / "first", home / "first.ndjson")  # loads what is loaded once
print(json.dumps(run(home / "second", file)))
"""

SPARK = """
import json, sys, time
import psutil
from pyspark.sql import SparkSession, functions as F
folder, threads = sys.argv[1:3]
spark = (SparkSession.builder.master(f"local[{threads}]").config("spark.driver.memory", "4g")
  .config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", threads).getOrCreate())
spark.sparkContext.setLogLevel("ERROR")
schema = "commit STRUCT<record: STRUCT<text: STRING, createdAt: TIMESTAMP>>"
def used():
    me = psutil.Process()
    return sum(sum(one.cpu_times()[:2]) for one in [me, *me.children(recursive=True)])
def run(files):
    words = (spark.readStream.schema(schema).option("maxFilesPerTrigger", files).json(folder)
      .selectExpr("commit.record.createdAt AS at",
        "explode(split(lower(commit.record.text), '[^\\\\\\\\p{L}\\\\\\\\p{N}_]+')) AS word")
      .withWatermark("at", "1 minute").groupBy(F.window("at", "1 minute"), "word").count())
    seen = []
    cpu, begun = used(), time.perf_counter()
    query = (words.writeStream.outputMode("update").trigger(availableNow=True)
      .foreachBatch(lambda frame, n: seen.append(frame.count())).start())
    query.awaitTermination()
    rows = sum(progress["numInputRows"] for progress in query.recentProgress)
    return time.perf_counter() - begun, used() - cpu, rows, sum(seen)
run(100)  # the first run compiles
seconds, cpu, rows, counts = run(1)
print(json.dumps({"posts": rows, "seconds": seconds, "cpu": cpu, "told": f"{counts:,} counts of words by window"}))
"""


@dataclass(frozen=True)
class Measured:
    """What a way did: posts, seconds of the work, seconds of the processor, peak memory of its tree (MiB)."""

    name: str
    posts: int
    seconds: float
    cpu: float | None
    peak: float
    told: str

    @property
    def rate(self) -> float:
        """Posts a second."""
        return self.posts / self.seconds


def measured(name: str, posts: int, code: str, *arguments: str, environment: dict[str, str] | None = None) -> Measured:
    """Run code in a process of its own on two threads."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "GROUNDSWELL_THREADS": "2", **(environment or {})},
    )
    peak = 0.0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.05):
            try:
                tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
                peak = max(peak, sum(one.memory_info().rss for one in tree) / 2**20)
            except psutil.Error:
                continue

    thread = threading.Thread(target=watch)
    thread.start()
    out, _ = process.communicate()
    done.set()
    thread.join()
    if process.returncode:
        sys.exit(f"{name} failed")
    found = json.loads(out.splitlines()[-1])
    return Measured(name, found["posts"] or posts, found["seconds"], found["cpu"], peak, found["told"])


def split(file: Path, folder: Path, parts: int) -> None:
    """The file in several, for Spark's file source."""
    folder.mkdir()
    size = file.stat().st_size // parts + 1
    with file.open("rb") as stream:
        for n in range(parts):
            data = stream.read(size) + stream.readline()
            (folder / f"part-{n:03}.json").write_bytes(data)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=1_200_000)
    parser.add_argument("--rate", type=float, default=5_000.0, help="posts in a second of event time")
    parser.add_argument("--quick", action="store_true", help="a tenth of the posts")
    parser.add_argument("--only", nargs="*", help="names of the ways to measure: 1000, 10000, product, spark")
    parser.add_argument("--file", type=Path, help="a stream that was written before; made if it is not there")
    options = parser.parse_args()
    posts = options.posts // 10 if options.quick else options.posts
    # The cache of a file may be given away in between; memory is not, where the system has a folder of it.
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - no secret, and its name is made up
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory(dir=memory) as kept:
        work = Path(folder)
        file = options.file or Path(kept) / "stream.ndjson"
        if not file.exists():
            print(f"writing {posts:,} posts …", file=sys.stderr)
            write_stream(file, posts, options.rate)
        with file.open("rb") as stream:
            posts = sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 24), b""))
        windows = ",".join(map(str, WINDOWS))
        for count in (1_000, 10_000):
            (work / f"queries-{count}.json").write_text(json.dumps(queries(count)))

        def ours(name: str, code: str, count: int) -> Callable[[], Measured]:
            return lambda: measured(
                *(name, posts, code, str(file), str(work / f"home-{name}"), str(work / f"queries-{count}.json")),
                *(str(START_US + 150_000), str(round(1e6 / options.rate))),
                environment={"GROUNDSWELL_WINDOWS": windows, "GROUNDSWELL_COMMIT_EVERY": "2"},
            )

        ways: dict[str, Callable[[], Measured]] = {
            "1000": ours("live, 1,000 trackers", LIVE, 1_000),
            "10000": ours("live, 10,000 trackers", LIVE, 10_000),
            "product": ours("product, 1,000 trackers", PRODUCT, 1_000),
        }

        def spark() -> Measured:
            split(file, Path(kept) / "parts", 8)
            return measured("Spark, windowed word counts", posts, SPARK, str(Path(kept) / "parts"), "2")

        ways["spark"] = spark
        results = []
        for name, way in ways.items():
            if options.only and name not in options.only:
                continue
            begun = time.perf_counter()
            results.append(way())
            print(f"{name}: {time.perf_counter() - begun:.0f} s", file=sys.stderr)
        size = file.stat().st_size / posts
        print(f"{posts:,} posts of {size:,.0f} bytes, {options.rate:,.0f} in a second of event time, 2 threads")
        against = next((each.rate for each in results if each.name.startswith("Spark")), None)
        print(f"  {'':28} {'posts/s':>9} {'cpu s/M':>8} {'MiB':>6} {'× Spark':>8}")
        for each in results:
            ratio = f"{each.rate / against:8.1f}" if against else f"{'':8}"
            cpu = f"{each.cpu / each.posts * 1e6:8.1f}" if each.cpu is not None else f"{'':8}"
            print(f"  {each.name:28} {each.rate:9,.0f} {cpu} {each.peak:6,.0f} {ratio}   {each.told}")


if __name__ == "__main__":
    main()
