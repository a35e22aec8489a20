"""Posts of a batch as the watch takes them, straight from raw records; see `contract.Arrivals`.

Words, tags and hashes come from compiled kernels. A whole post is made only of a record that somebody asks for, by the
ordinary way in, so that it is the same as in the lake.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.importing.derive import filled
from groundswell.importing.fast.posts import FastPosts
from groundswell.importing.fast.spans import Values
from groundswell.kernels.lookups import UNKNOWN, YES, Fields, Lists
from groundswell.kernels.once import once
from groundswell.kernels.posts import distinct_terms, first_places, hash_all
from groundswell.kernels.records import ABSENT, TEXT
from groundswell.query import Matcher
from groundswell.query.ast import Has
from groundswell.query.matching import Batch, coded, fixed, lists_of, no_lists, pairs_of, singles_of, words_in
from groundswell.query.program import CODED_FIELDS, Compiled
from groundswell.text.hashing import ODD, hash_table, hash_texts, mixed
from groundswell.text.tags import hashtags_of, mentions_of
from groundswell.text.terms import text_buffers
from groundswell.text.tokens import HashedWords
from groundswell.text.tokens import Words as ReadWords
from groundswell.watch.arrivals import named
from groundswell.watch.contract import Hashes, Ints, Pairs, Terms
from groundswell.watch.made import MadeRows, in_order

Floats = npt.NDArray[np.float64]
_COUNTED: Final = ("likes", "comments", "shares", "saves")


class Whole(Protocol):
    """Makes whole posts of the records that one layout reads."""

    @property
    def platform(self) -> str:
        """Their platform."""

    @property
    def numbers(self) -> Ints:
        """The number of each record."""

    def __call__(self, rows: Ints, posts: FastPosts) -> pa.Table:
        """One post for each of some records, in their order; `posts` are what was read of them."""


class FastArrivals:
    """Posts that a fast layout read, of the records `rows`; `received_us` has one a post."""

    def __init__(self, posts: FastPosts, rows: Ints, received_us: Ints, whole: Whole) -> None:
        self._posts = posts
        self._rows = rows
        self._platform = whole.platform
        self.whole = whole
        self.made: MadeRows | None = None
        self._matched: tuple[Matcher, Pairs] | None = None
        self.record: Ints = whole.numbers[rows]
        self.received_us = received_us

    def __len__(self) -> int:
        return len(self.record)

    def begin(self, matcher: Matcher | None = None, *, terms: bool = True) -> FastArrivals:
        """Work out what every step asks for, and what `matcher` finds; several may do so at once."""
        _ = self._words, self._signed_tags, self.event_us, self.identity, self.author
        if terms:
            _ = self._terms
        if matcher is not None:
            self._matched = matcher, self._match(matcher)
        return self

    @once
    def event_us(self) -> Ints:
        """When it happened."""
        created, known = self._posts.created
        return np.where(known, created, self.observed_us)

    @once
    def observed_us(self) -> Ints:
        """When its counters were seen."""
        observed, known = self._posts.observed
        return np.where(known, observed, self.received_us)

    @once
    def identity(self) -> Hashes:
        """The same for a post that comes again."""
        return mixed(hash_texts([self._platform]) * ODD + hashes_of(self._posts.post_id))

    @once
    def author(self) -> Hashes:
        """Hash of the author's id, else of the name; 0 where both are missing."""
        who = pc.coalesce(self._posts.author_id, self._posts.author_name)
        return np.where(_valid(who), hashes_of(who), np.uint64(0))

    @once
    def reach(self) -> Floats:
        """Followers of the author."""
        return self._real("followers")

    @once
    def engagement(self) -> Floats:
        """Likes, comments, shares and saves together."""
        columns = [self._real(name) for name in _COUNTED if name in self._posts.counts]
        if not columns:
            return np.full(len(self), np.nan)
        known = np.any([~np.isnan(column) for column in columns], axis=0)
        return np.where(known, np.sum([np.nan_to_num(column) for column in columns], axis=0), np.nan)

    @property
    def platform(self) -> npt.NDArray[np.uint8]:
        """Platform as a number into `platforms`."""
        return np.zeros(len(self), np.uint8)

    @property
    def platforms(self) -> tuple[str, ...]:
        """The one platform of the layout."""
        return (self._platform,) if len(self) else ()

    def pairs(self, matcher: Matcher) -> Pairs:
        """Which tracker matches which post; where that takes more than is known here, whole posts are asked."""
        if self._matched is not None and self._matched[0] is matcher:
            return self._matched[1]
        return self._match(matcher)

    def _match(self, matcher: Matcher) -> Pairs:
        compiled = matcher.compiled
        needs = compiled.needs
        none = no_lists(len(self))
        batch = Batch(
            self._words,
            self._tags if needs & {"hashtags"} else none,
            lists_of(self._mentions) if needs & {"mentions"} else none,
            singles_of(pc.utf8_lower(self._posts.author_name)) if needs & {"authors"} else none,
            self._fields(compiled),
        )
        pairs, sure = pairs_of(compiled, batch)
        return pairs if sure.all() else self._decided(matcher, pairs, sure)

    def _decided(self, matcher: Matcher, pairs: Pairs, sure: npt.NDArray[np.bool_]) -> Pairs:
        rows = np.unique(pairs.row[~sure])
        posts = self.take(rows)
        kept = sure.copy()
        for slot in np.unique(pairs.slot[~sure]).tolist():
            mine = np.flatnonzero(~sure & (pairs.slot == slot))
            kept[mine] = matcher.mask_of(slot, posts)[np.searchsorted(rows, pairs.row[mine])]
        return Pairs(pairs.slot[kept], pairs.row[kept])

    def terms(self) -> Terms:
        """The distinct words and hashtags of each post, sorted by row, words first, each where it first stands."""
        return self._terms

    @once
    def _terms(self) -> Terms:
        words, tags = self._words, self._tags
        signed = self._signed_tags[1]
        room = len(words.hashes) + len(signed)
        row, hashes, kinds = np.empty(room, np.int64), np.empty(room, np.uint64), np.empty(room, np.uint8)
        size = distinct_terms(words.hashes, words.rows, signed, tags.rows, row, hashes, kinds)
        return Terms(row[:size], hashes[:size], kinds[:size])

    def texts(self, hashes: Hashes, rows: Ints | None = None) -> list[str | None]:
        """The words and hashtags (with `#`) of those hashes, which the posts `rows` are known to have; null: none."""
        wanted, inverse = np.unique(hashes, return_inverse=True)
        words, (signed, tag_hashes) = self._words, self._signed_tags
        in_words = _first_places(wanted, words.hashes, words.rows, rows)
        in_tags = _first_places(wanted, tag_hashes, self._tags.rows, rows)
        kinds = np.where(in_words < 0, ABSENT, TEXT).astype(np.uint8)
        at = np.maximum(in_words, 0)
        begins, ends = (part[at] if len(part) else at.astype(np.int32) for part in (words.begins, words.ends))
        found = Values(words.data, kinds, begins, ends).texts()
        tags = signed.take(pa.array(in_tags, mask=in_tags < 0))
        texts: list[str | None] = pc.coalesce(found, tags).take(pa.array(inverse)).to_pylist()
        return texts

    def take(self, rows: Ints, columns: Sequence[str] | None = None) -> pa.Table:
        """Some of the posts, in the order of `rows`, as the ordinary way in gives them."""
        found, there = self.ready(rows, columns)
        if found is not None and there.all():
            return found
        others = named(self.whole(*self.picked(rows[~there])), columns)
        return others if found is None else in_order([found, others], [np.flatnonzero(there), np.flatnonzero(~there)])

    def ready(self, rows: Ints, columns: Sequence[str] | None = None) -> tuple[pa.Table | None, npt.NDArray[np.bool_]]:
        """Those of some posts that were made for the lake writer, null if none was; and which these are."""
        if self.made is None:
            return None, np.zeros(len(rows), np.bool_)
        records = self._rows[rows]
        there = self.made.among(records)
        return (self.made.take(records[there], columns) if there.any() else None), there

    def picked(self, rows: Ints) -> tuple[Ints, FastPosts]:
        """The records of some of the posts, and what was read of them, as `whole` takes both."""
        return self._rows[rows], self._posts.take(rows)

    @once
    def _read(self) -> tuple[Any, HashedWords]:
        return words_in(self._posts.text)

    @property
    def words(self) -> ReadWords:
        """The words of the texts, as the lake has them."""
        return self._read[1].words(self._posts.text)

    @property
    def _words(self) -> Any:
        return self._read[0]

    @once
    def _hashtags(self) -> Any:
        return filled(self._posts.hashtags, self._posts.text, hashtags_of, self._read[1].hashtags)

    @once
    def _tags(self) -> Lists:
        return lists_of(self._hashtags)

    @once
    def _signed_tags(self) -> tuple[Any, Hashes]:
        """The hashtags of all posts with their `#`, and their hashes."""
        tags = self._hashtags.flatten()
        signed = pc.binary_join_element_wise("#", tags, "") if len(tags) else tags
        return signed, hashes_of(signed)

    @once
    def _mentions(self) -> Any:
        none = pa.nulls(len(self), pa.list_(pa.string()))
        return filled(none, self._posts.text, mentions_of, self._read[1].mentions)

    def _real(self, name: str) -> Floats:
        if name not in self._posts.counts:
            return np.full(len(self), np.nan)
        values, known = self._posts.counts[name]
        return np.where(known, values.astype(np.float64), np.nan)

    def _fields(self, compiled: Compiled) -> Fields:
        rows = len(self)
        numbers = np.zeros((max(len(compiled.numbers), 1), rows), np.int64)
        known = np.zeros((max(len(compiled.numbers), 1), rows), np.uint8)
        for number, name in enumerate(compiled.numbers):
            if name in self._posts.counts:
                numbers[number], there = self._posts.counts[name]
                known[number] = np.where(there, YES, 0)
        columns = {"lang": pc.utf8_lower(self._posts.lang), "kind": self._posts.kind}
        columns["platform"] = pa.repeat(pa.scalar(self._platform), rows)
        none = pa.nulls(rows, pa.string())
        codes, truth = coded(compiled, [columns.get(name, none) for name in CODED_FIELDS], rows)
        given = np.full((max(len(compiled.given), 1), rows), UNKNOWN, np.uint8)
        for number, leaf in enumerate(compiled.given):
            listed = leaf.what if isinstance(leaf, Has) else ""
            if listed in {"hashtag", "mention"}:
                lists = self._hashtags if listed == "hashtag" else self._mentions
                has = pc.fill_null(pc.greater(pc.list_value_length(lists), 0), False)
                given[number] = np.where(has.to_numpy(zero_copy_only=False), YES, 0)
        return Fields(numbers, known, codes, truth, given)


def hashes_of(texts: Any) -> Hashes:
    """`groundswell.text.hashing.hash_bytes` of an array of texts, by its kernel."""
    data, bounds = text_buffers(texts)
    out = np.empty(len(texts), np.uint64)
    hash_all(fixed(data), fixed(bounds), hash_table(), out)
    return out


def _valid(values: Any) -> npt.NDArray[np.bool_]:
    valid: npt.NDArray[np.bool_] = pc.is_valid(values).to_numpy(zero_copy_only=False)
    return valid


def _first_places(wanted: Hashes, hashes: Hashes, borders: Any, rows: Ints | None) -> Ints:
    """The first place of each of the `wanted` among the hashes of all posts, or of `rows`; -1 where it is not there."""
    found = np.empty(len(wanted), np.int64)
    if rows is None:
        first_places(wanted, hashes, found)
        return found
    begins, lengths = borders[rows], borders[rows + 1] - borders[rows]
    places = np.arange(lengths.sum()) + np.repeat(begins - (np.cumsum(lengths) - lengths), lengths)
    first_places(wanted, hashes[places], found)
    found[found >= 0] = places[found[found >= 0]]
    return found
