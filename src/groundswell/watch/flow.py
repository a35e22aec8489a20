"""One step of the watch: match, count, close windows, score, open and close alerts. Pure and deterministic.

`step(state, batch, trackers, params)` gives the next state and what to write. It does not depend on where
batches end: the same records in the same order give the same points and alerts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from msgspec import structs

from groundswell.query import Matcher, Query, parse
from groundswell.watch.closing import Watched, Written, alert_of, close_windows
from groundswell.watch.contract import (
    AlertRecord,
    Arrivals,
    Pairs,
    SeriesPoint,
    StepOutput,
    TrackerSpec,
    WatchBatch,
    WatchParams,
)
from groundswell.watch.recent import remember
from groundswell.watch.snapshot import dump_state, load_state
from groundswell.watch.state import Key, Series, WatchState, align
from groundswell.watch.warm import History, warm_start, warm_start_all
from groundswell.watch.windows import NEVER, advance, is_late, window_of

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def step(
    state: WatchState, batch: WatchBatch, trackers: Sequence[TrackerSpec], params: WatchParams
) -> tuple[WatchState, StepOutput]:
    """The next state and what this batch made known.

    `trackers` are those in force, their order the same from step to step where the trackers are. The given
    `state` is used up: it must not be used again (a failed step is repeated from a snapshot).

    Raises:
        QuerySyntaxError: a tracker's query does not parse.
    """
    state = dataclasses.replace(state)
    written = Written()
    queries, matcher = _compiled(tuple(tracker.query for tracker in trackers))
    _end_episodes(state, align(state, trackers, params), params, written)
    watched = Watched(trackers, queries, batch.covered, params)
    arrivals = batch.arrivals
    before, ahead = _in_time(state, arrivals, params)
    duplicates = late = 0
    if len(arrivals):
        duplicates, late = _count(state, arrivals, before, ahead, matcher, params, written)
    state.clock = state.clock.tick(batch.clock_us)
    close_windows(state, watched, written)
    _revise_points(state, written)
    return state, StepOutput(
        points=list(written.points.values()),
        alerts=list(written.alerts.values()),
        future=arrivals.record[ahead],
        duplicates=duplicates,
        late=late,
        watermark_us=state.clock.watermark(params),
        closed=written.closed,
    )


@lru_cache(maxsize=8)
def _compiled(queries: tuple[str, ...]) -> tuple[tuple[Query, ...], Matcher]:
    parsed = tuple(parse(query) for query in queries)
    return parsed, Matcher([query.root for query in parsed])


def _end_episodes(state: WatchState, gone: list[tuple[Key, Series]], params: WatchParams, written: Written) -> None:
    """Close the episodes of trackers that were removed or changed."""
    for _, series in gone:
        if series.episode is not None and series.tracker is not None:
            series.episode.phase = "closed"
            end = max(state.next_window, series.episode.last_unusual_us + params.window_us)
            record = alert_of(series.tracker, series.episode, end, params)
            written.alerts[record.id] = record


def _in_time(state: WatchState, arrivals: Arrivals, params: WatchParams) -> tuple[Ints, Bools]:
    """How far the stream was before each post, and which lie in the future. Moves the state's clock."""
    events, heard = arrivals.event_us, arrivals.received_us
    ahead = events > heard + params.future_us
    before = np.full(len(events), NEVER, dtype=np.int64)
    before[~ahead], state.clock = advance(state.clock, events[~ahead], heard[~ahead], params)
    if state.next_window == NEVER and not ahead.all():
        state.first_us = int(events[~ahead][0])
        state.next_window = (state.first_us - params.lateness_us) // params.window_us * params.window_us
        state.last_post = state.next_window
    return before, ahead


def _count(
    state: WatchState,
    arrivals: Arrivals,
    before: Ints,
    ahead: Bools,
    matcher: Matcher,
    params: WatchParams,
    written: Written,
) -> tuple[int, int]:
    """Count posts into their windows, keep those that match; returns how many were duplicates and late."""
    windows = window_of(arrivals.event_us, params)
    late = is_late(windows, before, params)
    horizon = np.where(before == NEVER, NEVER, window_of(before - params.lateness_us, params))
    checked = ~ahead & (~late | (windows >= horizon - params.dedup_windows * params.window_us))
    new = ~ahead
    new[checked] = state.seen.add(windows[checked], arrivals.identity[checked])
    counted = new & ~late
    pairs = arrivals.pairs(matcher)
    _add_counts(state, pairs, windows, counted)
    mine = counted[pairs.row]
    kept = Pairs(pairs.slot[mine], pairs.row[mine])
    state.recent = remember(state.recent, arrivals, kept, windows[kept.row], params.keep_posts)
    revised = (new & late & (windows >= horizon - params.ring * params.window_us))[pairs.row]
    _note_late(state, pairs.slot[revised], windows[pairs.row[revised]], written)
    return int((~new & ~ahead).sum()), int((late & new).sum())


def _add_counts(state: WatchState, pairs: Pairs, windows: Ints, counted: Bools) -> None:
    """Count the posts in `counted` for the whole stream and for the trackers that they match."""
    width = len(state.keys) + 1
    starts, number = np.unique(windows[counted], return_inverse=True)
    totals = np.bincount(number, minlength=len(starts))
    mine = counted[pairs.row]
    cell = np.searchsorted(starts, windows[pairs.row[mine]]) * width + pairs.slot[mine] + 1
    sums = np.bincount(cell, minlength=len(starts) * width).reshape(len(starts), width)
    sums[:, 0] = totals
    for start, new in zip(starts.tolist(), sums, strict=True):
        held = state.counts.get(start)
        state.counts[start] = new.astype(np.int64) if held is None else held + new


def _note_late(state: WatchState, slots: Ints, starts: Ints, written: Written) -> None:
    """Revise windows closed before this step at once; those that this step closes are revised after it."""
    for slot, start in zip(slots.tolist(), starts.tolist(), strict=True):
        if start >= state.next_window:
            written.late[(slot, start)] = written.late.get((slot, start), 0) + 1
        else:
            _revise(state, slot, start, 1, written)


def _revise_points(state: WatchState, written: Written) -> None:
    for (slot, start), late in written.late.items():
        _revise(state, slot, start, late, written)


def _revise(state: WatchState, slot: int, start: int, late: int, written: Written) -> None:
    """Add late posts to a closed window: its count and `late` grow, its score stays."""
    ring = state.series[slot].points
    key = (state.keys[slot][0], start)
    point = written.points.get(key)
    at = next((n for n in range(len(ring) - 1, -1, -1) if ring[n].start <= start), -1)
    held = at >= 0 and ring[at].start == start
    point = ring[at] if held else point
    if point is None:
        return
    revised = structs.replace(point, count=point.count + late, late=point.late + late)
    written.points[key] = revised
    if held:
        ring[at] = revised


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
