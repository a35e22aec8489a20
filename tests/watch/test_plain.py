"""The compiled loops say what their plain twins say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.kernels import counting
from groundswell.testing.counts import PER_DAY, Floats, quiet_counts
from groundswell.watch import detector, plain
from groundswell.watch.contract import DAY, HOUR, MINUTE, WatchParams
from groundswell.watch.detector import Detector, Scores, forecast, learn, run, score

START = 20_003 * DAY
FIELDS = ("expected", "extra", "dispersion", "p_burst", "p_drop", "p_alone", "return_days", "platform_rise", "surprise")


def counts(windows: int, seed: int) -> Floats:
    """The stream, a usual series, one with bursts, one of mostly zeros, one that is even, one that begins late."""
    rng = np.random.default_rng(seed)
    rows = quiet_counts(20.0, 10.0, 5, -(-windows // PER_DAY), rng)[:windows]
    rows[windows // 2 : windows // 2 + 5, 2] *= 9
    rows[:, 3] = rng.poisson(0.02, windows)
    rows[:, 4] = 50 + np.round(rng.normal(0, 1, windows))
    rows[: windows // 3, 5] = 0
    return rows


def both(
    monkeypatch: pytest.MonkeyPatch, rows: Floats, window: int, free: bool = False
) -> list[tuple[Detector, Scores]]:
    params = WatchParams(window_us=window)
    starts = START + np.arange(len(rows), dtype=np.int64) * window
    holidays = np.random.default_rng(9).random((len(rows), 3, rows.shape[1])) < 0.1 if free else None
    out = []
    for kernel in (plain, counting):
        monkeypatch.setattr(detector, "_kernel", lambda kernel=kernel: kernel)
        known = Detector.empty(rows.shape[1])
        out.append((known, run(known, rows, starts, params, free=holidays)))
    return out


@pytest.mark.parametrize(("window", "free"), [(5 * MINUTE, False), (MINUTE, True), (HOUR, False), (DAY, True)])
def test_the_compiled_loops_say_the_same(monkeypatch: pytest.MonkeyPatch, window: int, free: bool) -> None:
    (first, said), (second, again) = both(monkeypatch, counts(500, 1), window, free)
    for name in FIELDS:
        np.testing.assert_allclose(getattr(said, name), getattr(again, name), rtol=1e-7, atol=1e-12, err_msg=name)
    for name in Detector.ARRAYS:
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), rtol=1e-7, atol=1e-7, err_msg=name)


def test_a_run_says_what_single_windows_say() -> None:
    rows, params = counts(400, 2), WatchParams()
    starts = START + np.arange(len(rows), dtype=np.int64) * params.window_us
    first, second = Detector.empty(6), Detector.empty(6)
    taught = np.random.default_rng(3).random(rows.shape) < 0.9
    said = run(first, rows, starts, params, taught)
    for number, start in enumerate(starts.tolist()):
        known = forecast(second, start, params)
        scores = score(second, rows[number], start, params, known)
        np.testing.assert_array_equal(said.return_days[number], scores.return_days)
        np.testing.assert_array_equal(said.learning[number], scores.learning)
        learn(second, rows[number], start, params, taught[number], known, scores)
    for name in Detector.ARRAYS:
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_two_threads_say_and_learn_what_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, params = counts(300, 4), WatchParams()
    first = Detector.empty(6)
    run(first, rows[:-1], START + np.arange(299, dtype=np.int64) * params.window_us, params)
    second, at, taught = first.rows(np.arange(6)), START + 299 * params.window_us, np.ones(6, np.bool_)
    alone = score(first, rows[-1], at, params)
    learn(first, rows[-1], at, params, taught)
    monkeypatch.setattr(detector, "WORTH_A_THREAD", 2)
    np.testing.assert_array_equal(alone.return_days, score(second, rows[-1], at, params).return_days)
    learn(second, rows[-1], at, params, taught)
    for name in Detector.ARRAYS:
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=60), st.sampled_from([MINUTE, 5 * MINUTE, HOUR]))
def test_whatever_comes_the_numbers_make_sense(values: list[int], window: int) -> None:
    rows = np.array(values, dtype=np.float64)[:, None].repeat(2, axis=1)
    params = WatchParams(window_us=window)
    known = Detector.empty(2)
    said = run(known, rows, START + np.arange(len(rows), dtype=np.int64) * window, params)
    for name in FIELDS:
        assert np.isfinite(getattr(said, name)).all(), name
    for name in ("p_burst", "p_drop", "p_alone"):
        assert ((getattr(said, name) >= 0) & (getattr(said, name) <= 1)).all()
    assert (said.expected > 0).all()
    assert (said.lower <= said.upper).all()
    assert all(np.isfinite(getattr(known, name)).all() for name in Detector.ARRAYS)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 400), st.floats(0.5, 50))
def test_more_posts_are_never_less_unusual(count: float, more: float) -> None:
    rows = counts(400, 5)
    params = WatchParams()
    known = Detector.empty(6)
    run(known, rows, START + np.arange(400, dtype=np.int64) * params.window_us, params)
    at = START + 400 * params.window_us
    low, high = (
        score(known, np.full(6, value), at, params) for value in (np.floor(count), np.floor(count) + np.ceil(more))
    )
    # Where the table ends and the exact tail begins a step of a few percent is allowed.
    assert (
        high.p_alone[1:][~low.drop[1:] & ~high.drop[1:]] <= 1.3 * low.p_alone[1:][~low.drop[1:] & ~high.drop[1:]]
    ).all()


def test_the_tail_of_a_rough_series_is_believed_less() -> None:
    rng = np.random.default_rng(6)
    even = rng.poisson(40.0, 40 * PER_DAY).astype(float)
    rough = even.copy()
    bursts = rng.choice(len(rough) - 2_000, 60, replace=False)
    rough[bursts] += np.round(40 * rng.pareto(1.5, 60))
    params = WatchParams()
    found = []
    for row in (even, rough):
        known = Detector.empty(1)
        run(known, row[:, None], START + np.arange(len(row), dtype=np.int64) * params.window_us, params)
        at = START + len(row) * params.window_us
        found.append(score(known, np.array([120.0]), at, params).return_days[0])
    assert found[1] < found[0] / 10


def test_holidays_teach_nothing_about_the_day_that_they_fall_on() -> None:
    params, known = WatchParams(), Detector.empty(1)
    free = np.ones((3, 1), dtype=np.bool_)
    learn(known, np.array([5.0]), START, params, np.ones(1, dtype=np.bool_), free=free)
    assert known.bin_posts.sum() == 0
    assert known.seen[0] == 1
