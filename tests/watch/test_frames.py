"""The windows of one tracker are the same, taken all at once or one by one."""

from __future__ import annotations

import numpy as np

from groundswell.watch.detector import Detector
from groundswell.watch.frames import Closed, Frame, absent

SIZE = 60_000_000


def test_windows_taken_together_are_those_taken_one_by_one() -> None:
    chance = np.random.default_rng(7)
    frame = Frame(SIZE, {}, Detector.empty(1))
    for number in range(20):
        reals = chance.random((3, 6))
        reals[chance.random((3, 6)) < 0.3] = np.nan
        count, late = chance.integers(0, 9, 3), chance.integers(0, 2, 3)
        frame.ring.append(Closed(number * SIZE, count, late, chance.integers(0, 3, 3).astype(np.int8), reals))
    frame.ring.append(absent(20 * SIZE, 3))
    for slot in range(3):
        one_by_one = [closed.point(slot, "t", SIZE) for closed in frame.ring if closed.is_there(slot)]
        assert frame.points(slot, "t") == one_by_one
        assert len(one_by_one) == 20
    assert Frame(SIZE, {}, Detector.empty(1)).points(0, "t") == []
