"""The rule by which a share has fallen: the probability is right, and noise does not raise notices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import betabinom

from groundswell.marts.fill_rule import LEAST_NOW, RHO, Group, correlation, fall_of, is_back, lower_tail


@given(
    records=st.integers(1, 5_000),
    part=st.floats(0, 1),
    mean=st.floats(0.01, 0.99),
    rho=st.floats(0.001, 0.5),
)
def test_the_probability_is_that_of_a_beta_binomial(records: int, part: float, mean: float, rho: float) -> None:
    filled = int(part * records)
    a, b = mean * (1 - rho) / rho, (1 - mean) * (1 - rho) / rho
    expected = betabinom.cdf(filled, records, a, b)
    assert lower_tail(Group(records, filled), mean, rho) == pytest.approx(expected, rel=1e-5, abs=1e-12)


@given(groups=st.lists(st.tuples(st.integers(1, 5_000), st.floats(0, 1)), min_size=1, max_size=30))
def test_the_correlation_is_a_fraction(groups: list[tuple[int, float]]) -> None:
    past = [Group(records, int(part * records)) for records, part in groups]
    assert 0 < correlation(past) < 1


def test_shares_that_differ_much_widen_what_is_usual() -> None:
    steady = [Group(1_000, 500)] * 10
    restless = [Group(1_000, 100), Group(1_000, 900)] * 5
    assert correlation(steady) < RHO < correlation(restless)
    assert fall_of(steady, Group(1_000, 100)) is not None
    assert fall_of(restless, Group(1_000, 100)) is None


def test_noise_of_the_kind_that_was_learned_raises_no_notice() -> None:
    chance = np.random.default_rng(7)
    told = 0
    for _ in range(400):
        mean, rho = chance.uniform(0.1, 0.99), chance.uniform(0.001, 0.03)
        a, b = mean * (1 - rho) / rho, (1 - mean) * (1 - rho) / rho
        sizes = chance.integers(100, 3_000, 15)
        groups = [Group(int(n), int(chance.binomial(n, chance.beta(a, b)))) for n in sizes]
        told += fall_of(groups[:-1], groups[-1]) is not None
    assert told == 0


@pytest.mark.parametrize("now", [Group(LEAST_NOW - 1, 0), Group(0, 0)])
def test_few_records_say_nothing(now: Group) -> None:
    assert fall_of([Group(10_000, 10_000)], now) is None
    assert fall_of([Group(150, 150)], Group(10_000, 0)) is None


def test_a_small_fall_is_none_however_certain() -> None:
    assert fall_of([Group(100_000, 90_000)] * 20, Group(100_000, 85_500)) is None


def test_a_share_is_back_when_it_is_nearer_to_what_it_was() -> None:
    assert is_back(1.0, 0.0, Group(200, 120))
    assert not is_back(1.0, 0.0, Group(200, 90))
    assert not is_back(1.0, 0.0, Group(20, 20))
