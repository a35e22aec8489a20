"""The interval of a change says what the counts can say, and no more."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from groundswell.marts.rising import PRIOR, rate_change

COUNTS = st.integers(0, 10_000)


@given(now=COUNTS, before=COUNTS, total=st.integers(10_000, 10**7), total_before=st.integers(10_000, 10**8))
def test_the_median_lies_inside_the_interval(now: int, before: int, total: int, total_before: int) -> None:
    if now + before == 0:
        now = 1
    change = rate_change([now], [before], total, total_before)
    assert 0 < change.lower[0] < change.ratio[0] < change.upper[0] < np.inf
    assert 0 <= change.sure[0] <= 1
    if abs(change.ratio[0] - 1) > 1e-9:
        assert (change.ratio[0] > 1) == (change.sure[0] > 0.5)


@given(now=COUNTS, before=COUNTS, total=st.integers(10_000, 10**6))
def test_a_rise_seen_backwards_is_the_same_fall(now: int, before: int, total: int) -> None:
    now = now or 1
    there = rate_change([now], [before], total, total)
    back = rate_change([before], [now], total, total)
    np.testing.assert_allclose(there.ratio, 1 / back.ratio, rtol=1e-6)
    np.testing.assert_allclose(there.lower, 1 / back.upper, rtol=1e-6)


def test_many_counts_give_the_plain_ratio_of_shares() -> None:
    change = rate_change([30_000], [70_000], 10**6, 7 * 10**6)
    np.testing.assert_allclose(change.ratio, [3.0], rtol=0.01)
    assert change.lower[0] > 2.9


def test_few_counts_are_drawn_to_no_change() -> None:
    change = rate_change([2, 20, 200], [0, 0, 0], 1000, 7000)
    assert (np.diff(change.lower) > 0).all()
    assert change.lower[0] < 1.2
    assert np.isfinite(change.upper).all()


def test_the_probability_agrees_with_draws_from_the_model() -> None:
    rng = np.random.default_rng(7)
    now, before, total, total_before = 9, 30, 500, 3500
    weight = PRIOR * (total + total_before) / (now + before)
    a = rng.gamma(PRIOR + now, 1 / (weight + total), 400_000)
    b = rng.gamma(PRIOR + before, 1 / (weight + total_before), 400_000)
    change = rate_change([now], [before], total, total_before)
    np.testing.assert_allclose(change.sure[0], (a > b).mean(), atol=0.004)
    np.testing.assert_allclose(change.ratio[0], np.median(a / b), rtol=0.01)
    np.testing.assert_allclose(change.upper[0], np.quantile(a / b, 0.975), rtol=0.02)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    share, keys = 0.01, 4000
    now = rng.poisson(share * 2000, keys)
    before = rng.poisson(share * 14_000, keys)
    change = rate_change(now, before, 2000, 14_000)
    covered = ((change.lower < 1) & (change.upper > 1)).mean()
    assert 0.94 < covered < 0.99
