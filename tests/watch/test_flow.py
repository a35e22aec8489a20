from __future__ import annotations

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
from groundswell.watch.evidence import rfc3339
from groundswell.watch.flow import dump_state, load_state, step
from groundswell.watch.state import WatchState
from groundswell.web.models import Evidence

PARAMS = WatchParams(topics=TopicParams(per_day=0))
TRACKERS = [tracker("arm", "arm"), tracker("side", '"side effects" -sponsored'), tracker("none", "nobodysaysthis")]


def noisy_stream(seed: int, *, hours: int = 40, rate: int = 8) -> pa.Table:
    """Two days nearly, out of order, with duplicates, future and late records, a hole and a burst."""
    rng = np.random.default_rng(seed)
    count = rate * 12 * hours
    events = np.sort(rng.integers(0, hours * HOUR, count)) + START
    burst = np.sort(rng.integers(0, 12 * MINUTE, 120)) + START + 30 * HOUR
    texts = rng.choice(["my arm hurts", "nice day", "good food", "side effects again", "arm day"], count).tolist()
    texts += [f"side effects of dose two {n % 5}" for n in range(120)]
    events = np.concatenate((events, burst))
    received = events + rng.integers(0, 30 * SECOND, len(events))
    late = rng.random(len(events)) < 0.02
    received = received + late * rng.integers(0, 40 * MINUTE, len(events))
    hole = (events > START + 20 * HOUR) & (events < START + 20 * HOUR + 25 * MINUTE)
    order = np.argsort(received[~hole], kind="stable")
    events, received = events[~hole][order], received[~hole][order]
    texts = [text for text, gone in zip(texts, hole, strict=True) if not gone]
    texts = [texts[n] for n in order]
    future = rng.random(len(events)) < 0.005
    events = events + future * DAY
    ids = [str(n) for n in range(len(events))]
    for n in np.flatnonzero(rng.random(len(events)) < 0.03):
        if n > 20 and not future[n]:
            ids[n], events[n] = ids[n - 7], events[n - 7]
    return make_posts(events.tolist(), texts, received=received.tolist(), ids=ids)


STREAM = noisy_stream(1)
WHOLE = run(STREAM, [], TRACKERS, PARAMS)[1]


def same(left: Told, right: Told) -> None:
    assert left.points == right.points
    assert left.alerts == right.alerts
    assert left.future == right.future
    assert (left.duplicates, left.late, left.closed) == (right.duplicates, right.late, right.closed)


def test_the_stream_of_these_tests_has_everything_in_it() -> None:
    assert WHOLE.late > 20
    assert WHOLE.duplicates > 20
    assert WHOLE.future
    assert any(point.late for point in WHOLE.points.values())
    assert {alert.tracker_id for alert in WHOLE.alerts.values()} == {"side"}


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(0, STREAM.num_rows), max_size=30))
def test_it_does_not_matter_where_batches_end(borders: list[int]) -> None:
    same(run(STREAM, borders, TRACKERS, PARAMS)[1], WHOLE)


def test_it_does_not_matter_where_batches_end_when_not_all_posts_are_kept() -> None:
    params = structs.replace(PARAMS, keep_posts=5, keep_least=5, keep_us=10 * MINUTE)
    whole = run(STREAM, [], TRACKERS, params)[1]
    same(run(STREAM, list(range(37, STREAM.num_rows, 37)), TRACKERS, params)[1], whole)
    assert next(iter(whole.alerts.values())).evidence["parameters"]["posts_kept"] == 10


def test_batches_of_one_record_give_the_same() -> None:
    short = STREAM.slice(0, 600)
    same(run(short, list(range(1, 600)), TRACKERS, PARAMS)[1], run(short, [], TRACKERS, PARAMS)[1])


@settings(max_examples=6, deadline=None)
@given(st.integers(1, STREAM.num_rows - 1))
def test_going_on_from_a_snapshot_gives_the_same(tmp_path_factory: pytest.TempPathFactory, border: int) -> None:
    state, told = run(STREAM.slice(0, border), [border // 2], TRACKERS, PARAMS)
    path = tmp_path_factory.mktemp("state") / "watch.arrow"
    dump_state(state, path)
    _, told = run(STREAM.slice(border), [], TRACKERS, PARAMS, load_state(path), told)
    same(told, WHOLE)


def test_every_alert_has_evidence_that_the_api_takes() -> None:
    alert = next(iter(WHOLE.alerts.values()))
    evidence = Evidence.model_validate(alert.evidence)
    assert alert.direction == "burst"
    assert alert.started_at == START + 30 * HOUR
    assert "times as often as usual" in alert.headline
    assert evidence.posts[0].text is not None
    assert "side effects of dose two" in evidence.posts[0].text
    assert {word.word for word in evidence.words} >= {"dose", "two"}
    assert not {"side", "effects"} & {word.word for word in evidence.words}
    assert alert.posts == evidence.posts_total >= 100
    assert evidence.span[0] <= evidence.span[1]


def test_an_alert_closes_when_it_is_over() -> None:
    alert = next(iter(WHOLE.alerts.values()))
    assert alert.phase == "closed"
    assert alert.closed_at is not None
    assert alert.closed_at - alert.started_at == 6 * PARAMS.window_us


def test_a_window_with_no_post_at_all_is_closed_too() -> None:
    posts = make_posts([START, START + HOUR], ["arm", "arm"])
    _, told = run(posts, [], [TRACKERS[0]], PARAMS)
    starts = sorted(start for _, _, start in told.points)
    assert starts == list(range(starts[0], START + HOUR - MINUTE - PARAMS.window_us + 1, PARAMS.window_us))


def test_a_quiet_stream_still_closes_its_windows() -> None:
    posts = make_posts([START + MINUTE], ["arm"])
    state, told = run(posts, [], [TRACKERS[0]], PARAMS)
    before = told.closed
    empty = posts.slice(0, 0)
    _, output = step(state, WatchBatch(TableArrivals(empty), START + 20 * MINUTE), [TRACKERS[0]], PARAMS)
    assert output.closed == 3
    assert before == 0
    assert {p.start: p.count for p in output.points}[START] == 1


def test_a_late_post_revises_the_count_and_leaves_the_score() -> None:
    times = [START + n * MINUTE for n in range(30)] + [START + MINUTE]
    _, told = run(make_posts(times, ["arm"] * 31), [30], [TRACKERS[0]], PARAMS)
    point = told.points["arm", 300, START]
    assert (point.count, point.late, told.late) == (6, 1, 1)


def test_a_card_shows_windows_without_what_came_late() -> None:
    (alert,) = WHOLE.alerts.values()
    points = {rfc3339(start): point for (name, _, start), point in WHOLE.points.items() if name == alert.tracker_id}
    shown = [(window["count"], points[window["start"]]) for window in alert.evidence["windows"]]
    assert any(point.late for _, point in shown)
    assert all(count == point.count - point.late for count, point in shown)


def test_a_stream_that_comes_back_after_months_has_no_windows_in_between() -> None:
    posts = make_posts([START, START + 200 * DAY, START + 200 * DAY + HOUR], ["arm"] * 3)
    _, told = run(posts, [], [TRACKERS[0]], PARAMS)
    assert PARAMS.silence_windows < told.closed < PARAMS.silence_windows + 20


def test_a_window_that_no_connection_covers_is_a_gap() -> None:
    posts = make_posts([START + n * MINUTE for n in range(60)], ["arm"] * 60)
    clock = START + 60 * MINUTE
    covered = [(START, START + 20 * MINUTE), (START + 30 * MINUTE, clock)]
    _, output = step(WatchState.empty(), WatchBatch(TableArrivals(posts), clock, covered), [TRACKERS[0]], PARAMS)
    gaps = {(p.start - START) // MINUTE for p in output.points if p.state == "gap"}
    assert gaps == {-5, 20, 25}


def test_a_removed_tracker_ends_its_episode_and_a_new_one_starts_with_a_whole_window() -> None:
    inside = next(n for n, at in enumerate(STREAM["received_us"].to_pylist()) if at > START + 30 * HOUR + 8 * MINUTE)
    state, told = run(STREAM.slice(0, inside), [], TRACKERS, PARAMS)
    assert [alert.phase for alert in told.alerts.values()] != ["closed"]
    changed = [tracker("new", "arm"), TRACKERS[0]]
    state, output = step(state, WatchBatch(TableArrivals(STREAM.slice(inside, 1)), 0), changed, PARAMS)
    assert [alert.phase for alert in output.alerts] == ["closed"]
    _, told = run(STREAM.slice(inside + 1), [], changed, PARAMS, state)
    fresh = sorted((p for p in told.points.values() if p.tracker_id == "new"), key=lambda p: p.start)
    assert fresh[0].state == "gap"
    old = {p.start: p.count for p in told.points.values() if p.tracker_id == "arm"}
    assert all(p.count == old[p.start] for p in fresh[1:])
