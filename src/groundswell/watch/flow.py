"""One step of the watch: match, count, close windows, score, open and close alerts. Pure and deterministic.

`step(state, batch, trackers, params)` gives the next state and what to write. It does not depend on where
batches end: the same records in the same order give the same points and alerts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import structs

from groundswell.query import Matcher, Query, parse
from groundswell.watch.closing import Watched, Written, alert_of, close_windows
from groundswell.watch.contract import (
    AlertRecord,
    SeriesPoint,
    StepOutput,
    TrackerSpec,
    WatchBatch,
    WatchParams,
)
from groundswell.watch.recent import remember
from groundswell.watch.seen import identities
from groundswell.watch.snapshot import dump_state, load_state
from groundswell.watch.state import Key, Series, WatchState, align
from groundswell.watch.warm import History, warm_start, warm_start_all
from groundswell.watch.windows import NEVER, advance, is_late, window_of

Ints = npt.NDArray[np.int64]


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
    posts, events, before, future = _in_time(state, batch.posts, params)
    duplicates = late = 0
    if posts.num_rows:
        duplicates, late = _count(state, posts, events, before, matcher, params, written)
    state.clock = state.clock.tick(batch.clock_us)
    close_windows(state, watched, written)
    _revise_points(state, written)
    return state, StepOutput(
        points=list(written.points.values()),
        alerts=list(written.alerts.values()),
        future=future,
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


def _in_time(state: WatchState, posts: pa.Table, params: WatchParams) -> tuple[pa.Table, Ints, Ints, Ints]:
    """Posts that are not in the future, their event times, how far the stream was before each; and who was.

    A post without a time of its own happened when it was observed or received. Moves the state's clock.
    """
    received = posts.column("received_us").combine_chunks()
    stamps = [posts.column(name).combine_chunks().cast(pa.int64()) for name in ("created_at", "observed_at")]
    events = pc.coalesce(*stamps, received).to_numpy(zero_copy_only=False).astype(np.int64)
    heard = received.to_numpy(zero_copy_only=False).astype(np.int64)
    ahead = events > heard + params.future_us
    records = posts.column("record").to_numpy().astype(np.int64)
    if ahead.any():
        posts = posts.filter(pa.array(~ahead))
        events, heard = events[~ahead], heard[~ahead]
    before, state.clock = advance(state.clock, events, heard, params)
    if len(events) and state.next_window == NEVER:
        state.first_us = int(events[0])
        state.next_window = (int(events[0]) - params.lateness_us) // params.window_us * params.window_us
        state.last_post = state.next_window
    return posts, events, before, records[ahead]


def _count(
    state: WatchState,
    posts: pa.Table,
    events: Ints,
    before: Ints,
    matcher: Matcher,
    params: WatchParams,
    written: Written,
) -> tuple[int, int]:
    """Count posts into their windows, keep those that match; returns how many were duplicates and late."""
    windows = window_of(events, params)
    late = is_late(windows, before, params)
    horizon = np.where(before == NEVER, NEVER, window_of(before - params.lateness_us, params))
    identity = identities(posts)
    checked = ~late | (windows >= horizon - params.dedup_windows * params.window_us)
    new = np.ones(len(windows), dtype=np.bool_)
    new[checked] = state.seen.add(windows[checked], identity[checked])
    matches = matcher.matrix(posts)
    counted = new & ~late
    _add_counts(state, matches, windows, counted)
    kept = matches & counted
    state.recent = remember(state.recent, posts, kept, windows, identity, params.keep_posts)
    _note_late(state, matches, windows, new & late & (windows >= horizon - params.ring * params.window_us), written)
    return int((~new).sum()), int((late & new).sum())


def _add_counts(state: WatchState, matches: npt.NDArray[np.bool_], windows: Ints, counted: Any) -> None:
    rows = np.flatnonzero(counted)
    rows = rows[np.argsort(windows[rows], kind="stable")]
    if len(rows) == 0:
        return
    starts, first = np.unique(windows[rows], return_index=True)
    sums = np.add.reduceat(matches[:, rows].astype(np.int64), first, axis=1) if len(matches) else None
    totals = np.diff(np.append(first, len(rows)))
    for number, start in enumerate(starts.tolist()):
        counts = state.counts.get(start)
        if counts is None:
            counts = state.counts[start] = np.zeros(len(matches) + 1, dtype=np.int64)
        counts[0] += totals[number]
        if sums is not None:
            counts[1:] += sums[:, number]


def _note_late(state: WatchState, matches: npt.NDArray[np.bool_], windows: Ints, late: Any, written: Written) -> None:
    """Revise windows closed before this step at once; those that this step closes are revised after it."""
    slots, at = np.nonzero(matches[:, np.flatnonzero(late)])
    starts = windows[np.flatnonzero(late)][at]
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
