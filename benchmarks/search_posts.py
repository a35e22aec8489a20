"""Search: how long `posts QUERY` takes over millions of stored posts, beside a plain scan of the same files by DuckDB.

    python benchmarks/search_posts.py --lake FOLDER --build 20_000_000
    python benchmarks/search_posts.py --lake FOLDER [--repeat 20]

`--build` makes the lake, a month and a million posts at a time, or takes up where it was stopped (`--slices` at most
so many in one call). The posts are simulated; each text gets further words of a long tail (Zipf's law over three
million words), because rare words are what an index is for, and every twentieth post is observed twice.

The clock runs around the service function that the command line calls and around the one behind the REST API, with
the engine open and the files in the page cache; the start of a Python process is not in it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.engines import Engine, open_engine
from groundswell.engines.duckdb import DuckEngine
from groundswell.importing.derive import Origin, derive
from groundswell.lake import Lake
from groundswell.lake.terms import index_texts
from groundswell.marts.latest import search_posts
from groundswell.marts.wanted import Wanted
from groundswell.platforms.tiktok import LAYOUTS
from groundswell.query import parse
from groundswell.schema import POSTS, TIMESTAMP
from groundswell.settings import Settings, load_settings
from groundswell.simulate import Scenario, blocks
from groundswell.stores import Place
from groundswell.web.search import PostSearch, Search

SLICE: Final = 1_000_000
DAYS: Final = 30
FIRST: Final = datetime(2024, 6, 1, tzinfo=UTC)
TAIL: Final = 3_000_000
TAIL_WORDS: Final = 8
PLATFORMS: Final = ("tiktok", "youtube", "instagram")
SHARES: Final = (0.6, 0.3, 0.1)
SYLLABLES: Final = [c + v for c in "bdfghjklmnprstvz" for v in ("a", "e", "i", "o", "u", "ai", "en", "ur")]


def main() -> None:
    """Build the lake or measure on it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lake", type=Path, required=True, help="home of the lake, kept for the next run")
    parser.add_argument("--build", type=int, default=0, metavar="POSTS")
    parser.add_argument("--slices", type=int, default=10**6, help="with --build: at most so many slices now")
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    settings = load_settings(home=given.lake, threads=given.threads)
    if given.build:
        build(settings, given.build, given.slices)
    else:
        measure(settings, given.repeat)


def build(settings: Settings, posts: int, most: int) -> None:
    """Append slices until the lake has `posts` first observations."""
    lake, engine = Lake.open(settings), open_engine(settings)
    done = lake.txn_version("posts", "slices") or 0
    vocabulary = tail_words()
    for number in range(done, min(-(-posts // SLICE), done + most)):
        begun = time.perf_counter()
        with lake.appender("posts") as appender:
            for rows in slice_rows(engine, settings, number, vocabulary):
                appender.write(rows)
            appender.commit(txn=("slices", number + 1))
        print(f"slice {number + 1}: {appender.rows:,} rows in {time.perf_counter() - begun:.1f} s", flush=True)
    begun = time.perf_counter()
    made = index_texts(lake, threads=settings.cores)
    print(f"index of {made} files in {time.perf_counter() - begun:.1f} s", flush=True)
    engine.close()


def slice_rows(engine: Engine, settings: Settings, number: int, vocabulary: pa.Array) -> Iterator[pa.Table]:
    """One month of posts, derived as an import derives them."""
    layout = next(one for one in LAYOUTS if one.id == "tiktok.nested")
    random = np.random.default_rng([7, number])
    scenario = Scenario(posts=SLICE, days=DAYS, seed=number + 1, start=FIRST + number * timedelta(days=DAYS))
    origin = Origin("benchmark", f"slice-{number}", int(time.time() * 1e6))
    settings.tmp_path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.tmp_path) as folder:
        path = Path(folder) / "posts.ndjson"
        with path.open("wb") as file:
            for block in blocks(scenario):
                file.write(block)
        batches: list[pa.RecordBatch] = []
        for batch in engine.map_json(path, layout):
            batches.append(batch)
            if len(batches) == 4:
                yield _derived(batches, layout, origin, random, vocabulary)
                batches = []
        if batches:
            yield _derived(batches, layout, origin, random, vocabulary)


def _derived(
    batches: list[pa.RecordBatch], layout: object, origin: Origin, random: np.random.Generator, vocabulary: pa.Array
) -> pa.Table:
    mapped = pa.Table.from_batches(batches).combine_chunks()
    rows = mapped.num_rows
    tail = [
        vocabulary.take(pa.array(np.exp(random.random(rows) * np.log(TAIL)).astype(np.int64) - 1))
        for _ in range(TAIL_WORDS)
    ]
    text = pc.binary_join_element_wise(mapped["text"].chunk(0), *tail, " ", null_handling="skip")
    platform = pa.array(PLATFORMS).take(pa.array(random.choice(3, rows, p=SHARES)))
    mapped = _with(_with(mapped, "text", text), "platform", platform)
    mapped = _with(mapped, "observed_at", pc.add(mapped["created_at"], pa.scalar(timedelta(days=1))).cast(TIMESTAMP))
    again = mapped.filter(pa.array(random.random(rows) < 0.05))
    again = _with(again, "observed_at", pc.add(again["observed_at"], pa.scalar(timedelta(days=2))).cast(TIMESTAMP))
    for counter in ("views", "likes"):
        again = _with(again, counter, pc.multiply(again[counter], 2))
    both = pa.concat_tables([mapped, again]).combine_chunks()
    return derive(both, layout, origin, np.arange(both.num_rows))  # type: ignore[arg-type]  # an origin of a file is an origin


def _with(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), table.schema.field(name), values)


def tail_words() -> pa.Array:
    """Three million words that nobody uses, the short ones first."""
    syllables = np.array(SYLLABLES)
    numbers = np.arange(TAIL) + len(SYLLABLES)
    parts = [np.full(TAIL, "q", object)]
    left = numbers.copy()
    while left.any():
        parts.append(np.where(left > 0, syllables[left % len(SYLLABLES)], "").astype(object))
        left //= len(SYLLABLES)
    return pc.binary_join_element_wise(*(pa.array(part, pa.string()) for part in parts), "")


class Case(NamedTuple):
    """One kind of search: several queries, what is asked, and the goal of its p95 in seconds."""

    name: str
    queries: Sequence[str]
    goal: float | None
    platforms: tuple[str, ...] = ()
    days: tuple[int, int] | None = None
    sort: str = "latest"


def cases(rare: Sequence[str], rarest: Sequence[str], some: Sequence[str]) -> list[Case]:
    """The mix. `rare`, `rarest` and `some` are words of about 200, 20 and 5,000 posts."""
    often = ("kitepay", "cola", "lumen", "serum", "bluefin", "novawear")
    return [
        Case("every post", ("",), 1),
        Case("frequent word", often, 1),
        Case("word in 5,000 posts", some, 1),
        Case("phrase", ('"aurora cola"', '"lumen phone"', '"mira serum"', '"tidal run"'), 1),
        Case("hashtag", ("#novawear", "#glacierdance", "#kitepay"), 1),
        Case("word, filters", tuple(f"{word} followers:>10k -cola" for word in ("kitepay", "lumen", "serum")), 1),
        Case("word on a platform", often, 1, platforms=("instagram",)),
        Case("word in a past week", often, 1, days=(120, 127)),
        Case("word in 200 posts", rare, 3),
        Case("word in 20 posts", rarest, 3),
        Case("two words, rare together", tuple(f"kitepay {word}" for word in some), 3),
        Case("no post has it", ("zzzunheardof", "#zzzunheardof"), 3),
        Case("prefix that no word has", ("zzzunheard*",), None),
        Case("word, most likes", often, None, sort="likes"),
        Case("rare word, most likes", rare, None, sort="likes"),
    ]


def measure(settings: Settings, repeat: int) -> None:
    """Print one table: p50 and p95 of both services, and DuckDB's scan of the same files for the same rows."""
    lake, engine, rest = Lake.open(settings), open_engine(settings), PostSearch(settings)
    files = lake.snapshot("posts").files
    print(
        f"{lake.count():,} rows in {len(files)} files, {sum(f.stat().st_size for f in files) / 1e9:.1f} GB;"
        f" index {sum(f.stat().st_size for f in (lake.root / 'terms').rglob('*.terms')) / 1e6:,.0f} MB\n"
    )
    print(f"{'':26}{'posts':>6}{'CLI p50':>9}{'p95':>7}{'REST p50':>10}{'p95':>7}{'scan p50':>10}{'goal':>6}")
    vocabulary = tail_words()
    # A word of rank r is in about TAIL_WORDS * posts / (r * ln TAIL) of the posts.
    rank = [int(TAIL_WORDS * lake.count() / (posts * np.log(TAIL))) for posts in (200, 20, 5000)]
    words = [[vocabulary[at + n].as_py() for n in range(8)] for at in rank]
    for case in cases(*words):
        calls, counts = list(_calls(case, engine, lake, rest)), []
        seconds: list[list[float]] = [[], []]
        for _ in range(max(1, repeat // len(case.queries)) if case.goal else 1):
            for pair in calls:
                for number, call in enumerate(pair):
                    begun = time.perf_counter()
                    counts.append(call())
                    seconds[number].append(time.perf_counter() - begun)
        scans = [_scan(settings, files, case, query) for query in case.queries[:1]]
        print(
            f"{case.name:26}{max(counts):>6}"
            + "".join(
                f"{statistics.median(taken):>{width}.3f}{_p95(taken):>7.3f}"
                for taken, width in zip(seconds, (9, 10), strict=True)
            )
            + f"{statistics.median(scans):>10.2f}{case.goal or '-':>6}",
            flush=True,
        )
    rest.close()
    engine.close()


def _calls(case: Case, engine: Engine, lake: Lake, rest: PostSearch) -> Iterator[tuple[Callable[[], int], ...]]:
    since, until = _period(case)
    for text in case.queries:

        def direct(text: str = text) -> int:
            query = parse(text) if text else None
            return len(search_posts(engine, lake, query, case.platforms, since, until, case.sort)[0])

        def service(text: str = text) -> int:
            return len(rest.run(Search(text, case.platforms, since, until, cast(Any, case.sort))).items)

        yield direct, service


def _period(case: Case) -> tuple[datetime | None, datetime | None]:
    if case.days is None:
        return None, None
    return FIRST + timedelta(days=case.days[0]), FIRST + timedelta(days=case.days[1])


def _scan(settings: Settings, files: Sequence[Place], case: Case, query: str) -> float:
    """Seconds that DuckDB takes for the newest 50 matching rows of the files: a plain query, without history."""
    engine = DuckEngine(settings)
    since, until = _period(case)
    posts = engine.read_table(files, POSTS)
    wanted = Wanted(parse(query) if query else None, case.platforms, since, until).of(posts)
    order = ibis.desc("created_at" if case.sort == "latest" else case.sort, nulls_first=False)
    thin = wanted.select("platform", "post_id", "created_at", "text", "likes", "views")
    begun = time.perf_counter()
    engine.run(thin.order_by(order).limit(50)).read_all()
    seconds = time.perf_counter() - begun
    engine.close()
    return seconds


def _p95(taken: Sequence[float]) -> float:
    return float(np.percentile(taken, 95))


if __name__ == "__main__":
    main()
