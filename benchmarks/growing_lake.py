"""Does a growing lake slow an import down? Slices of simulated posts, one after the other, into one lake.

    python benchmarks/growing_lake.py [--posts 50000000] [--slice 1600000] [--home FOLDER [--slices 10]]

Every slice has other posts of the same thirty days, so all of them share two partitions and every key has to be looked
up among all that are stored. A slice is made, imported and deleted. The last lines say what the first slice of all
does when it comes again (everything must be known), the rates of the first and the last slices, and their ratio; the
same is said of the megabytes for each second of processor, which other work on the machine disturbs less.

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
    """Import a slice; what `import --json` says, the seconds of processor as `cpu`, and the peak as `peak` (MiB)."""
    environment = {**os.environ, "GROUNDSWELL_HOME": str(home), "GROUNDSWELL_THREADS": "2"}
    environment["GROUNDSWELL_KEEP_RAW"] = "false"
    process = subprocess.Popen(
        [str(PROGRAM), "import", "--json", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        message = f"the import failed with exit code {process.returncode}"
        raise SystemExit(message)
    cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    document: dict[str, Any] = json.loads(said) | {"cpu": cpu, "peak": peak}
    return document


def grow(work: Path, posts: int, slice_: int, most: int) -> list[list[Any]] | None:
    """Import the slices that are missing, at most so many; null while some are missing.

    Of each: posts before, MB/s, posts afterwards, MB for each second of processor (null: not measured).

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
        costs = f"{document['cpu']:.1f} s of processor, peak {document['peak']:,.0f} MiB"
        print(f"{before:>12,} stored before: {rate:6.0f} MB/s, {costs}, {document['known']:,} known", flush=True)
        done.append([before, rate, before + document["stored"], document["bytes"] / document["cpu"] / 1e6])
        noted.write_text(json.dumps(done))
    return done if len(done) >= wanted else None


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
        print(f"{found[-1][0]:,} posts and another slice take {size / 1e9:.1f} GB; medians of three:")
        for unit, rates in (
            ("MB/s", [one[1] for one in found]),
            ("MB for each second of processor", [one[3] for one in found if one[3:]]),
        ):
            first, last = sorted(rates[:3])[1], sorted(rates[-3:])[1]
            print(f"{last:.0f} / {first:.0f} {unit} = {last / first:.2f} (goal 0.8)")
    finally:
        if arguments.home is None:
            shutil.rmtree(work)


if __name__ == "__main__":
    main()
