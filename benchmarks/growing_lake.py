"""Does a growing lake slow an import down? Slices of simulated posts, one after the other, into one lake.

    python benchmarks/growing_lake.py [--posts 50000000] [--slice 1600000] [--home FOLDER [--slices 10]]

Every slice has other posts of the same thirty days, so all of them share two partitions and every key has to be looked
up among all that are stored. A slice is made, imported and deleted. The last lines say what the first slice of all
does when it comes again (everything must be known), the rates of the first and the last slices, and their ratio.

With `--home` the lake is kept, and a later call takes up where the last one ended, after at most `--slices` of them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).parent / "groundswell"


def simulate(posts: int, seed: int, file: Path) -> None:
    """Make the slice of a seed."""
    arguments = ["--posts", str(posts), "--days", "30", "--seed", str(seed), "--out", str(file)]
    quiet = subprocess.DEVNULL
    subprocess.run([str(PROGRAM), "simulate", *arguments], check=True, stdout=quiet, stderr=quiet)
    file.with_name(file.name + ".truth.json").unlink(missing_ok=True)


def load(file: Path, home: Path) -> dict[str, Any]:
    """Import a slice; what `import --json` says."""
    environment = {**os.environ, "GROUNDSWELL_HOME": str(home), "GROUNDSWELL_THREADS": "2"}
    environment["GROUNDSWELL_KEEP_RAW"] = "false"
    done = subprocess.run(
        [str(PROGRAM), "import", "--json", str(file)], check=True, capture_output=True, text=True, env=environment
    )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def grow(work: Path, posts: int, slice_: int, most: int) -> list[tuple[int, float]] | None:
    """Import the slices that are missing, at most so many; posts before and MB/s of all, null while some are missing.

    What was done is kept in a file beside the home, with which a later call goes on.
    """
    file, home, noted = work / "slice.ndjson", work / "home", work / "slices.json"
    done: list[list[Any]] = json.loads(noted.read_text()) if noted.exists() else []
    wanted = -(-posts // slice_) + 1
    for seed in range(len(done) + 1, min(wanted, len(done) + most) + 1):
        simulate(slice_, seed, file)
        document = load(file, home)
        file.unlink()
        before = done[-1][2] if done else 0
        rate = document["bytes"] / document["seconds"] / 1e6
        print(f"{before:>12,} stored before: {rate:6.0f} MB/s, {document['known']:,} known", flush=True)
        done.append([before, rate, before + document["stored"]])
        noted.write_text(json.dumps(done))
    return [(before, rate) for before, rate, _ in done] if len(done) >= wanted else None


def main() -> None:
    """Grow the lake and print a line for each slice."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--posts", type=int, default=50_000_000)
    parser.add_argument("--slice", type=int, default=1_600_000)
    parser.add_argument("--home", type=Path, help="folder of the lake, kept for the next call")
    parser.add_argument("--slices", type=int, default=10**6, help="with --home: at most so many in this call")
    arguments = parser.parse_args()
    work = arguments.home or Path(tempfile.mkdtemp(prefix="groundswell-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    try:
        found = grow(work, arguments.posts, arguments.slice, arguments.slices)
        if found is None:
            print("not all yet: call it again")
            return
        file, home = work / "slice.ndjson", work / "home"
        simulate(arguments.slice, 1, file)
        again = load(file, home)
        file.unlink()
        rate = again["bytes"] / again["seconds"] / 1e6
        print(f"the first slice again: {again['known']:,} of {again['read']:,} known, {rate:.0f} MB/s")
        size = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
        rates = [rate for _, rate in found]
        first, last = sorted(rates[:3])[1], sorted(rates[-3:])[1]
        print(f"{found[-1][0]:,} posts and another slice take {size / 1e9:.1f} GB; medians of three: ", end="")
        print(f"{last:.0f} / {first:.0f} MB/s = {last / first:.2f} (goal 0.8)")
    finally:
        if arguments.home is None:
            shutil.rmtree(work)


if __name__ == "__main__":
    main()
