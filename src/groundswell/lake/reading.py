"""Posts of the lake as an Ibis table, read only where they can be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from groundswell.schema import POSTS

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from groundswell.engines.contract import Engine
    from groundswell.lake.store import Lake


def posts_table(
    engine: Engine,
    lake: Lake,
    *,
    platforms: Sequence[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> ir.Table:
    """Observations of `platforms` with `since` <= created_at < `until`, of the lake's newest version.

    Files that cannot hold any are not opened; the rest is filtered, so the table holds exactly these rows.
    """
    import ibis  # noqa: PLC0415 - a slow import that only queries need

    snapshot = lake.snapshot("posts", platforms=platforms, since=since, until=until)
    posts = engine.read_table(snapshot.files, POSTS)
    if platforms is not None:
        posts = posts.filter(posts.platform.isin(list(platforms)))
    for moment, after in ((since, True), (until, False)):
        if moment is not None:
            edge = ibis.literal(moment, type="timestamp('UTC', 6)")
            posts = posts.filter(posts.created_at >= edge if after else posts.created_at < edge)
    return posts
