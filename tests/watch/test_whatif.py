"""Another count in the same window is scored by the detector itself, as it was before the window."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from msgspec import structs

from groundswell.testing.streams import START
from groundswell.watch.contract import WatchParams
from groundswell.watch.detector import Detector, forecast, learn, score
from groundswell.watch.whatif import Tail, capture, return_days

PARAMS = WatchParams()


def taught(rows: int = 4, windows: int = 700) -> tuple[Detector, int]:
    detector = Detector.empty(rows)
    rng = np.random.default_rng(3)
    start = START
    for _ in range(windows):
        counts = np.concatenate(([900.0], rng.poisson([10.0, 3.0, 60.0][: rows - 1]))).astype(np.float64)
        learn(detector, counts, start, PARAMS, np.ones(rows, dtype=np.bool_))
        start += PARAMS.window_us
    return detector, start


def test_the_count_that_was_is_as_rare_as_the_detector_said() -> None:
    detector, start = taught()
    counts = np.array([950.0, 45.0, 3.0, 61.0])
    said = score(detector, counts, start, PARAMS).return_days
    tails = [capture(detector, row, counts, start, PARAMS.window_us) for row in (1, 2, 3)]
    learn(detector, counts, start, PARAMS, np.ones(4, dtype=np.bool_))
    for row, tail in enumerate(tails, start=1):
        again = return_days(tail, [counts[row]], PARAMS)
        assert again is not None
        assert again[0] == pytest.approx(said[row])


def test_a_surge_of_its_platform_and_a_holiday_count_as_they_did_in_the_score() -> None:
    detector, start = taught()
    counts = np.array([1_150.0, 45.0, 3.0, 61.0])
    free = np.zeros((3, 4), dtype=np.bool_)
    free[:, 1] = True
    known = forecast(detector, start, PARAMS, free)
    # The tracker's one platform did far more than usual, the whole stream little more.
    around = (np.array([1_150.0, 450.0, 1_150.0, 1_150.0]), np.array([known[0, 0], 200.0, known[0, 0], known[0, 0]]))
    said = score(detector, counts, start, PARAMS, known, around).return_days
    tail = capture(detector, 1, counts, start, PARAMS.window_us, around, free)
    again = return_days(tail, [45, 30], PARAMS)
    assert again is not None
    assert again[0] == pytest.approx(said[1])
    assert again[1] < again[0]
    without = return_days(structs.replace(tail, around=None, free=None), [45], PARAMS)
    assert without is not None
    assert without[0] > 2 * again[0]


def test_fewer_posts_are_less_rare() -> None:
    detector, start = taught()
    tail = capture(detector, 1, np.array([950.0, 45.0, 3.0, 61.0]), start, PARAMS.window_us)
    days = return_days(tail, [45, 30, 20, 12], PARAMS)
    assert days == sorted(days or [], reverse=True)
    assert days is not None
    assert days[0] > 30 > days[-1]


def test_it_is_plain_data_that_survives_being_kept() -> None:
    detector, start = taught(windows=50)
    tail = capture(detector, 1, np.array([950.0, 45.0, 3.0, 61.0]), start, PARAMS.window_us)
    packed = msgspec.msgpack.encode(tail)
    assert len(packed) < 20_000
    again = msgspec.msgpack.decode(packed, type=Tail)
    assert return_days(again, [45], PARAMS) == return_days(tail, [45], PARAMS)


def test_rows_of_another_kernel_say_nothing() -> None:
    detector, start = taught(windows=50)
    tail = capture(detector, 1, np.array([950.0, 45.0, 3.0, 61.0]), start, PARAMS.window_us)
    other = structs.replace(tail, arrays={name: value for name, value in tail.arrays.items() if name != "core"})
    assert return_days(other, [45], PARAMS) is None
    more = structs.replace(tail, single={**tail.single, "new": 1})
    assert return_days(more, [45], PARAMS) is None
