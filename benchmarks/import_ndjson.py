"""Import of NDJSON: MB/s of ours, of DuckDB's own typed COPY (the limit), of pandas and of Spark, in one run.

    python benchmarks/import_ndjson.py [--megabytes 1000] [--repeat 2] [--spark | --quick] [--file FILE]

The file is made by `groundswell simulate` (nested TikTok layout), once clean and once with 0.5 % dirt (which the limit
cannot read at all: it aborts). Each way runs in a process of its own with the same two threads, the best of
`--repeat` counts, and peak memory is that of the whole process tree. The rates are of the work as each way times it;
`whole s` is the process from its start to its end, so nothing hides before the clock starts. Ours stores words, keys
and statistics, knows duplicates, and commits to Delta; the others only parse and write Parquet (zstd).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

THREADS = 2
#: Bytes of a simulated post, about.
POST_BYTES = 2_530
PANDAS_BYTES = 100_000_000
DIRT = 0.005

LIMIT = "DuckDB COPY TO parquet (the limit)"
OURS = "groundswell import"
WITH_DIRT = "groundswell import, 0.5 % dirt"
WITH_RAW = "groundswell import, raw kept"
PANDAS = "pandas json_normalize"
WARM = "Spark local[2], second run"
COLD = "Spark local[2], first run"

#: The same columns as the layout `tiktok.nested` reads, declared with their types.
COPY = """
import sys, time, duckdb
source, target = sys.argv[1:3]
con = duckdb.connect(config={"threads": int(sys.argv[3]), "memory_limit": "400MiB"})
con.execute("SET enable_progress_bar = false")
begun = time.perf_counter()
con.execute(f'''
COPY (
  SELECT 'tiktok' AS platform, itemInfos.id AS post_id,
    'https://www.tiktok.com/@' || authorInfos.uniqueId || '/video/' || itemInfos.id AS url,
    authorInfos.userId AS author_id, authorInfos.uniqueId AS author_name,
    to_timestamp(itemInfos.createTime) AS created_at, itemInfos.text AS text,
    list_transform(challengeInfoList, lambda c: c.challengeName) AS hashtags, challengeInfoList AS challenges,
    'video' AS kind, itemInfos.video.videoMeta.duration AS duration_s, itemInfos.playCount AS views,
    itemInfos.diggCount AS likes, itemInfos.commentCount AS comments, itemInfos.shareCount AS shares,
    itemInfos.collectCount AS saves, musicInfos.musicId AS music_id, musicInfos.musicName AS music_title,
    musicInfos.authorName AS music_author, itemInfos.video.urls AS media_urls,
    authorStats.followerCount AS followers, authorStats.followingCount AS following, authorInfos.verified AS verified,
    authorStats.heartCount AS author_likes, authorStats.videoCount AS author_posts
  FROM read_json('{source}', format = 'newline_delimited', columns = {{
    authorInfos: 'STRUCT(userId VARCHAR, uniqueId VARCHAR, verified BOOLEAN)',
    challengeInfoList: 'STRUCT(challengeId VARCHAR, challengeName VARCHAR)[]',
    itemInfos: 'STRUCT(id VARCHAR, text VARCHAR, createTime BIGINT, authorId VARCHAR, musicId VARCHAR,
      video STRUCT(urls VARCHAR[], videoMeta STRUCT(duration DOUBLE)),
      diggCount BIGINT, shareCount BIGINT, playCount BIGINT, commentCount BIGINT, collectCount BIGINT)',
    musicInfos: 'STRUCT(musicId VARCHAR, musicName VARCHAR, authorName VARCHAR)',
    authorStats: 'STRUCT(followerCount BIGINT, followingCount BIGINT, heartCount BIGINT, videoCount BIGINT)'
  }})
) TO '{target}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 65536)
''')
print(time.perf_counter() - begun)
"""

#: The same for Spark: cold is the first run of the session, warm the second. The session's own start is not counted.
SPARK = """
import sys, time
from pyspark.sql import SparkSession
source, target = sys.argv[1:3]
spark = (SparkSession.builder.master(f"local[{sys.argv[3]}]").config("spark.driver.memory", "4g")
  .config("spark.ui.enabled", "false").config("spark.sql.parquet.compression.codec", "zstd").getOrCreate())
spark.sparkContext.setLogLevel("ERROR")
schema = (
  "authorInfos STRUCT<userId: STRING, uniqueId: STRING, verified: BOOLEAN>, "
  "challengeInfoList ARRAY<STRUCT<challengeId: STRING, challengeName: STRING>>, "
  "itemInfos STRUCT<id: STRING, text: STRING, createTime: STRING, authorId: STRING, musicId: STRING, "
  "video: STRUCT<urls: ARRAY<STRING>, videoMeta: STRUCT<duration: DOUBLE>>, "
  "diggCount: BIGINT, shareCount: BIGINT, playCount: BIGINT, commentCount: BIGINT, collectCount: BIGINT>, "
  "musicInfos STRUCT<musicId: STRING, musicName: STRING, authorName: STRING>, "
  "authorStats STRUCT<followerCount: BIGINT, followingCount: BIGINT, heartCount: BIGINT, videoCount: BIGINT>")
for run in ("cold", "warm"):
    begun = time.perf_counter()
    (spark.read.schema(schema).json(source).selectExpr(
      "'tiktok' AS platform", "itemInfos.id AS post_id",
      "concat('https://www.tiktok.com/@', authorInfos.uniqueId, '/video/', itemInfos.id) AS url",
      "authorInfos.userId AS author_id", "authorInfos.uniqueId AS author_name",
      "timestamp_seconds(CAST(itemInfos.createTime AS BIGINT)) AS created_at", "itemInfos.text AS text",
      "transform(challengeInfoList, c -> c.challengeName) AS hashtags", "challengeInfoList AS challenges",
      "'video' AS kind", "itemInfos.video.videoMeta.duration AS duration_s", "itemInfos.playCount AS views",
      "itemInfos.diggCount AS likes", "itemInfos.commentCount AS comments", "itemInfos.shareCount AS shares",
      "itemInfos.collectCount AS saves", "musicInfos.musicId AS music_id", "musicInfos.musicName AS music_title",
      "musicInfos.authorName AS music_author", "itemInfos.video.urls AS media_urls",
      "authorStats.followerCount AS followers", "authorStats.followingCount AS following",
      "authorInfos.verified AS verified", "authorStats.heartCount AS author_likes",
      "authorStats.videoCount AS author_posts").write.mode("overwrite").parquet(target))
    print(time.perf_counter() - begun)
"""

NORMALIZE = """
import json, sys, time
import pandas as pd
begun = time.perf_counter()
with open(sys.argv[1], "rb") as file:
    frame = pd.json_normalize([json.loads(line) for line in file])
print(time.perf_counter() - begun)
"""


@dataclass(frozen=True)
class Measured:
    """One run: seconds of the work, seconds of the whole process, and peak memory of its tree (MiB)."""

    work_s: float
    whole_s: float
    peak: float


#: Name, measurement of a file in a work folder, file, and how often.
Way = tuple[str, Callable[[Path, Path], Measured], Path, int]


def run(command: list[str], environment: dict[str, str] | None = None) -> tuple[str, float, float]:
    """Run a command; its standard output, its seconds, and the peak memory (MiB, resident) of its process tree."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        try:
            root = psutil.Process(process.pid)
            while not done.wait(0.02):
                peak = max(peak, sum(p.memory_info().rss for p in (root, *root.children(recursive=True))))
        except psutil.Error:
            return

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, _ = process.communicate()
    seconds = time.perf_counter() - begun
    done.set()
    watcher.join()
    if process.returncode:
        message = f"{command[0]} failed with exit code {process.returncode}"
        raise SystemExit(message)
    return out, seconds, peak / 2**20


def ours(file: Path, work: Path, *, raw: bool = False, spoilt: bool = False) -> Measured:
    """Time and memory of `groundswell import` into a fresh home, with the raw records kept or not."""
    home = work / "home"
    shutil.rmtree(home, ignore_errors=True)
    program = Path(sys.executable).parent / "groundswell"
    environment = {
        "GROUNDSWELL_HOME": str(home),
        "GROUNDSWELL_THREADS": str(THREADS),
        "GROUNDSWELL_KEEP_RAW": str(raw).lower(),
    }
    out, whole, peak = run([str(program), "import", "--json", str(file)], environment)
    shutil.rmtree(home, ignore_errors=True)
    document = json.loads(out)
    accounted = sum(document[name] for name in ("stored", "known", "rejected", "ignored"))
    if document["read"] != accounted or (document["stored"] != document["read"] and not spoilt):
        message = f"of {document['read']:,} only {document['stored']:,} were stored, {accounted:,} accounted for"
        raise SystemExit(message)
    return Measured(float(document["seconds"]), whole, peak)


def duckdb_copy(file: Path, work: Path) -> Measured:
    """Time and memory of DuckDB's COPY of the same columns."""
    out, whole, peak = run([sys.executable, "-c", COPY, str(file), str(work / "copy.parquet"), str(THREADS)])
    (work / "copy.parquet").unlink()
    return Measured(float(out.split()[-1]), whole, peak)


def spark_write(file: Path, work: Path, *, warm: bool) -> Measured:
    """Time and memory of Spark on as many local threads; the session's first run, or its second."""
    out, whole, peak = run([sys.executable, "-c", SPARK, str(file), str(work / "spark"), str(THREADS)])
    shutil.rmtree(work / "spark")
    return Measured(float(out.split()[-1 if warm else -2]), whole, peak)


def pandas_normalize(file: Path, _work: Path) -> Measured:
    """Time and memory of json_normalize."""
    out, whole, peak = run([sys.executable, "-c", NORMALIZE, str(file)])
    return Measured(float(out.split()[-1]), whole, peak)


def simulate(megabytes: int, file: Path, dirt: float = 0.0) -> None:
    """Make the input."""
    program = Path(sys.executable).parent / "groundswell"
    posts = str(megabytes * 1_000_000 // POST_BYTES)
    subprocess.run(
        [
            str(program),
            "simulate",
            "--posts",
            posts,
            "--days",
            "30",
            "--seed",
            "1",
            "--dirt",
            str(dirt),
            "--out",
            str(file),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def head(file: Path, size: int, target: Path) -> Path:
    """The first lines of a file, about `size` bytes."""
    with file.open("rb") as source, target.open("wb") as out:
        out.write(source.read(size))
        out.write(source.readline())
    return target


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--megabytes", type=int, default=1_000)
    parser.add_argument("--file", type=Path, help="an NDJSON file of the nested layout instead of a simulated one")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--spark", action="store_true", help="Spark too (needs Java and the extra `spark`)")
    parser.add_argument("--quick", action="store_true", help="only the limit and ours on clean data, for large files")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="groundswell-bench-") as folder:
        work = Path(folder)
        file, dirty = arguments.file or work / "posts.ndjson", work / "dirty.ndjson"
        if arguments.file is None:
            simulate(arguments.megabytes, file)
        if not arguments.quick:
            simulate(arguments.megabytes, dirty, DIRT)
        part = head(file, PANDAS_BYTES, work / "part.ndjson")
        ways: list[Way] = [
            (LIMIT, duckdb_copy, file, arguments.repeat),
            (OURS, ours, file, arguments.repeat),
            (WITH_DIRT, partial(ours, spoilt=True), dirty, arguments.repeat),
            (WITH_RAW, partial(ours, raw=True), file, arguments.repeat),
            (PANDAS, pandas_normalize, part, 1),
        ]
        if arguments.quick:
            ways = [ways[0], ways[1], ways[4]]
        if arguments.spark:
            ways += [(name, partial(spark_write, warm=name == WARM), file, 1) for name in (WARM, COLD)]
        show(measure(ways, arguments.repeat, work), file)


def measure(ways: list[Way], repeat: int, work: Path) -> dict[str, tuple[float, Measured]]:
    """Rate (MB/s) and best run of each way."""
    # In turn, so that what else the machine does meets all of them.
    turns = [(name, way(source, work)) for turn in range(repeat) for name, way, source, times in ways if turn < times]
    results: dict[str, tuple[float, Measured]] = {}
    for name, _, source, _ in ways:
        runs = [run for of, run in turns if of == name]
        best = Measured(
            min(run.work_s for run in runs), min(run.whole_s for run in runs), max(run.peak for run in runs)
        )
        results[name] = source.stat().st_size / 1e6 / best.work_s, best
    return results


def show(results: dict[str, tuple[float, Measured]], file: Path) -> None:
    """Print rates, ratios and memory."""
    limit, of_limit = results[LIMIT]
    print(f"{file.stat().st_size / 1e6:,.0f} MB, {THREADS} threads, {time.strftime('%Y-%m-%d')}\n")
    print(f"{'':38}{'MB/s':>8}{'of the limit':>14}{'x pandas':>10}{'whole s':>9}{'peak MiB':>10}")
    pandas = results[PANDAS][0]
    for name, (rate, best) in results.items():
        numbers = f"{rate:8.0f}{rate / limit:14.2f}{rate / pandas:10.1f}{best.whole_s:9.2f}{best.peak:10.0f}"
        print(f"{name:38}{numbers}")
    mine, of_mine = results[OURS]
    goals = [(OURS, "clean", 0.85), (WITH_DIRT, "with dirt", 0.65), (WITH_RAW, "raw kept", 0.55)]
    said = [f"{what} {results[way][0] / limit:.2f} (goal {goal})" for way, what, goal in goals if way in results]
    print(f"\nof the limit: {', '.join(said)}; whole processes {of_limit.whole_s / of_mine.whole_s:.2f}")
    print(f"x pandas {mine / pandas:.1f} (goal 25); memory {of_mine.peak:,.0f} MiB (goal 1,024)")
    if WARM in results:
        print(f"x Spark: warm {mine / results[WARM][0]:.1f} (goal 2.2), cold {mine / results[COLD][0]:.1f} (goal 5)")


if __name__ == "__main__":
    main()
