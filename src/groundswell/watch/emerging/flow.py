"""Counting posts and closing windows: the way into emerging topics, for `watch.flow`.

`add` takes the posts of a batch, `close` one window after the other, `make_room` ends the batch. What is counted,
scored and told does not depend on where batches end, with two exceptions. Of a window of more than `keep_posts` posts,
which are kept as examples depends on it, and so may when a term gets its name. And where the windows that are still
open after a batch hold more than `_OPEN_WINDOWS` times `window_terms` terms together, the rarest go there and then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.watch.contract import Arrivals, Pairs, Terms
from groundswell.watch.emerging.candidates import BLOCKS
from groundswell.watch.emerging.hot import Moment
from groundswell.watch.emerging.levels import Memory, pass_block, pass_window
from groundswell.watch.emerging.merging import update_topics
from groundswell.watch.emerging.pool import LAST, OF_EACH, SHOWN_SOURCES, Picked, pooled
from groundswell.watch.emerging.rarity import Look, look
from groundswell.watch.emerging.records import TopicParams, TopicRecord
from groundswell.watch.emerging.state import NEVER, Emerging, dump, load
from groundswell.watch.emerging.window import PostTerms, WindowTerms, among

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]

#: All windows that a batch leaves open hold at most so many times the terms of one together.
_OPEN_WINDOWS: Final = 4
#: Posts that are older than an hour go after so many blocks.
_TRIM: Final = 3
_MARKS: Final = (1 << 32) - 1


def add(
    state: Emerging,
    arrivals: Arrivals,
    counted: Bools,
    windows: Ints,
    window_us: int,
    params: TopicParams,
    pairs: Pairs | None = None,
    trackers: Sequence[str] = (),
) -> None:
    """Count the terms of a batch. Changes `state`.

    `counted` says which posts count (new and in time), `windows` the start of each post's window of `window_us`.
    `pairs` are the posts that trackers match, `trackers` the id of each of their slots.
    """
    if params.per_day <= 0:
        return
    numbers = state.serial + np.arange(len(arrivals))
    state.serial += len(arrivals)
    rows = np.flatnonzero(counted & (windows >= state.next_us))
    if not len(rows):
        return
    if state.window_us != window_us:
        state.begin(window_us)
    terms = arrivals.terms()
    posts = post_terms(terms, arrivals.author, arrivals.identity, numbers)
    order = rows[np.argsort(windows[rows], kind="stable")]
    starts, first = np.unique(windows[order], return_index=True)
    for start, part in zip(starts.tolist(), np.split(order, first[1:]), strict=True):
        state.open.setdefault(start, WindowTerms()).add(posts, part, params.window_terms, state.seed)
    _keep_posts(state, arrivals, posts, rows, windows, params, _numbered(state, pairs, trackers))


def make_room(state: Emerging, params: TopicParams) -> None:
    """Bound what the windows hold that are still open once a batch has closed its own. Changes `state`."""
    while sum(one.used for one in state.open.values()) > _OPEN_WINDOWS * params.window_terms:
        max(state.open.values(), key=lambda one: one.used).drop_rare()


def post_terms(terms: Terms, author: Hashes, identity: Hashes, numbers: Ints) -> PostTerms:
    """The terms of posts with these authors (0: not known), identities and numbers."""
    return PostTerms(
        bounds=np.searchsorted(terms.row, np.arange(len(author) + 1)),
        keys=terms.hash if terms.hash.all() else np.maximum(terms.hash, np.uint64(1)),
        authors=np.where(author == 0, identity, author),
        marks=(numbers % _MARKS + 1).astype(np.uint32),
    )


def _numbered(state: Emerging, pairs: Pairs | None, trackers: Sequence[str]) -> tuple[Ints, Ints]:
    """Row of each matched post and the number of the tracker in `state.trackers`."""
    if pairs is None or not len(pairs.row):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    if state.trackers[: len(trackers)] == list(trackers):
        return pairs.row, pairs.slot
    known = {name: number for number, name in enumerate(state.trackers)}
    number_of = []
    for name in trackers:
        if name not in known:
            known[name] = len(known)
            state.trackers.append(name)
        number_of.append(known[name])
    return pairs.row, np.array(number_of, np.int64)[pairs.slot]


def _keep_posts(
    state: Emerging,
    arrivals: Arrivals,
    posts: PostTerms,
    rows: Ints,
    windows: Ints,
    params: TopicParams,
    matched: tuple[Ints, Ints],
) -> None:
    """Keep the posts of the batch that topics may be shown with."""
    place = places_of(state.hot, state.seed, arrivals, posts, rows)[rows]
    identity = arrivals.identity[rows]
    window = windows[rows]
    best = state.pool.wanted(window, place, identity, params.keep_posts)
    rows, place, identity, window = rows[best], place[best], identity[best], window[best]
    if not len(rows):
        return
    keys, words = _terms_of(arrivals, posts, rows, params.keep_terms)
    picked = Picked(rows, window, identity, place.astype(np.int32), keys, words, _lists_of(matched, rows))
    state.pool = state.pool.keep(pooled(arrivals.take(rows, SHOWN_SOURCES), picked), params.keep_posts)


def places_of(hot: Hashes, seed: int, arrivals: Arrivals, posts: PostTerms, rows: Ints) -> Ints:
    """How soon each post of the batch is kept: 0 to 15 of each term that stands out, in the order of identity.

    `hot` are the keys of these terms, ascending; only the posts in `rows` count.
    """
    place = np.full(len(arrivals), LAST, np.int64)
    if not len(hot):
        return place
    stands_out = among(posts.keys, hot, seed)
    at = np.flatnonzero(stands_out)
    row = np.searchsorted(posts.bounds, at, side="right") - 1
    counted = np.zeros(len(arrivals), np.bool_)
    counted[rows] = True
    at, row = at[counted[row]], row[counted[row]]
    order = np.lexsort((arrivals.identity[row], posts.keys[at]))
    keys, row = posts.keys[at][order], row[order]
    rank = np.arange(len(keys)) - np.searchsorted(keys, keys, side="left")
    soon = rank < OF_EACH
    np.minimum.at(place, row[soon], rank[soon])
    return place


def _terms_of(arrivals: Arrivals, posts: PostTerms, rows: Ints, most: int) -> tuple[Any, Any]:
    """Keys and words of the last `most` terms of each of `rows`, as lists."""
    ends = posts.bounds[rows + 1]
    starts = np.maximum(posts.bounds[rows], ends - most)
    lengths = ends - starts
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    at = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
    keys = posts.keys[at]
    distinct, inverse = np.unique(keys, return_inverse=True)
    words = pa.array(arrivals.texts(distinct, rows), pa.string()).take(pa.array(inverse))
    bounds = pa.array(offsets, pa.int32())
    return pa.ListArray.from_arrays(bounds, pa.array(keys)), pa.ListArray.from_arrays(bounds, words)


def _lists_of(matched: tuple[Ints, Ints], rows: Ints) -> Any:
    """The trackers of each of `rows` (ascending), as lists."""
    of, number = matched
    first, last = np.searchsorted(of, rows, side="left"), np.searchsorted(of, rows, side="right")
    offsets = np.concatenate(([0], np.cumsum(last - first)))
    at = np.arange(offsets[-1]) + np.repeat(first - offsets[:-1], last - first)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(number[at], pa.int32()))


def close(state: Emerging, start: int, params: TopicParams) -> list[TopicRecord]:
    """Close the window that begins at `start`; topics that it opened or changed, as they stand. Changes `state`.

    Windows are closed in order; those that were left out had no posts.
    """
    if params.per_day <= 0 or state.window_us == 0:
        return []
    if state.first_us == NEVER:
        state.first_us = state.next_us = start
    if start not in state.open and not state.topics:
        return []  # it is let go by when there is one with posts again
    _pass_over(state, start)
    state.pool = state.pool.joined()
    window = state.open.pop(start, WindowTerms())
    for early in [one for one in state.open if one < start]:
        del state.open[early]
    terms, stream = state.terms, state.stream
    terms.take_window(window, params.candidates, stream.exposure, stream.block, state.seed)
    seen, is_block = _advance(state, start, float(window.posts))
    days = state.tails.return_days(seen.score, seen.classes, terms.used, float(stream.past.sum()))
    moment = Moment(start, start + state.window_us, is_block)
    changed: list[TopicRecord] = []
    if start - state.first_us >= params.warm_us:
        note_peaks(state, seen)
        changed = update_topics(state, seen, days, moment, params)
    if is_block and stream.block % BLOCKS == 0:
        turn_hour(state, moment.end)
    if is_block and stream.block % _TRIM == 0:
        state.pool = state.pool.since(moment.end - BLOCKS * state.block_us)
    return changed


def _pass_over(state: Emerging, start: int) -> None:
    """Let windows without posts go by, from the one that was due to `start`; beyond an hour they change nothing."""
    terms, stream, n = state.terms, state.stream, state.terms.used
    most = (BLOCKS + 1) * state.block_us // state.window_us
    missing = min((start - state.next_us) // state.window_us, most)
    for begin in range(start - missing * state.window_us, start, state.window_us):
        at = begin // state.window_us % len(stream.ring)
        if stream.ring[at]:
            terms.block[:n] -= terms.ring[at, :n]
            terms.ring[at, :n] = 0
            stream.ring[at] = 0
        end = begin + state.window_us
        if end % state.block_us == 0:
            end_block(state, float(stream.ring.sum()))
            if stream.block % BLOCKS == 0:
                turn_hour(state, end)
    state.next_us = start


def _advance(state: Emerging, start: int, posts: float) -> tuple[Look, bool]:
    """Take the window into all sums; what stands out, and whether a block has closed."""
    terms, stream = state.terms, state.stream
    windows = len(stream.ring)
    at = start // state.window_us % windows
    stream.ring[at] = posts
    block = float(stream.ring.sum())
    state.next_us = start + state.window_us
    flags = pass_window(terms, at, posts, block)
    is_block = state.next_us % state.block_us == 0
    if is_block:
        flags |= end_block(state, block)
    rows = np.flatnonzero(flags)
    sizes = [(state.window_us, terms.now[rows].astype(np.int64), posts)] if windows > 1 else []
    if is_block:
        return look_at_block(state, rows, block, sizes), True
    sizes.append((state.block_us, terms.block[rows].astype(np.int64), block))
    hour = terms.hour[rows] + terms.ring[: at + 1, rows].sum(axis=0, dtype=np.int64)
    return look(terms, rows, sizes, hour, float(stream.past.sum())), False


def end_block(state: Emerging, block: float) -> npt.NDArray[np.uint8]:
    """Take the last windows into the hour as a block of so many posts; which terms are to be looked at."""
    stream, memory = state.stream, Memory.of(state.block_us)
    place = stream.block % BLOCKS
    oldest, stream.past[place] = float(stream.past[place]), block
    quarter = block + float(stream.past[place - 1] + stream.past[place - 2])
    flags = pass_block(state.terms, place, np.array([block, quarter, float(stream.past.sum()), oldest]), memory)
    stream.exposure = memory.long * stream.exposure + oldest
    stream.block += 1
    return flags


def look_at_block(state: Emerging, rows: Ints, block: float, sizes: Sequence[tuple[int, Ints, float]]) -> Look:
    """Score terms at the end of a block, in windows of one, three and `BLOCKS` of them, and of `sizes`."""
    terms, past, block_us = state.terms, state.stream.past, state.block_us
    places = [(state.stream.block - 1 - back) % BLOCKS for back in range(3)]
    quarter = terms.past[places][:, rows].sum(axis=0, dtype=np.int64)
    hour = terms.hour[rows].astype(np.int64)
    every = [
        *sizes,
        (block_us, terms.block[rows].astype(np.int64), block),
        (3 * block_us, quarter, float(past[places].sum())),
        (BLOCKS * block_us, hour, float(past.sum())),
    ]
    return look(terms, rows, every, hour, float(past.sum()))


def note_peaks(state: Emerging, seen: Look) -> None:
    """Keep the greatest score of each term in this hour, and of which class it was."""
    better = seen.score > state.terms.peak[seen.rows]
    rows = seen.rows[better]
    state.terms.peak[rows] = seen.score[better]
    state.terms.peak_class[rows] = seen.classes[better]


def turn_hour(state: Emerging, end: int) -> None:
    """Let the hour's greatest scores teach the tails, but for topics that lasted all of it."""
    terms = state.terms
    hour_us = BLOCKS * state.block_us
    lasting = [key for topic in state.topics if topic.record.opened_at <= end - hour_us for key in topic.terms]
    if lasting:
        rows = terms.find(np.array(sorted(lasting), np.uint64), state.seed)
        terms.peak[rows[rows >= 0]] = 0
    rows = np.flatnonzero(terms.peak[: terms.used] > 0)
    state.tails.learn(terms.peak[rows], terms.peak_class[rows].astype(np.int64), hour_us)
    terms.peak[: terms.used] = 0
    terms.turn_hour()


__all__ = ["add", "close", "dump", "load"]
