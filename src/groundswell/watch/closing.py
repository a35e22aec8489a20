"""Closing windows: score them, let them teach, open and go on with episodes, and collect evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from msgspec import structs

from groundswell.query import Query
from groundswell.watch.contract import AlertRecord, SeriesPoint, TrackerSpec, WatchParams, WindowState
from groundswell.watch.detector import Scores, forecast, learn, score
from groundswell.watch.episodes import Episode, alert_id, begin, is_unusual, opens, proceed
from groundswell.watch.evidence import Case, collect, detail, go_on, headline
from groundswell.watch.frozen import freeze
from groundswell.watch.profiles import learn_posts
from groundswell.watch.recent import prune
from groundswell.watch.state import Key, Series, WatchState
from groundswell.watch.whatif import Tail, capture
from groundswell.watch.windows import NEVER, closing, is_covered

SIGNAL = "posts"


@dataclass
class Written:
    """What a step makes known: points and alerts by their key, the last one counts."""

    points: dict[tuple[str, int], SeriesPoint] = field(default_factory=dict)
    alerts: dict[str, AlertRecord] = field(default_factory=dict)
    late: dict[tuple[int, int], int] = field(default_factory=dict)
    """Late posts, by tracker's row and window, of windows that this step itself closes."""
    closed: int = 0


@dataclass(frozen=True)
class Watched:
    """The trackers in force and their parsed queries."""

    trackers: Sequence[TrackerSpec]
    queries: Sequence[Query]
    covered: Sequence[tuple[int, int]] | None
    params: WatchParams


def close_windows(state: WatchState, watched: Watched, written: Written) -> None:
    """Close every window up to the watermark. Changes `state` and `written`."""
    params = watched.params
    watermark = state.clock.watermark(params)
    if watermark is None or state.next_window == NEVER:
        return
    starts = closing(state.next_window, watermark, state.last_post, sorted(state.counts), params)
    before = written.closed
    for start in starts:
        if written.closed == before:
            # Only now, so that which posts a window keeps does not depend on when there was no room.
            state.recent = prune(state.recent, params.keep_posts)
        _close(state, start, watched, written)
    after = watermark // params.window_us * params.window_us
    state.next_window = max(state.next_window, after)
    if written.closed > before:
        _forget_posts(state, state.next_window - params.window_us, params)
    state.seen.forget(state.next_window - params.dedup_windows * params.window_us)


def _close(state: WatchState, start: int, watched: Watched, written: Written) -> None:
    params = watched.params
    counts = state.counts.pop(start, None)
    if counts is None:
        counts = np.zeros(len(state.keys) + 1, dtype=np.int64)
    if counts[0]:
        state.last_post = start
    values = counts.astype(np.float64)
    ahead = forecast(state.detector, start, params)
    scores = score(state.detector, values, start, params, ahead)
    begun = np.array([state.first_us, *(series.first_us for series in state.series)], dtype=np.int64)
    hole = _is_hole(counts, scores, start, watched)
    gap = (begun > start) | hole
    points = _points(state.keys, counts, scores, gap, start, watched)
    tails = {
        slot: capture(state.detector, slot + 1, values, start, params.window_us)
        for slot, (point, series) in enumerate(zip(points, state.series, strict=True))
        if series.episode is not None or opens(point, watched.trackers[slot].promise_days, params)
    }
    learn(state.detector, values, start, params, ~gap, ahead)
    written.closed += 1
    for slot, (point, rise) in enumerate(zip(points, scores.platform_rise[1:].tolist(), strict=True)):
        _take(state, slot, point, (rise, tails.get(slot)), watched, written)
    _teach_profiles(state, start, gap[1:])


def _is_hole(counts: npt.NDArray[np.int64], scores: Scores, start: int, watched: Watched) -> bool:
    if watched.covered is not None:
        return not is_covered(start, watched.covered, watched.params)
    expected = float(scores.expected[0]) if scores.platform_ratio is not None else 0.0
    return counts[0] == 0 and expected >= watched.params.hole_expected


def _points(
    keys: Sequence[Key],
    counts: npt.NDArray[np.int64],
    scores: Scores,
    gap: npt.NDArray[np.bool_],
    start: int,
    watched: Watched,
) -> list[SeriesPoint]:
    """The window of each tracker as the detector sees it; episodes may call it unusual later."""
    p_value = np.where(scores.drop, scores.p_drop, scores.p_burst)
    columns = (counts, scores.expected, scores.lower, scores.upper, p_value, scores.return_days, scores.alone_days)
    ratio = scores.platform_ratio
    length = watched.params.window_us // 1_000_000
    points = []
    rows = zip(*(column[1:].tolist() for column in (*columns, gap, scores.learning)), strict=True)
    for number, (count, expected, lower, upper, p, days, alone, missing, young) in enumerate(rows):
        tracker, window_state = keys[number][0], _state_of(missing, young)
        if missing or young:
            points.append(SeriesPoint(tracker, length, start, count, None, None, None, None, None, ratio, window_state))
            continue
        promise = watched.trackers[number].promise_days
        if days < promise <= alone and abs(count - expected) >= watched.params.min_excess:
            window_state = "macro"
        points.append(SeriesPoint(tracker, length, start, count, expected, lower, upper, p, days, ratio, window_state))
    return points


def _state_of(missing: bool, young: bool) -> WindowState:
    if missing:
        return "gap"
    return "learning" if young else "usual"


def _take(
    state: WatchState,
    slot: int,
    point: SeriesPoint,
    around: tuple[float, Tail | None],
    watched: Watched,
    written: Written,
) -> None:
    """Put a scored window into its series and its episode, and say what became of it.

    `around` is by what factor the stream rose, and what the detector knew before the window.
    """
    params, series, tracker = watched.params, state.series[slot], watched.trackers[slot]
    episode, unusual = series.episode, False
    if episode is not None:
        unusual = is_unusual(episode, point, params)
        point = _as_unusual(point) if unusual else point
        proceed(episode, point, params)
    else:
        direction = opens(point, tracker.promise_days, params)
        if direction is not None:
            point, unusual = _as_unusual(point), True
            episode = series.episode = begin(point, direction, params)
    _append(series, point, params)
    written.points[(tracker.id, point.start)] = point
    if episode is None:
        return
    if episode.peak is point:
        episode.platform_rise, episode.tail = around
    _update_evidence(state, slot, episode, watched, whole=unusual)
    record = alert_of(tracker, episode, point.start + params.window_us, params)
    written.alerts[record.id] = record
    if episode.phase == "closed":
        series.episode = None


def _as_unusual(point: SeriesPoint) -> SeriesPoint:
    return structs.replace(point, state="unusual")


def _append(series: Series, point: SeriesPoint, params: WatchParams) -> None:
    series.points.append(point)
    while len(series.points) > params.ring:
        series.points.popleft()


def _update_evidence(state: WatchState, slot: int, episode: Episode, watched: Watched, *, whole: bool) -> None:
    """Collect the evidence anew, or only its windows where nothing else changed."""
    series = state.series[slot]
    if not whole and episode.evidence:
        episode.evidence = go_on(episode.evidence, series.points, episode)
        return
    end = episode.last_unusual_us + watched.params.window_us
    begin_us = max(episode.started_us, end - watched.params.keep_windows * watched.params.window_us)
    posts, identities = state.recent.of(slot, begin_us, end)
    case = Case(
        tracker=watched.trackers[slot],
        episode=episode,
        windows=list(series.points),
        posts=posts,
        profile=series.profile,
        own_words=watched.queries[slot].words,
        params=watched.params,
        learned_windows=int(state.detector.seen[slot + 1]),
        identities=identities,
    )
    episode.evidence, episode.case = collect(case), freeze(case)


def alert_of(tracker: TrackerSpec, episode: Episode, updated_us: int, params: WatchParams) -> AlertRecord:
    """The record of an episode as it stands."""
    peak, evidence = episode.peak, episode.evidence
    return AlertRecord(
        id=alert_id(tracker, SIGNAL, params, episode.started_us),
        tracker_id=tracker.id,
        tracker_version=tracker.version,
        signal=SIGNAL,
        window_s=params.window_us // 1_000_000,
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
        authors=int(evidence["authors_total"]),
        headline=headline(tracker.name, episode, params),
        detail=detail(evidence),
        evidence=evidence,
        case=episode.case,
    )


def _teach_profiles(state: WatchState, start: int, gap: npt.NDArray[np.bool_]) -> None:
    """Windows without an episode teach what a tracker's posts are usually like."""
    pairs = state.recent.pairs
    for slot in np.unique(pairs.slot[pairs.window == start]).tolist():
        series = state.series[slot]
        if series.episode is None and not gap[slot]:
            posts, _ = state.recent.of(slot, start, start + 1)
            learn_posts(series.profile, posts)


def _forget_posts(state: WatchState, start: int, params: WatchParams) -> None:
    """Drop posts of closed windows, but those of open episodes (their last `keep_windows` windows)."""
    pairs = state.recent.pairs
    if len(pairs.slot) == 0:
        return
    oldest = start - (params.keep_windows - 1) * params.window_us
    kept_from = np.array(
        [start + 1 if series.episode is None else max(series.episode.started_us, oldest) for series in state.series],
        dtype=np.int64,
    )
    wanted = pairs.window >= kept_from[pairs.slot]
    state.recent = prune(state.recent, params.keep_posts, wanted)
