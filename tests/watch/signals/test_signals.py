from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from groundswell.testing.streams import START, make_posts
from groundswell.watch.arrivals import TableArrivals
from groundswell.watch.signals import SIGNALS, Matched


def value(name: str, texts: Sequence[str | None], **columns: Any) -> float:
    """What the signal says of one window whose posts all match the one tracker."""
    rows = len(texts)
    arrivals = TableArrivals(make_posts([START] * rows, texts, **columns))
    matched = Matched(arrivals, np.zeros(rows, dtype=np.int64), np.arange(rows), 1)
    signal = SIGNALS[name]
    return float(signal.values(signal.tally(matched), np.array([float(rows)]))[0])


def test_weights_share_the_promise_out() -> None:
    assert sum(signal.weight for signal in SIGNALS.values()) == pytest.approx(1.0)
    assert {signal.name for signal in SIGNALS.values()} == set(SIGNALS)


def test_people_are_counted_once() -> None:
    assert value("authors", ["a"] * 30, authors=["ann", "bob", "cat"] * 10) == 3
    assert value("authors", ["a"] * 2, authors=["Ann", "ann"]) == 2
    assert np.isnan(value("authors", ["a"] * 3, authors=[None] * 3))


def test_a_loud_author_has_a_large_share_and_a_crowd_has_none() -> None:
    crowd = [f"u{n}" for n in range(40)]
    assert value("top_author", ["a"] * 40, authors=crowd) <= 2 / 39  # groups of authors are few
    assert value("top_author", ["a"] * 40, authors=["bot"] * 31 + crowd[:9]) == pytest.approx(30 / 39, abs=0.03)
    assert np.isnan(value("top_author", ["a"] * 5, authors=["bot"] * 5))


def test_copies_with_another_link_or_name_are_nearly_the_same_text() -> None:
    own = [f"thought{n} number{n} about{n} the day{n} of{n} mine" for n in range(20)]
    spam = [f"buy the new arm cream now it heals all pain in one day guaranteed safe {n}" for n in range(20)]
    assert value("copies", own * 2) == pytest.approx(0.5)
    assert value("copies", own) == 0.0
    assert value("copies", own + spam) > 0.25
    assert np.isnan(value("copies", [None] * 40))


def test_engagement_is_per_post_and_unknown_where_there_are_no_counters() -> None:
    assert value("engagement", ["a"] * 10, likes=[10] * 10, comments=[5] * 10) == 15
    assert np.isnan(value("engagement", ["a"] * 10))
    assert np.isnan(value("engagement", ["a"] * 10, likes=[0] * 10))


def test_reach_is_that_of_all_who_post() -> None:
    assert value("reach", ["a"] * 6, followers=[100] * 5 + [1_000_000]) == 1_000_500
    assert np.isnan(value("reach", ["a"] * 6))
