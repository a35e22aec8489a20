from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from groundswell.watch.tails import burst_tail, drop_tail, lower_tail, quantile, upper_tail

means = st.floats(0.001, 5_000)
extras = st.floats(1e-4, 2.0)


def of(value: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([value], dtype=np.float64)


@given(st.integers(0, 8_000), means, extras)
def test_tails_are_those_of_the_negative_binomial(count: int, mean: float, extra: float) -> None:
    known = stats.nbinom(1 / extra, 1 / (1 + extra * mean))
    assert np.isclose(upper_tail(of(count), of(mean), of(extra))[0], known.sf(count - 1), rtol=1e-6, atol=1e-13)
    assert np.isclose(lower_tail(of(count), of(mean), of(extra))[0], known.cdf(count), rtol=1e-6, atol=1e-13)


@given(st.integers(0, 500), st.floats(0.01, 300))
def test_without_extra_variation_it_is_poisson(count: int, mean: float) -> None:
    assert np.isclose(
        upper_tail(of(count), of(mean), of(0.0))[0], stats.poisson.sf(count - 1, mean), rtol=1e-2, atol=1e-12
    )


@given(st.integers(0, 300), means, extras)
def test_the_two_mid_p_values_make_one(count: int, mean: float, extra: float) -> None:
    both = burst_tail(of(count), of(mean), of(extra)) + drop_tail(of(count), of(mean), of(extra))
    assert np.isclose(both[0], 1.0)


@given(st.sampled_from([0.025, 0.975]), st.floats(0.001, 300), st.floats(1e-4, 0.5))
def test_quantiles_are_exact_or_nearly(probability: float, mean: float, extra: float) -> None:
    known = stats.nbinom(1 / extra, 1 / (1 + extra * mean)).ppf(probability)
    found = quantile(probability, of(mean), of(extra))[0]
    assert abs(found - known) <= max(1.0, 0.05 * known)
