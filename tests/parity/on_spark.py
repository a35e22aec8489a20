"""Feeds a history into a topic and watches it on Spark, in forked children that are killed; run as a script.

The feeding is another program's, as that of a server that takes pushes: it knows nothing of Spark. The settings come
from the environment. A child kills itself at a border (`--at border:occurrence`): the feeder in front of a commit of
Kafka (`--feeder`), the driver of Spark in `foreachBatch`.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.crash.replayer import ended, forked, killer, watch_appends

from groundswell.bus import kafka_write, open_bus
from groundswell.desk import open_desk
from groundswell.engines import open_engine
from groundswell.importing import Options
from groundswell.platforms.saved import registry_for
from groundswell.settings import Settings, load_settings
from groundswell.sources.files import find_files
from groundswell.sources.replay import ReplaySource
from groundswell.watch.cluster.run import Pace, SparkWatch
from groundswell.watch.jobs import topic_on_spark
from groundswell.watch.replay import Reading, prepare

Work = Callable[[Settings, Callable[[str], None]], None]


def feed(file: str) -> Work:
    """Write the history into the bus, in the order of its time."""

    def work(settings: Settings, hook: Callable[[str], None]) -> None:
        commit = kafka_write.commit

        def watched(producer: Any) -> None:
            hook("feeding")
            commit(producer)

        kafka_write.commit = watched
        plain = settings.model_copy(update={"engine": "duckdb"})
        engine = open_engine(plain)
        reading = Reading(plain, engine, registry_for(plain), Options())
        prepared = prepare(find_files([file], plain.tmp_path), reading)
        engine.close()
        with open_desk(plain) as desk, open_bus(plain, desk) as bus:
            ReplaySource(prepared, None).run(bus, threading.Event())

    return work


def watch(most: int) -> Work:
    """Watch what the topic holds."""

    def work(settings: Settings, hook: Callable[[str], None]) -> None:
        watch_appends(hook)
        topic = topic_on_spark(settings, ["journal"])
        assert topic is not None
        SparkWatch(settings, topic, Pace(live=False, most=most), hook=hook).run(threading.Event())

    return work


def child(work: Work, settings: Settings, at: str | None) -> int:
    """Do it in a child; its process id."""

    def do() -> None:
        seen: Counter[str] = Counter()
        work(settings, killer(at, lambda name: seen.update([name])))
        print(dict(seen), file=sys.stderr)

    return forked(do)


def main() -> None:
    """Feed, watch, and say how each child ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("file")
    parser.add_argument("--feeder", action="append", default=[])
    parser.add_argument("--at", action="append", default=[])
    parser.add_argument("--most", type=int, default=3_000)
    chosen = parser.parse_args()
    settings = load_settings(home=chosen.home)
    done: list[str] = []
    last = 0
    for work, kills in ((feed(chosen.file), chosen.feeder), (watch(chosen.most), chosen.at)):
        done += [f"{at} {ended(child(work, settings, at), None)}" for at in kills]
        last = last or ended(child(work, settings, None), None) or 0
    json.dump({"at": done, "last": last}, sys.stdout)


if __name__ == "__main__":
    main()
