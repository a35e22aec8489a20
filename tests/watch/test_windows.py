from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from groundswell.watch.contract import MINUTE, SECOND, WatchParams
from groundswell.watch.windows import NEVER, StreamClock, advance, closing, is_covered, is_late, window_of

PARAMS = WatchParams()
WIDTH = PARAMS.window_us


def ints(values: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)


records = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 30)), min_size=1, max_size=40)


@given(records, st.integers(0, 40))
def test_how_far_the_stream_was_does_not_depend_on_the_batch(rows: list[tuple[int, int]], border: int) -> None:
    events = ints([minute * MINUTE for minute, _ in rows])
    received = ints(list(np.cumsum([pause * SECOND for _, pause in rows])))
    whole, end = advance(StreamClock(), events, received, PARAMS)
    first, clock = advance(StreamClock(), events[:border], received[:border], PARAMS)
    second, last = advance(clock, events[border:], received[border:], PARAMS)
    assert np.array_equal(np.concatenate((first, second)), whole)
    assert last == end


@given(records)
def test_without_pauses_it_is_the_running_maximum(rows: list[tuple[int, int]]) -> None:
    events = ints([minute * MINUTE for minute, _ in rows])
    before, _ = advance(StreamClock(), events, np.zeros(len(rows), np.int64), PARAMS)
    assert before[0] == NEVER
    assert np.array_equal(before[1:], np.maximum.accumulate(events)[:-1])


def test_the_clock_moves_a_quiet_stream_and_keeps_its_lag() -> None:
    _, clock = advance(StreamClock(), ints([0]), ints([10 * MINUTE]), PARAMS)
    later = clock.tick(30 * MINUTE)
    assert later.now(PARAMS) == 20 * MINUTE - PARAMS.quiet_us
    assert later.tick(20 * MINUTE) == later
    assert StreamClock().tick(5).watermark(PARAMS) is None


def test_a_record_is_late_once_its_window_was_closed_before_it() -> None:
    windows = window_of(ints([0, 0, WIDTH]), PARAMS)
    before = ints([NEVER, WIDTH + MINUTE, WIDTH + MINUTE])
    assert is_late(windows, before, PARAMS).tolist() == [False, True, False]


def test_windows_close_in_order_up_to_the_watermark() -> None:
    assert list(closing(0, 3 * WIDTH + 1, 0, [WIDTH], PARAMS)) == [0, WIDTH, 2 * WIDTH]
    assert list(closing(0, WIDTH - 1, 0, [], PARAMS)) == []


@given(st.lists(st.integers(0, 60), max_size=5), st.integers(0, 60))
def test_closing_in_two_steps_closes_the_same_windows(posts: list[int], border: int) -> None:
    params = WatchParams(silence_us=30 * MINUTE)
    held = sorted({post * WIDTH for post in posts})
    whole = list(closing(0, 60 * WIDTH, 0, held, params))
    early = list(closing(0, border * WIDTH, 0, [w for w in held if w < border * WIDTH], params))
    last = max([0, *(w for w in held if w < border * WIDTH)])
    late = list(closing(border * WIDTH, 60 * WIDTH, last, [w for w in held if w >= border * WIDTH], params))
    assert early + late == whole


def test_coverage_adds_up_and_overlaps_count_once() -> None:
    assert is_covered(0, [(0, WIDTH)], PARAMS)
    assert is_covered(0, [(WIDTH // 2, 2 * WIDTH), (-5, WIDTH // 2)], PARAMS)
    assert not is_covered(0, [(0, WIDTH // 2), (0, WIDTH // 2)], PARAMS)
    assert not is_covered(0, [], PARAMS)
