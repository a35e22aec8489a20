"""Closing windows: score them, let them teach, open and go on with episodes, and collect evidence.

Windows close in the order of their ends, small ones before the larger ones that end with them. What a larger window
holds is put together from the smallest ones. Cards are made when all windows that end at one instant are judged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from groundswell.watch.contract import DAY, AlertRecord, SeriesPoint, TrackerSpec, WatchParams
from groundswell.watch.emerging import flow as emerging
from groundswell.watch.emerging.records import TopicRecord
from groundswell.watch.episodes import Episode, alert_id, begin, count_in, extend, is_unusual, join, proceed
from groundswell.watch.evidence import Case, collect, detail, go_on, headline
from groundswell.watch.exposure import trend_of
from groundswell.watch.frames import PLATFORMS, STATE_NUMBER, Frame, Window, ring_of
from groundswell.watch.frozen import freeze
from groundswell.watch.holding import forget_posts, teach_profiles
from groundswell.watch.judging import Judged, Watched, gap_of, is_scored, judge, share_of
from groundswell.watch.recent import trim
from groundswell.watch.rules import record_of
from groundswell.watch.running import slide_of
from groundswell.watch.state import WatchState
from groundswell.watch.whatif import capture
from groundswell.watch.windows import NEVER, closing

Floats = npt.NDArray[np.float64]

#: What share of a tracker lives on which platform is known from so many of its last posts, or half as many.
MIX_POSTS: Final = 20_000.0


@dataclass
class Written:
    """What a step makes known: points, alerts and topics by their key, the last one counts."""

    points: dict[tuple[str, int, int], SeriesPoint] = field(default_factory=dict)
    alerts: dict[str, AlertRecord] = field(default_factory=dict)
    topics: dict[str, TopicRecord] = field(default_factory=dict)
    closed: int = 0


@dataclass(frozen=True)
class _Card:
    """An alert whose card is to be made."""

    slot: int
    episode: Episode


@dataclass(frozen=True)
class Closing:
    """A window of the smallest size that people can be told of; cards are to be made, topics and profiles to learn."""

    start: int
    end: int
    gap: npt.NDArray[np.bool_]
    """Which series did not watch it, the whole stream first."""
    posts: bool
    cards: list[_Card]


def close_windows(state: WatchState, watched: Watched, written: Written) -> Closing | None:
    """Close every window up to the watermark. Changes `state` and `written`.

    Returns:
        The last of them, which is judged and told of; it is to be settled before anything else happens to `state`.
        Null where none closed.
    """
    params = watched.params
    base = params.at(params.base_us)
    watermark = state.clock.watermark(params)
    if watermark is None or state.next_window == NEVER:
        return None
    last: Closing | None = None
    for start in closing(state.next_window, watermark, state.last_post, sorted(state.open), base):
        if last is None:
            # Only now, so that which posts a window keeps does not depend on when there was no room.
            state.recent = trim(state.recent, state.next_window, params.keep_of_each(len(state.keys)))
        else:
            make_cards(state, last, watched, written)
            settle(state, last, params, written)
        last = _judge_window(state, start, watched, written)
    state.next_window = max(state.next_window, watermark // base.window_us * base.window_us)
    state.seen.forget(state.next_window - params.dedup_us)
    state.observed.forget(state.next_window // DAY * DAY - DAY)
    state.books.close(state.next_window)
    _forget_late(state)
    _end_notices(state, watched, written)
    return last


def make_cards(state: WatchState, window: Closing, watched: Watched, written: Written) -> None:
    """Collect the evidence of the episodes that a judged window touched, and write their alerts once more."""
    for card in window.cards:
        _make_card(state, card, window.end, watched, written)


def settle(state: WatchState, window: Closing, params: WatchParams, written: Written) -> None:
    """Do what nobody waits for once a window is judged: topics, what is usual of a tracker's posts, and forgetting."""
    for topic in emerging.close(state.topics, window.start, params.topics):
        written.topics[topic.id] = topic
    if window.posts:
        teach_profiles(state, window.start, window.gap, params)
    if window.posts or window.end % _next_size(params) == 0:
        # Between the ends of larger windows nothing becomes unwanted where nothing came.
        forget_posts(state, window.end, params)


def _judge_window(state: WatchState, start: int, watched: Watched, written: Written) -> Closing:
    """Judge the window of the smallest size that starts at `start`, and all larger ones that end with it."""
    base = state.frames[0]
    touched: dict[int, bool] = {}
    for frame in state.frames[1:]:
        if frame.start != NEVER and frame.start + frame.window_us <= start:  # the stream was away
            _finish(state, frame, watched, written, touched)
    window = state.open.pop(start, None)
    end = start + base.window_us
    posts = window is not None
    window = window or Window.empty(len(state.keys))
    if window.counts[0]:
        state.last_post = start
    gap = _close(state, base, start, window, watched, written, touched)
    if posts:
        _learn_mix(state, window)
    _hand_on(state, base, start, window)
    for frame in state.frames[1:]:
        if frame.start != NEVER and frame.start + frame.window_us == end:
            _finish(state, frame, watched, written, touched)
        else:
            _look_between(state, frame, end, watched, touched)
    cards = _write_alerts(state, touched, end, watched, written)
    written.closed += 1
    return Closing(start, end, gap, posts, cards)


def _next_size(params: WatchParams) -> int:
    """The size after the smallest; the smallest where there is no other."""
    return params.sizes[1] if len(params.sizes) > 1 else params.base_us


def _hand_on(state: WatchState, frame: Frame, start: int, window: Window) -> None:
    """Put a window into those larger ones that are made of windows of its size."""
    for larger in state.frames:
        if larger.window_us > frame.window_us and slide_of(larger.window_us, _sizes(state)) == frame.window_us:
            larger.pass_by(start, frame.window_us, window)
            begin_us = start // larger.window_us * larger.window_us
            if larger.partial is None or larger.start != begin_us:
                larger.start, larger.partial = begin_us, window
            else:
                larger.partial = larger.partial.and_also(window)


def _sizes(state: WatchState) -> tuple[int, ...]:
    return tuple(frame.window_us for frame in state.frames)


def _look_between(state: WatchState, frame: Frame, end: int, watched: Watched, touched: dict[int, bool]) -> None:
    """Score the running window of a size that ends at `end`, if one does: it may open or join an episode, no more."""
    window = frame.running(end, slide_of(frame.window_us, _sizes(state)))
    if window is None or not state.keys or not is_scored(state, frame, watched.params):
        return
    start = end - frame.window_us
    trend = trend_of(state, frame, start, window, watched.params.at(frame.window_us))
    judged = judge(state, frame, start, window, trend.around, watched, running=True)
    for slot in sorted(judged.voices):
        _take(state, frame, slot, judged, watched, touched, running=True)


def _finish(state: WatchState, frame: Frame, watched: Watched, written: Written, touched: dict[int, bool]) -> None:
    start, window = frame.start, frame.partial
    frame.start, frame.partial = NEVER, None
    if window is not None:
        _close(state, frame, start, window, watched, written, touched)
        _hand_on(state, frame, start, window)


def _close(
    state: WatchState,
    frame: Frame,
    start: int,
    window: Window,
    watched: Watched,
    written: Written,
    touched: dict[int, bool],
) -> npt.NDArray[np.bool_]:
    """Close one window of one size; says which series did not watch it."""
    params = watched.params.at(frame.window_us)
    if not is_scored(state, frame, watched.params):
        return gap_of(state, frame, start, window, None, watched)
    trend = trend_of(state, frame, start, window, params)
    judged = judge(state, frame, start, window, trend.around, watched)
    frame.ring.append(judged.closed)
    while len(frame.ring) > ring_of(frame.window_us, watched.params):
        frame.ring.popleft()
    open_now = {slot for slot, series in enumerate(state.series) if series.episode is not None}
    for slot in sorted(open_now | judged.voices.keys()):
        _take(state, frame, slot, judged, watched, touched)
    for one in judged.heard.values():
        one.learn(start, params, ~judged.gap)
    trend.learn(frame, start, params, taught=not judged.gap[0])
    _add_late(state, frame, judged)
    points = judged.closed.points([tracker_id for tracker_id, _ in state.keys], frame.window_us)
    written.points |= {(point.tracker_id, point.window_s, start): point for point in points}
    return judged.gap


def _take(
    state: WatchState,
    frame: Frame,
    slot: int,
    judged: Judged,
    watched: Watched,
    touched: dict[int, bool],
    *,
    running: bool = False,
) -> None:
    """Put a scored window into the tracker's episode, or open one; `touched` says whose card is to be made."""
    params, series, closed = watched.params, state.series[slot], judged.closed
    point = closed.point(slot, state.keys[slot][0], frame.window_us)
    episode, voices = series.episode, judged.voices.get(slot, [])
    if episode is None:
        voices = [voice for voice in voices if voice.start >= series.told_us]
        if not voices:
            return
        episode = series.episode = begin(voices, point, params)
        whole = moved = True
    elif episode.phase == "closed":
        return
    else:
        if not running and frame is next(one for one in state.frames if is_scored(state, one, params)):
            count_in(episode, point)
        mine = [voice for voice in voices if voice.direction == episode.direction]
        moved = join(episode, mine, point)
        unusual = bool(mine) or is_unusual(episode, point, params)
        if frame.window_us == episode.pace_us and not running:
            proceed(episode, point, unusual, params)
            whole = unusual
        else:
            if mine and frame.window_us <= episode.pace_us:
                episode.calm = 0
                extend(episode, point.start + frame.window_us)
            whole = moved
        if not (whole or (frame.window_us == episode.pace_us and not running)):
            return
    if any(voice.signal == "posts" for voice in voices) or is_unusual(episode, point, params):
        closed.state[slot] = STATE_NUMBER["unusual"]
    if moved:
        posts = judged.heard["posts"]
        episode.peak = closed.point(slot, state.keys[slot][0], frame.window_us)
        episode.platform_rise = float(posts.scores.platform_rise[slot + 1])
        known, around = frame.detectors["posts"], posts.around
        episode.tail = capture(known, slot + 1, posts.values, closed.start, frame.window_us, around, posts.free)
    touched[slot] = touched.get(slot, False) or whole


def _write_alerts(
    state: WatchState, touched: dict[int, bool], end: int, watched: Watched, written: Written
) -> list[_Card]:
    """Write the alerts of the episodes that were touched; says whose cards are to be made when all else is told."""
    cards = []
    for slot, whole in sorted(touched.items()):
        series, tracker = state.series[slot], watched.trackers[slot]
        episode = series.episode
        if episode is None:
            continue
        is_new = False
        if tracker.id not in watched.without_evidence:
            is_new = not episode.evidence
            if is_new:
                episode.evidence = collect(_case(state, slot, episode, watched, with_posts=False))
            else:
                episode.evidence = go_on(episode.evidence, state.points(slot, episode.window_us), episode)
            if whole or is_new:
                cards.append(_Card(slot, episode))
        record = alert_of(tracker, episode, end, watched.params)
        written.alerts[record.id] = replace(record, detail="", has_card=False) if is_new else record
        if episode.phase == "closed":
            series.episode, series.told_us = None, episode.end_us
    return cards


def _make_card(state: WatchState, card: _Card, end: int, watched: Watched, written: Written) -> None:
    episode = card.episode
    case = _case(state, card.slot, episode, watched)
    episode.evidence, episode.case = collect(case), freeze(case)
    record = alert_of(watched.trackers[card.slot], episode, end, watched.params)
    written.alerts[record.id] = record


def _case(state: WatchState, slot: int, episode: Episode, watched: Watched, *, with_posts: bool = True) -> Case:
    series, params = state.series[slot], watched.params
    begin_us = min(episode.started_us, episode.peak.start)
    from_us = max(begin_us, episode.end_us - params.keep_us) if with_posts else episode.end_us
    posts, identities = state.recent.of(slot, from_us, episode.end_us)
    return Case(
        tracker=watched.trackers[slot],
        episode=episode,
        windows=state.points(slot, episode.window_us),
        posts=posts,
        profile=series.profile,
        own_words=watched.queries[slot].words,
        params=params.at(episode.window_us),
        learned_windows=int(state.frame(episode.window_us).detectors["posts"].seen[slot + 1]),
        identities=identities,
        needed_days=float(watched.promises[slot]) / share_of("posts", params),
    )


def alert_of(tracker: TrackerSpec, episode: Episode, updated_us: int, params: WatchParams) -> AlertRecord:
    """The record of an episode as it stands."""
    peak, evidence = episode.peak, episode.evidence
    return AlertRecord(
        id=alert_id(tracker, episode.opened_signal, episode.opened_window_us, episode.started_us),
        tracker_id=tracker.id,
        tracker_version=tracker.version,
        signal=episode.lead.signal,
        window_s=episode.window_us // 1_000_000,
        direction=episode.direction,
        phase=episode.phase,
        started_at=episode.started_us,
        opened_at=episode.opened_us,
        updated_at=updated_us,
        closed_at=updated_us if episode.phase == "closed" else None,
        observed=peak.count,
        expected=peak.expected or 0.0,
        lower=peak.lower or 0.0,
        upper=peak.upper or 0.0,
        p_value=episode.least_p,
        return_days=episode.longest_return,
        posts=episode.posts,
        authors=int(evidence.get("authors_total", 0)),
        headline=headline(tracker.name, episode, params.at(episode.window_us)),
        detail=detail(evidence) if evidence else "",
        evidence=evidence,
        case=episode.case,
    )


def _end_notices(state: WatchState, watched: Watched, written: Written) -> None:
    """Close the alerts of the rule that does not wait for a window, once they have been quiet for long."""
    for slot, series in enumerate(state.series):
        notice = series.notice
        if notice is not None and notice.due_us(watched.params.base_us) <= state.next_window:
            end_notice(state, slot, watched, written)


def end_notice(state: WatchState, slot: int, watched: Watched, written: Written) -> None:
    """Close the alert of a tracker's immediate rule."""
    series, tracker = state.series[slot], watched.trackers[slot]
    if series.notice is not None:
        over = series.notice.due_us(watched.params.base_us)
        record = record_of(tracker, series.notice, watched.queries[slot].words, watched.params, over_us=over)
        written.alerts[record.id] = record
        series.notice = None


def _add_late(state: WatchState, frame: Frame, judged: Judged) -> None:
    """Add the posts that came late for this very window: its count and `late` grow, its score stays."""
    mine = [key for key in state.late if key[:2] == (frame.window_us, judged.closed.start)]
    for key in mine:
        late = state.late.pop(key)
        judged.closed.count[key[2]] += late
        judged.closed.late[key[2]] += late


def _forget_late(state: WatchState) -> None:
    """Let go of late posts for windows that were not scored, or passed over in a silence."""
    # A larger window that a silence cut short ends with the next one that closes.
    pending = {(frame.window_us, frame.start) for frame in state.frames}
    state.late = {
        (size, start, slot): count
        for (size, start, slot), count in state.late.items()
        if start + size > state.next_window or (size, start) in pending
    }


def _learn_mix(state: WatchState, window: Window) -> None:
    """Learn on which platforms a tracker's posts are; the past fades with further posts."""
    trackers, platforms = len(state.keys), len(state.platforms)
    mix = np.zeros((trackers, platforms))
    mix[:, : state.mix.shape[1]] = state.mix
    tally = window.tallies.get(PLATFORMS)
    if tally is not None:
        mix[tally.slots, tally.keys] += tally.counts
    full = mix.sum(axis=1) > MIX_POSTS
    mix[full] /= 2.0
    state.mix = mix
