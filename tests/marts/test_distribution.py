"""A distribution keeps counts within a thousandth, in parts as in one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.marts.distribution import ACCURACY, Distribution

COUNTS = st.lists(st.integers(0, 2**62) | st.integers(0, 3000), min_size=1, max_size=200)
AT = [0.01, 0.25, 0.5, 0.75, 0.99]


@given(COUNTS)
def test_quantiles_are_within_a_thousandth_of_those_of_the_values(values: list[int]) -> None:
    kept = Distribution()
    kept.add(values)
    exact = np.quantile(np.array(values, np.float64), AT, method="inverted_cdf")
    assert np.all(np.abs(kept.quantiles(AT) - exact) <= 1.1 * ACCURACY * exact + 0.5)
    assert (kept.least, kept.greatest, kept.count) == (float(min(values)), float(max(values)), len(values))


@given(COUNTS, COUNTS)
def test_parts_add_up_to_the_whole(one: list[int], other: list[int]) -> None:
    parts, second, whole = Distribution(), Distribution(), Distribution()
    parts.add(one)
    second.add(other)
    parts.merge(second)
    parts.merge(Distribution())
    whole.add(one + other)
    assert (parts.bins == whole.bins).all()
    assert (parts.count, parts.least, parts.greatest) == (whole.count, whole.least, whole.greatest)


def test_small_counts_are_exact_and_fractions_are_kept_in_parts() -> None:
    counts = Distribution()
    counts.add([0, 0, 5, 1023])
    assert counts.quantiles([0.5, 0.75, 1]).tolist() == [0, 5, 1023]
    assert counts.histogram() == [(0, 1, 2), (1, 10, 1), (10, 100, 0), (100, 1000, 0), (1000, 10000, 1)]
    shares = Distribution(1_000_000)
    shares.add([0.05, 0.25])
    assert shares.quantiles([0.5, 1]).tolist() == pytest.approx([0.05, 0.25], rel=2 * ACCURACY)


def test_without_values_there_is_nothing_to_say() -> None:
    empty = Distribution()
    empty.add([])
    assert np.isnan(empty.quantiles([0.5])).all()
    assert (empty.mean, empty.least, empty.histogram()) == (None, None, [])
