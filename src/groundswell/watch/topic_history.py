"""What the lake knows of all words, taught to emerging topics before their first batch counts."""

from __future__ import annotations

import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from groundswell import schema
from groundswell.errors import GroundswellError
from groundswell.watch.arrivals import TableArrivals
from groundswell.watch.contract import DAY, WatchParams
from groundswell.watch.emerging.state import Emerging
from groundswell.watch.emerging.warm import Past
from groundswell.watch.history import StoppedError

if TYPE_CHECKING:
    from groundswell.lake import Lake

log = logging.getLogger("groundswell.watch")

#: How much of the past is read: the days before the first batch, …
DAYS: Final = 3
#: … and of a busy lake about so many of the newest posts.
MOST_POSTS: Final = 1_000_000
#: Posts that are taken apart at once.
_BATCH: Final = 20_000
_COLUMNS: Final = ("tokens", "hashtags")


def teach_topics(state: Emerging, until_us: int, params: WatchParams, *, lake: Lake, stop: threading.Event) -> Emerging:
    """The state after it has met the posts of the last days before `until_us`, if the lake has any.

    The same lake gives the same state. The given `state`, which knows nothing, is used up. Where the past cannot be
    read, topics start without it, which the log says.

    Raises:
        StoppedError: `stop` was set meanwhile.
    """
    past = Past(state, params.base_us, params.topics)
    try:
        _read(past, until_us, lake, stop)
    except GroundswellError as error:
        return topics_without_past(state, until_us, params, str(error))
    past.end(until_us)
    return past.state


def topics_without_past(state: Emerging, until_us: int, params: WatchParams, why: str) -> Emerging:
    """The state that begins at `until_us` and knows nothing of what was before. The given `state` is used up."""
    log.warning("topics start without a past: %s", why)
    past = Past(Emerging.empty(state.seed), params.base_us, params.topics)
    past.end(until_us)
    return past.state


def _read(past: Past, until_us: int, lake: Lake, stop: threading.Event) -> None:
    from groundswell.marts.stream import LakeStream, Question  # noqa: PLC0415 - reads the lake's tables

    def check(_rows: int) -> None:
        if stop.is_set():
            raise StoppedError

    if lake.count() == 0:
        return
    since_us = until_us - DAYS * DAY
    stream = LakeStream.open(lake, Question(authors=True), since_us, until_us)
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="topics") as pool:
        for stretch in stream.stretches(since_us, until_us, MOST_POSTS)[-2:]:
            posts = stream.read(stretch, pool, check)
            first = max(0, len(posts) - MOST_POSTS)
            for begin in range(first, len(posts), _BATCH):
                check(0)
                some = posts.take(slice(begin, begin + _BATCH))
                rows = stream.rows(some, _COLUMNS, pool)
                past.add(TableArrivals(_named(rows)).terms(), some.created_us, some.author, some.identity)


def _named(rows: pa.Table) -> pa.Table:
    return rows.select([name for name in schema.POSTS.names if name in rows.column_names])
