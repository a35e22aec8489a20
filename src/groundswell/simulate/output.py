"""Writes a scenario as NDJSON, and the truth about it beside the file."""

from __future__ import annotations

import contextlib
import gzip
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BufferedWriter
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import numpy as np
import zstandard

from groundswell.errors import UnavailableError, UsageError
from groundswell.simulate.dirt import KINDS, clean, spoil
from groundswell.simulate.plan import Plan, PlannedEvent, expected_without, make_plan
from groundswell.simulate.posts import make_unit
from groundswell.simulate.scenario import WINDOW_S, Scenario
from groundswell.simulate.truth import EventTruth, TopicTruth, Truth
from groundswell.simulate.world import World, make_world

#: Called with the records and bytes written so far.
Progress: TypeAlias = Callable[[int, int], None]
STDOUT: Final = Path("-")


class Sink(Protocol):
    """What bytes are written to."""

    def write(self, data: bytes | memoryview, /) -> object:
        """Take some bytes."""
        ...


@dataclass(frozen=True)
class Block:
    """Lines in event-time order: `pieces` in their order make up the bytes, `done` the dirt (see `spoil`)."""

    pieces: list[bytes | memoryview]
    posts: int
    dirt: dict[str, int]

    @property
    def size(self) -> int:
        """Bytes of all pieces."""
        return sum(len(piece) for piece in self.pieces)


def blocks(
    scenario: Scenario, *, since: datetime | None = None, until: datetime | None = None, workers: int | None = None
) -> Iterator[bytes]:
    """The records of a scenario as bytes of NDJSON, some thousand a time, in event-time order.

    Only posts from `since` to before `until` (None: all). The bytes do not depend on `workers`.

    >>> lines = b"".join(blocks(Scenario(posts=100, days=1))).splitlines()
    >>> len(lines)
    100
    """
    plan, world = make_plan(scenario), make_world(scenario)
    for block in _make(scenario, plan, world, since, until, workers):
        yield b"".join(block.pieces)


def write(
    scenario: Scenario,
    path: Path,
    *,
    truth_path: Path | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Truth:
    """Write a scenario to `path` (`.gz` and `.zst` compress, `-` is stdout) and the truth to `path.truth.json`.

    The file appears under its name when it is complete; when interrupted nothing is left. `since` and `until`
    write a part only; the truth then still describes the whole scenario, but counts `posts`, `total_bytes` and `dirt`
    of the part. For stdout the truth is written only where `truth_path` says.

    Raises:
        UsageError: `path` is a folder.
        UnavailableError: the file cannot be written.
    """
    plan, world = make_plan(scenario), make_world(scenario)
    posts = size = 0
    dirt: dict[str, int] = {}
    if truth_path is None and path != STDOUT:
        truth_path = path.with_name(path.name + ".truth.json")
    with _refusals(path), _sink(path) as sink:
        for block in _make(scenario, plan, world, since, until, workers):
            for piece in block.pieces:
                sink.write(piece)
            posts += block.posts
            size += block.size
            for kind, count in block.dirt.items():
                dirt[kind] = dirt.get(kind, 0) + count
            if progress is not None:
                progress(posts, size)
    truth = describe(scenario, plan, posts, size, dirt, world.creators.people)
    if truth_path is not None:
        with _refusals(truth_path), _sink(truth_path, plain=True) as sink:
            sink.write(truth.to_json())
    return truth


def describe(scenario: Scenario, plan: Plan, posts: int, size: int, dirt: dict[str, int], creators: int) -> Truth:
    """The truth about a scenario of which `posts` records of `size` bytes were written."""
    made = plan.counts.sum(axis=0)
    topics = []
    for number, (topic, rate) in enumerate(zip(scenario.topics, scenario.topic_rates, strict=True)):
        streams = [p.stream for p in plan.events if p.event.topic == topic.keyword and p.stream is not None]
        matching = int(made[1 + number] + made[streams].sum())
        topics.append(TopicTruth(topic.keyword, topic.query, rate, matching))
    return Truth(
        posts=posts,
        seed=scenario.seed,
        start=scenario.start,
        end=scenario.end,
        total_bytes=size,
        creators=creators,
        topics=tuple(topics),
        events=tuple(_event_truth(scenario, plan, planned) for planned in plan.events),
        dirt=dirt,
    )


def _event_truth(scenario: Scenario, plan: Plan, planned: PlannedEvent) -> EventTruth:
    event, step = planned.event, plan.slice_s
    topic = None if event.topic is None else scenario.topic_number(event.topic)
    part = slice(planned.first, planned.last)
    expected = expected_without(plan, planned, topic)
    if topic is not None and planned.stream is not None:
        rates = plan.rates[part, 1 + topic] + plan.rates[part, planned.stream]
        posts = int(plan.counts[part, planned.stream].sum())
    else:
        rates = plan.rates[part].sum(axis=1)
        posts = int(plan.counts[part].sum()) - round(expected)
    length = plan.length(np.arange(planned.first, planned.last))
    return EventTruth(
        kind=event.kind.value,
        query=None if topic is None else scenario.topics[topic].query,
        topic=event.topic,
        start=scenario.start + timedelta(seconds=planned.first * step),
        end=min(scenario.end, scenario.start + timedelta(seconds=planned.last * step)),
        size=event.size,
        posts=posts,
        expected=round(expected, 3),
        usual_per_window=round(expected / float(length.sum()) * WINDOW_S, 3),
        peak_per_window=round(float((rates / length).max()) * WINDOW_S, 3),
    )


def _make(
    scenario: Scenario, plan: Plan, world: World, since: datetime | None, until: datetime | None, workers: int | None
) -> Iterator[Block]:
    """The blocks in order, made a few ahead by threads (the kernels release the interpreter's lock)."""
    start = scenario.start.timestamp()
    low = -np.inf if since is None else since.timestamp()
    high = np.inf if until is None else until.timestamp()
    begins = start + plan.units * plan.slice_s
    wanted = [i for i in range(len(plan.units) - 1) if begins[i + 1] > low and begins[i] < high]

    def make(number: int) -> Block:
        unit = make_unit(scenario, plan, world, number)
        first, last = (int(i) for i in np.searchsorted(unit.second, [low, high]))
        if not scenario.dirt:
            return Block([clean(unit.lines.slice(first, last - first))], last - first, {})
        pieces, done = spoil(scenario, unit, number, first, last)
        names = [*KINDS, "long_line"]
        counts = {names[kind]: int(n) for kind, n in zip(*np.unique(done[done >= 0], return_counts=True), strict=True)}
        if number == 0 and first == 0:
            counts["byte_order_mark"] = 1
        return Block(pieces, last - first, counts)

    threads = max(1, workers or os.cpu_count() or 1)
    waiting: deque[Future[Block]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="simulate") as pool:
        try:
            for number in wanted:
                waiting.append(pool.submit(make, number))
                if len(waiting) > threads + 1:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


@contextlib.contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Tell what stands in the way of writing `path`."""
    if path != STDOUT and path.is_dir():
        what = "this is a folder"
        raise UsageError(what, where=path, hint="name a file")
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        what = f"cannot write ({error.strerror or error})"
        raise UnavailableError(what, where=path, hint="check the folder and its free space") from error


@contextlib.contextmanager
def _sink(path: Path, *, plain: bool = False) -> Iterator[Sink]:
    """A file that appears under its name only when it is complete."""
    if path == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            if plain:
                yield file
            else:
                with _compressed(file, path.suffix) as sink:
                    yield sink
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _compressed(file: BufferedWriter, suffix: str) -> Iterator[Sink]:
    if suffix == ".gz":
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1, filename="", mtime=0) as packed:
            yield packed
    elif suffix == ".zst":
        with zstandard.ZstdCompressor(level=3, threads=-1).stream_writer(file, closefd=False) as packed:
            yield packed
    else:
        yield file
