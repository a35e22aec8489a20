from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.testing.counts import PER_DAY
from groundswell.testing.streams import START
from groundswell.watch.contract import WatchParams
from groundswell.watch.levels import Floats, Kind, Levels, forecast, learn, run, score, transform, untransform

PARAMS = WatchParams()


def starts(windows: int, first: int = 0) -> list[int]:
    return [START + (first + number) * PARAMS.window_us for number in range(windows)]


def reach(windows: int, series: int, seed: int = 1) -> Floats:
    """Values that span decades, with a day."""
    rng = np.random.default_rng(seed)
    day = np.sin(2 * np.pi * np.arange(windows) / PER_DAY)[:, None]
    return np.exp(np.linspace(2, 9, series) + 0.5 * day + rng.normal(0, 0.4, (windows, series)))


def share(windows: int, series: int, seed: int = 2) -> Floats:
    return np.random.default_rng(seed).beta(4, 16, (windows, series))


@given(st.floats(0, 1e12), st.sampled_from(["positive", "share"]))
def test_the_scale_can_be_undone(value: float, kind: Kind) -> None:
    value = min(value, 0.98) if kind == "share" else value
    back = untransform(transform(np.array([value]), kind), kind)[0]
    assert back == pytest.approx(max(value, 0.01) if kind == "share" else value, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("kind", ["positive", "share"])
def test_quiet_values_keep_the_promise(kind: Kind) -> None:
    values = reach(40 * PER_DAY, 12) if kind == "positive" else share(40 * PER_DAY, 12)
    scores = run(Levels.empty(12, kind), values, starts(len(values)), PARAMS)
    rare = (scores.return_days >= 30) & ~scores.learning
    opened = (rare[1:] & ~rare[:-1]).sum() / 12 / 40 * 30
    assert opened <= 2.0
    inside = ((values >= scores.lower) & (values <= scores.upper))[10 * PER_DAY :]
    assert 0.92 <= inside.mean() <= 0.98


def test_a_jump_is_found_and_teaches_little() -> None:
    values = reach(10 * PER_DAY, 3)
    levels = Levels.empty(3)
    run(levels, values, starts(len(values)), PARAMS)
    at = starts(1, len(values))[0]
    usual = score(levels, values[-1], at, PARAMS)
    jump = usual.expected * [1.0, 8.0, 1.0]
    found = score(levels, jump, at, PARAMS)
    assert (found.return_days >= 30).tolist() == [False, True, False]
    learn(levels, jump, at, PARAMS, np.ones(3, dtype=np.bool_))
    assert forecast(levels, at, PARAMS)[0, 1] - transform(usual.expected, "positive")[1] < 0.05


def test_a_window_without_a_value_says_and_teaches_nothing() -> None:
    values = share(PER_DAY, 2)
    levels = Levels.empty(2, "share")
    run(levels, values, starts(len(values)), PARAMS)
    before = {name: getattr(levels, name).copy() for name in Levels.ARRAYS}
    at = starts(1, len(values))[0]
    scores = score(levels, np.array([np.nan, 0.2]), at, PARAMS)
    assert scores.return_days[0] == 0
    learn(levels, np.array([np.nan, np.nan]), at, PARAMS, np.ones(2, dtype=np.bool_))
    for name, array in before.items():
        np.testing.assert_array_equal(array, getattr(levels, name))


def test_nothing_is_said_of_a_few_values() -> None:
    levels = Levels.empty(1, "share")
    run(levels, share(10, 1), starts(10), PARAMS)
    assert score(levels, np.array([0.95]), starts(1, 10)[0], PARAMS).learning.all()


def test_a_lasting_change_is_believed() -> None:
    values = reach(6 * PER_DAY, 1)
    values[3 * PER_DAY :] *= 20
    scores = run(Levels.empty(1), values, starts(len(values)), PARAMS)
    assert scores.return_days[3 * PER_DAY, 0] >= 30
    assert (scores.return_days[5 * PER_DAY :] >= 30).sum() <= 1


def test_other_rows_know_what_they_knew() -> None:
    levels = Levels.empty(3, "share")
    run(levels, share(PER_DAY, 3), starts(PER_DAY), PARAMS)
    other = levels.rows(np.array([2, -1]))
    at = starts(1, PER_DAY)[0]
    both = score(levels, np.full(3, 0.6), at, PARAMS)
    one = score(other, np.full(2, 0.6), at, PARAMS)
    assert (other.kind, one.return_days[0]) == ("share", both.return_days[2])
    assert one.learning.tolist() == [False, True]
