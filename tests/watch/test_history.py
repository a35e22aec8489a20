"""What a tracker is taught of its past from the lake."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from groundswell.errors import UnavailableError
from groundswell.lake import Lake
from groundswell.marts.parts import DataFile
from groundswell.settings import Settings
from groundswell.testing.streams import START, make_posts, tracker
from groundswell.watch import history as module
from groundswell.watch.arrivals import TableArrivals
from groundswell.watch.contract import DAY, HOUR, MINUTE, WatchBatch, WatchParams
from groundswell.watch.flow import dump_state, step
from groundswell.watch.frames import ring_of
from groundswell.watch.history import StoppedError, teach
from groundswell.watch.state import WatchState

PARAMS = WatchParams()
ARM, LEG = tracker("arm", "arm"), tracker("leg", "leg")
#: Posts of the past in a window of five minutes, and how many of ten speak of an arm or a leg.
RATE, ARMS, LEGS = 40, 3, 1


@pytest.fixture
def never() -> threading.Event:
    return threading.Event()


def posts_of(first_us: int, windows: int, *, start: int = 0) -> pa.Table:
    rng = np.random.default_rng(5)
    times = np.sort(rng.integers(0, windows * PARAMS.window_us, windows * RATE)) + first_us
    kinds = rng.integers(0, 10, len(times))
    texts = ["arm" if kind < ARMS else "leg day" if kind < ARMS + LEGS else "other" for kind in kinds]
    ids = [str(start + number) for number in range(len(times))]
    month = [str(np.datetime64(int(time), "us").astype("datetime64[M]")) for time in times]
    return make_posts(times.tolist(), texts, ids=ids, month=month)


@pytest.fixture
def lake(settings: Settings) -> Lake:
    lake = Lake.open(settings)
    past = posts_of(START - 3 * DAY, 3 * DAY // PARAMS.window_us).drop_columns(["record", "received_us"])
    lake.append("posts", past)
    # Seen a second time, as posts are whose likes are followed: they count once.
    lake.append("posts", past.slice(0, 5_000))
    return lake


def test_a_taught_tracker_expects_the_true_rate_in_its_next_window(lake: Lake, never: threading.Event) -> None:
    state = teach(WatchState.empty(), [ARM, LEG], START, PARAMS, lake=lake, stop=never)
    posts = posts_of(START, 3, start=1_000_000)
    state, output = step(state, WatchBatch(TableArrivals(posts), START + 15 * MINUTE), [ARM, LEG], PARAMS)
    points = [point for point in output.points if point.start == START + PARAMS.window_us]
    assert {point.tracker_id: point.expected for point in points} == {
        "arm": pytest.approx(RATE * ARMS / 10, rel=0.15),
        "leg": pytest.approx(RATE * LEGS / 10, rel=0.15),
    }
    assert {point.state for point in points} == {"usual"}
    assert state.series[1].profile.words["day"] == state.series[1].profile.posts > 1_000


def test_the_same_lake_teaches_the_same(lake: Lake, never: threading.Event, tmp_path: Path) -> None:
    for name in ("a", "b"):
        state = teach(WatchState.empty(), [ARM, LEG], START, PARAMS, lake=lake, stop=never)
        dump_state(state, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_more_trackers_than_are_held_at_once_are_all_taught(
    lake: Lake, never: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = teach(WatchState.empty(), [ARM, LEG], START, PARAMS, lake=lake, stop=never)
    monkeypatch.setattr(module, "_TOGETHER", 1)
    state = teach(WatchState.empty(), [ARM, LEG], START, PARAMS, lake=lake, stop=never)
    for number, one in enumerate((ARM, LEG)):
        assert state.points(number, PARAMS.window_us) == together.points(number, PARAMS.window_us), one.name
        assert state.series[number].profile.posts == together.series[number].profile.posts
    core = state.frames[0].detectors["posts"].core
    assert np.array_equal(core, together.frames[0].detectors["posts"].core)


def test_posts_of_one_tracker_are_no_more_than_it_needs(
    lake: Lake, never: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POSTS", 100)
    state = teach(WatchState.empty(), [ARM], START, PARAMS, lake=lake, stop=never)
    assert state.series[0].profile.posts == 100


def test_without_a_past_a_tracker_is_known_and_knows_nothing(settings: Settings, never: threading.Event) -> None:
    empty = Lake.open(settings)
    state = teach(WatchState.empty(), [ARM], START, PARAMS, lake=empty, stop=never)
    assert state.keys == [("arm", 1)]
    assert state.frames[0].detectors["posts"].seen.tolist() == [0, 0]


def test_a_past_that_cannot_be_read_is_said_and_the_watch_goes_on(
    lake: Lake,
    never: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object, **__: object) -> None:
        what = "the disk is gone"
        raise UnavailableError(what)

    monkeypatch.setattr(module.Past, "count", broken)
    with caplog.at_level(logging.WARNING, logger="groundswell.watch"):
        state = teach(WatchState.empty(), [ARM], START, PARAMS, lake=lake, stop=never)
    assert state.keys == [("arm", 1)]
    assert "1 trackers start without a past, and learn it when the lake can be read: the disk is gone" in caplog.text
    assert state.series[0].untaught


def test_teaching_is_given_up_when_the_watch_is_to_stop(lake: Lake) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError):
        teach(WatchState.empty(), [ARM], START, PARAMS, lake=lake, stop=stop)


@pytest.mark.parametrize("reads", [1, 2, 4])
def test_a_long_history_is_given_up_between_what_is_read(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, reads: int
) -> None:
    stop, read = threading.Event(), DataFile.read
    left = [reads]

    def read_and_stop(*given: Any) -> pa.Table:
        left[0] -= 1
        if left[0] == 0:
            stop.set()
        return read(*given)

    monkeypatch.setattr(DataFile, "read", read_and_stop)
    with pytest.raises(StoppedError):
        teach(WatchState.empty(), [ARM], START + HOUR, PARAMS, lake=lake, stop=stop)


def test_windows_of_every_size_and_every_signal_are_taught(lake: Lake, never: threading.Event) -> None:
    params = WatchParams(windows_us=(MINUTE, 5 * MINUTE, HOUR))
    state = teach(WatchState.empty(), [ARM, LEG], START, params, lake=lake, stop=never)
    for frame in state.frames:
        windows = 3 * DAY // frame.window_us
        assert frame.detectors["posts"].seen[1:].tolist() == pytest.approx([windows] * 2, abs=2)
        assert len(frame.points(0, "arm")) == min(ring_of(frame.window_us, params), windows)
    authors = state.frame(HOUR).detectors["authors"]
    assert authors.seen[1] == pytest.approx(72, abs=2)
    rate = authors.level_posts[1] / authors.level_windows[1]
    # Of 97 people, those that one would meet in so many posts.
    posts = 12 * RATE * ARMS / 10
    assert rate == pytest.approx(97 * (1 - (96 / 97) ** posts), rel=0.2)
