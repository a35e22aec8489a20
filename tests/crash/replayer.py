"""Runs a replay in a forked child and kills it; run as a script by the tests, never imported by pytest.

It imports everything once and starts no thread, so that a child begins its work at once. A child kills itself
at a named border (`--at border:occurrence`), or is killed by its parent after random times (`--kills N`).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from groundswell.channels import sender
from groundswell.importing import Options, stream
from groundswell.lake.appender import Appender
from groundswell.settings import Settings, load_settings
from groundswell.sources.files import find_files
from groundswell.watch import loop
from groundswell.watch.jobs import Replay, Watcher

# What the work loads when it needs it; a child would load it anew each time.
for name in ("duckdb", "engines.duckdb", "marts.baselines", "lake.maintenance", "platforms", "channels.sender"):
    importlib.import_module(name if name == "duckdb" else f"groundswell.{name}")


@contextlib.contextmanager
def running(_runner: Watcher, _total: int) -> Iterator[threading.Event]:
    yield threading.Event()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killer(at: str | None, reached: Callable[[str], None] | None) -> Callable[[str], None]:
    """A hook that ends the process at the n-th occurrence of a border."""
    border, _, occurrence = (at or "").partition(":")
    seen: Counter[str] = Counter()

    def hook(name: str) -> None:
        seen[name] += 1
        if reached is not None:
            reached(name)
        if name == border and seen[name] == int(occurrence):
            die()

    return hook


def watch_appends(hook: Callable[[str], None]) -> None:
    """Make every Delta commit of the lake writer two borders: before and after it."""
    commit = Appender.commit

    def watched(self: Appender, *args: Any, **more: Any) -> Any:
        hook("before append")
        result = commit(self, *args, **more)
        hook("after append")
        return result

    Appender.commit = watched  # type: ignore[method-assign]  # a kill at that place


def forked(work: Callable[[], None]) -> int:
    """Do it in a child that ends with it, and says what went wrong; its process id."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def replay(settings: Settings, file: str, at: str | None = None) -> int:
    """Run the replay in a child; its process id."""

    def work() -> None:
        seen: Counter[str] = Counter()
        hook = killer(at, lambda name: seen.update([name]))
        watch_appends(hook)
        Replay(settings, find_files([file], settings.tmp_path), Options(), hook=hook).run(running)
        (settings.home / "borders.json").write_text(json.dumps(seen))

    return forked(work)


def ended(pid: int, within_s: float | None) -> int | None:
    """The exit status (negative: the signal that killed it); null if it still runs after that time."""
    deadline = None if within_s is None else time.monotonic() + within_s
    while deadline is None or time.monotonic() < deadline:
        found, status = os.waitpid(pid, 0 if deadline is None else os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    return None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("file")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--longest", type=float, default=1.0)
    parser.add_argument("--at", action="append", default=[])
    parser.add_argument("--impatient", action="store_true", help="try a channel that failed again at once")
    chosen = parser.parse_args()
    settings = load_settings(home=chosen.home, threads=1, commit_every=0.2, private_urls=True)
    # Small batches, so that there are many borders to be killed at; what comes out does not depend on them.
    vars(loop)["limits"] = lambda: (3_000, 32 << 20)
    vars(stream)["MAX_RECORDS"] = 3_000
    if chosen.impatient:
        vars(sender)["FIRST_WAIT_S"] = vars(sender)["MAX_WAIT_S"] = 0.02
    done: list[str] = []
    for at in chosen.at:
        status = ended(replay(settings, chosen.file, at), None)
        done.append(f"{at} {status}")
    chance = random.Random(chosen.seed)  # noqa: S311 - not for secrets
    killed = 0
    while killed < chosen.kills:
        pid = replay(settings, chosen.file)
        if ended(pid, chance.uniform(0.0, chosen.longest)) is not None:
            break  # it came to its end before the last kill
        os.kill(pid, signal.SIGKILL)
        ended(pid, None)
        killed += 1
    last = ended(replay(settings, chosen.file), None)
    json.dump({"at": done, "killed": killed, "last": last}, sys.stdout)


if __name__ == "__main__":
    main()
