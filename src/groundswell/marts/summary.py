"""Summary statistics of one day: how many posts by how many people, and what was done with them.

A post counts on the date (UTC) of its creation, once, with its counters as they were seen last. Each platform is a row
of its own, because what a platform calls a view is no view elsewhere. A counter that no post shows is null.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.marts.latest import version_of
from groundswell.marts.observations import STAMP, author_identity, latest
from groundswell.schema import POSTS

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from groundswell.engines.contract import Engine
    from groundswell.lake import Lake

#: The counters that are summed up; of each its sum, its median, and how many posts show it.
COUNTERS: Final = ("views", "likes", "comments", "shares", "saves")


def of_day(posts: ir.Table, start: datetime, end: datetime) -> ir.Table:
    """The rows of posts that were created from `start` to `end` (not included)."""
    created = posts["created_at"]
    return posts.filter((created >= ibis.literal(start, STAMP)) & (created < ibis.literal(end, STAMP)))


def counts(posts: ir.Table) -> ir.Table:
    """One row a platform: platform, posts, authors, hashtagged, and of each counter `sum`, `median`, `known`.

    `posts` are observations of one day; the latest of each post counts. Order is not defined.
    """
    last = latest(posts)
    known = last.mutate(author=author_identity(last), tags=last["hashtags"].length())
    columns: dict[str, ir.Value] = {
        "posts": known.count(),
        "authors": known["author"].nunique(),
        "hashtagged": (known["tags"] > 0).fill_null(False).sum(),
    }
    for name in COUNTERS:
        columns |= {
            f"{name}_sum": known[name].sum(),
            f"{name}_median": known[name].cast("float64").median(),
            f"{name}_known": known[name].count(),
        }
    return known.group_by("platform").aggregate(**columns)


def hashtags(posts: ir.Table) -> ir.Table:
    """Distinct hashtags of each platform: platform, hashtags."""
    opened = posts.select("platform", tag=posts["hashtags"].unnest())
    return opened.group_by("platform").aggregate(hashtags=opened["tag"].nunique())


def observations(posts: ir.Table) -> ir.Table:
    """Rows of each platform: platform, observations."""
    return posts.group_by("platform").aggregate(observations=posts.count())


def summary(engine: Engine, lake: Lake, on: date) -> dict[str, Any]:
    """The statistics of a date: `platforms`, most posts first, and the sums that they have in common."""
    start = datetime.combine(on, datetime.min.time(), UTC)
    end = start + timedelta(days=1)
    snapshot = lake.snapshot("posts", since=start, until=end)
    rows: list[dict[str, Any]] = []
    if snapshot.files:
        day = of_day(engine.read_table(snapshot.files, POSTS), start, end)
        tagged, seen = (
            {row["platform"]: row for row in engine.run(expression).read_all().to_pylist()}
            for expression in (hashtags(day), observations(day))
        )
        for row in engine.run(counts(day)).read_all().to_pylist():
            platform = row["platform"]
            rows.append(
                {
                    "platform": platform,
                    "posts": int(row["posts"]),
                    "authors": int(row["authors"]),
                    "observations": int(seen[platform]["observations"]),
                    "hashtagged": int(row["hashtagged"]),
                    "hashtags": int(tagged.get(platform, {}).get("hashtags", 0)),
                    "counters": {name: _counter(row, name) for name in COUNTERS},
                }
            )
    rows.sort(key=lambda row: (-row["posts"], row["platform"]))
    return {
        "posts": sum(row["posts"] for row in rows),
        "authors": sum(row["authors"] for row in rows),
        "observations": sum(row["observations"] for row in rows),
        "platforms": rows,
        "lake_version": version_of(snapshot.version),
    }


def _counter(row: dict[str, Any], name: str) -> dict[str, Any]:
    total, middle = row[f"{name}_sum"], row[f"{name}_median"]
    return {
        "sum": None if total is None else int(total),
        "median": None if middle is None else float(middle),
        "known": int(row[f"{name}_known"]),
    }
