"""Watches a topic of Kafka on Spark to its end; run with `python -m tests.watch.cluster.driver` by the tests.

`--at border:n` kills the driver at the n-th time that it comes there, within `foreachBatch`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections import Counter
from pathlib import Path

from groundswell.bus.kafka_address import read_address
from groundswell.settings import load_settings
from groundswell.watch.cluster.run import Pace, SparkWatch

#: A JVM that lives for a minute has more from a quick start than from good machine code.
QUICK = "spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("address")
    parser.add_argument("jars")
    parser.add_argument("--most", type=int, default=1_000)
    parser.add_argument("--at", default="")
    chosen = parser.parse_args()
    settings = load_settings(
        home=chosen.home, engine="local[2]", threads=2, memory=700, spark_jars=chosen.jars, spark_options=QUICK
    )
    border, _, occurrence = chosen.at.partition(":")
    seen: Counter[str] = Counter()

    def hook(name: str) -> None:
        seen[name] += 1
        if name == border and seen[name] == int(occurrence):
            os.kill(os.getpid(), signal.SIGKILL)

    watch = SparkWatch(settings, read_address(chosen.address), Pace(live=False, most=chosen.most), hook=hook)
    watch.run(threading.Event())
    json.dump({"records": watch.records, "digest_bytes": watch.digest_bytes, "borders": seen}, sys.stdout)


if __name__ == "__main__":
    main()
