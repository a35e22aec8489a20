"""Which kept posts are still needed after a window has closed, and what they teach of a tracker's usual posts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.watch.contract import Ints, WatchParams
from groundswell.watch.profiles import SAMPLE, learn_posts
from groundswell.watch.recent import KeptPairs
from groundswell.watch.running import slide_of
from groundswell.watch.state import WatchState

Bools = npt.NDArray[np.bool_]


def teach_profiles(state: WatchState, start: int, gap: Bools, params: WatchParams) -> None:
    """Windows without an episode teach what a tracker's posts are usually like.

    Where windows are smaller than the one that is shown first, trackers take turns, so that each is taught as often as
    it would be by that one.
    """
    pairs = state.recent.pairs
    turns = max(params.window_us // params.base_us, 1)
    turn = start // params.base_us % turns
    mine = np.flatnonzero((pairs.window == start) & (pairs.slot % turns == turn))
    if not len(mine):
        return
    mine = mine[np.lexsort((pairs.identity[mine], pairs.slot[mine]))]
    slots, first = np.unique(pairs.slot[mine], return_index=True)
    for slot, rows in zip(slots.tolist(), np.split(mine, first[1:]), strict=False):
        series = state.series[slot]
        if series.episode is None and not gap[slot + 1]:
            learn_posts(series.profile, state.recent.posts.take(pa.array(pairs.row[rows[:SAMPLE]])))


def forget_posts(state: WatchState, closed_us: int, params: WatchParams) -> None:
    """Drop posts of windows that ended by `closed_us`, but those that a larger open window or an episode may show.

    The posts themselves go when the pairs are next pruned. Changes `state`.
    """
    pairs = state.recent.pairs
    if not len(pairs.slot):
        return
    keep = params.keep_of_each(len(state.keys))
    closed = pairs.window < closed_us
    episodes = [series.episode for series in state.series]
    within = np.array([one is not None for one in episodes], dtype=np.bool_)[pairs.slot]
    begun = np.array([0 if one is None else max(one.started_us, closed_us - params.keep_us) for one in episodes])
    wanted = ~closed
    mine = np.flatnonzero(closed & within & (pairs.window >= begun[pairs.slot]))
    wanted[mine[_first(pairs, mine, params.window_us, keep)]] = True
    for size in params.sizes[1:]:
        slide = slide_of(size, params.sizes)
        # From the start of the next window of the size that ends, running or not.
        mine = np.flatnonzero(closed & (pairs.window >= closed_us // slide * slide + slide - size))
        if not len(mine):
            continue
        wanted[mine[_first(pairs, mine, size, keep)]] = True
    if not wanted.all():
        state.recent = replace(state.recent, pairs=pairs.take(wanted))


def _first(pairs: KeptPairs, rows: Ints, size: int, keep: int) -> Bools:
    """Which of `rows` are among the `keep` first of their tracker and window of `size`."""
    slots = pairs.slot[rows]
    if len(rows) <= keep:
        return np.ones(len(rows), dtype=np.bool_)
    if np.bincount(slots, minlength=1).max(initial=0) <= keep:
        return np.ones(len(rows), dtype=np.bool_)
    windows = pairs.window[rows] // size
    order = np.lexsort((pairs.identity[rows], -pairs.reach[rows], windows, slots))
    changes = np.flatnonzero(np.diff(slots[order]) | np.diff(windows[order])) + 1
    begin = np.zeros(len(rows), dtype=np.int64)
    begin[changes] = changes
    out = np.zeros(len(rows), dtype=np.bool_)
    out[order] = np.arange(len(rows)) - np.maximum.accumulate(begin) < keep
    return out
