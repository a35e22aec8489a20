from __future__ import annotations

from msgspec import structs

from groundswell.testing.streams import START, tracker
from groundswell.watch.contract import MINUTE, Direction, SeriesPoint, WatchParams, WindowState
from groundswell.watch.episodes import (
    LONGEST_CALM,
    Episode,
    Voice,
    alert_id,
    begin,
    count_in,
    is_unusual,
    join,
    proceed,
)

PARAMS = WatchParams()
MANY = WatchParams(windows_us=(MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE))


def window(
    number: int, count: int, *, expected: float = 10.0, p: float = 1e-6, state: WindowState = "usual", minutes: int = 5
) -> SeriesPoint:
    start = START + number * minutes * MINUTE
    return SeriesPoint("t", minutes * 60, start, count, expected, expected / 2, expected * 2, p, 100.0, 1.0, state)


def voice(point: SeriesPoint, rarity: float = 2.0, signal: str = "posts") -> Voice:
    expected = point.expected or 0.0
    direction: Direction = "burst" if point.count > expected else "drop"
    return Voice(
        signal, point.window_s * 1_000_000, point.start, direction, point.count, expected, 0, 0, 1e-6, 100.0, rarity
    )


def opened(point: SeriesPoint, params: WatchParams = PARAMS) -> Episode:
    return begin([voice(point)], point, params)


def test_an_episode_opens_with_the_rarest_of_its_voices() -> None:
    point = window(0, 30)
    authors = voice(point, rarity=5.0, signal="authors")
    episode = begin([voice(point), authors], point, PARAMS)
    assert (episode.lead.signal, episode.opened_signal) == ("authors", "authors")
    assert [one.signal for one in episode.voices] == ["authors", "posts"]
    assert (episode.started_us, episode.opened_us) == (START, START + 5 * MINUTE)


def test_a_rarer_voice_of_a_larger_window_leads_and_the_name_stays() -> None:
    episode = opened(window(0, 30, minutes=1), MANY)
    assert episode.pace_us == 5 * MINUTE
    before = alert_id(tracker("t", "t"), episode.opened_signal, episode.opened_window_us, episode.started_us)
    large = window(0, 90)
    assert join(episode, [voice(large, rarity=9.0)], large)
    assert (episode.lead.window_us, episode.peak.count) == (5 * MINUTE, 90)
    assert alert_id(tracker("t", "t"), episode.opened_signal, episode.opened_window_us, episode.started_us) == before
    assert not join(episode, [voice(window(0, 99, minutes=15), rarity=3.0)], window(0, 99, minutes=15))
    assert [one.window_us // MINUTE for one in episode.voices] == [5, 15, 1]


def test_a_voice_of_the_other_direction_does_not_join() -> None:
    episode = opened(window(0, 30))
    drop = window(1, 0)
    assert not join(episode, [voice(drop, rarity=99.0)], drop)
    assert len(episode.voices) == 1


def test_posts_are_counted_once_up_to_the_last_unusual_window() -> None:
    episode = opened(window(0, 30))
    for number, count in ((1, 40), (2, 8), (3, 35), (4, 9)):
        point = window(number, count)
        count_in(episode, point)
        proceed(episode, point, count > 20, PARAMS)
    assert (episode.posts, episode.expected) == (30 + 40 + 8 + 35, 40.0)
    assert episode.end_us == START + 20 * MINUTE


def test_it_ends_after_some_usual_windows_of_its_pace() -> None:
    episode = opened(window(0, 30))
    for number in range(1, PARAMS.close_after):
        proceed(episode, window(number, 10), False, PARAMS)
        assert episode.phase == "fading"
    proceed(episode, window(9, 10), False, PARAMS)
    assert episode.phase == "closed"
    assert [phase for _, phase in episode.course] == ["growing", "fading", "closed"]


def test_what_an_hour_opened_ends_after_one_usual_hour() -> None:
    episode = opened(window(0, 300, minutes=60), MANY)
    assert episode.pace_us == 60 * MINUTE
    proceed(episode, window(1, 10, minutes=60), False, MANY)
    assert episode.phase == "closed"


def test_holes_do_not_calm_it_but_cannot_hold_it_open_for_ever() -> None:
    episode = opened(window(0, 30))
    for number in range(1, LONGEST_CALM):
        proceed(episode, window(number, 0, state="gap"), False, PARAMS)
        assert episode.phase == "fading"
    proceed(episode, window(LONGEST_CALM, 0, state="gap"), False, PARAMS)
    assert episode.phase == "closed"


def test_its_phase_follows_its_windows() -> None:
    episode = opened(window(0, 30))
    phases = []
    for number, count in enumerate((60, 50, 25), start=1):
        proceed(episode, window(number, count), True, PARAMS)
        phases.append(episode.phase)
    assert phases == ["growing", "peak", "fading"]


def test_a_window_on_the_other_side_or_without_a_score_is_not_part_of_it() -> None:
    episode = opened(window(0, 30))
    assert is_unusual(episode, window(1, 40), PARAMS)
    assert not is_unusual(episode, window(1, 0), PARAMS)
    assert not is_unusual(episode, window(1, 40, p=0.5), PARAMS)
    assert not is_unusual(episode, structs.replace(window(1, 40), p_value=None), PARAMS)


def test_the_id_of_an_alert_says_which_episode_it_is() -> None:
    one = alert_id(tracker("t", "t"), "posts", 300_000_000, START)
    assert one == alert_id(tracker("t", "t"), "posts", 300_000_000, START)
    others = {
        alert_id(tracker("t", "t", version=2), "posts", 300_000_000, START),
        alert_id(tracker("t", "t"), "authors", 300_000_000, START),
        alert_id(tracker("t", "t"), "posts", 60_000_000, START),
        alert_id(tracker("t", "t"), "posts", 300_000_000, START + MINUTE),
    }
    assert len(others | {one}) == 5
