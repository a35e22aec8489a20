"""What the lake knows of trackers' past, taught to the detector before their first batch counts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.desk.clock import moment
from groundswell.errors import GroundswellError
from groundswell.query import Query, parse
from groundswell.watch.contract import DAY, TrackerSpec, WatchParams
from groundswell.watch.recent import LEARNED
from groundswell.watch.seen import identities
from groundswell.watch.state import WatchState
from groundswell.watch.warm import History, take_up, teach_posts, warm_start_all

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from groundswell.engines.contract import Engine
    from groundswell.lake import Lake

log = logging.getLogger("groundswell.watch")

#: How much of the past a tracker learns its day and week from.
WEEKS: Final = 8
#: Of how many of its newest posts a tracker learns what they are usually like.
POSTS: Final = 2_000
#: How often it is looked whether to stop while the engine works, seconds.
_LOOK_S: Final = 0.1


class StoppedError(Exception):
    """The watch is to stop, so the teaching was given up; nothing was learned."""


@dataclass(frozen=True)
class Past:
    """What the lake tells of trackers: counts per window, and some of the newest posts of each."""

    histories: Sequence[History]
    posts: Sequence[pa.Table]


def teach(
    state: WatchState,
    specs: Sequence[TrackerSpec],
    until_us: int,
    params: WatchParams,
    *,
    lake: Lake,
    engine: Engine,
    stop: threading.Event,
) -> WatchState:
    """The state after `specs` have seen the posts of the last weeks before `until_us`, if the lake has any.

    The same lake gives the same state. The given `state` is used up. Trackers whose past cannot be read start
    without it, which the log says.

    Raises:
        StoppedError: `stop` was set meanwhile.
    """

    def check() -> None:
        if stop.is_set():
            raise StoppedError

    try:
        with _interrupting(engine, stop):
            past = look_up(specs, until_us, params, lake=lake, engine=engine)
    except GroundswellError as error:
        check()
        log.warning("%d trackers start without a past: %s", len(specs), error)
        past = Past([], [])
    check()
    take_up(state, specs, params)
    state = warm_start_all(state, past.histories, params, check=check)
    for history, posts in zip(past.histories, past.posts, strict=True):
        check()
        state = teach_posts(state, history.tracker, posts)
    return state


def look_up(specs: Sequence[TrackerSpec], until_us: int, params: WatchParams, *, lake: Lake, engine: Engine) -> Past:
    """The past of `specs` in the weeks before `until_us`, in two passes over the lake; nothing if it has none.

    Raises:
        GroundswellError: the lake cannot be read.
    """
    from groundswell.lake import posts_table  # noqa: PLC0415 - loads Ibis, which an idle watch does not need
    from groundswell.marts.baselines import histories  # noqa: PLC0415

    if lake.count() == 0:
        return Past([], [])
    since_us = until_us - WEEKS * 7 * DAY
    posts = posts_table(engine, lake, since=moment(since_us), until=moment(until_us))
    queries = [parse(spec.query) for spec in specs]
    counts, totals, first_us = histories(engine, posts, queries, params.window_us, until_us, WEEKS)
    if not len(totals):
        return Past([], [])
    found = [History(spec, mine, totals, first_us) for spec, mine in zip(specs, counts, strict=True)]
    starts_us = [first_us + _newest_from(mine) * params.window_us for mine in counts]
    return Past(found, list(_newest_posts(engine, posts, queries, starts_us)))


@contextmanager
def _interrupting(engine: Engine, stop: threading.Event) -> Iterator[None]:
    """Interrupt what `engine` runs in this thread when `stop` is set."""
    done = threading.Event()

    def look() -> None:
        # Again and again: between two statements there is nothing to interrupt.
        while not done.wait(_LOOK_S):
            if stop.is_set():
                engine.interrupt()

    looking = threading.Thread(target=look, name="teaching", daemon=True)
    looking.start()
    try:
        yield
    finally:
        done.set()
        looking.join()


def _newest_from(counts: npt.NDArray[np.int64]) -> int:
    """The window from which on there are `POSTS` posts, or the first one."""
    enough = np.flatnonzero(np.cumsum(counts[::-1]) >= POSTS)
    return len(counts) - 1 - int(enough[0]) if len(enough) else 0


def _newest_posts(
    engine: Engine, posts: ir.Table, queries: Sequence[Query], starts_us: Sequence[int]
) -> Iterator[pa.Table]:
    """For each query its newest `POSTS` posts, oldest first, each once, all read in one pass."""
    marks = {
        f"q{n}": query.to_ibis(posts) & (posts.created_at >= _instant(start_us))
        for n, (query, start_us) in enumerate(zip(queries, starts_us, strict=True))
    }
    order = ("created_at", "ingest_seq")
    columns = dict.fromkeys((*order, "platform", "post_id", "key", *LEARNED))
    marked = posts.select(*columns, **marks)
    matching = marked.filter(reduce(or_, (marked[name] for name in marks)))
    table = engine.run(matching).read_all().sort_by([(name, "ascending") for name in order])
    _, first = np.unique(identities(table), return_index=True)
    table = table.take(pa.array(np.sort(first)))
    for name in marks:
        mine = table.filter(table.column(name))
        yield mine.slice(max(0, mine.num_rows - POSTS)).select(LEARNED)


def _instant(micros: int) -> ir.TimestampScalar:
    import ibis  # noqa: PLC0415 - a slow import that only queries need

    return ibis.literal(moment(micros), type="timestamp('UTC', 6)")
