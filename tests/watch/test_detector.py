from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from groundswell.testing.counts import PER_DAY, Floats, quiet_counts
from groundswell.testing.streams import START
from groundswell.watch.contract import WatchParams
from groundswell.watch.detector import Detector, Scores, learn, score

PARAMS = WatchParams()
PROMISE = 30.0


def at(window: int) -> int:
    return START + window * PARAMS.window_us


def taught(counts: Floats, detector: Detector | None = None, first: int = 0) -> Detector:
    detector = Detector.empty(counts.shape[1]) if detector is None else detector
    everyone = np.ones(counts.shape[1], dtype=np.bool_)
    for number, row in enumerate(counts, start=first):
        learn(detector, row, at(number), PARAMS, everyone)
    return detector


def episodes(counts: Floats) -> float:
    """Alerts per series and promise in all windows, the learning included."""
    detector, everyone = Detector.empty(counts.shape[1]), np.ones(counts.shape[1], dtype=np.bool_)
    found = np.zeros(counts.shape, dtype=np.bool_)
    for number, row in enumerate(counts):
        scores = score(detector, row, at(number), PARAMS)
        found[number] = (scores.return_days >= PROMISE) & ~scores.learning
        learn(detector, row, at(number), PARAMS, everyone)
    opened = found[1:, 1:] & ~found[:-1, 1:]
    return float(opened.sum() / (counts.shape[1] - 1) / (len(counts) / PER_DAY) * PROMISE)


@pytest.mark.parametrize(("rate", "size", "least"), [(0.05, None, 0.0), (10.0, None, 0.2), (200.0, 10.0, 0.3)])
def test_quiet_series_keep_the_promise(rate: float, size: float | None, least: float) -> None:
    counts = quiet_counts(rate, size, 60, 30, np.random.default_rng([7, round(rate * 100)]))
    assert least <= episodes(counts) <= 2.0


def scored_after(counts: Floats, row: Floats) -> Scores:
    return score(taught(counts), row, at(len(counts)), PARAMS)


def test_a_burst_of_three_times_the_usual_is_found_within_two_windows() -> None:
    rng = np.random.default_rng(3)
    counts = quiet_counts(12.0, None, 400, 15, rng)
    noon = 14 * PER_DAY + PER_DAY // 2
    detector = taught(counts[:noon])
    usual = counts[noon - 6 : noon, 1:].mean()
    first, second = (rng.poisson(3 * usual, 400).astype(float) for _ in range(2))
    found = np.zeros(400, dtype=np.bool_)
    for number, burst in enumerate((first, second)):
        row = np.concatenate(([counts[noon, 0]], burst))
        scores = score(detector, row, at(noon + number), PARAMS)
        found |= scores.return_days[1:] >= PROMISE
        learn(detector, row, at(noon + number), PARAMS, np.ones(401, dtype=np.bool_))
    assert found.mean() >= 0.95


def test_a_word_that_is_new_needs_more_than_two_posts() -> None:
    counts = quiet_counts(0.02, None, 3, 10, np.random.default_rng(4))
    counts[:, 3] = 0
    scores = scored_after(counts, np.array([counts[0, 0], 8.0, 2.0, 8.0]))
    assert scores.return_days[1] >= PROMISE
    assert scores.return_days[3] >= PROMISE
    assert scores.return_days[2] < PROMISE or 2 - scores.expected[2] < PARAMS.min_excess


def test_what_rises_with_everything_is_no_alert() -> None:
    counts = quiet_counts(50.0, None, 2, 10, np.random.default_rng(5))
    last = counts[-PER_DAY]
    scores = scored_after(counts[:-PER_DAY], last * 2)
    assert scores.alone_days[1] >= PROMISE > scores.return_days[1]
    assert scores.platform_ratio == pytest.approx(2.0, rel=0.15)
    own = np.array([last[0] + 100, last[1] + 100, last[2]])
    assert scored_after(counts[:-PER_DAY], own).return_days[1] >= PROMISE


def test_a_drop_is_found_where_enough_is_expected() -> None:
    counts = quiet_counts(100.0, None, 2, 10, np.random.default_rng(6))
    row = counts[-PER_DAY].copy()
    row[1] = 2
    scores = scored_after(counts[:-PER_DAY], row)
    assert scores.drop[1]
    assert scores.return_days[1] >= PROMISE
    assert not scores.drop[2] or scores.return_days[2] < PROMISE


def test_a_burst_teaches_little_and_a_lasting_shift_is_believed() -> None:
    counts = quiet_counts(20.0, None, 1, 10, np.random.default_rng(8))
    detector = taught(counts)
    quiet = score(detector, counts[0], at(len(counts)), PARAMS).expected[1]
    burst = counts[:3].copy()
    burst[:, 1] = 500
    taught(burst, detector, len(counts))
    assert score(detector, counts[0], at(len(counts) + 3), PARAMS).expected[1] < 1.1 * quiet
    shift = counts[3 : 3 + PER_DAY].copy()
    shift[:, 1] *= 5
    taught(shift, detector, len(counts) + 3)
    again = score(detector, shift[0], at(len(counts) + 3 + PER_DAY), PARAMS)
    assert again.expected[1] > 2.5 * quiet
    assert again.return_days[1] < PROMISE


def test_nothing_is_scored_before_the_stream_is_known_and_a_new_tracker_soon_after() -> None:
    counts = quiet_counts(20.0, None, 1, 2, np.random.default_rng(9))
    young = taught(counts[: PER_DAY // 2])
    assert score(young, counts[0], at(PER_DAY // 2), PARAMS).learning.all()
    old = taught(counts)
    joined = old.rows(np.array([0, 1, -1]))
    assert score(joined, np.append(counts[0], 20.0), at(2 * PER_DAY), PARAMS).learning.tolist() == [False, False, True]
    for number in range(24):
        row = np.append(counts[number], counts[number, 1])
        learn(joined, row, at(2 * PER_DAY + number), PARAMS, np.ones(3, dtype=np.bool_))
    row = np.append(counts[24], 8 * counts[24, 1])
    scores = score(joined, row, at(2 * PER_DAY + 24), PARAMS)
    assert not scores.learning[2]
    assert scores.return_days[2] >= PROMISE
    assert scores.upper[2] - scores.lower[2] > scores.upper[1] - scores.lower[1]


def test_the_band_holds_what_it_says() -> None:
    counts = quiet_counts(30.0, 20.0, 200, 21, np.random.default_rng(10))
    detector, inside = taught(counts[: 14 * PER_DAY]), []
    for number in range(14 * PER_DAY, 15 * PER_DAY):
        scores = score(detector, counts[number], at(number), PARAMS)
        inside.append(((counts[number] >= scores.lower) & (counts[number] <= scores.upper))[1:].mean())
        learn(detector, counts[number], at(number), PARAMS, np.ones(201, dtype=np.bool_))
    assert 0.93 <= np.mean(inside) <= 0.99


def test_a_series_does_not_depend_on_the_others_beside_it() -> None:
    counts = quiet_counts(20.0, None, 4, 3, np.random.default_rng(11))
    both = scored_after(counts, counts[0])
    alone = scored_after(counts[:, [0, 3]], counts[0, [0, 3]])
    assert both.return_days[3] == alone.return_days[1]
    assert both.expected[3] == alone.expected[1]


def test_what_is_warm_needs_no_compiling_in_the_watch() -> None:
    code = """
import numpy as np
from groundswell.kernels import counting
from groundswell.watch import detector as module
from groundswell.watch.contract import WatchParams
from groundswell.watch.holidays import Calendar

module.warm()
loops = [getattr(counting, name) for name in ("forecast_rows", "score_rows", "learn_rows", "run_windows")]
before = [len(loop.signatures) for loop in loops]
detector, params, taught = module.Detector.empty(3), WatchParams(), np.ones(3, dtype=np.bool_)
for free in (Calendar((None,) * 3).free(0, params.window_us), Calendar((None, "DE", None)).free(0, params.window_us)):
    known = module.forecast(detector, 0, params, free)
    scores = module.score(detector, np.ones(3), 0, params, known, (np.ones(3), np.ones(3)))
    module.learn(detector, np.ones(3), 0, params, taught, known, scores, free)
    module.run(detector, np.ones((4, 3))[:2], np.arange(4)[:2], params, np.ones((2, 3), np.bool_), np.stack([free] * 2))
assert before == [len(loop.signatures) for loop in loops] == [len(loop.nopython_signatures) for loop in loops], before
"""
    subprocess.run([sys.executable, "-c", code], check=True)
