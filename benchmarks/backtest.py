"""Backtest: seconds, posts a second and memory of `groundswell backtest` over a lake of millions of posts.

    python benchmarks/backtest.py --lake FOLDER --build 4_000_000 [--days 146]
    python benchmarks/backtest.py --lake FOLDER [--back 90]

`--build` makes the lake at once (posts with a day and a week, nine words of a Zipf law and now and then a brand; every
fiftieth is observed twice). Each case runs in a process of its own, so that its peak memory is its own: first with
nothing cached beside the lake, then again.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.lake import Lake
from groundswell.lake.terms import index_texts
from groundswell.schema import POSTS, TIMESTAMP
from groundswell.settings import Settings, load_settings
from groundswell.text.keys import observation_keys
from groundswell.watch.backtest import Asked, run

END: Final = datetime(2026, 11, 1, tzinfo=UTC)
SLICE: Final = 250_000
WORDS: Final = 200_000
TEXT_WORDS: Final = 9
#: How often a brand is mentioned, as a fraction of all posts.
BRANDS: Final = {"kitepay": 0.01, "bluefin": 0.001, "saffron": 0.0001}
CASES: Final = ("kitepay", "bluefin", "saffron", "w0 OR w1 OR w2", "kitepay likes:>5", "neverheard")


def main() -> None:
    """Build the lake, measure one case, or measure all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lake", type=Path, required=True, help="home of the lake, kept for the next run")
    parser.add_argument("--build", type=int, default=0, metavar="POSTS")
    parser.add_argument("--days", type=int, default=146, help="with --build: days that the posts cover")
    parser.add_argument("--back", type=float, default=90.0, help="days that are tested")
    parser.add_argument("--case", help="measure this query in this process, as JSON")
    given = parser.parse_args()
    settings = load_settings(home=given.lake, threads=2)
    if given.build:
        build(settings, given.build, given.days)
    elif given.case is not None:
        print(json.dumps(measure(settings, given.case, given.back)))
    else:
        report(settings, given.lake, given.back)


def build(settings: Settings, posts: int, days: int) -> None:
    """Make a lake of `posts` first observations over the `days` before `END`."""
    shutil.rmtree(settings.lake_path, ignore_errors=True)
    lake, begun = Lake.open(settings), time.perf_counter()
    words = pa.array([f"w{n}" for n in range(WORDS)])
    slices = -(-posts // SLICE)
    span = timedelta(days=days) / slices
    with lake.appender("posts") as appender:
        for number in range(slices):
            appender.write(slice_rows(number, END - timedelta(days=days) + number * span, span, words))
        appender.commit()
    print(f"{lake.count():,} rows in {time.perf_counter() - begun:.0f} s; {index_texts(lake)} files indexed")


def slice_rows(number: int, start: datetime, span: timedelta, words: pa.Array) -> pa.Table:
    """One slice of posts in time order, every fiftieth of them twice."""
    random = np.random.default_rng([11, number])
    offset = np.sort(random.integers(0, span // timedelta(microseconds=1), 2 * SLICE))
    created = offset + int(start.timestamp() * 1e6)
    daily = 0.5 + 0.4 * np.sin(2 * np.pi * (created / 86_400e6 - 0.3))
    created = created[random.random(len(created)) < daily / daily.mean() / 2][:SLICE]
    rows = len(created)
    picked = [np.exp(random.random(rows) * np.log(WORDS)).astype(np.int64) - 1 for _ in range(TEXT_WORDS)]
    columns = [words.take(pa.array(places)) for places in picked]
    for brand, share in BRANDS.items():
        columns.append(pc.if_else(pa.array(random.random(rows) < share), brand, pa.scalar(None, pa.string())))
    text = pc.binary_join_element_wise(*columns, " ", null_handling="skip")
    names = pa.array([f"u{n}" for n in range(50_000)])
    values: dict[str, Any] = {field.name: pa.nulls(rows, field.type) for field in POSTS}
    values |= {
        "platform": pa.repeat("x", rows),
        "post_id": pa.array(np.arange(rows) + number * SLICE).cast(pa.string()),
        "author_name": names.take(pa.array((50_000 * random.random(rows) ** 3).astype(np.int64))),
        "created_at": pa.array(created, pa.int64()).cast(TIMESTAMP),
        "observed_at": pa.array(created + 30_000_000, pa.int64()).cast(TIMESTAMP),
        "text": text,
        "tokens": pc.binary_join_element_wise("", text, "", " "),
        "likes": pa.array(random.poisson(2, rows)),
        "followers": pa.array(np.exp(random.normal(6, 2, rows)).astype(np.int64)),
        "imported_at": pa.array(created, pa.int64()).cast(TIMESTAMP),
        "month": pc.strftime(pa.array(created, pa.int64()).cast(TIMESTAMP), "%Y-%m"),
    }
    table = pa.table(values, schema=POSTS)
    again = table.slice(0, rows // 50)
    seen = pc.add(again["observed_at"], pa.scalar(timedelta(days=2))).cast(TIMESTAMP)
    again = again.set_column(POSTS.get_field_index("observed_at"), POSTS.field("observed_at"), seen)
    both = pa.concat_tables([table, again]).combine_chunks()
    return both.set_column(POSTS.get_field_index("key"), POSTS.field("key"), observation_keys(both))


def measure(settings: Settings, query: str, back: float) -> dict[str, Any]:
    """One backtest in this process: seconds, posts, alerts, and the most memory that the process had (MiB)."""
    begun = time.perf_counter()
    tested = run(settings, Asked(query, days=back))
    return {
        "seconds": time.perf_counter() - begun,
        "stream_posts": tested.stream_posts,
        "posts": tested.posts,
        "alerts": len(tested.alerts),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def report(settings: Settings, lake: Path, back: float) -> None:
    """Print one table of all cases, first with nothing counted beside the lake, then again."""
    print(f"{Lake.open(settings).count():,} rows; {back:g} days are tested, up to 56 more are learned from\n")
    print(f"{'query':20}{'posts':>11}{'alerts':>8}{'first s':>9}{'again s':>9}{'stream posts/s':>16}{'peak MiB':>10}")
    for query in CASES:
        shutil.rmtree(settings.lake_path / "baselines", ignore_errors=True)
        first, again = (_in_process(lake, query, back) for _ in range(2))
        pace = again["stream_posts"] / again["seconds"]
        print(
            f"{query:20}{again['posts']:>11,}{again['alerts']:>8}{first['seconds']:>9.1f}{again['seconds']:>9.1f}"
            f"{pace:>16,.0f}{max(first['peak_mib'], again['peak_mib']):>10,.0f}",
            flush=True,
        )


def _in_process(lake: Path, query: str, back: float) -> dict[str, Any]:
    command = [sys.executable, __file__, "--lake", str(lake), "--back", str(back), "--case", query]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
