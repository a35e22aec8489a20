"""Windows of several sizes and signals at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from groundswell.testing.streams import START, Told, make_posts, run, tracker
from groundswell.watch.arrivals import TableArrivals
from groundswell.watch.contract import DAY, HOUR, MINUTE, SECOND, WatchBatch, WatchParams
from groundswell.watch.emerging.records import TopicParams
from groundswell.watch.flow import dump_state, load_state, step
from groundswell.watch.judging import Watched, share_of
from groundswell.watch.state import WatchState

SIZES = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR)
PARAMS = WatchParams(windows_us=SIZES, topics=TopicParams(per_day=0))
TRACKERS = [tracker("arm", "arm"), tracker("side", '"side effects"')]


def stream(seed: int, *, hours: int = 34, rate: int = 60) -> pa.Table:
    """A day and a half of posts with a burst of many authors, late posts and duplicates."""
    rng = np.random.default_rng(seed)
    events = np.sort(rng.integers(0, hours * HOUR, rate * hours)) + START
    burst = np.sort(rng.integers(0, 9 * MINUTE, 60)) + START + 30 * HOUR + 2 * MINUTE
    texts = rng.choice(["my arm hurts", "nice day", "side effects again"], len(events)).tolist()
    texts += [f"side effects of dose two {n % 5}" for n in range(60)]
    events = np.concatenate((events, burst))
    received = events + rng.integers(0, 30 * SECOND, len(events))
    received += (rng.random(len(events)) < 0.02) * rng.integers(0, 90 * MINUTE, len(events))
    order = np.argsort(received, kind="stable")
    ids = [str(n) for n in order]
    events = events[order]
    for n in np.flatnonzero(rng.random(len(events)) < 0.02):
        if n > 20:
            ids[n], events[n] = ids[n - 7], events[n - 7]
    authors = [f"u{n}" for n in rng.integers(0, 900, len(events))]
    followers = rng.integers(0, 5_000, len(events)).tolist()
    return make_posts(
        events.tolist(),
        [texts[n] for n in order],
        received=received[order].tolist(),
        ids=ids,
        authors=authors,
        followers=followers,
    )


STREAM = stream(1)


@pytest.fixture(scope="module")
def whole() -> Told:
    return run(STREAM, [], TRACKERS, PARAMS)[1]


def same(left: Told, right: Told) -> None:
    assert left.points == right.points
    assert left.alerts == right.alerts
    assert (left.duplicates, left.late, left.closed) == (right.duplicates, right.late, right.closed)


def test_larger_windows_hold_what_their_small_ones_hold(whole: Told) -> None:
    small = {(name, start): point for (name, size, start), point in whole.points.items() if size == 60}
    checked = 0
    for (name, size, start), point in whole.points.items():
        parts = [small.get((name, at)) for at in range(start, start + size * SECOND, MINUTE)]
        if None not in parts:
            assert point.count == sum(part.count for part in parts if part is not None)
            checked += 1
    assert checked > 34 * 12
    assert any(point.late for (_, size, _), point in whole.points.items() if size == 3600)


def test_a_burst_is_one_alert_named_by_what_opened_it_and_led_by_its_rarest_window(whole: Told) -> None:
    (alert,) = whole.alerts.values()
    assert (alert.tracker_id, alert.direction, alert.phase) == ("side", "burst", "closed")
    assert START + 30 * HOUR <= alert.started_at <= START + 30 * HOUR + 5 * MINUTE
    assert alert.opened_at <= START + 30 * HOUR + 7 * MINUTE
    assert alert.window_s in {60, 300, 900}
    assert alert.posts >= 60


def test_windows_that_a_closed_alert_has_told_do_not_open_another(whole: Told) -> None:
    hour = whole.points["side", 3600, START + 30 * HOUR]
    assert hour.return_days is not None
    assert hour.return_days > 30
    assert len(whole.alerts) == 1


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(st.lists(st.integers(0, STREAM.num_rows), max_size=20))
def test_it_does_not_matter_where_batches_end(whole: Told, borders: list[int]) -> None:
    same(run(STREAM, borders, TRACKERS, PARAMS)[1], whole)


@pytest.mark.slow
@settings(max_examples=4, deadline=None)
@given(st.integers(1, STREAM.num_rows - 1))
def test_going_on_from_a_snapshot_gives_the_same(
    tmp_path_factory: pytest.TempPathFactory, whole: Told, border: int
) -> None:
    state, told = run(STREAM.slice(0, border), [border // 2], TRACKERS, PARAMS)
    path = tmp_path_factory.mktemp("state") / "watch.arrow"
    dump_state(state, path)
    _, told = run(STREAM.slice(border), [], TRACKERS, PARAMS, load_state(path), told)
    same(told, whole)


def test_a_hole_is_a_gap_in_every_size() -> None:
    posts = make_posts([START + n * MINUTE for n in range(125)], ["arm"] * 125)
    covered = [(START - HOUR, START + 62 * MINUTE), (START + 75 * MINUTE, START + 125 * MINUTE)]
    clock = START + 125 * MINUTE
    batch = WatchBatch(TableArrivals(posts), clock, covered)
    _, output = step(WatchState.empty(), batch, [TRACKERS[0]], PARAMS)
    gaps = {(p.window_s, (p.start - START) // MINUTE) for p in output.points if p.state == "gap" and p.start >= START}
    assert {start for size, start in gaps if size == 60} == set(range(62, 75))
    assert {start for size, start in gaps if size == 300} == {60, 65, 70}
    assert {start for size, start in gaps if size == 900} == {60}
    assert {start for size, start in gaps if size == 3600} == {60}


def test_a_stream_that_was_away_does_not_join_what_lies_before_and_after() -> None:
    away = 20 * DAY + 7 * MINUTE
    times = [START + n * MINUTE for n in range(90)] + [START + away + n * MINUTE for n in range(90)]
    _, told = run(make_posts(times, ["arm"] * 180), [], [TRACKERS[0]], PARAMS)
    hours = {start: point for (_, size, start), point in told.points.items() if size == 3600}
    assert all(point.count <= 60 for point in hours.values())
    assert hours[START + HOUR].count == 30


def test_other_sizes_go_on_with_what_is_known_of_those_that_stay() -> None:
    state, _ = run(STREAM, [], TRACKERS, structs.replace(PARAMS, windows_us=()))
    learned = state.frames[0].detectors["posts"].seen.copy()
    empty = WatchBatch(TableArrivals.empty(), 0)
    state, _ = step(state, empty, TRACKERS, PARAMS)
    assert [frame.window_us for frame in state.frames] == list(SIZES)
    assert state.frame(5 * MINUTE).detectors["posts"].seen.tolist() == learned.tolist()
    assert state.frame(MINUTE).detectors["posts"].seen.tolist() == [0, 0, 0]


def test_the_promise_is_shared_out_and_a_budget_tightens_it() -> None:
    parts = [share_of("posts", PARAMS), share_of("authors", PARAMS)]
    assert 0 < parts[1] < parts[0] < 1
    assert share_of("posts", structs.replace(PARAMS, windows_us=(), signals=("posts",))) == 1.0
    many = [tracker(str(n), "arm", promise_days=10.0) for n in range(100)]
    watched = Watched(many, [], None, structs.replace(PARAMS, budget=5.0))
    assert watched.promises.tolist() == pytest.approx([20.0] * 100)
    assert Watched(many[:9], [], None, structs.replace(PARAMS, budget=5.0)).promises.tolist() == [10.0] * 9


def test_a_tracker_that_counts_by_observation_counts_old_posts_when_they_are_seen(tmp_path: Path) -> None:
    crawled = structs.replace(tracker("seen", "arm"), count_by="observed_at")
    times = [START + n * MINUTE for n in range(90)]
    old = [START - DAY - n * HOUR if n % 2 else at for n, at in enumerate(times)]
    posts = make_posts(old, ["arm"] * 90, received=times, observed_at=times)
    state, told = run(posts, [30, 60], [crawled, tracker("made", "arm")], PARAMS)
    by_time = {(name, start): point.count for (name, size, start), point in told.points.items() if size == 900}
    assert by_time["seen", START + 15 * MINUTE] == 15
    assert by_time["made", START + 15 * MINUTE] in {7, 8}
    again = make_posts(
        old, ["arm"] * 90, received=times, observed_at=times, first_record=90, ids=[str(n) for n in range(90)]
    )
    _, twice = run(again, [], [crawled, tracker("made", "arm")], PARAMS, state)
    assert not any(point.count for (name, _, _), point in twice.points.items() if name == "seen")


@pytest.mark.slow
def test_a_machine_that_floods_a_tracker_speaks_through_its_share_too() -> None:
    rng = np.random.default_rng(5)
    events = np.sort(rng.integers(0, 30 * HOUR, 30 * 360)) + START
    flood = np.sort(rng.integers(0, 14 * MINUTE, 90)) + START + 28 * HOUR
    texts = [f"arm {rng.integers(10_000)} thought {rng.integers(10_000)}" for _ in events]
    texts += ["arm cream heals all pain buy it today"] * 90
    authors = [f"u{n}" for n in rng.integers(0, 5_000, len(events))] + ["machine"] * 90
    times = np.concatenate((events, flood))
    order = np.argsort(times, kind="stable")
    posts = make_posts(times[order].tolist(), [texts[n] for n in order], authors=[authors[n] for n in order])
    _, told = run(posts, [], [TRACKERS[0]], PARAMS)
    (alert,) = told.alerts.values()
    assert {"top_author", "copies"} <= {voice["signal"] for voice in alert.evidence["voices"]}


def test_on_a_holiday_of_its_country_a_tracker_is_held_to_a_sunday() -> None:
    french = structs.replace(tracker("fr", "arm"), country="FR")
    watched = Watched([french, TRACKERS[0]], [], None, PARAMS)
    christmas = 20_447 * DAY
    assert watched.calendar.free(christmas + 12 * HOUR, HOUR)[2].tolist() == [False, True, False]


@pytest.mark.parametrize("sizes", [(5 * MINUTE,), (MINUTE, 5 * MINUTE)])
def test_an_alert_whose_size_is_not_counted_any_more_is_closed(sizes: tuple[int, ...]) -> None:
    params = structs.replace(PARAMS, windows_us=(5 * MINUTE, 15 * MINUTE))
    inside = next(n for n, at in enumerate(STREAM["received_us"].to_pylist()) if at > START + 30 * HOUR + 17 * MINUTE)
    state, told = run(STREAM.slice(0, inside), [], TRACKERS, params)
    (alert,) = told.alerts.values()
    assert alert.phase != "closed"
    episode = state.series[1].episode
    assert episode is not None
    episode.pace_us = 15 * MINUTE
    params = structs.replace(params, windows_us=sizes)
    state, output = step(state, WatchBatch(TableArrivals(STREAM.slice(inside, 1)), 0), TRACKERS, params)
    assert [(one.id, one.phase) for one in output.alerts] == [(alert.id, "closed")]
    assert state.series[1].episode is None
    _, told = run(STREAM.slice(inside + 1, 200), [], TRACKERS, params, state)
    assert alert.id not in told.alerts


def test_late_posts_for_windows_that_are_not_scored_are_not_held_for_ever() -> None:
    # One post in two hours is too few for a minute to say anything.
    times = [START + n * 2 * HOUR for n in range(30)]
    state, _ = run(make_posts(times, ["arm"] * 30), [], [TRACKERS[0]], PARAMS)
    closed = START + 58 * HOUR
    late = [START + 58 * HOUR + 3 * MINUTE, *(closed + n * MINUTE for n in range(3))]
    posts = make_posts(late, ["arm"] * 4, ids=["a", "b", "c", "d"], first_record=30)
    state, told = run(posts, [], [TRACKERS[0]], PARAMS, state)
    assert told.late == 2
    assert {size for size, _, _ in state.late} == {5 * MINUTE, 15 * MINUTE, HOUR}
    state, _ = run(make_posts([START + 70 * HOUR], ["arm"], first_record=40), [], [TRACKERS[0]], PARAMS, state)
    assert not state.late


def test_a_burst_that_does_not_begin_with_the_clock_is_told_when_it_ends() -> None:
    rng = np.random.default_rng(4)
    begin = START + 37 * HOUR + 5 * MINUTE
    usual = START + rng.integers(0, 38 * HOUR, 38 * 360)
    more = begin + np.linspace(1, 15 * MINUTE - 1, 48).astype(np.int64)
    times = np.concatenate((usual, more))
    arms = np.concatenate((rng.random(len(usual)) < 1 / 3, np.ones(len(more), np.bool_)))
    order = np.argsort(times)
    posts = make_posts(times[order].tolist(), ["arm" if arm else "leg" for arm in arms[order]])
    params = structs.replace(PARAMS, windows_us=(5 * MINUTE, 15 * MINUTE, HOUR), signals=("posts",))
    arm = tracker("arm", "arm", promise_days=10.0)
    _, told = run(posts, [5_000, len(posts) - 40], [arm], params, end_clock=begin + HOUR)
    alerts = [one for one in told.alerts.values() if one.started_at >= begin - HOUR]
    assert [(one.window_s, one.started_at, one.opened_at) for one in alerts] == [(900, begin, begin + 15 * MINUTE)]
    assert alerts[0].observed >= 70
    assert alerts[0].evidence["posts_total"] >= 70
    starts = {start for _, size, start in told.points if size == 900}
    assert all(start % (15 * MINUTE) == 0 for start in starts)
