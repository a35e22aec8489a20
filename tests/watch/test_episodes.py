from __future__ import annotations

from msgspec import structs

from groundswell.testing.streams import START, tracker
from groundswell.watch.contract import SeriesPoint, WatchParams
from groundswell.watch.episodes import LONGEST_CALM, alert_id, begin, opens, proceed

PARAMS = WatchParams()


def window(number: int, count: int, p_value: float, **changes: object) -> SeriesPoint:
    days = PARAMS.window_us / 86_400e6 / p_value
    point = SeriesPoint(
        "t", 300, START + number * PARAMS.window_us, count, 10.0, 4.0, 17.0, p_value, days, 1.0, "usual"
    )
    return structs.replace(point, **changes)


def test_an_episode_opens_at_the_promise_and_not_for_a_few_posts() -> None:
    assert opens(window(0, 40, 1e-6), 30.0, PARAMS) == "burst"
    assert opens(window(0, 0, 1e-6), 30.0, PARAMS) == "drop"
    assert opens(window(0, 40, 1e-3), 30.0, PARAMS) is None
    assert opens(window(0, 13, 1e-6), 30.0, PARAMS) is None
    for state in ("gap", "learning", "macro"):
        assert opens(window(0, 40, 1e-6, state=state), 30.0, PARAMS) is None


def test_it_grows_peaks_fades_and_closes() -> None:
    episode = begin(window(0, 30, 1e-6), "burst", PARAMS)
    phases = []
    for number, (count, p_value) in enumerate(
        [(50, 1e-9), (45, 1e-8), (25, 1e-3), (10, 0.5), (9, 0.6), (11, 0.4)], start=1
    ):
        proceed(episode, window(number, count, p_value), PARAMS)
        phases.append(episode.phase)
    assert phases == ["growing", "peak", "fading", "fading", "fading", "closed"]
    assert episode.peak.count == 50
    assert episode.least_p == 1e-9
    assert episode.posts == 30 + 50 + 45 + 25
    assert episode.last_unusual_us == START + 3 * PARAMS.window_us


def test_one_usual_window_in_between_belongs_to_it() -> None:
    episode = begin(window(0, 30, 1e-6), "burst", PARAMS)
    proceed(episode, window(1, 10, 0.5), PARAMS)
    assert proceed(episode, window(2, 30, 1e-6), PARAMS)
    assert (episode.posts, episode.expected, episode.calm) == (70, 30.0, 0)


def test_a_drop_does_not_prolong_a_burst() -> None:
    episode = begin(window(0, 30, 1e-6), "burst", PARAMS)
    assert not proceed(episode, window(1, 0, 1e-6), PARAMS)


def test_holes_neither_prolong_nor_end_it_until_they_last() -> None:
    episode = begin(window(0, 30, 1e-6), "burst", PARAMS)
    for number in range(1, LONGEST_CALM):
        proceed(episode, window(number, 0, 0.5, state="gap", expected=None), PARAMS)
        assert episode.phase == "fading"
    proceed(episode, window(LONGEST_CALM, 0, 0.5, state="gap", expected=None), PARAMS)
    assert episode.phase == "closed"


def test_an_alert_id_changes_with_all_that_makes_an_episode_and_with_nothing_else() -> None:
    spec = tracker("a", "x")
    ids = {
        alert_id(spec, "posts", PARAMS, START),
        alert_id(spec, "posts", PARAMS, START + 1),
        alert_id(spec, "reach", PARAMS, START),
        alert_id(structs.replace(spec, version=2), "posts", PARAMS, START),
        alert_id(structs.replace(spec, id="b"), "posts", PARAMS, START),
        alert_id(spec, "posts", WatchParams(window_us=60_000_000), START),
    }
    assert len(ids) == 6
    renamed = structs.replace(spec, name="other", promise_days=5.0)
    assert alert_id(renamed, "posts", PARAMS, START) in ids
