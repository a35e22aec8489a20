"""Does a growing lake slow an import down? Slices of simulated posts, one after the other, into one lake.

    python benchmarks/growing_lake.py [--posts 50000000] [--slice 1600000]

Every slice has other posts of the same thirty days, so all of them share two partitions and every key has to be looked
up among all that are stored. A slice is made, imported and deleted. The last lines say what the first slice of all
does when it comes again (everything must be known), the rates of the first and the last slice, and their ratio.
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


def main() -> None:
    """Grow the lake and print a line for each slice."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--posts", type=int, default=50_000_000)
    parser.add_argument("--slice", type=int, default=1_600_000)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="groundswell-bench-"))
    try:
        file, home = folder / "slice.ndjson", folder / "home"
        rates: list[float] = []
        stored = 0
        for seed in range(1, -(-arguments.posts // arguments.slice) + 2):
            simulate(arguments.slice, seed, file)
            document = load(file, home)
            rates.append(document["bytes"] / document["seconds"] / 1e6)
            print(f"{stored:>12,} stored before: {rates[-1]:6.0f} MB/s, {document['known']:,} known", flush=True)
            stored += document["stored"]
        simulate(arguments.slice, 1, file)
        again = load(file, home)
        rate = again["bytes"] / again["seconds"] / 1e6
        print(f"the first slice again: {again['known']:,} of {again['read']:,} known, {rate:.0f} MB/s")
        size = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
        first, last = sorted(rates[:3])[1], sorted(rates[-3:])[1]
        print(f"{stored:,} posts take {size / 1e9:.1f} GB; medians of three: {last:.0f} / {first:.0f} MB/s = ", end="")
        print(f"{last / first:.2f} (goal 0.8)")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
