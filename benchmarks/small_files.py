"""Import of many small files: MB/s of one file, and of the same posts in files of 100 KB; the ratio of the two.

    python benchmarks/small_files.py [--files 10000] [--kilobytes 100] [--repeat 2]

The posts are made by `groundswell simulate` (nested TikTok layout) and cut at line ends. Each import runs in a process
and a home of its own, raw content is not kept, and the rate is that which `import --json` prints.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

THREADS = 2
#: Bytes of a simulated post, about.
POST_BYTES = 2_530
GOAL = 0.4


def simulate(size: int, file: Path) -> None:
    """Make the input."""
    program = Path(sys.executable).parent / "groundswell"
    posts = str(size // POST_BYTES)
    command = [str(program), "simulate", "--posts", posts, "--days", "30", "--seed", "1", "--out", str(file)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def cut(file: Path, size: int, folder: Path) -> int:
    """Cut a file at line ends into files of about `size` bytes; how many they are."""
    folder.mkdir()
    number = 0
    with file.open("rb") as source:
        while part := source.read(size) + source.readline():
            (folder / f"part-{number:06}.ndjson").write_bytes(part)
            number += 1
    return number


def import_(path: Path, work: Path) -> tuple[float, float, dict[str, int]]:
    """MB/s of one import into a new home, seconds of its process, and its sums."""
    home = work / "home"
    shutil.rmtree(home, ignore_errors=True)
    program = Path(sys.executable).parent / "groundswell"
    own = {"GROUNDSWELL_HOME": str(home), "GROUNDSWELL_THREADS": str(THREADS), "GROUNDSWELL_KEEP_RAW": "false"}
    begun = time.perf_counter()
    done = subprocess.run(
        [str(program), "import", "--json", str(path)], check=True, stdout=subprocess.PIPE, env={**os.environ, **own}
    )
    whole = time.perf_counter() - begun
    document = json.loads(done.stdout)
    sums = {name: document[name] for name in ("read", "stored", "known", "rejected", "ignored")}
    return document["bytes"] / 1e6 / document["seconds"], whole, sums


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--kilobytes", type=int, default=100)
    parser.add_argument("--repeat", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="groundswell-bench-") as name:
        work = Path(name)
        file, folder = work / "posts.ndjson", work / "parts"
        simulate(arguments.files * arguments.kilobytes * 1_000, file)
        count = cut(file, arguments.kilobytes * 1_000, folder)
        turns = [(path, import_(path, work)) for _ in range(arguments.repeat) for path in (file, folder)]
        if len({json.dumps(sums) for _, (_, _, sums) in turns}) > 1:
            message = "the two ways do not count the same"
            raise SystemExit(message)
        best = {path: max(run for of, run in turns if of == path) for path in (file, folder)}
        print(f"{file.stat().st_size / 1e6:,.0f} MB, {THREADS} threads, {time.strftime('%Y-%m-%d')}\n")
        print(f"{'':24}{'MB/s':>8}{'whole s':>9}{'ms a file':>11}")
        for title, path, files in (("one file", file, 1), (f"{count:,} files", folder, count)):
            rate, whole, _ = best[path]
            print(f"{title:24}{rate:8.0f}{whole:9.2f}{file.stat().st_size / 1e3 / rate / files:11.3f}")
        print(f"\ngoal: at least {GOAL:.2f} of the one-file rate ({best[folder][0] / best[file][0]:.2f})")


if __name__ == "__main__":
    main()
