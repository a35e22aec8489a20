"""Emerging topics: what counting a post costs, what closing a window costs, memory, and what is found.

    python benchmarks/emerging.py                 cost with 200,000 terms, then quality over simulated days
    python benchmarks/emerging.py --quality       only what is found

Quality: words of a Zipf distribution, most of which follow the platform's day and some a day of their own; every two
hours something is injected, at a size drawn at random (0.2 to 2 % of the posts): a new hashtag with two words, a word
that nobody used, a usual word that rises; and what must not be found: a surge of everything, an account that repeats
itself. Beside ours the two plain rules of trending lists: most used, and count against the day before.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell import kernels, schema
from groundswell.text.hashing import hash_bytes
from groundswell.watch.contract import DAY, HOUR, MINUTE, Terms
from groundswell.watch.emerging import flow
from groundswell.watch.emerging.records import TopicParams, TopicRecord
from groundswell.watch.emerging.state import Emerging

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

START: Final = 20_003 * DAY
SEED: Final = 7
WANTED: Final = ("new hashtag", "new word", "word that rises")


class Posts:
    """A batch of posts as rows of words: as much of `contract.Arrivals` as topics ask for."""

    def __init__(self, words: Words, term: Ints, author: Ints, first: int) -> None:
        """`term` has shape (posts, terms), -1 for none."""
        self._words, self._term, self._author = words, term, author
        row = np.repeat(np.arange(len(term)), term.shape[1])
        held = term.ravel() >= 0
        self._row, self._flat = row[held], term.ravel()[held]
        self.identity = (np.arange(first, first + len(term)).astype(np.uint64) + np.uint64(1)) * np.uint64(
            0x9E3779B97F4A7C15
        )
        self.author = (author.astype(np.uint64) + np.uint64(1)) * np.uint64(0xBF58476D1CE4E5B9)
        self._terms = Terms(self._row, words.hash[self._flat], np.zeros(len(self._flat), np.uint8))

    def __len__(self) -> int:
        return len(self._term)

    def terms(self) -> Terms:
        """The terms of each post."""
        return self._terms

    def texts(self, hashes: Any, rows: Ints | None = None) -> list[str | None]:
        """The words of hashes."""
        return [self._words.text.get(value) for value in hashes.tolist()]

    def take(self, rows: Ints, columns: Any = None) -> pa.Table:
        """Some posts with their texts."""
        texts = [" ".join(self._words.word[t] for t in self._term[row] if t >= 0) for row in rows.tolist()]
        columns = {name: pa.nulls(len(rows), schema.POSTS.field(name).type) for name in schema.POSTS.names}
        columns["text"] = pa.array(texts, pa.string())
        columns["platform"] = pa.array(["x"] * len(rows), pa.string())
        columns["author_name"] = pa.array([f"u{self._author[row]}" for row in rows.tolist()], pa.string())
        return pa.table(columns, schema=schema.POSTS)


class Words:
    """A vocabulary, and how often each word is used: Zipf's law with exponent 1.05."""

    def __init__(self, usual: int, more: list[str]) -> None:
        self.word = [f"w{n}" for n in range(usual)] + more
        self.hash = hash_bytes(pa.array(self.word))
        self.text: dict[int, str | None] = dict(zip(self.hash.tolist(), self.word, strict=True))
        self.usual = usual
        weight = 1 / np.arange(1, usual + 1) ** 1.05
        self.reach = np.cumsum(weight / weight.sum())

    def draw(self, rng: np.random.Generator, posts: int, terms: int) -> Ints:
        """Terms of posts, shape (posts, terms)."""
        found: Ints = np.searchsorted(self.reach, rng.random((posts, terms)))
        return np.minimum(found, self.usual - 1)


def cost(per_minute: int, terms: int) -> None:
    """Time to count posts of 20 terms, and to close windows while so many terms are followed."""
    kernels.load()
    rng, words = np.random.default_rng(SEED), Words(1_500_000, ["#novaleak", "leak"])
    state, params = Emerging.empty(SEED), TopicParams(warm_us=HOUR)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    adding: list[float] = []
    closing: list[float] = []
    at_block: list[float] = []
    with_topic: list[float] = []
    serial, minute = 0, 0
    while minute < 150 and not (len(with_topic) >= 25 and len(at_block) >= 10):
        term = words.draw(rng, per_minute, 20)
        if minute >= 100:
            term[: per_minute // 50, :2] = (words.usual, words.usual + 1)
        batch = Posts(words, term, rng.integers(0, 200_000, per_minute), serial)
        serial += per_minute
        start = START + minute * MINUTE
        counted, windows = np.ones(per_minute, np.bool_), np.full(per_minute, start)
        began = time.thread_time()
        flow.add(state, batch, counted, windows, MINUTE, params)  # type: ignore[arg-type]  # has all of a batch that is read
        adding.append((time.thread_time() - began) / per_minute)
        began = time.thread_time()
        flow.close(state, start, params)
        took = time.thread_time() - began
        if state.terms.used >= terms:
            kind = with_topic if state.topics else at_block if (minute + 1) % 5 == 0 else closing
            kind.append(took)
        minute += 1
    began = time.thread_time()
    arrays = flow.dump(state)
    dumped = time.thread_time() - began
    began = time.thread_time()
    flow.load(arrays)
    loaded = time.thread_time() - began
    size = sum(array.nbytes for array in arrays.values()) / 1e6
    print(f"{per_minute:,} posts a minute, 20 terms each, {state.terms.used:,} terms followed; CPU time of one thread")
    print(f"  counting a post                  {1e6 * np.median(adding):8.2f} µs (with the posts kept as examples)")
    for name, times in (("a minute", closing), ("every fifth", at_block), ("with an open topic", with_topic)):
        if times:
            print(f"  closing, {name:24s}{1e3 * np.median(times):8.1f} ms, longest {1e3 * max(times):.1f}")
    print(f"  state                            {state.nbytes / 1e6:8.0f} MB, process + {_mb(before):.0f} MB")
    print(f"  written down                     {1e3 * dumped:8.0f} ms, {size:.0f} MB; read again {1e3 * loaded:.0f} ms")


def _mb(before: int) -> float:
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3


def counting(per_minute: int) -> None:
    """Time of the counting loop alone, in a window of its own."""
    from groundswell.watch.emerging.window import WindowTerms

    kernels.load()
    rng, words = np.random.default_rng(SEED), Words(1_500_000, [])
    batch = Posts(words, words.draw(rng, per_minute, 20), rng.integers(0, 200_000, per_minute), 0)
    terms = batch.terms()
    posts = flow.post_terms(terms, batch.author, batch.identity, np.arange(per_minute))
    times = []
    for _ in range(3):
        window = WindowTerms()
        began = time.thread_time()
        window.add(posts, np.arange(per_minute), 1 << 18, SEED)
        times.append(time.thread_time() - began)
    print(f"counting loop alone, {per_minute:,} posts of 20 terms into one window, {window.used:,} different terms:")
    print(f"  {1e6 * min(times) / per_minute:.2f} µs a post\n")


@dataclass
class Injected:
    """Something to be found: words that are in so many posts a minute from `start` for `length` minutes."""

    name: str
    kind: str
    terms: list[int]
    start: int
    length: int
    per_minute: float
    authors: int = 1_000_000
    found: dict[str, int] = field(default_factory=dict)
    """By rule, the minute in which it was first told (or in the top ten)."""


class Lists:
    """The plain rules of trending lists, once an hour: most used, and count against the same hour of the day before."""

    def __init__(self, words: int) -> None:
        self.hours = np.zeros((26, words), np.int64)
        self.shown = {"against yesterday": 0, "most used": 0}
        self.right = dict(self.shown)

    def count(self, term: Ints, minute: int) -> None:
        """Count the words of a minute."""
        hour = self.hours[minute // 60 % 26]
        hour += np.bincount(term[term >= 0], minlength=self.hours.shape[1])

    def look(self, injected: list[Injected], minute: int) -> None:
        """Take the top ten of the hour that ends."""
        hour = minute // 60
        now, past = self.hours[hour % 26], self.hours[(hour - 24) % 26]
        rules = {"most used": now, "against yesterday": np.where(now >= 6, (now + 1) / (past + 1), 0)}
        for rule, values in rules.items() if hour >= 25 else ():
            best = np.argsort(-values, kind="stable")[:10].tolist()
            about = [[one for one in injected if place in one.terms and _is_on(one, minute)] for place in best]
            self.shown[rule] += len(best)
            self.right[rule] += sum(bool(found) for found in about)
            for one in (one for found in about for one in found):
                one.found.setdefault(rule, minute)
        self.hours[(hour + 1) % 26] = 0


@dataclass
class Ours:
    """The topics that were told, and how many of the ten that rank highest were right, once an hour."""

    told: dict[str, TopicRecord] = field(default_factory=dict)
    shown: int = 0
    right: int = 0

    def look(self, state: Emerging, words: Words, injected: list[Injected], minute: int) -> None:
        """Take the open topics of a minute."""
        for topic in state.topics:
            for one in injected:
                if _of(one, words, topic.record):
                    one.found.setdefault("groundswell", minute)
        if minute % 60 == 59 and minute >= 25 * 60:
            top = sorted(state.topics, key=lambda topic: -topic.record.rank)[:10]
            self.shown += len(top)
            self.right += sum(
                any(_of(one, words, topic.record) and _is_on(one, minute) for one in injected) for topic in top
            )


def quality(days: int, per_minute: int, seed: int, per_day: float) -> None:
    """What is found of what is injected, and what else is told."""
    kernels.load()
    rng = np.random.default_rng(seed)
    injected, names = _plan(rng, days, per_minute)
    words = Words(60_000, names)
    state, params, ours, lists = Emerging.empty(seed), TopicParams(per_day=per_day), Ours(), Lists(len(words.word))
    own_hour = rng.uniform(0, 24, len(words.word))
    serial = 0
    for minute in range(days * 1440):
        term, author = _minute(rng, words, injected, minute, per_minute, own_hour)
        batch, start = Posts(words, term, author, serial), START + minute * MINUTE
        serial += len(term)
        flow.add(state, batch, np.ones(len(term), np.bool_), np.full(len(term), start), MINUTE, params)  # type: ignore[arg-type]  # has all of a batch that is read
        ours.told |= {topic.id: topic for topic in flow.close(state, start, params)}
        ours.look(state, words, injected, minute)
        lists.count(term, minute)
        if minute % 60 == 59:
            lists.look(injected, minute)
    _tell(ours, lists, injected, words, (days, per_minute, state.terms.used))


def _tell(ours: Ours, lists: Lists, injected: list[Injected], words: Words, of: tuple[int, int, int]) -> None:
    days, per_minute, followed = of
    wanted = [one for one in injected if one.kind in WANTED]
    false = [topic for topic in ours.told.values() if not any(_of(one, words, topic) for one in wanted)]
    print(f"{days} days, {per_minute:,} posts a minute, {words.usual:,} usual words, {len(wanted)} things injected")
    print("rule                found   median delay   right of top ten   wrong a day")
    rows = {"groundswell": (ours.right, ours.shown, len(false))}
    rows |= {rule: (lists.right[rule], n, n - lists.right[rule]) for rule, n in lists.shown.items()}
    for rule, (right, shown, wrong) in rows.items():
        delays = [one.found[rule] - one.start + 1 for one in wanted if rule in one.found]
        middle = f"{np.median(delays):.0f} min" if delays else "-"
        share = right / max(shown, 1)
        print(f"{rule:18s}{len(delays) / len(wanted):7.0%}{middle:>15s}{share:>19.0%}{wrong / (days - 1):>14.1f}")
    for kind in dict.fromkeys(one.kind for one in injected):
        some = [one for one in injected if one.kind == kind]
        hit = sum("groundswell" in one.found for one in some)
        print(f"  {kind:18s}{hit} of {len(some)} told by groundswell{'' if kind in WANTED else ' (none is wanted)'}")
    print(f"  {followed:,} terms followed, {len(ours.told)} topics told, wrong ones: {[t.label for t in false][:8]}")


def _of(one: Injected, words: Words, topic: TopicRecord) -> bool:
    held = {term["term"] for term in topic.body["terms"]}
    return any(words.word[number] in held for number in one.terms)


def _is_on(one: Injected, minute: int) -> bool:
    return one.kind in WANTED and one.start <= minute <= one.start + one.length + 60


def _plan(rng: np.random.Generator, days: int, per_minute: int) -> tuple[list[Injected], list[str]]:
    """Something every two hours from the second day on, each kind in turn."""
    injected: list[Injected] = []
    names: list[str] = []
    kinds = ("new hashtag", "new word", "word that rises", "new hashtag", "one account", "surge")
    for number, start in enumerate(range(1500, days * 1440 - 120, 120)):
        kind = kinds[number % len(kinds)]
        rate = float(per_minute * rng.uniform(0.002, 0.02))
        if kind == "word that rises":
            place = int(rng.integers(200, 3000))
            share = 12 * (1 / (place + 1) ** 1.05) / 9.5
            injected.append(Injected(kind, kind, [place], start, 45, max(4 * share * per_minute, rate)))
            continue
        fresh = [f"#tag{number}", f"first{number}", f"second{number}"][: 1 if kind != "new hashtag" else 3]
        if kind == "surge":
            injected.append(Injected(kind, kind, [], start, 30, 0.0))
            continue
        at = [60_000 + len(names) + n for n in range(len(fresh))]
        names += fresh
        authors = 1 if kind == "one account" else 1_000_000
        injected.append(Injected(fresh[0], kind, at, start, 45, rate, authors))
    return injected, names


def _minute(
    rng: np.random.Generator, words: Words, injected: list[Injected], minute: int, per_minute: int, own_hour: Floats
) -> tuple[Ints, Ints]:
    """The posts of one minute: terms (posts, 12) and authors."""
    hour = minute / 60 % 24
    level = 1 + 0.6 * np.cos((hour - 20) / 24 * 2 * np.pi)
    on = [one for one in injected if one.start <= minute < one.start + one.length]
    if any(one.kind == "surge" for one in on):
        level *= 2.5
    count = int(rng.poisson(per_minute * level))
    term = words.draw(rng, count, 12)
    # A word with a day of its own is left out where it is not its hour.
    own = (term % 5 == 0) & (rng.random(term.shape) > 0.5 + 0.5 * np.cos((hour - own_hour[term]) / 24 * 2 * np.pi))
    term[own] = -1
    author = (rng.zipf(1.3, count) % 40_000).astype(np.int64)
    for one in on:
        if one.terms:
            rows = rng.choice(count, min(count, int(rng.poisson(one.per_minute))), replace=False)
            term[rows, : len(one.terms)] = one.terms
            author[rows] = 50_000 + rng.integers(0, one.authors, len(rows)) if one.authors > 1 else 49_999
    return term, author


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quality", action="store_true", help="only what is found")
    parser.add_argument("--cost", action="store_true", help="only what it costs")
    parser.add_argument("--days", type=int, default=4)
    parser.add_argument("--per-minute", type=int, default=300, help="posts a minute of the quality stream")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--per-day", type=float, default=TopicParams().per_day, help="topics a day that are asked for")
    given = parser.parse_args()
    if not given.quality:
        counting(200_000)
        cost(20_000, 200_000)
    if not given.cost:
        quality(given.days, given.per_minute, given.seed, given.per_day)


if __name__ == "__main__":
    main()
