"""A counter's course says something only between observations, and never more than they do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.marts.course import Course, course_of, velocities

HOUR = 3_600_000_000
SEEN = st.dictionaries(st.integers(1, 2000), st.integers(0, 10**9) | st.none(), max_size=12)


def course(seen: dict[int, int | None], created: int | None = 0) -> Course:
    values = [np.nan if value is None else float(value) for value in seen.values()]
    return course_of([hour * HOUR for hour in seen], values, created)


@settings(deadline=None)
@given(SEEN, st.floats(0.1, 2100))
def test_a_value_lies_between_its_neighbours_or_is_null(seen: dict[int, int | None], age: float) -> None:
    known = {hour: value for hour, value in sorted(seen.items()) if value is not None}
    found = course(seen).at(age)
    before = [value for hour, value in known.items() if hour <= age]
    after = [value for hour, value in known.items() if hour >= age]
    if not before or not after:
        assert found is None
        assert course(seen).why_not_at(age)
        return
    assert found is not None
    low, high = sorted((before[-1], after[0]))
    assert low - 1e-6 * (1 + low) <= found <= high + 1e-6 * (1 + high)


@settings(deadline=None)
@given(SEEN)
def test_half_of_the_last_value_is_reached_at_the_half_life(seen: dict[int, int | None]) -> None:
    made = course(seen)
    half = made.half_life()
    if half is None:
        return
    assert made.age_h[1] <= half <= made.age_h[-1]
    if not made.fell:
        assert made.at(half) == pytest.approx(made.value[-1] / 2, rel=1e-3, abs=1e-3)


def test_at_24_hours_is_what_was_seen_then_and_null_is_said() -> None:
    assert course({24: 500, 30: 900}).at(24) == 500
    assert course({12: 500, 20: 900}).at(24) is None
    assert course({12: 500, 20: 900}).why_not_at(24) == "last observed at an age of 20.0 h"
    assert course({30: 500, 40: 900}).why_not_at(24) == "first observed at an age of 30.0 h"
    assert course({}).why_not_at(24) == "never observed with a time"
    assert course({12: 1, 30: 2}, None).why_not_at(24) == "the creation time is not known"


def test_order_repeats_and_what_was_seen_before_the_post_do_not_matter() -> None:
    made = course_of([30 * HOUR, -HOUR, 10 * HOUR, 10 * HOUR], [90, 5, 20, 30], 0)
    assert made.age_h.tolist() == [0, 10, 30]
    assert made.value.tolist() == [0, 30, 90]


def test_velocity_is_growth_per_hour_and_unknown_without_a_value_or_time_between() -> None:
    moments = [0, HOUR, 3 * HOUR, 3 * HOUR, 4 * HOUR]
    found = velocities(moments, [10, 20, 10, 12, np.nan])
    assert found[1:3].tolist() == [10, -5]
    assert np.isnan(found[[0, 3, 4]]).all()
