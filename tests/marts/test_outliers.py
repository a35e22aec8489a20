"""Bounds follow the stated rule, and never what another metric's values say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.errors import UsageError
from groundswell.marts.distribution import Distribution
from groundswell.marts.outliers import LIMITS, NORMAL_MAD, Rule, find_bounds, robust_z

COUNTS = st.lists(st.integers(0, 1_000_000), min_size=10, max_size=120)


def spread(values: list[int] | np.ndarray) -> Distribution:
    made = Distribution()
    made.add(values)
    return made


def median(values: np.ndarray) -> float:
    return float(np.quantile(values, 0.5, method="inverted_cdf"))


@given(COUNTS)
def test_robust_z_is_that_of_iglewicz_and_hoaglin_on_the_logarithm(values: list[int]) -> None:
    logs = np.log10(1 + np.array(values, np.float64))
    centre = median(logs)
    mad = median(np.abs(logs - centre))
    bounds = find_bounds(spread(values))
    if mad < 0.01:
        return
    assert bounds.centre == pytest.approx(centre, abs=1e-3)
    assert bounds.spread == pytest.approx(mad / NORMAL_MAD, abs=4e-3)
    assert bounds.centre is not None
    assert bounds.spread is not None
    scores = np.abs(robust_z(values, bounds.centre, bounds.spread))
    clear = np.abs(scores - 3.5) > 1e-6
    assert (bounds.outside(values) == (scores > 3.5))[clear].all()


@given(COUNTS)
def test_iqr_is_tukeys_fences_of_the_values(values: list[int]) -> None:
    given_values = np.array(values, np.float64)
    first, third = np.quantile(given_values, [0.25, 0.75], method="inverted_cdf")
    bounds = find_bounds(spread(values), Rule.IQR)
    if third - first < 1:
        return
    assert bounds.upper == pytest.approx(third + 1.5 * (third - first), rel=6e-3, abs=2)
    lower = first - 1.5 * (third - first)
    assert (bounds.lower or 0) == pytest.approx(max(lower, 0), rel=6e-3, abs=6e-3 * third + 2)


@given(COUNTS, st.sampled_from(list(Rule)))
def test_the_centre_is_never_an_outlier_and_a_wider_limit_flags_no_more(values: list[int], rule: Rule) -> None:
    kept = spread(values)
    narrow, wide = find_bounds(kept, rule), find_bounds(kept, rule, 2 * LIMITS[rule])
    assert not (wide.outside(values) & ~narrow.outside(values)).any()
    assert not narrow.outside(kept.quantiles([0.5])).any()


def test_mostly_equal_values_fall_back_to_the_mean_deviation() -> None:
    values = [0] * 90 + [1, 2, 3, 2, 1, 1, 2, 3, 2, 100_000]
    bounds = find_bounds(spread(values))
    assert bounds.spread == pytest.approx(1.253314 * np.log10(1 + np.array(values)).mean(), rel=1e-3)
    assert bounds.outside(values).tolist() == [v > (bounds.upper or 0) for v in values]
    assert bounds.outside([100_000]).all()


def test_no_bounds_where_nothing_can_be_told() -> None:
    few, same = find_bounds(spread([1, 2, 3])), find_bounds(spread([7] * 50))
    assert (few.lower, few.upper, few.why) == (None, None, "fewer than 10 values")
    assert (same.upper, same.why) == (None, "the values do not spread")
    assert not same.outside([7, 1e9]).any()
    assert not find_bounds(spread(list(range(50)))).outside([np.nan]).any()


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
def test_a_limit_that_is_none_is_refused(limit: float) -> None:
    with pytest.raises(UsageError, match="no limit"):
        find_bounds(spread(list(range(50))), Rule.IQR, limit)
