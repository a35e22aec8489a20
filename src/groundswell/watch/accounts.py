"""Who takes part in an episode: new or known, how old the accounts are, how many follow them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final

from groundswell.watch.contract import DAY
from groundswell.watch.drivers import Row
from groundswell.watch.profiles import Past

#: Ends of the bars: days since the account was made, and followers.
AGES: Final = (0.0, 7.0, 30.0, 90.0, 365.0, 1095.0)
FOLLOWERS: Final = (0.0, 100.0, 1_000.0, 10_000.0, 100_000.0, 1_000_000.0)


def newcomers(rows: Sequence[Row], past: Past) -> dict[str, Any]:
    """Authors that the tracker has seen before, and new ones (`web.evidence_models.Newcomers`)."""
    authors = {row["author"] for row in rows if row["author"]}
    known = {name for name in authors if name in past.authors}
    by_anyone = sum(bool(row["author"]) for row in rows)
    by_new = sum(row["author"] not in known for row in rows if row["author"])
    return {
        "authors": len(authors),
        "known": len(known),
        "new": len(authors) - len(known),
        "usual_posts": round(past.posts, 1),
        "posts_of_new": round(by_new / by_anyone, 4) if by_anyone and past.posts else None,
    }


def profiles(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """How old the accounts are and how many follow them, each author once (`web.evidence_models.Histogram`)."""
    ages: dict[str, float | None] = {}
    followers: dict[str, float | None] = {}
    for row in rows:
        if row["author"]:
            _keep(followers, row["author"], row["followers"])
            _keep(ages, row["author"], _age_days(row))
    return [
        _histogram("account_age", "Age of the accounts", "days", ages, AGES),
        _histogram("followers", "Followers of the authors", "followers", followers, FOLLOWERS),
    ]


def _age_days(row: Row) -> float | None:
    if row["author_created_us"] is None or row["created_us"] is None:
        return None
    days = (row["created_us"] - row["author_created_us"]) / DAY
    return days if days >= 0 else None  # an account younger than its post is a mistake of the record


def _keep(held: dict[str, float | None], author: str, value: float | None) -> None:
    """The greatest value of an author, so that it does not matter which of its posts came first."""
    before = held.get(author)
    held[author] = value if before is None else max(before, before if value is None else value)


def _histogram(
    name: str, label: str, unit: str, values: Mapping[str, float | None], ends: Sequence[float]
) -> dict[str, Any]:
    known = sorted(value for value in values.values() if value is not None)
    bars: list[dict[str, Any]] = []
    for low, high in zip(ends, [*ends[1:], None], strict=True):
        inside = sum(low <= value and (high is None or value < high) for value in known)
        bars.append({"low": low, "high": high, "count": inside})
    return {
        "name": name,
        "label": label,
        "unit": unit,
        "bars": bars,
        "known": len(known),
        "unknown": len(values) - len(known),
        "median": round(median(known), 2) if known else None,
    }
