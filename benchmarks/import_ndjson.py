"""Import of NDJSON: MB/s of ours, of DuckDB's own typed COPY (the limit) and of pandas, in one run, and the memory.

    python benchmarks/import_ndjson.py [--megabytes 1000] [--file FILE] [--repeat 2]

The file is made by `groundswell simulate` (nested TikTok layout). Each way runs in a process of its own with the
same two threads, the best of `--repeat` counts, and peak memory is that of the whole process tree. The rates are of
the work as each way times it; `whole s` is the process from its start to its end, so nothing hides before the clock
starts. Ours stores words, keys and statistics, knows duplicates, and commits to Delta; DuckDB only parses and writes
Parquet (zstd).
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
from dataclasses import dataclass
from pathlib import Path

import psutil

THREADS = 2
#: Bytes of a simulated post, about.
POST_BYTES = 2_530
PANDAS_BYTES = 100_000_000

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


def ours(file: Path, work: Path) -> Measured:
    """Time and memory of `groundswell import` into a fresh home."""
    home = work / "home"
    shutil.rmtree(home, ignore_errors=True)
    program = Path(sys.executable).parent / "groundswell"
    environment = {"GROUNDSWELL_HOME": str(home), "GROUNDSWELL_THREADS": str(THREADS)}
    out, whole, peak = run([str(program), "import", "--json", str(file)], environment)
    document = json.loads(out)
    if document["stored"] != document["read"]:
        message = f"only {document['stored']:,} of {document['read']:,} were stored"
        raise SystemExit(message)
    return Measured(float(document["seconds"]), whole, peak)


def duckdb_copy(file: Path, work: Path) -> Measured:
    """Time and memory of DuckDB's COPY of the same columns."""
    out, whole, peak = run([sys.executable, "-c", COPY, str(file), str(work / "copy.parquet"), str(THREADS)])
    return Measured(float(out.split()[-1]), whole, peak)


def pandas_normalize(file: Path, work: Path) -> Measured:
    """Time and memory of json_normalize."""
    out, whole, peak = run([sys.executable, "-c", NORMALIZE, str(file)])
    return Measured(float(out.split()[-1]), whole, peak)


def simulate(megabytes: int, file: Path) -> None:
    """Make the input."""
    program = Path(sys.executable).parent / "groundswell"
    posts = str(megabytes * 1_000_000 // POST_BYTES)
    subprocess.run(
        [str(program), "simulate", "--posts", posts, "--days", "30", "--seed", "1", "--out", str(file)],
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
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="groundswell-bench-") as folder:
        work = Path(folder)
        file = arguments.file or work / "posts.ndjson"
        if arguments.file is None:
            simulate(arguments.megabytes, file)
        part = head(file, PANDAS_BYTES, work / "part.ndjson")
        ways = [
            ("DuckDB COPY TO parquet (the limit)", duckdb_copy, file, arguments.repeat),
            ("groundswell import", ours, file, arguments.repeat),
            ("pandas json_normalize", pandas_normalize, part, 1),
        ]
        results: dict[str, tuple[float, Measured]] = {}
        # In turn, so that what else the machine does meets all of them.
        turns = [
            (name, measure(source, work))
            for turn in range(arguments.repeat)
            for name, measure, source, repeat in ways
            if turn < repeat
        ]
        for name, _, source, _ in ways:
            runs = [run for of, run in turns if of == name]
            best = Measured(
                min(run.work_s for run in runs), min(run.whole_s for run in runs), max(run.peak for run in runs)
            )
            results[name] = source.stat().st_size / 1e6 / best.work_s, best
        show(results, file)


def show(results: dict[str, tuple[float, Measured]], file: Path) -> None:
    """Print rates, ratios and memory."""
    (limit, of_limit), (mine, of_mine), (peer, _) = results.values()
    print(f"{file.stat().st_size / 1e6:,.0f} MB, {THREADS} threads, {time.strftime('%Y-%m-%d')}\n")
    print(f"{'':38}{'MB/s':>8}{'of the limit':>14}{'x pandas':>10}{'whole s':>9}{'peak MiB':>10}")
    for name, (rate, best) in results.items():
        numbers = f"{rate:8.0f}{rate / limit:14.2f}{rate / peer:10.1f}{best.whole_s:9.2f}{best.peak:10.0f}"
        print(f"{name:38}{numbers}")
    print(
        f"\ngoals: at least 0.60 of the limit ({mine / limit:.2f}; whole processes "
        f"{of_limit.whole_s / of_mine.whole_s:.2f}), 15 x pandas ({mine / peer:.1f}), at most 1,024 MiB"
    )


if __name__ == "__main__":
    main()
