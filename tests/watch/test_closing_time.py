"""A window that closes has the processor to itself, but nobody waits for one that does not."""

from __future__ import annotations

import threading

import pytest

from groundswell.watch.closing_time import AFTER_S, BEFORE_S, GATHER_S, ClosingTime

SECOND = 1_000_000
MINUTE = 60 * SECOND


class Day:
    """A clock and a window that may close at 100 s."""

    def __init__(self, now_s: float) -> None:
        self.now_us = round(now_s * SECOND)
        self.due_us: int | None = 100 * SECOND
        self.time = ClosingTime(lambda: self.due_us, lambda: self.now_us)

    def waits(self) -> threading.Thread:
        thread = threading.Thread(target=self.time.wait, daemon=True)
        thread.start()
        return thread


@pytest.mark.parametrize("now_s", [0.0, 100 - BEFORE_S - 0.01, 100 + AFTER_S, 160.0])
def test_nobody_waits_while_no_window_is_about_to_close(now_s: float) -> None:
    Day(now_s).time.wait()


def test_nobody_waits_before_the_first_record() -> None:
    day = Day(100.0)
    day.due_us = None
    day.time.wait()


def test_who_waits_goes_on_when_people_were_told_of_the_window() -> None:
    day = Day(99.9)
    waiting = day.waits()
    day.due_us = 100 * SECOND + MINUTE
    while waiting.is_alive():
        day.time.told()
        waiting.join(0.01)


def test_other_news_does_not_end_the_waiting() -> None:
    day = Day(99.9)
    waiting = day.waits()
    for _ in range(3):
        day.time.told()
        waiting.join(0.01)
        assert waiting.is_alive()
    day.now_us += MINUTE  # and a window that never closes does not keep anybody
    day.time.told()
    waiting.join(60)
    assert not waiting.is_alive()


def test_who_waits_goes_on_when_the_watch_ends() -> None:
    day = Day(99.9)
    waiting = day.waits()
    day.time.end()
    waiting.join(60)
    assert not waiting.is_alive()
    day.time.wait()


@pytest.mark.parametrize(
    ("left_s", "gather_s"),
    [(30.0, GATHER_S), (-1.0, GATHER_S), (0.15, 0.05), (0.05, 0.08), (-0.02, 0.01)],
)
def test_a_batch_begins_just_when_a_window_may_close(left_s: float, gather_s: float) -> None:
    assert Day(100 - left_s).time.gather_s() == pytest.approx(gather_s)
