"""Who takes part: new or known, how old, how followed; the unknown are counted, not guessed."""

from __future__ import annotations

from typing import Any

from groundswell.watch.accounts import newcomers, profiles
from groundswell.watch.contract import DAY
from groundswell.watch.profiles import Past

NOW = 20_000 * DAY


def row(author: str | None, followers: int | None = None, days: float | None = None) -> dict[str, Any]:
    made = None if days is None else NOW - round(days * DAY)
    return {"author": author, "followers": followers, "author_created_us": made, "created_us": NOW}


def test_new_and_known_authors_are_told_apart_and_their_posts_counted() -> None:
    rows = [row("old"), row("new"), row("new"), row(None)]
    found = newcomers(rows, Past(posts=50.0, authors={"old": 3.0}))
    assert (found["authors"], found["known"], found["new"], found["posts_of_new"]) == (2, 1, 1, 0.6667)
    assert newcomers(rows, Past())["posts_of_new"] is None
    assert newcomers([], Past(posts=5.0))["posts_of_new"] is None


def test_each_author_is_in_one_bar_and_the_unknown_in_none() -> None:
    rows = [row("a", 50, 3), row("a", 150), row("b", 2_000_000, 4_000), row("c", None, -5), row("d"), row(None, 7)]
    ages, followers = profiles(rows)
    assert (ages["known"], ages["unknown"], followers["known"], followers["unknown"]) == (2, 2, 2, 2)
    assert [bar["count"] for bar in ages["bars"]] == [1, 0, 0, 0, 0, 1]
    assert [bar["count"] for bar in followers["bars"]] == [0, 1, 0, 0, 0, 1]
    assert (ages["median"], followers["median"]) == (2001.5, 1000075.0)
    assert ages["bars"][-1]["high"] is None


def test_nobody_known_is_no_median() -> None:
    ages, _ = profiles([row("a")])
    assert (ages["known"], ages["unknown"], ages["median"]) == (0, 1, None)
