"""Shares of the excess: what they add up to, and that they do not depend on order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.watch.drivers import Shares, known_posts, top_author
from groundswell.watch.profiles import Past

NAMES = [f"u{n}" for n in range(6)]
COUNTS = st.dictionaries(st.sampled_from(NAMES), st.integers(1, 40), min_size=1)


def past(counts: dict[str, int]) -> Past:
    return Past(posts=float(sum(counts.values())), authors={name: float(count) for name, count in counts.items()})


def row(**more: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("author", "hashtags", "sound", "domains", "lang", "text", "followers", "views", "record"))
    return {**empty, "platform": "x", "post_id": None} | more


@given(COUNTS, COUNTS, st.floats(0.5, 200), st.booleans())
def test_the_parts_of_all_authors_add_up_to_the_whole_excess(
    now: dict[str, int], before: dict[str, int], expected: float, burst: bool
) -> None:
    posts = sum(now.values())
    excess = posts - expected if burst else expected - posts
    if excess < 1:
        return
    known = past(before)
    shares = Shares(posts, expected, burst, known, posts)
    parts = [shares.part(now.get(name, 0), shares.usual(known.authors, name)) for name in {*now, *before}]
    assert sum(parts) == pytest.approx(1.0)
    shown = shares.drivers([name for name, count in now.items() for _ in range(count)], known.authors, "@{}")
    assert all(0 <= driver["share"] <= 1 for driver in shown)


@given(COUNTS, st.floats(0.5, 200))
def test_without_a_past_everybody_has_the_part_of_what_came(now: dict[str, int], expected: float) -> None:
    posts = sum(now.values())
    shares = Shares(posts, expected, True, Past(), posts)
    shown = shares.drivers([name for name, count in now.items() for _ in range(count)], {}, "@{}")
    assert sum(driver["share"] for driver in shown) == pytest.approx(1.0, abs=0.001)
    assert all(driver["usual_share"] is None for driver in shown)


@settings(max_examples=40)
@given(st.lists(st.sampled_from(NAMES), min_size=1), st.randoms(use_true_random=False))
def test_the_order_of_posts_does_not_matter(authors: list[str], shuffle: Any) -> None:
    shares = Shares(len(authors), 1.0, True, past({"u0": 3}), len(authors))
    mixed = list(authors)
    shuffle.shuffle(mixed)
    assert shares.drivers(authors, {"u0": 3.0}, "@{}") == shares.drivers(mixed, {"u0": 3.0}, "@{}")
    assert top_author([row(author=name) for name in authors]) == top_author([row(author=name) for name in mixed])


def test_a_driver_as_large_as_always_has_no_part_and_a_new_one_has_all() -> None:
    known = past({"always": 50, "others": 50})
    shares = Shares(200, 100.0, True, known, 200)
    shown = {
        driver["key"]: driver
        for driver in shares.drivers(["always"] * 50 + ["others"] * 50 + ["new"] * 100, known.authors, "@{}")
    }
    assert (shown["new"]["share"], shown["always"]["share"], shown["others"]["share"]) == (1.0, 0.0, 0.0)
    assert shown["new"]["label"] == "@new"


def test_of_a_drop_those_who_stayed_away_come_first() -> None:
    known = past({"bot": 80, "people": 20})
    shown = Shares(20, 100.0, False, known, 20).drivers(["people"] * 20, known.authors, "@{}")
    assert (shown[0]["key"], shown[0]["posts"], shown[0]["share"]) == ("bot", 0, 1.0)


def test_a_sample_is_scaled_to_the_episode() -> None:
    shares = Shares(1_000, 0.0, True, Past(posts=10.0), 100)
    assert shares.drivers(["a"] * 25, {}, "{}")[0]["posts"] == 250


def test_copies_are_texts_that_came_more_than_once_with_how_many_wrote_them() -> None:
    rows = [row(author="a", text="buy", post_id="1"), row(author="b", text="buy", post_id="2", followers=9), row()]
    found = Shares(3, 1.0, True, Past(posts=10.0), 3).copies(rows, [[0, 1], [2]])
    assert found == [{"key": "x:2", "text": "buy", "posts": 2, "authors": 2, "share": 1.0}]


def test_what_is_not_known_is_counted() -> None:
    rows = [row(author="a", lang="en"), row(author="b", hashtags=["x"]), row()]
    assert known_posts(rows) == {"author": 2, "hashtags": 1, "sound": 0, "domains": 0, "lang": 1, "text": 0}
