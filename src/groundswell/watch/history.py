"""What the lake knows of trackers' past, taught to the detector before their first batch counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell import schema
from groundswell.desk.clock import moment
from groundswell.query import Query, parse
from groundswell.watch.contract import DAY, TrackerSpec, WatchParams
from groundswell.watch.state import WatchState
from groundswell.watch.warm import History, teach_posts, warm_start_all

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from groundswell.engines.contract import Engine
    from groundswell.lake import Lake

#: How much of the past a tracker learns its day and week from.
WEEKS: Final = 8
#: Of how many of its newest posts a tracker learns what they are usually like.
POSTS: Final = 2_000


def teach(
    state: WatchState,
    specs: Sequence[TrackerSpec],
    until_us: int,
    params: WatchParams,
    *,
    lake: Lake,
    engine: Engine,
) -> WatchState:
    """The state after `specs` have seen the posts of the last weeks before `until_us`, if the lake has any.

    The same lake gives the same state. The given `state` is used up.
    """
    from groundswell.lake import posts_table  # noqa: PLC0415 - loads Ibis, which an idle watch does not need
    from groundswell.marts.baselines import histories  # noqa: PLC0415

    if lake.count() == 0:
        return warm_start_all(state, [], params)
    since_us = until_us - WEEKS * 7 * DAY
    posts = posts_table(engine, lake, since=moment(since_us), until=moment(until_us))
    queries = [parse(spec.query) for spec in specs]
    counts, totals, first_us = histories(engine, posts, queries, params.window_us, until_us, WEEKS)
    if not len(totals):
        return warm_start_all(state, [], params)
    found = [History(spec, mine, totals, first_us) for spec, mine in zip(specs, counts, strict=True)]
    state = warm_start_all(state, found, params)
    starts_us = [first_us + _newest_from(mine) * params.window_us for mine in counts]
    for spec, table in zip(specs, _newest_posts(engine, posts, queries, starts_us), strict=True):
        state = teach_posts(state, spec, table)
    return state


def _newest_from(counts: npt.NDArray[np.int64]) -> int:
    """The window from which on there are `POSTS` posts, or the first one."""
    enough = np.flatnonzero(np.cumsum(counts[::-1]) >= POSTS)
    return len(counts) - 1 - int(enough[0]) if len(enough) else 0


def _newest_posts(
    engine: Engine, posts: ir.Table, queries: Sequence[Query], starts_us: Sequence[int]
) -> Iterator[pa.Table]:
    """For each query its newest `POSTS` posts, oldest first, all read in one pass."""
    marks = {
        f"q{n}": query.to_ibis(posts) & (posts.created_at >= _instant(start_us))
        for n, (query, start_us) in enumerate(zip(queries, starts_us, strict=True))
    }
    columns = [
        name for name in schema.POSTS.names if name not in {"key", "metrics", "challenges", "media_urls", "extra"}
    ]
    marked = posts.select(*columns, **marks)
    matching = marked.filter(reduce(or_, (marked[name] for name in marks)))
    table = engine.run(matching).read_all().sort_by([("created_at", "ascending"), ("ingest_seq", "ascending")])
    for name in marks:
        mine = table.filter(table.column(name))
        yield mine.slice(max(0, mine.num_rows - POSTS))


def _instant(micros: int) -> ir.TimestampScalar:
    import ibis  # noqa: PLC0415 - a slow import that only queries need

    return ibis.literal(moment(micros), type="timestamp('UTC', 6)")
