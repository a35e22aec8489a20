"""Follows a live source in forked children and kills them; run with `python -m tests.crash.follower` by the tests.

The clock is eight bytes in a file, which the test moves on as it feeds the source. So what a child sees of time is what
the stream says, however often it is killed and however slow the machine is. The file `stop` in the home ends it.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import random
import signal
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.crash.replayer import ended, forked, killer, watch_appends

from groundswell.channels import sender
from groundswell.importing import stream
from groundswell.settings import Settings, load_settings
from groundswell.sources import jetstream
from groundswell.sources.feed import LiveSource
from groundswell.sources.folder import FolderSource
from groundswell.sources.jetstream_options import read_options
from groundswell.sources.reading import file_records
from groundswell.sources.records import Line
from groundswell.sources.tail import TailSource
from groundswell.watch import loop
from groundswell.watch.runner import Runner


class SharedClock:
    """Microseconds since 1970 UTC, as the file says now."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)

    def __call__(self) -> int:
        return int(struct.unpack("<q", self._shared[:8])[0])


def source_of(spec: str, settings: Settings, clock: SharedClock) -> LiveSource:
    kind, _, rest = spec.partition(":")
    if kind == "file":
        return TailSource(Path(rest), settings.max_record, now=clock)
    if kind == "folder":

        def read(path: Path) -> Iterator[Line]:
            return file_records(path, settings.max_record)

        return FolderSource(Path(rest), read, settle_s=-1e12, now=clock)
    return jetstream.JetstreamSource(read_options(spec), settings.max_record, now=clock)


def follow(settings: Settings, spec: str, clock: SharedClock, at: str | None) -> int:
    """Follow the source in a child; its process id."""

    def work() -> None:
        hook = killer(at, None)
        watch_appends(hook)
        stop = threading.Event()

        def look() -> None:
            while not stop.wait(0.05):
                if (settings.home / "stop").exists():
                    stop.set()

        threading.Thread(target=look, daemon=True).start()
        Runner(settings, sources=[source_of(spec, settings, clock)], now=clock, hook=hook).run(stop)

    return forked(work)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("source")
    parser.add_argument("clock", type=Path)
    parser.add_argument("--lateness", type=int, required=True)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--longest", type=float, default=2.0)
    parser.add_argument("--at", action="append", default=[])
    chosen = parser.parse_args()
    settings = load_settings(home=chosen.home, threads=1, commit_every=0.5, private_urls=True, lateness=chosen.lateness)
    clock = SharedClock(chosen.clock)
    # The stream's time jumps from beat to beat, so that there would be holes; here it is watched throughout.
    patched: Any = vars(loop)
    patched["covered_until"] = lambda _connections, clock_us: ((0, clock_us),)
    patched["limits"] = lambda: (500, 32 << 20)
    vars(stream)["MAX_RECORDS"] = 1_000
    vars(jetstream)["FIRST_WAIT_S"] = vars(sender)["FIRST_WAIT_S"] = 0.05
    done = [f"{at} {ended(follow(settings, chosen.source, clock, at), None)}" for at in chosen.at]
    chance, killed = random.Random(chosen.seed), 0  # noqa: S311 - not for secrets
    while killed < chosen.kills and not (settings.home / "stop").exists():
        pid = follow(settings, chosen.source, clock, None)
        if ended(pid, chance.uniform(0.1, chosen.longest)) is not None:
            break
        os.kill(pid, signal.SIGKILL)
        ended(pid, None)
        killed += 1
    last = ended(follow(settings, chosen.source, clock, None), None)
    json.dump({"at": done, "killed": killed, "last": last}, sys.stdout)


if __name__ == "__main__":
    main()
