"""What the lake knows of trackers' past, taught to the detector before their first batch counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from groundswell import schema
from groundswell.desk.clock import moment
from groundswell.query import parse
from groundswell.watch.contract import DAY, TrackerSpec, WatchParams
from groundswell.watch.state import WatchState
from groundswell.watch.warm import History, teach_posts, warm_start_all

if TYPE_CHECKING:
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
    from groundswell.marts.baselines import history  # noqa: PLC0415

    if lake.count() == 0:
        return warm_start_all(state, [], params)
    posts = posts_table(engine, lake, since=moment(until_us - WEEKS * 7 * DAY), until=moment(until_us))
    found: list[History] = []
    for spec in specs:
        counts, totals, first_us = history(engine, posts, parse(spec.query), params.window_us, until_us, WEEKS)
        if len(counts):
            found.append(History(spec, counts, totals, first_us))
    state = warm_start_all(state, found, params)
    for past in found:
        matching = posts.filter(parse(past.tracker.query).to_ibis(posts))
        newest = matching.order_by([matching.created_at.desc(), matching.ingest_seq.desc()]).limit(POSTS)
        table = engine.run(newest).read_all().select(schema.POSTS.names)
        state = teach_posts(state, past.tracker, _oldest_first(table))
    return state


def _oldest_first(posts: pa.Table) -> pa.Table:
    return posts.sort_by([("created_at", "ascending"), ("ingest_seq", "ascending")])
