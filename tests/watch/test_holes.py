"""When somebody was connected: joined intervals, gaps that were filled, and the same answer as the live watch's."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from groundswell.watch.contract import MINUTE, WatchParams
from groundswell.watch.holes import UNKNOWN, Coverage
from groundswell.watch.windows import is_covered

TIMES = st.integers(0, 40 * MINUTE)
SPANS = st.lists(st.tuples(TIMES, TIMES).map(lambda pair: (min(pair), max(pair))), max_size=8)
PARAMS = WatchParams(window_us=MINUTE)


@given(SPANS, st.sampled_from([1, 5, 15]))
def test_windows_are_covered_as_the_live_watch_says(spans: list[tuple[int, int]], minutes: int) -> None:
    coverage, size = Coverage.of(spans), minutes * MINUTE
    starts = np.arange(-size, 45 * MINUTE, size)
    expected = [is_covered(start, spans, PARAMS.at(size)) for start in starts.tolist()]
    assert coverage.covers(starts, size, PARAMS.cover).tolist() == expected
    assert (coverage.begins[1:] > coverage.ends[:-1]).all()


def test_before_the_first_and_after_the_last_connection_nothing_is_known() -> None:
    coverage = Coverage.of([(30 * MINUTE, 40 * MINUTE), (5 * MINUTE, 10 * MINUTE)])
    known = coverage.known(np.arange(0, 50, 5) * MINUTE, 5 * MINUTE)
    assert known.tolist() == [False, True, True, True, True, True, True, True, False, False]
    assert not UNKNOWN.known(np.array([0]), MINUTE).any()


def test_a_gap_that_was_filled_is_none_and_one_with_a_stray_post_is_one() -> None:
    spans = [(0, 10 * MINUTE), (20 * MINUTE, 30 * MINUTE), (40 * MINUTE, 50 * MINUTE)]
    totals = np.full(50, 8)
    totals[10:20], totals[30:40], totals[35] = 7, 0, 1
    found = Coverage.of(spans).but_filled(0, totals, PARAMS)
    assert found.begins.tolist() == [0, 40 * MINUTE]
    assert found.ends.tolist() == [30 * MINUTE, 50 * MINUTE]
    assert Coverage.of(spans[:1]).but_filled(0, totals, PARAMS) == Coverage.of(spans[:1])
