"""One alert per episode: when it opens, how it goes on, when it is over."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec

from groundswell.watch.contract import Direction, Phase, SeriesPoint, TrackerSpec, WatchParams
from groundswell.watch.whatif import Tail

#: Windows without any that is unusual (holes too) after which an episode is over in any case.
LONGEST_CALM = 12


class Episode(msgspec.Struct):
    """An open episode of one tracker."""

    direction: Direction
    started_us: int
    opened_us: int
    last_unusual_us: int
    """Start of the last window that was unusual."""
    posts: int
    """Posts in its windows up to the last unusual one."""
    expected: float
    """Posts expected in them."""
    peak: SeriesPoint
    """The window farthest from what was expected."""
    least_p: float
    longest_return: float
    platform_rise: float = 1.0
    """By what factor the rest of the stream was above its expectation in the peak's window."""
    phase: Phase = "growing"
    calm: int = 0
    calm_posts: int = 0
    calm_expected: float = 0.0
    windows: int = 1
    course: list[tuple[int, Phase]] = []
    """When it came into which phase, by event time."""
    tail: Tail | None = None
    """The detector's rows before the peak's window."""
    evidence: dict[str, Any] = {}
    case: bytes = b""
    """What the evidence was made of besides posts."""


def alert_id(tracker: TrackerSpec, signal: str, params: WatchParams, started_us: int) -> str:
    """Id of an episode: a hash of tracker, version, signal, window size and start."""
    name = f"{tracker.id}|{tracker.version}|{signal}|{params.window_us}|{started_us}"
    return blake2b(name.encode(), digest_size=16).hexdigest()


def opens(point: SeriesPoint, promise_days: float, params: WatchParams) -> Direction | None:
    """Which way a scored window is unusual enough to open an episode, if it is."""
    if point.state in ("learning", "gap", "macro") or point.return_days is None or point.expected is None:
        return None
    if point.return_days < promise_days:
        return None
    excess = point.count - point.expected
    if excess >= params.min_excess:
        return "burst"
    return "drop" if -excess >= params.min_excess else None


def begin(point: SeriesPoint, direction: Direction, params: WatchParams) -> Episode:
    """The episode that opens with this window."""
    return Episode(
        direction=direction,
        started_us=point.start,
        opened_us=point.start + params.window_us,
        last_unusual_us=point.start,
        posts=point.count,
        expected=point.expected or 0.0,
        peak=point,
        least_p=1.0 if point.p_value is None else point.p_value,
        longest_return=point.return_days or 0.0,
        course=[(point.start + params.window_us, "growing")],
    )


def _distance(point: SeriesPoint) -> float:
    return abs(point.count - (point.expected or 0.0))


def is_unusual(episode: Episode, point: SeriesPoint, params: WatchParams) -> bool:
    """Whether the window still belongs to the episode."""
    if point.p_value is None or point.expected is None or point.state in ("gap", "learning"):
        return False
    side = point.count - point.expected
    return point.p_value <= params.stay_p and (side > 0) == (episode.direction == "burst")


def proceed(episode: Episode, point: SeriesPoint, params: WatchParams) -> bool:
    """Take the next closed window into the episode. Changes it; says whether the window was unusual."""
    before, unusual = episode.phase, _proceed(episode, point, params)
    if episode.phase != before:
        episode.course.append((point.start + params.window_us, episode.phase))
    return unusual


def _proceed(episode: Episode, point: SeriesPoint, params: WatchParams) -> bool:
    episode.windows += 1
    unusual = is_unusual(episode, point, params)
    if not unusual:
        episode.calm += 0 if point.state == "gap" else 1
        episode.calm_posts += point.count
        episode.calm_expected += point.expected or 0.0
        past = (point.start - episode.last_unusual_us) // params.window_us
        over = episode.calm >= params.close_after or past >= LONGEST_CALM
        episode.phase = "closed" if over else "fading"
        return False
    episode.calm = 0
    episode.posts += point.count + episode.calm_posts
    episode.expected += (point.expected or 0.0) + episode.calm_expected
    episode.calm_posts, episode.calm_expected = 0, 0.0
    episode.last_unusual_us = point.start
    episode.least_p = min(episode.least_p, 1.0 if point.p_value is None else point.p_value)
    episode.longest_return = max(episode.longest_return, point.return_days or 0.0)
    if _distance(point) >= _distance(episode.peak):
        episode.peak, episode.phase = point, "growing"
    else:
        episode.phase = "peak" if _distance(point) >= 0.7 * _distance(episode.peak) else "fading"
    return True
