"""One alert per episode of a tracker: when it opens, what joins it, how it goes on, when it is over.

Windows of every size and every signal that are rare enough are voices of one episode. Whether it goes on is decided by
windows of one size, its pace: the size that is shown first, or that of a larger window that opened it.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec

from groundswell.watch.contract import Direction, Phase, SeriesPoint, TrackerSpec, WatchParams
from groundswell.watch.whatif import Tail

#: Windows of its pace without any that is unusual (holes too) after which an episode is over in any case.
LONGEST_CALM = 12


class Voice(msgspec.Struct, frozen=True):
    """One signal in one window that is rare enough for an alert."""

    signal: str
    window_us: int
    start: int
    direction: Direction
    observed: float
    expected: float
    lower: float
    upper: float
    p_value: float
    return_days: float
    rarity: float
    """Return period against what the tracker's promise asks of this signal and size; at least 1."""

    @property
    def rank(self) -> tuple[float, float]:
        """The greater, the rarer."""
        return (self.rarity, -self.p_value)


class Episode(msgspec.Struct):
    """An open episode of one tracker."""

    direction: Direction
    started_us: int
    opened_us: int
    opened_signal: str
    opened_window_us: int
    pace_us: int
    """Size of the windows that decide whether it goes on."""
    end_us: int
    """End of the last window that was unusual."""
    posts: int
    """Posts from its start to that end."""
    expected: float
    """Posts expected in that time."""
    lead: Voice
    """The rarest of its voices."""
    peak: SeriesPoint
    """Posts in the window of `lead`, or in the one of its size that is farthest from what was expected."""
    voices: list[Voice]
    """The rarest of each signal and size, rarest first."""
    least_p: float
    longest_return: float
    platform_rise: float = 1.0
    """By what factor the rest of the stream was above its expectation in the peak's window."""
    farthest: float = 0.0
    """Distance from what was expected in the farthest window of its pace."""
    phase: Phase = "growing"
    calm: int = 0
    waiting_posts: int = 0
    """Posts after `end_us`."""
    waiting_expected: float = 0.0
    windows: int = 1
    course: list[tuple[int, Phase]] = []
    """When which phase began."""
    tail: Tail | None = None
    case: bytes = b""
    evidence: dict[str, Any] = {}

    @property
    def window_us(self) -> int:
        """Size of the rarest window."""
        return self.lead.window_us

    @property
    def last_unusual_us(self) -> int:
        """Start of a window of that size that ends with the last unusual one."""
        return self.end_us - self.lead.window_us


def alert_id(tracker: TrackerSpec, signal: str, window_us: int, started_us: int) -> str:
    """Id of an episode: a hash of tracker, version, and signal, window size and start of what opened it."""
    name = f"{tracker.id}|{tracker.version}|{signal}|{window_us}|{started_us}"
    return blake2b(name.encode(), digest_size=16).hexdigest()


def begin(voices: list[Voice], point: SeriesPoint, params: WatchParams) -> Episode:
    """The episode that opens with these voices of one closed window; `point` has the posts of that window."""
    voices = sorted(voices, key=lambda voice: voice.rank, reverse=True)
    lead = voices[0]
    end = lead.start + lead.window_us
    return Episode(
        direction=lead.direction,
        started_us=lead.start,
        opened_us=end,
        opened_signal=lead.signal,
        opened_window_us=lead.window_us,
        pace_us=max(params.window_us, lead.window_us),
        end_us=end,
        posts=point.count,
        expected=point.expected or 0.0,
        lead=lead,
        peak=point,
        voices=[voice for voice in voices if voice.direction == lead.direction],
        least_p=lead.p_value,
        longest_return=lead.return_days,
        course=[(end, "growing")],
    )


def _distance(point: SeriesPoint) -> float:
    return abs(point.count - (point.expected or 0.0))


def is_unusual(episode: Episode, point: SeriesPoint, params: WatchParams) -> bool:
    """Whether the posts of a window go on in the episode's direction."""
    if point.p_value is None or point.expected is None or point.state in ("gap", "learning"):
        return False
    side = point.count - point.expected
    return point.p_value <= params.stay_p and (side > 0) == (episode.direction == "burst")


def join(episode: Episode, voices: list[Voice], point: SeriesPoint) -> bool:
    """Let voices of a closed window join; `point` has its posts. Changes the episode; says whether its peak moved."""
    moved = False
    for voice in voices:
        if voice.direction != episode.direction:
            continue
        held = next((v for v in episode.voices if (v.signal, v.window_us) == (voice.signal, voice.window_us)), None)
        if held is None or voice.rank > held.rank:
            episode.voices = sorted(
                [voice, *(v for v in episode.voices if v is not held)], key=lambda v: v.rank, reverse=True
            )
        same = (voice.signal, voice.window_us) == (episode.lead.signal, episode.lead.window_us)
        if voice.rank > episode.lead.rank:
            episode.lead, episode.peak, moved = voice, point, True
        elif same and voice.signal == "posts" and _distance(point) >= _distance(episode.peak):
            episode.peak, moved = point, True
        episode.least_p = min(episode.least_p, voice.p_value)
        episode.longest_return = max(episode.longest_return, voice.return_days)
    return moved


def count_in(episode: Episode, point: SeriesPoint) -> None:
    """Count a window of the smallest size that closed after the episode had opened. Changes the episode."""
    episode.waiting_posts += point.count
    episode.waiting_expected += point.expected or 0.0


def proceed(episode: Episode, point: SeriesPoint, unusual: bool, params: WatchParams) -> None:
    """Take the next closed window of the episode's pace. Changes the episode."""
    end = point.start + episode.pace_us
    episode.windows += 1
    if unusual:
        extend(episode, end)
        episode.calm = 0
        if _distance(point) >= episode.farthest:
            episode.farthest = _distance(point)
            _turn(episode, "growing", end)
        else:
            _turn(episode, "peak" if _distance(point) >= 0.7 * episode.farthest else "fading", end)
        return
    episode.calm += 0 if point.state == "gap" else 1
    enough = max(1, params.close_after * params.window_us // episode.pace_us)
    over = episode.calm >= enough or end - episode.end_us >= LONGEST_CALM * episode.pace_us
    _turn(episode, "closed" if over else "fading", end)


def end_now(episode: Episode, at_us: int) -> None:
    """Nobody watches it any more. Changes the episode."""
    _turn(episode, "closed", at_us)


def extend(episode: Episode, end_us: int) -> None:
    """The episode goes on until `end_us` at least; what was counted since belongs to it. Changes the episode."""
    if end_us > episode.end_us:
        episode.end_us = end_us
        episode.posts += episode.waiting_posts
        episode.expected += episode.waiting_expected
        episode.waiting_posts, episode.waiting_expected = 0, 0.0


def _turn(episode: Episode, phase: Phase, at_us: int) -> None:
    if phase != episode.phase:
        episode.course = [*episode.course, (at_us, phase)]
    episode.phase = phase
