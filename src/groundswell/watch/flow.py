"""One step of the watch: match, count, close windows, score, open and close alerts. Pure and deterministic.

`step(state, batch, trackers, params)` gives the next state and what to write. It does not depend on where
batches end: the same records in the same order give the same points and alerts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.query import Matcher, Query, parse
from groundswell.watch import closing
from groundswell.watch.closing import Closing, Written, alert_of, close_windows, end_notice
from groundswell.watch.contract import (
    AlertRecord,
    Arrivals,
    Ints,
    SeriesPoint,
    StepOutput,
    TrackerSpec,
    WatchBatch,
    WatchParams,
)
from groundswell.watch.counting import Counted, count
from groundswell.watch.emerging import flow as emerging
from groundswell.watch.episodes import Episode, end_now
from groundswell.watch.judging import Watched
from groundswell.watch.recent import SOURCES, kept_columns, prune
from groundswell.watch.rules import Hit, noticed, record_of, runs_of
from groundswell.watch.snapshot import dump_state, load_state
from groundswell.watch.state import Key, Series, WatchState, align
from groundswell.watch.warm import History, warm_start, warm_start_all
from groundswell.watch.windows import NEVER, advance

Bools = npt.NDArray[np.bool_]

#: The trackers that were compiled last, as the very tuple that was given, and what came of it: thousands are not
#: compared for each batch.
_latest: Final[list[Any]] = [None, None]


@dataclasses.dataclass(frozen=True)
class Rest:
    """What is left to do of a step once people can be told of it: first the cards, then the rest."""

    closing: Closing | None
    watched: Watched


def step(
    state: WatchState, batch: WatchBatch, trackers: Sequence[TrackerSpec], params: WatchParams
) -> tuple[WatchState, StepOutput]:
    """The next state and what this batch made known.

    `trackers` are those in force, their order the same from step to step where the trackers are. The given
    `state` is used up: it must not be used again (a failed step is repeated from a snapshot).

    Raises:
        QuerySyntaxError: a tracker's query does not parse.
    """
    state, output, rest = look(state, batch, trackers, params)
    return state, output.and_then(make_cards(state, rest)).and_then(settle(state, rest))


def look(
    state: WatchState, batch: WatchBatch, trackers: Sequence[TrackerSpec], params: WatchParams
) -> tuple[WatchState, StepOutput, Rest]:
    """The first part of a `step`: everything that people wait for. The state is not complete until it is settled."""
    state = dataclasses.replace(state)
    written = Written()
    queries, matcher = compiled(trackers)
    _end_alerts(state, align(state, trackers, params), params, written)
    _end_lost(state, params, written)
    watched = Watched(trackers, queries, batch.covered, params)
    arrivals = batch.arrivals
    before, ahead = _in_time(state, arrivals, params)
    duplicates = late = 0
    if len(arrivals):
        found = count(state, arrivals, before, ahead, matcher, trackers, params)
        _count_topics(state, arrivals, found, trackers, params)
        _note_late(state, found, params, written)
        _notice(state, arrivals, found.hits, watched, written)
        duplicates, late = int((~found.new & ~ahead).sum()), int(found.late.sum())
    state.clock = state.clock.tick(batch.clock_us)
    last = close_windows(state, watched, written)
    output = StepOutput(
        points=list(written.points.values()),
        alerts=list(written.alerts.values()),
        future=arrivals.record[ahead],
        duplicates=duplicates,
        late=late,
        watermark_us=state.clock.watermark(params),
        closed=written.closed,
        topics=list(written.topics.values()),
    )
    return state, output, Rest(last, watched)


def make_cards(state: WatchState, rest: Rest) -> StepOutput:
    """The second part of a `step`: the cards of its alerts. Changes `state`."""
    written = Written()
    if rest.closing is not None:
        closing.make_cards(state, rest.closing, rest.watched, written)
    return StepOutput(alerts=list(written.alerts.values()))


def settle(state: WatchState, rest: Rest) -> StepOutput:
    """The last part of a `step`: topics, learning and forgetting. Changes `state`."""
    written, params = Written(), rest.watched.params
    if rest.closing is not None:
        closing.settle(state, rest.closing, params, written)
        state.recent = prune(state.recent, params.keep_of_each(len(state.keys)))
    emerging.make_room(state.topics, params.topics)
    return StepOutput(topics=list(written.topics.values()))


def compiled(trackers: Sequence[TrackerSpec]) -> tuple[tuple[Query, ...], Matcher]:
    """The queries of trackers, and all of them as one; the same object where the queries are the same."""
    if not isinstance(trackers, tuple):
        return _compiled(tuple(tracker.query for tracker in trackers))
    of, found = _latest
    if of is not trackers:
        found = _compiled(tuple(tracker.query for tracker in trackers))
        _latest[:] = (trackers, found)
    queries, matcher = found
    return queries, matcher


@lru_cache(maxsize=8)
def _compiled(queries: tuple[str, ...]) -> tuple[tuple[Query, ...], Matcher]:
    parsed = tuple(parse(query) for query in queries)
    return parsed, Matcher([query.root for query in parsed])


def _end_alerts(state: WatchState, gone: list[tuple[Key, Series]], params: WatchParams, written: Written) -> None:
    """Close the alerts of trackers that were removed or changed."""
    for _, series in gone:
        tracker = series.tracker
        if tracker is None:
            continue
        if series.episode is not None:
            _end_episode(state, series.episode, tracker, params, written)
        if series.notice is not None:
            end = max(state.next_window, series.notice.last_us)
            record = record_of(tracker, series.notice, parse(tracker.query).words, params, over_us=end)
            written.alerts[record.id] = record


def _end_lost(state: WatchState, params: WatchParams, written: Written) -> None:
    """Close the alerts of episodes whose windows are of a size that is not counted any more."""
    for series in state.series:
        episode, tracker = series.episode, series.tracker
        if episode is None or tracker is None or {episode.pace_us, episode.window_us} <= set(params.sizes):
            continue
        _end_episode(state, episode, tracker, params, written)
        series.episode, series.told_us = None, episode.end_us


def _end_episode(
    state: WatchState, episode: Episode, tracker: TrackerSpec, params: WatchParams, written: Written
) -> None:
    end = max(state.next_window, episode.end_us)
    end_now(episode, end)
    record = alert_of(tracker, episode, end, params)
    written.alerts[record.id] = record


def _in_time(state: WatchState, arrivals: Arrivals, params: WatchParams) -> tuple[Ints, Bools]:
    """How far the stream was before each post, and which lie in the future. Moves the state's clock."""
    events, heard = arrivals.event_us, arrivals.received_us
    ahead = events > heard + params.future_us
    before = np.full(len(events), NEVER, dtype=np.int64)
    before[~ahead], state.clock = advance(state.clock, events[~ahead], heard[~ahead], params)
    if state.next_window == NEVER and not ahead.all():
        state.first_us = int(events[~ahead][0])
        state.next_window = (state.first_us - params.lateness_us) // params.base_us * params.base_us
        state.last_post = state.next_window
    return before, ahead


def _count_topics(
    state: WatchState, arrivals: Arrivals, found: Counted, trackers: Sequence[TrackerSpec], params: WatchParams
) -> None:
    ids = [tracker.id for tracker in trackers]
    emerging.add(state.topics, arrivals, found.taken, found.windows, params.base_us, params.topics, found.pairs, ids)


def _note_late(state: WatchState, found: Counted, params: WatchParams, written: Written) -> None:
    """Add late posts to the windows that are closed, and remember them for larger ones that are not."""
    for slot, first in zip(found.late_pairs.slot.tolist(), found.late_starts.tolist(), strict=True):
        for frame in state.frames:
            start = first // frame.window_us * frame.window_us
            if start + frame.window_us > state.next_window:
                key = (frame.window_us, start, slot)
                state.late[key] = state.late.get(key, 0) + 1
                continue
            closed = frame.closed(start)
            if closed is not None and closed.is_there(slot):
                closed.count[slot] += 1
                closed.late[slot] += 1
                point = closed.point(slot, state.keys[slot][0], frame.window_us)
                written.points[point.tracker_id, point.window_s, start] = point


def _notice(state: WatchState, arrivals: Arrivals, hits: Sequence[Hit], watched: Watched, written: Written) -> None:
    """Open or go on with alerts of the rule that does not wait for a window."""
    if not hits:
        return
    rows = np.unique([hit.row for hit in hits])
    posts = kept_columns(arrivals.take(rows, SOURCES))
    of_slot: dict[int, list[Hit]] = {}
    for hit in hits:
        of_slot.setdefault(hit.slot, []).append(hit)
    for slot, mine in sorted(of_slot.items()):
        series = state.series[slot]
        for over, some in runs_of(series.notice, mine, watched.params.base_us):
            if over:
                end_notice(state, slot, watched, written)
            among = np.array([hit.row for hit in some])
            found = posts.take(pa.array(np.searchsorted(rows, among)))
            series.notice = noticed(series.notice, some, found, arrivals.identity[among].tolist())
        if series.notice is not None:
            record = record_of(watched.trackers[slot], series.notice, watched.queries[slot].words, watched.params)
            written.alerts[record.id] = record


__all__ = [
    "AlertRecord",
    "History",
    "SeriesPoint",
    "StepOutput",
    "TrackerSpec",
    "WatchBatch",
    "WatchParams",
    "WatchState",
    "dump_state",
    "load_state",
    "step",
    "warm_start",
    "warm_start_all",
]
