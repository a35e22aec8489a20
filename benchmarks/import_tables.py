"""Import of CSV: MB/s of ours, of reading the table alone, and of DuckDB's `read_csv` to Parquet, in one run.

    python benchmarks/import_tables.py [--megabytes 500] [--repeat 2]

The file is made up: posts with quotes, commas and line ends in their texts, once clean and once with 0.5 % dirt (rows
of another width, quotes that are never closed, bytes that are no text), of which DuckDB must be told to drop what it
cannot read. Each way runs in a process of its own with the same two threads; the best of `--repeat` counts. Ours stores
words, keys and statistics, knows duplicates, keeps what is broken, and commits to Delta; the peer parses and writes
Parquet (zstd). No row may be lost: rows in the file = rows stored + rows set aside.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

THREADS = 2
DIRT = 0.005
WORDS = 4_000
PEER = "DuckDB read_csv to Parquet"

COPY = """
import sys, time, duckdb
source, target, dirty = sys.argv[1], sys.argv[2], sys.argv[3] == "dirty"
con = duckdb.connect(config={"threads": 2, "memory_limit": "1GiB"})
con.execute("SET enable_progress_bar = false")
begun = time.perf_counter()
said = "all_varchar = true, header = true, delim = ',', quote = Q, escape = Q".replace("Q", "'\\x22'")
said += ", ignore_errors = true, strict_mode = false" if dirty else ""
con.execute(f"COPY (SELECT * FROM read_csv('{source}', {said})) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
rows = con.sql(f"SELECT count(*) FROM '{target}'").fetchall()[0][0]
print(time.perf_counter() - begun, rows, 0)
"""
READ = """
import sys, time
from pathlib import Path
from groundswell.sources.containers import detect
from groundswell.sources.tables import TableReader
begun = time.perf_counter()
source = Path(sys.argv[1])
table = TableReader(source, detect(source), 16 << 20)
rows = bad = 0
for chunk in table.chunks():
    rows += chunk.rows.num_rows
    bad += len(chunk.bad)
print(time.perf_counter() - begun, rows, bad)
"""


def write_table(path: Path, megabytes: int, *, dirt: float) -> int:
    """A table of posts of about that size; how many rows it has."""
    chance = random.Random(11)  # noqa: S311 - not for secrets
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(WORDS)]
    header = ["id", "user_name", "date", "text", "hashtags", "retweets", "favorites", "lang", "source"]
    number = 0
    with path.open("wb") as file:
        file.write((",".join(header) + "\n").encode())
        while file.tell() < megabytes * 1_000_000:
            out = io.StringIO()
            writer = csv.writer(out, lineterminator="\n")
            for _ in range(20_000):
                number += 1
                text = " ".join(chance.choices(words, k=chance.randint(6, 30)))
                text = text[:20] + ", " + text[20:] if number % 3 == 0 else text
                text = text[:10] + '\n"so" ' + text[10:] if number % 11 == 0 else text
                day = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(1_700_000_000 + number))
                tags = "['a', 'b']" if number % 2 else ""
                row = [1_300_000_000_000_000_000 + number * 7_919, f"user{number % 50_000}", day, text, tags]
                row += [number % 100, number % 1_000, "en", "Twitter for iPhone"]
                if chance.random() < dirt:
                    out.write(chance.choice([f'{row[0]},x,{day},"open\n', f"{row[0]},x,{day},t,,1,2,en,s,one,more\n"]))
                else:
                    writer.writerow(row)
            file.write(out.getvalue().encode())
    return number


def run(code: list[str]) -> tuple[float, int, int]:
    """Seconds, rows and rows set aside that a process prints."""
    done = subprocess.run(code, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    seconds, rows, bad = done.stdout.split()[-3:]
    return float(seconds), int(rows), int(bad)


def import_table(source: Path, folder: Path) -> tuple[float, int, int]:
    """Seconds, rows stored or known, and rows set aside of one import into a new home."""
    home = tempfile.mkdtemp(dir=folder)
    program = str(Path(sys.executable).with_name("groundswell"))
    command = [program, "import", str(source), "--no-raw", "--json"]
    environment = {"GROUNDSWELL_HOME": home, "GROUNDSWELL_THREADS": str(THREADS)}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | environment)
    document = json.loads(done.stdout)
    return document["seconds"], document["stored"] + document["known"], document["rejected"]


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--megabytes", type=int, default=500)
    options.add_argument("--repeat", type=int, default=2)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="import-tables-") as name:
        folder = Path(name)
        print(f"{'way':44}{'MB/s':>8}{'ratio':>8}{'rows':>12}{'set aside':>11}")
        for kind, dirt in (("clean", 0.0), ("dirty", DIRT)):
            source = folder / f"{kind}.csv"
            rows = write_table(source, given.megabytes, dirt=dirt)
            size = source.stat().st_size / 1e6
            peer = [sys.executable, "-c", COPY, str(source), str(folder / "out.parquet"), kind]
            ways: dict[str, Callable[[], tuple[float, int, int]]] = {
                PEER: partial(run, peer),
                "reading the table": partial(run, [sys.executable, "-c", READ, str(source)]),
                "groundswell import": partial(import_table, source, folder),
            }
            limit = 0.0
            for way, measured in ways.items():
                seconds, stored, aside = min(measured() for _ in range(given.repeat))
                rate = size / seconds
                limit = limit or rate
                print(f"{f'{way}, {kind}':44}{rate:8.0f}{rate / limit:8.2f}{stored:12,}{aside:11,}", flush=True)
                if way != PEER and stored + aside != rows:
                    lost = f"{way}: {rows:,} rows in the file, {stored + aside:,} accounted for"
                    raise SystemExit(lost)
            source.unlink()


if __name__ == "__main__":
    main()
