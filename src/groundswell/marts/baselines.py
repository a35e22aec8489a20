"""What a query's past looks like: posts per window from the lake, for the detector's warm start."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import ibis
import numpy as np
import numpy.typing as npt

from groundswell.marts.observations import POST, STAMP, post_identity
from groundswell.query import Query

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from groundswell.engines.contract import Engine

Ints = npt.NDArray[np.int64]

_SECOND: Final = 1_000_000
_WEEK: Final = 7 * 86_400
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Past(NamedTuple):
    """Posts of one query and of the whole stream per window, from the window at `first_window_us` on."""

    counts: Ints
    totals: Ints
    first_window_us: int


class Pasts(NamedTuple):
    """As `Past`, of several queries: `counts` has shape (queries, windows)."""

    counts: Ints
    totals: Ints
    first_window_us: int


def history(engine: Engine, posts: ir.Table, query: Query, window_us: int, until_us: int, weeks: float) -> Past:
    """Posts per window that `query` matches in the `weeks` before `until_us`, and all posts; as `histories`."""
    counts, totals, first = histories(engine, posts, [query], window_us, until_us, weeks)
    return Past(counts[0], totals, first)


def histories(
    engine: Engine, posts: ir.Table, queries: Sequence[Query], window_us: int, until_us: int, weeks: float
) -> Pasts:
    """Posts per window of several queries in one pass over `posts`.

    `window_us` is a whole number of seconds. Windows are those of the watch: whole ones that end by
    `until_us`, from the first that has a post; empty arrays if there is none. A post that was observed several
    times counts once; a post without a time is left out.
    """
    width = window_us // _SECOND
    until = until_us // window_us * width
    since = until - int(weeks * _WEEK) // width * width
    rows = engine.run(_per_window(posts, queries, width, since, until)).read_all()
    if rows.num_rows == 0:
        return Pasts(np.zeros((len(queries), 0), np.int64), np.zeros(0, np.int64), until * _SECOND)
    windows = rows.column("window").to_numpy().astype(np.int64)
    first = int(windows.min())
    at = windows - first
    length = until // width - first
    totals, counts = np.zeros(length, np.int64), np.zeros((len(queries), length), np.int64)
    totals[at] = rows.column("total").to_numpy()
    for number in range(len(queries)):
        counts[number, at] = rows.column(f"q{number}").to_numpy()
    return Pasts(counts, totals, first * window_us)


def _per_window(posts: ir.Table, queries: Sequence[Query], width: int, since: int, until: int) -> ir.Table:
    """One row a window that has posts: its number, all posts, and those of each query; seconds since 1970."""
    created = posts["created_at"]
    within = posts.filter(created.notnull(), created >= _instant(since), created < _instant(until))
    marked = within.select(
        "platform",
        # Truncated first: an engine may round the second half of a second up, into the next window.
        window=(within["created_at"].truncate("s").epoch_seconds().cast("int64") / width).floor().cast("int64"),
        **{POST: post_identity(within)},
        **{f"q{n}": query.to_ibis(within).ifelse(1, 0).cast("int64") for n, query in enumerate(queries)},
    )
    names = [f"q{n}" for n in range(len(queries))]
    once = marked.group_by("platform", POST).aggregate(
        window=marked["window"].min(), **{name: marked[name].max() for name in names}
    )
    return once.group_by("window").aggregate(total=once.count(), **{name: once[name].sum() for name in names})


def _instant(seconds: int) -> ir.TimestampScalar:
    return ibis.literal(_EPOCH + timedelta(seconds=seconds), type=STAMP)
