"""Alerts with mostly the same posts are one group, whatever the order in which they come."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.desk.test_alert_life import NOW, alert

from groundswell.desk import Desk, alert_cases, alert_groups, alerts, trackers
from groundswell.desk.alert_groups import SKETCH, jaccard, regroup, sketch_of

MINUTE = 60_000_000


def posts(first: int, last: int) -> bytes:
    """The sketch of posts numbered so, with identities that look like hashes."""
    return sketch_of(np.arange(first, last, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))


@settings(deadline=None)
@given(st.sets(st.integers(0, 300), max_size=200), st.sets(st.integers(0, 300), max_size=200))
def test_similarity_of_small_alerts_is_exact(first: set[int], second: set[int]) -> None:
    a, b = (sketch_of(np.array(sorted(each), dtype=np.uint64)) for each in (first, second))
    expected = len(first & second) / len(first | second) if first and second else 0.0
    assert jaccard(a, b) == pytest.approx(expected)
    assert jaccard(b, a) == jaccard(a, b)


def test_similarity_of_large_alerts_is_estimated() -> None:
    assert len(posts(0, 9_000)) == 8 * SKETCH
    assert jaccard(posts(0, 9_000), posts(3_000, 12_000)) == pytest.approx(0.5, abs=0.08)
    assert jaccard(posts(0, 9_000), posts(9_000, 18_000)) == 0.0
    assert jaccard(posts(0, 9_000), posts(0, 100)) < 0.05


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_groups_do_not_depend_on_the_order_and_are_named_after_the_first(desk: Desk, order: tuple[int, ...]) -> None:
    spans = {"a": (0, 100), "b": (20, 120), "c": (45, 145), "d": (1_000, 1_100)}
    with desk.session() as session:
        tracker = trackers.add(session, "Shoes", "shoe*", 30.0).id
    for at in order:
        name = sorted(spans)[at]
        with desk.session() as session:
            alerts.write(session, [alert(name, tracker, NOW + at * MINUTE)])
            alert_cases.write(session, [{"alert_id": name, "data": b"", "sketch": posts(*spans[name])}])
            regroup(session, [name])
    with desk.reading() as session:
        found = {name: alerts.get(session, name).group_id for name in spans}
    assert found == {"a": "a", "b": "a", "c": "a", "d": None}


def test_an_alert_that_became_another_story_leaves_its_group(desk: Desk) -> None:
    with desk.session() as session:
        tracker = trackers.add(session, "Shoes", "shoe*", 30.0).id
        alerts.write(session, [alert("a", tracker), alert("b", tracker)])
        alert_cases.write(session, [{"alert_id": name, "data": b"", "sketch": posts(0, 50)} for name in "ab"])
        assert {row.id for row in regroup(session, ["a"])} == {"a", "b"}
        alert_cases.write(session, [{"alert_id": "b", "data": b"", "sketch": posts(40, 900)}])
        assert {row.id for row in regroup(session, ["b"])} == {"a", "b"}
        assert alerts.get(session, "a").group_id is None


def test_alerts_of_other_times_are_not_compared(desk: Desk) -> None:
    with desk.session() as session:
        tracker = trackers.add(session, "Shoes", "shoe*", 30.0).id
        alerts.write(session, [alert("a", tracker), alert("b", tracker, NOW + 600 * MINUTE)])
        alert_cases.write(session, [{"alert_id": name, "data": b"", "sketch": posts(0, 50)} for name in "ab"])
        assert regroup(session, ["a", "b"]) == [] or alert_groups.members(session, ["a"])


def test_a_group_is_one_line_in_a_list(desk: Desk) -> None:
    with desk.session() as session:
        tracker = trackers.add(session, "Shoes", "shoe*", 30.0).id
        rows = [
            alert("a", tracker, NOW, closed_at=NOW + 9 * MINUTE, phase="closed"),
            alert("b", tracker, NOW + MINUTE),
            alert("c", tracker, NOW + 2 * MINUTE),
        ]
        alerts.write(session, rows)
        for name in "ab":
            alerts.get(session, name).group_id = "a"
    with desk.reading() as session:
        assert [row.id for row in alerts.page(session)] == ["c", "b", "a"]
        assert [row.id for row in alerts.page(session, grouped=True)] == ["c", "b"]
        assert [row.id for row in alerts.page(session, grouped=True, state="closed")] == ["a"]
        assert [row.id for row in alerts.page(session, grouped=True, before=(NOW + 6 * MINUTE, "b"))] == []
        assert [row.id for row in alert_groups.members(session, ["a"])["a"]] == ["a", "b"]
