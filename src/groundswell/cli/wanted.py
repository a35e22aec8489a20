"""From the options that several verbs share to the posts that are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from groundswell.marts.wanted import Wanted


def wanted_posts(
    query: str, platforms: Sequence[str] | None, since: str | None, until: str | None, tz: str, now: datetime
) -> Wanted:
    """What `QUERY`, `--platform`, `--since` and `--until` ask for; a time without a zone is in `tz`.

    Raises:
        QuerySyntaxError: the query does not parse.
        UsageError: a time is none, or the period holds nothing.
    """
    from groundswell.marts.period import parse_moment
    from groundswell.marts.wanted import Wanted
    from groundswell.query import parse

    wanted = Wanted(
        parse(query) if query.strip() else None,
        tuple(platforms or ()),
        parse_moment(since, now=now, tz=tz) if since else None,
        parse_moment(until, now=now, tz=tz, end=True) if until else None,
    )
    wanted.check()
    return wanted
