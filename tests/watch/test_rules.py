"""The rule that does not wait for a window."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from groundswell.testing.streams import START, Told, make_posts, run, tracker
from groundswell.watch.contract import HOUR, MINUTE, WatchParams
from groundswell.watch.emerging.records import TopicParams
from groundswell.watch.rules import QUIET_US
from groundswell.web.models import Evidence

PARAMS = WatchParams(windows_us=(MINUTE, 5 * MINUTE), topics=TopicParams(per_day=0))
LOUD = structs.replace(tracker("arm", "arm"), reach_followers=100_000)
TOP = structs.replace(tracker("top", "arm"), reach_share=0.005)


def stream() -> pa.Table:
    rng = np.random.default_rng(3)
    rows = 3_000
    events = np.sort(rng.integers(0, 6 * HOUR, rows)) + START
    followers = np.minimum(np.round(np.exp(rng.normal(5, 2, rows))), 90_000).astype(int)
    followers[[1_500, 1_510, 2_600]] = [2_000_000, 150_000, 900_000]
    texts = ["arm" if n % 3 == 0 or followers[n] > 100_000 else "leg" for n in range(rows)]
    return make_posts(
        events.tolist(),
        texts,
        received=(events + rng.integers(0, 20_000_000, rows)).tolist(),
        followers=followers.tolist(),
    )


STREAM = stream()
WHOLE = run(STREAM, [], [LOUD, TOP], PARAMS)[1]


def reached(told: Told, name: str) -> list[tuple[int, int, str]]:
    alerts = [alert for alert in told.alerts.values() if alert.tracker_id == name and alert.signal == "reach"]
    return sorted((alert.started_at, alert.posts, alert.phase) for alert in alerts if alert.window_s == 0)


def test_a_post_by_a_loud_author_is_an_alert_in_the_very_step_that_it_comes_in() -> None:
    _, told = run(STREAM.slice(0, 1_501), [], [LOUD], PARAMS)
    (alert,) = told.alerts.values()
    assert (alert.signal, alert.window_s, alert.phase, alert.posts) == ("reach", 0, "growing", 1)
    assert alert.headline == f"“arm” is in a post by @u{1500 % 97} with 2,000,000 followers"
    evidence = Evidence.model_validate(alert.evidence)
    assert [post.followers for post in evidence.posts] == [2_000_000]


def test_further_ones_join_it_until_it_was_quiet_for_long() -> None:
    times = STREAM["created_at"].cast(pa.int64()).to_pylist()
    joined, alone = reached(WHOLE, "arm")
    assert joined == (min(times[1_500], times[1_510]), 2, "closed")
    assert (alone[0], alone[1]) == (times[2_600], 1)
    closed = next(alert for alert in WHOLE.alerts.values() if alert.posts == 2 and alert.tracker_id == "arm")
    assert closed.closed_at is not None
    assert closed.closed_at >= times[1_510] + QUIET_US


def test_the_top_share_is_that_of_the_platform_before_the_post_came() -> None:
    alerts = [alert for alert in WHOLE.alerts.values() if alert.tracker_id == "top" and alert.window_s == 0]
    assert alerts
    assert min(alert.started_at for alert in alerts) > START + HOUR  # a thousand posts must be known first
    assert max(post["followers"] for alert in alerts for post in alert.evidence["posts"]) == 2_000_000
    shown = [post["followers"] for alert in alerts for post in alert.evidence["posts"]]
    assert min(shown) > 5_000


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(0, STREAM.num_rows), max_size=25))
def test_it_does_not_matter_where_batches_end(borders: list[int]) -> None:
    told = run(STREAM, borders, [LOUD, TOP], PARAMS)[1]
    assert told.alerts == WHOLE.alerts


def test_who_has_no_known_followers_is_not_loud_and_who_has_no_rule_is_not_told() -> None:
    posts = make_posts([START, START + MINUTE], ["arm", "arm"], followers=[None, 10**9])
    assert not run(posts.slice(0, 1), [], [LOUD], PARAMS)[1].alerts
    assert not run(posts, [], [tracker("arm", "arm")], PARAMS)[1].alerts


@pytest.mark.parametrize("again", [False, True])
def test_a_removed_tracker_ends_its_alert(again: bool) -> None:
    state, told = run(STREAM.slice(0, 1_501), [], [LOUD], PARAMS)
    following = [structs.replace(LOUD, version=2)] if again else []
    _, told = run(STREAM.slice(1_501, 3), [], following, PARAMS, state, told)
    assert [alert.phase for alert in told.alerts.values() if alert.tracker_version == 1] == ["closed"]


def test_many_posts_at_once_are_the_alerts_that_they_are_one_by_one() -> None:
    rng = np.random.default_rng(7)
    times = np.sort(np.concatenate((rng.integers(0, HOUR, 90), rng.integers(3 * HOUR, 5 * HOUR, 40)))) + START
    # Many have as many followers as others.
    posts = make_posts(times.tolist(), ["arm"] * 130, followers=(rng.integers(1, 8, 130) * 100_001).tolist())
    at_once = run(posts, [], [LOUD], PARAMS)[1]
    one_by_one = run(posts, list(range(1, 130)), [LOUD], PARAMS)[1]
    assert [posts for _, posts, _ in reached(at_once, "arm")] == [90, 40]
    assert at_once.alerts == one_by_one.alerts
