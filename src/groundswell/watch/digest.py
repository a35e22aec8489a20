"""What the detector takes of a part of a batch that another process has read: counts and hashes, hardly any texts.

Where posts are read on many machines, each gives a digest of its part: of every post its times, identity, author and
measures as numbers, the words that topics count as places in a small vocabulary, which tracker matches which post, and
whole posts only of those that an alert or a topic may have to show. `DigestArrivals` of it gives the kernels the same
answers as the posts themselves. Digests of parts, merged, are the digest of the whole, wherever the parts were cut.

Whether a post is new, in time or late is not decided here: that depends on all posts before it, so the one detector
does it, by its own watermark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.ipc

from groundswell.query import Matcher
from groundswell.watch.arrivals import BATCH, named
from groundswell.watch.contract import Arrivals, Hashes, Ints, Pairs, Terms, TrackerSpec, WatchParams
from groundswell.watch.emerging.flow import places_of, post_terms
from groundswell.watch.emerging.pool import LAST, first_of_each
from groundswell.watch.emerging.state import Emerging
from groundswell.watch.joined_arrivals import join
from groundswell.watch.recent import KeptPairs, first_pairs, rank_of

Floats = npt.NDArray[np.float64]

#: One row a digest. All lists but the last four have one value a post; those of pairs and terms are parallel.
DIGEST: Final = pa.schema(
    [
        ("record", pa.list_(pa.int64())),
        ("received_us", pa.list_(pa.int64())),
        ("event_us", pa.list_(pa.int64())),
        ("observed_us", pa.list_(pa.int64())),
        ("identity", pa.list_(pa.uint64())),
        ("author", pa.list_(pa.uint64())),
        ("reach", pa.list_(pa.float64())),
        ("engagement", pa.list_(pa.float64())),
        ("platform", pa.list_(pa.uint8())),
        ("terms", pa.list_(pa.int32())),
        ("platforms", pa.list_(pa.string())),
        ("slot", pa.list_(pa.int32())),
        ("row", pa.list_(pa.int32())),
        ("term", pa.list_(pa.int32())),
        ("hash", pa.list_(pa.uint64())),
        ("kind", pa.list_(pa.uint8())),
        ("text", pa.list_(pa.string())),
        ("held", pa.list_(pa.int32())),
        ("posts", pa.list_(pa.struct(list(BATCH)))),
    ]
)
_NUMBERS: Final = ("record", "received_us", "event_us", "observed_us", "identity", "author", "reach", "engagement")


@dataclass(frozen=True)
class Wanted:
    """What a digest depends on besides the posts; the same for all parts of a batch."""

    trackers: tuple[TrackerSpec, ...]
    params: WatchParams
    hot: Hashes = field(default_factory=lambda: np.zeros(0, np.uint64))
    """Keys of the terms that stood out in the last closed window, ascending."""
    seed: int = 0
    bars: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    """Of windows (start) of which enough posts are held for topics: place and identity of the last one."""

    @classmethod
    def of(cls, topics: Emerging, trackers: Sequence[TrackerSpec], params: WatchParams) -> Wanted:
        """What is wanted of the next batch by a detector with these topics."""
        return cls(tuple(trackers), params, topics.hot, topics.seed, _bars(topics, params.topics.keep_posts))


def _bars(topics: Emerging, most: int) -> dict[int, tuple[int, int]]:
    if not topics.pool.posts.num_rows:
        return {}
    window, place, identity = (topics.pool.column(name) for name in ("window", "place", "identity"))
    order = np.lexsort((identity, place, window))
    starts, first, counts = np.unique(window[order], return_index=True, return_counts=True)
    last = order[first + counts - 1]
    full = counts >= most
    bars = zip(starts[full].tolist(), place[last[full]].tolist(), identity[last[full]].tolist(), strict=True)
    return {start: (at, who) for start, at, who in bars}


@dataclass(frozen=True)
class Digest:
    """A digest as arrays; `numbers` has one value a post, by name as in `DIGEST`."""

    numbers: dict[str, npt.NDArray[Any]]
    platform: npt.NDArray[np.uint8]
    platforms: tuple[str, ...]
    pairs: Pairs
    lengths: Ints
    """How many terms each post has: none where only a topic would count them and topics are not looked for."""
    term: Ints
    """Places in the vocabulary, post by post."""
    hash: Hashes
    """The vocabulary, ascending."""
    kind: npt.NDArray[np.uint8]
    text: list[str | None]
    held: Ints
    """The posts, ascending, of which `posts` has all columns."""
    posts: pa.Table

    def __len__(self) -> int:
        return len(self.platform)

    def to_bytes(self) -> bytes:
        """As an Arrow stream of one row of `DIGEST`."""
        rows: dict[str, Any] = {name: self.numbers[name] for name in _NUMBERS}
        rows |= {"platform": self.platform, "terms": self.lengths, "platforms": list(self.platforms)}
        rows |= {"slot": self.pairs.slot, "row": self.pairs.row, "term": self.term, "hash": self.hash}
        rows |= {"kind": self.kind, "text": self.text, "held": self.held}
        columns = [_one(pa.array(rows[one.name], one.type.value_type)) for one in DIGEST if one.name != "posts"]
        columns.append(_one(_structs(self.posts)))
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, DIGEST, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=DIGEST))
        return bytes(sink.getvalue())

    @classmethod
    def of_bytes(cls, data: bytes) -> Digest:
        """What `to_bytes` gave."""
        with pa.ipc.open_stream(data) as reader:
            row = reader.read_next_batch()
        columns = {one.name: row.column(one.name).flatten() for one in DIGEST}
        posts = pa.Table.from_batches([pa.RecordBatch.from_struct_array(columns["posts"])], schema=BATCH)

        def numbers(name: str) -> Any:
            return columns[name].to_numpy(zero_copy_only=False)

        return cls(
            numbers={name: numbers(name) for name in _NUMBERS},
            platform=numbers("platform"),
            platforms=tuple(columns["platforms"].to_pylist()),
            pairs=Pairs(numbers("slot").astype(np.int64), numbers("row").astype(np.int64)),
            lengths=numbers("terms").astype(np.int64),
            term=numbers("term").astype(np.int64),
            hash=numbers("hash"),
            kind=numbers("kind"),
            text=columns["text"].to_pylist(),
            held=numbers("held").astype(np.int64),
            posts=posts,
        )


def _one(values: Any) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)


def _structs(posts: pa.Table) -> pa.StructArray:
    whole = posts.combine_chunks()
    return pa.StructArray.from_arrays(
        [_flat(whole.column(n), one.type) for n, one in enumerate(BATCH)], fields=list(BATCH)
    )


def _flat(column: Any, kind: pa.DataType) -> Any:
    return column.chunk(0) if column.num_chunks else pa.array([], kind)


class DigestArrivals:
    """The posts of a digest; see `contract.Arrivals`. Posts that it does not hold whole are asked of `fetch`."""

    def __init__(self, digest: Digest, fetch: Callable[[Ints], pa.Table] | None = None) -> None:
        """`fetch` takes rows of the digest and gives columns of `BATCH`; without it every post must be held."""
        self._digest = digest
        self._fetch = fetch
        numbers = digest.numbers
        self.record: Ints = numbers["record"]
        self.received_us: Ints = numbers["received_us"]
        self.event_us: Ints = numbers["event_us"]
        self.observed_us: Ints = numbers["observed_us"]
        self.identity: Hashes = numbers["identity"]
        self.author: Hashes = numbers["author"]
        self.reach: Floats = numbers["reach"]
        self.engagement: Floats = numbers["engagement"]
        self.platform = digest.platform
        self.platforms = digest.platforms

    def __len__(self) -> int:
        return len(self._digest)

    def pairs(self, matcher: Matcher) -> Pairs:
        """Which tracker matches which post, as it was found where the posts were read (with the same trackers)."""
        return self._digest.pairs

    def terms(self) -> Terms:
        """What emerging topics count."""
        return self._terms

    @cached_property
    def _terms(self) -> Terms:
        digest = self._digest
        row = np.repeat(np.arange(len(digest)), digest.lengths)
        return Terms(row, digest.hash[digest.term], digest.kind[digest.term])

    def texts(self, hashes: Hashes, rows: Ints | None = None) -> list[str | None]:
        """The words and hashtags of those hashes; null for what is not in the vocabulary."""
        known, text = self._digest.hash, self._digest.text
        at = np.searchsorted(known, hashes)
        found = at < len(known)
        found[found] = known[at[found]] == hashes[found]
        return [text[n] if is_there else None for n, is_there in zip(at.tolist(), found.tolist(), strict=True)]

    def take(self, rows: Ints, columns: Sequence[str] | None = None) -> pa.Table:
        """Some of the posts, in the order of `rows`.

        Raises:
            KeyError: one of them is not held, and there is no `fetch`.
        """
        held = self._digest.held
        at = np.minimum(np.searchsorted(held, rows), max(len(held) - 1, 0))
        here = held[at] == rows if len(held) else np.zeros(len(rows), np.bool_)
        if here.all():
            return named(self._digest.posts, columns).take(pa.array(at))
        missing = rows[~here]
        if self._fetch is None:
            raise KeyError(missing.tolist())
        place = np.empty(len(rows), np.int64)
        place[here] = np.arange(int(here.sum()))
        place[~here] = int(here.sum()) + np.arange(len(missing))
        both = [self._digest.posts.take(pa.array(at[here])), self._fetch(missing)]
        return named(pa.concat_tables(both), columns).take(pa.array(place))


def digest_of(arrivals: Arrivals, matcher: Matcher, wanted: Wanted) -> Digest:
    """The digest of some posts; `matcher` is that of the wanted trackers."""
    pairs = arrivals.pairs(matcher)
    terms = _counted(arrivals.terms(), pairs, wanted)
    held = _held(arrivals, pairs, terms, wanted)
    vocabulary, first, term = np.unique(terms.hash, return_index=True, return_inverse=True)
    posts = arrivals.take(held) if len(held) else BATCH.empty_table()
    return Digest(
        numbers={name: np.asarray(getattr(arrivals, name)) for name in _NUMBERS},
        platform=np.asarray(arrivals.platform),
        platforms=tuple(arrivals.platforms),
        pairs=pairs,
        lengths=np.bincount(terms.row, minlength=len(arrivals)).astype(np.int64),
        term=term.astype(np.int64),
        hash=vocabulary,
        kind=terms.kind[first],
        text=arrivals.texts(vocabulary),
        held=held,
        posts=posts.select(BATCH.names).cast(BATCH),
    )


def merge(parts: Sequence[Digest], wanted: Wanted) -> Digest:
    """The digest of the posts of all parts, in the order of their records."""
    return digest_of(join([DigestArrivals(part) for part in parts]), Matcher([]), wanted)


def _counted(terms: Terms, pairs: Pairs, wanted: Wanted) -> Terms:
    """The terms that something counts: without topics only those of matched posts, which may be copies."""
    if wanted.params.topics.per_day > 0:
        return terms
    mine = np.isin(terms.row, pairs.row)
    return Terms(terms.row[mine], terms.hash[mine], terms.kind[mine])


def _held(arrivals: Arrivals, pairs: Pairs, terms: Terms, wanted: Wanted) -> Ints:
    """The posts that may have to be shown, whatever else comes in the same batch."""
    some = [_of_trackers(arrivals, pairs, wanted)]
    if wanted.params.topics.per_day > 0 and len(arrivals):
        some.append(_of_topics(arrivals, terms, wanted))
    return np.unique(np.concatenate(some)).astype(np.int64)


def _of_trackers(arrivals: Arrivals, pairs: Pairs, wanted: Wanted) -> Ints:
    if not len(pairs.row):
        return np.zeros(0, np.int64)
    by_sight = np.array([one.count_by == "observed_at" for one in wanted.trackers], dtype=np.bool_)[pairs.slot]
    stamps = np.where(by_sight, arrivals.observed_us[pairs.row], arrivals.event_us[pairs.row])
    base = wanted.params.base_us
    ranks, identity = rank_of(arrivals, pairs.row), arrivals.identity[pairs.row]
    kept = KeptPairs(pairs.slot, stamps // base * base, pairs.row, ranks, identity)
    return first_pairs(kept, wanted.params.keep_of_each(len(wanted.trackers))).row


def _of_topics(arrivals: Arrivals, terms: Terms, wanted: Wanted) -> Ints:
    """Posts with a term that stands out, and of each window those of least identity."""
    rows = np.arange(len(arrivals))
    posts = post_terms(terms, arrivals.author, arrivals.identity, rows)
    place = places_of(wanted.hot, wanted.seed, arrivals, posts, rows)
    base = wanted.params.base_us
    window = np.asarray(arrivals.event_us) // base * base
    below = np.ones(len(rows), np.bool_)
    for start, (last, who) in wanted.bars.items():
        here = window == start
        below[here] = (place[here] < LAST) | ((last >= LAST) & (arrivals.identity[here] < np.uint64(who)))
    rows = rows[below]
    same = np.zeros(len(rows), np.int64)
    first = first_of_each(window[rows], same, arrivals.identity[rows], wanted.params.topics.keep_posts)
    return np.union1d(rows[first], np.flatnonzero(place < LAST))
