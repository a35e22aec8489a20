"""A tracker whose past cannot be read starts without it, and learns it when the lake can be read."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import numpy as np
import pytest
from tests.watch.test_history import ARM, LEG, PARAMS, posts_of

from groundswell.errors import UnavailableError
from groundswell.lake import Lake
from groundswell.settings import Settings
from groundswell.testing.streams import START
from groundswell.watch import learning
from groundswell.watch.arrivals import TableArrivals
from groundswell.watch.contract import DAY, MINUTE, WatchBatch
from groundswell.watch.emerging.state import Emerging
from groundswell.watch.flow import dump_state, load_state, step
from groundswell.watch.learning import Teacher
from groundswell.watch.state import WatchState

AWAY = "the S3 store cannot be reached"


@pytest.fixture
def lake(settings: Settings) -> Lake:
    found = Lake.open(settings)
    found.append("posts", posts_of(START - DAY, DAY // PARAMS.window_us).drop_columns(["record", "received_us"]))
    return found


def test_a_tracker_that_began_while_the_lake_was_away_learns_its_past_and_what_came_meanwhile(
    lake: Lake, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trouble: list[str | None] = [AWAY]
    stop = threading.Event()
    teacher = Teacher(lake, PARAMS, stop, said=lambda: trouble[0])
    with caplog.at_level(logging.WARNING, logger="groundswell.watch"):
        state = teacher.teach(WatchState.empty(), [ARM, LEG], START)
    assert f"2 trackers start without a past, and learn it when the lake can be read: {AWAY}" in caplog.text
    assert [series.untaught for series in state.series] == [True, True]
    # A process that takes the watch over knows it too.
    dump_state(state, tmp_path / "state")
    state = load_state(tmp_path / "state")
    assert [series.untaught for series in state.series] == [True, True]

    live = posts_of(START, 4, start=1_000_000)
    until = START + 4 * PARAMS.window_us
    state, _ = step(state, WatchBatch(TableArrivals(live), until + 5 * MINUTE), [ARM, LEG], PARAMS)
    lake.append("posts", live.drop_columns(["record", "received_us"]))
    trouble[0] = None
    assert teacher.may_catch_up(1)
    state = teacher.teach(state, [ARM, LEG], until)
    assert "2 trackers have learned their past" in caplog.text
    assert [series.untaught for series in state.series] == [False, False]

    whole = Teacher(lake, PARAMS, stop).teach(WatchState.empty(), [ARM, LEG], until)
    for late, early in zip(state.frames, whole.frames, strict=True):
        assert np.array_equal(late.detectors["posts"].seen[1:], early.detectors["posts"].seen[1:])
        assert np.array_equal(late.detectors["posts"].core[1:], early.detectors["posts"].core[1:])
    for late_one, early_one in zip(state.series, whole.series, strict=True):
        assert late_one.profile == early_one.profile


def test_what_is_taught_late_waits_until_the_lake_has_all_that_was_watched(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "_FIRST_S", 0.0)
    has: list[int] = [3]
    teacher = Teacher(lake, PARAMS, threading.Event(), has=lambda block: has[0] >= block)
    assert not teacher.may_catch_up(4)
    has[0] = 4
    assert teacher.may_catch_up(4)


def test_a_lake_that_is_away_is_asked_less_and_less_often(lake: Lake) -> None:
    asked: list[int] = []

    def said() -> str:
        asked.append(1)
        return AWAY

    teacher = Teacher(lake, PARAMS, threading.Event(), said=said)
    assert not any(teacher.may_catch_up(1) for _ in range(5))
    assert len(asked) == 1


def test_what_cannot_be_written_first_does_not_keep_a_tracker_from_its_past(lake: Lake) -> None:
    def refuse() -> None:
        raise UnavailableError(AWAY)

    state = Teacher(lake, PARAMS, threading.Event(), bring=refuse).teach(WatchState.empty(), [ARM], START)
    assert state.frames[0].detectors["posts"].seen[1] > 0
    assert not state.series[0].untaught


def test_topics_begin_without_a_past_while_the_lake_is_away(lake: Lake) -> None:
    teacher = Teacher(lake, PARAMS, threading.Event(), said=lambda: AWAY)
    topics = teacher.teach_topics(Emerging.empty(3), START)
    assert topics.window_us > 0
