from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from groundswell.query import Matcher, parse
from groundswell.testing.streams import START, make_posts, tracker
from groundswell.watch.arrivals import TableArrivals
from groundswell.watch.contract import (
    HOUR,
    MINUTE,
    SECOND,
    AlertRecord,
    Arrivals,
    Ints,
    SeriesPoint,
    WatchBatch,
    WatchParams,
)
from groundswell.watch.digest import Digest, DigestArrivals, Wanted, digest_of, merge
from groundswell.watch.emerging.records import TopicParams, TopicRecord
from groundswell.watch.flow import step
from groundswell.watch.joined_arrivals import join
from groundswell.watch.state import WatchState

TOPICS = TopicParams(warm_us=2 * HOUR, keep_posts=60, per_day=50.0)
PARAMS = WatchParams(window_us=5 * MINUTE, keep_posts=40, keep_least=10, topics=TOPICS)
TRACKERS = (tracker("arm", "arm"), tracker("side", '"side effects" -sponsored'), tracker("none", "nobodysaysthis"))
MATCHER = Matcher([parse(one.query).root for one in TRACKERS])


def stream(seed: int = 3, hours: int = 36, rate: int = 9) -> pa.Table:
    """Posts out of order, some twice, some late, with a burst of a tracker's and a word that nobody said before."""
    rng = np.random.default_rng(seed)
    count = rate * 12 * hours
    events = np.sort(rng.integers(0, hours * HOUR, count)) + START
    burst = np.sort(rng.integers(0, 15 * MINUTE, 90)) + START + (hours - 1) * HOUR
    texts = [
        f"{rng.choice(['my arm hurts', 'nice day', 'good #food', 'a side note'])} w{n % 173}" for n in range(count)
    ]
    texts += [f"side effects of zyxol {n} #zyxol" for n in range(90)]
    events = np.concatenate((events, burst))
    received = events + rng.integers(0, 20 * SECOND, len(events))
    received += (rng.random(len(events)) < 0.02) * rng.integers(0, 30 * MINUTE, len(events))
    order = np.argsort(received, kind="stable")
    ids = [str(n - 5 if n > 5 and n % 50 == 0 else n) for n in range(len(events))]
    authors = [f"u{n}" for n in rng.integers(0, 900, len(events))]
    followers = rng.integers(0, 10_000, len(events)).tolist()
    return make_posts(
        events[order].tolist(),
        [texts[n] for n in order],
        received=received[order].tolist(),
        ids=ids,
        authors=authors,
        followers=followers,
    )


STREAM = stream()
WANTED = Wanted(TRACKERS, PARAMS, hot=np.sort(TableArrivals(STREAM.slice(3_700, 20)).terms().hash[:6]))


def digested(posts: pa.Table, wanted: Wanted = WANTED) -> Digest:
    return digest_of(TableArrivals(posts), MATCHER, wanted)


def parts_of(posts: pa.Table, borders: list[int]) -> list[pa.Table]:
    starts = [0, *sorted(borders), posts.num_rows]
    return [posts.slice(a, b - a) for a, b in itertools.pairwise(starts)]


def same(one: Digest, other: Digest) -> None:
    for name, values in one.numbers.items():
        assert np.array_equal(values, other.numbers[name], equal_nan=values.dtype.kind == "f"), name
    for name in ("platform", "lengths", "term", "hash", "kind", "held"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert one.pairs.row.tolist() == other.pairs.row.tolist()
    assert one.pairs.slot.tolist() == other.pairs.slot.tolist()
    assert one.text == other.text
    assert one.platforms == other.platforms
    assert one.posts.equals(other.posts)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 3_000), st.integers(1, 700), st.lists(st.integers(0, 700), max_size=6))
def test_digests_of_parts_merged_are_the_digest_of_the_whole(begin: int, size: int, borders: list[int]) -> None:
    posts = STREAM.slice(begin, size)
    parts = [digested(part) for part in parts_of(posts, [min(one, size) for one in borders])]
    same(merge(parts, WANTED), digested(posts))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 3_000), st.integers(0, 400))
def test_a_digest_comes_out_of_its_bytes_as_it_went_in(begin: int, size: int) -> None:
    digest = digested(STREAM.slice(begin, size))
    same(Digest.of_bytes(digest.to_bytes()), digest)


def test_a_digest_is_much_smaller_than_the_posts() -> None:
    plain = structs.replace(PARAMS, topics=TopicParams(per_day=0))
    size = len(digested(STREAM, Wanted(TRACKERS, plain)).to_bytes())
    assert size < STREAM.nbytes / 3


class Told:
    """What a watch told: the last of each."""

    def __init__(self) -> None:
        self.points: dict[tuple[str, int, int], SeriesPoint] = {}
        self.alerts: dict[str, AlertRecord] = {}
        self.topics: dict[str, TopicRecord] = {}
        self.counts: list[tuple[int, int, int]] = []
        self.fetched = 0


def watch(size: int, slices: int, params: WatchParams) -> Told:
    """Run the stream in batches; with `slices`, each as so many digests, as if they had been read elsewhere."""
    state, told = WatchState.empty(), Told()
    for begin in range(0, STREAM.num_rows, size):
        batch = STREAM.slice(begin, size)
        arrivals: Arrivals = TableArrivals(batch)
        if slices:
            wanted = Wanted.of(state.topics, TRACKERS, params)
            arrivals = join([_there(part, wanted, told) for part in parts_of(batch, [size // slices])])
        state, out = step(state, WatchBatch(arrivals, max(batch["received_us"].to_pylist())), TRACKERS, params)
        told.points.update({(p.tracker_id, p.window_s, p.start): p for p in out.points})
        told.alerts.update({one.id: one for one in out.alerts})
        told.topics.update({one.id: one for one in out.topics})
        told.counts.append((out.duplicates, out.late, out.closed))
    return told


def _there(posts: pa.Table, wanted: Wanted, told: Told) -> DigestArrivals:
    def fetch(rows: Ints) -> pa.Table:
        told.fetched += len(rows)
        return posts.take(pa.array(rows))

    return DigestArrivals(Digest.of_bytes(digested(posts, wanted).to_bytes()), fetch)


def test_the_watch_says_the_same_of_digests_as_of_posts() -> None:
    here, there = watch(500, 0, PARAMS), watch(500, 3, PARAMS)
    assert here.counts == there.counts
    assert sum(late for _, late, _ in here.counts) > 20
    assert sum(again for again, _, _ in here.counts) > 20
    assert here.points == there.points
    assert here.alerts == there.alerts
    assert {one.tracker_id for one in here.alerts.values()} == {"side"}
    assert here.topics == there.topics
    assert any("zyxol" in one.label for one in here.topics.values())
    assert there.fetched < STREAM.num_rows / 50


def test_a_post_that_is_not_held_is_asked_for_or_refused() -> None:
    posts = STREAM.slice(0, 300)
    digest = digested(posts, Wanted(TRACKERS, structs.replace(PARAMS, topics=TopicParams(per_day=0))))
    other = np.setdiff1d(np.arange(300), digest.held)[:3]
    with pytest.raises(KeyError):
        DigestArrivals(digest).take(other)
    rows = np.array([digest.held[1], other[2], digest.held[0], other[0]])
    arrivals = DigestArrivals(digest, lambda some: posts.take(pa.array(some)))
    assert arrivals.take(rows).equals(posts.take(pa.array(rows)).combine_chunks())
