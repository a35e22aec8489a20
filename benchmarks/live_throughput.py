r"""How many posts a second the live way takes, records in to alerts out; Spark beside it on the same file.

    python benchmarks/live_throughput.py [--posts 1200000] [--rate 5000] [--quick] [--only NAME …] [--file FILE]

The file has events of Bluesky's Jetstream, about 1 KB each, in five scripts, a tenth of them with `\u` escapes, and so
many in a second of event time. Each way runs in a process of its own on the same two cores. *live* takes raw bytes and
does all that the watch does: read, fold, match trackers, count in windows of 1, 5, 15 and 60 minutes for every signal,
emerging topics, detect, alert. *product* is the runner as `groundswell watch run` has it: journal (fsync), watch, desk
and lake, from the first record until the last is in the lake. Spark does windowed word counts only, a part of
that. The file is in memory for all; starting (compiling, sessions) is counted for none. `cpu s/M` is the
processor's time for a million posts, all threads together.
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
from benchmarks.live_streams import queries, write_stream

CHUNK = 32 << 20
WINDOWS = (60, 300, 900, 3600)

LIVE = """
import json, sys, time
from pathlib import Path
import numpy as np
from groundswell import kernels
from groundswell.engines import open_engine
from groundswell.platforms import registry
from groundswell.settings import load_settings
from groundswell.watch import flow
from groundswell.watch.batches import Records, Ways, arrivals_of_records
from groundswell.watch.contract import TrackerSpec, WatchBatch, WatchParams
from groundswell.watch.state import WatchState

file, home, written, chunk, windows = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5]
kernels.load_live()
settings = load_settings(home=home)
listed = enumerate(json.loads(Path(written).read_text()))
trackers = [TrackerSpec(f"t{n}", 1, f"t{n}", query, 30.0) for n, query in listed]
ways = Ways(open_engine(settings), registry(), settings, 0, flow.compiled(trackers)[1])
params = WatchParams(window_us=60_000_000, windows_us=tuple(int(w) * 1_000_000 for w in windows.split(",")))

class Chunks:
    # Parts of the file as records, in memory that is used again and again.

    def __init__(self, limit):
        self.limit, self.first, self.kept = limit, 0, 0
        self.buffers = [np.empty(chunk + (1 << 20), np.uint8) for _ in range(2)]

    def __iter__(self):
        rest = self.buffers[0][:0]
        with file.open("rb", buffering=0) as stream:
            for turn in range(1 << 60):
                buffer = self.buffers[turn % len(self.buffers)]
                buffer[: len(rest)] = rest
                size = len(rest) + stream.readinto(memoryview(buffer)[len(rest) : len(rest) + chunk])
                if size == len(rest) or self.first >= self.limit:
                    return
                data = buffer[:size]
                end = size - int(np.argmax(data[::-1] == 10))
                rest = data[end:]
                yield data[:end]

    def read(self, data):
        # The posts of a part.
        begun = time.perf_counter()
        data.setflags(write=False)
        bounds = np.zeros(len(data) // 200, np.int64)
        count = kernels.loaded().line_starts(data, bounds[1:])
        bounds = bounds[: count + 1]
        numbers = np.arange(self.first, self.first + count)
        self.first += count
        received = np.full(count, 2_000_000_000_000_000, np.int64)  # after every event
        found = arrivals_of_records([Records("bench", None, data, bounds, numbers, received)], ways)
        spent["read"] += time.perf_counter() - begun
        return found

def run(limit):
    state, alerts, topics, posts, closed = WatchState.empty(), {}, {}, 0, 0
    spent.update(read=0.0, watch=0.0)
    chunks = Chunks(limit)
    for data in chunks:
        # One after the other, as the watch's own loop does it.
        arrivals = chunks.read(data)
        begun = time.perf_counter()
        clock = int(arrivals.event_us.max())
        state, out = flow.step(state, WatchBatch(arrivals, clock), trackers, params)
        spent["watch"] += time.perf_counter() - begun
        alerts |= {alert.id: alert for alert in out.alerts}
        topics |= {topic.id: topic for topic in out.topics}
        posts, closed = posts + len(arrivals), closed + out.closed
    return posts, closed, len(alerts), len(topics), spent

spent = {}
run(1)  # loads what is loaded once
cpu, begun = time.process_time(), time.perf_counter()
posts, closed, alerts, topics, spent = run(1 << 60)
print(json.dumps({"posts": posts, "seconds": time.perf_counter() - begun, "cpu": time.process_time() - cpu,
                  "told": f"{closed} windows closed, {alerts} alerts, {topics} topics; "
                          + ", ".join(f"{name} {s:.1f} s" for name, s in spent.items())}))
"""

PRODUCT = """
import json, sys, threading, time
from pathlib import Path
from deltalake import DeltaTable
from groundswell import kernels
from groundswell.desk import open_desk
from groundswell.desk.clock import wall_us
from groundswell.desk.tables import AlertRow, TopicRow
from groundswell.lake import Lake
from groundswell.settings import load_settings
from groundswell.watch.runner import Runner
from groundswell.watch.trackers import add_tracker

file, home, written = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
kernels.load_live()
settings = load_settings(home=home)
with open_desk(settings) as desk, desk.session() as session:
    for n, query in enumerate(json.loads(Path(written).read_text())):
        add_tracker(session, f"t{n}", query, 30.0)

class Source:
    name, kind = "bench", "file"
    def run(self, journal, stop):
        rest = b""
        with file.open("rb") as stream:
            while (read := stream.read(4 << 20)) and not stop.is_set():
                lines = (rest + read).split(b"\\n")
                rest = lines.pop()
                journal.append("bench", lines, received_us=wall_us())
                while not runner.may_append():
                    stop.wait(0.01)
        watched.append(time.perf_counter())

watched = []
runner = Runner(settings, sources=[Source()], live=False)
cpu, begun = time.process_time(), time.perf_counter()
runner.run(threading.Event())
seconds = time.perf_counter() - begun
files = DeltaTable(str(Lake.open(settings).root / "posts")).get_add_actions(flatten=True)
stored = sum(files["num_records"].to_pylist())
with open_desk(settings) as desk, desk.reading() as session:
    alerts, topics = session.query(AlertRow).count(), session.query(TopicRow).count()
print(json.dumps({"posts": stored, "seconds": seconds, "cpu": time.process_time() - cpu,
                  "told": f"{alerts} alerts, {topics} topics; all in the journal after {watched[0] - begun:.1f} s"}))
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
                *(str(CHUNK), windows),
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
