"""The terms of one open window."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell import kernels
from groundswell.watch.emerging.window import PostTerms, WindowTerms, among, distinct


@pytest.fixture(autouse=True)
def _plain_afterwards() -> Iterator[None]:
    yield
    kernels.unload()


Posts = list[tuple[int, list[int]]]

some_posts = st.lists(
    st.tuples(st.integers(0, 40), st.lists(st.integers(1, 60), max_size=12)), max_size=60
)  # fmt: skip


def terms_of(posts: Posts) -> PostTerms:
    keys = [key * 0x9E3779B97F4A7C15 % (1 << 64) for _, words in posts for key in words]
    return PostTerms(
        bounds=np.concatenate(([0], np.cumsum([len(words) for _, words in posts]))).astype(np.int64),
        keys=np.array(keys, np.uint64),
        authors=np.array([author * 0xBF58476D1CE4E5B9 % (1 << 64) for author, _ in posts], np.uint64),
        marks=np.arange(1, len(posts) + 1, dtype=np.uint32),
    )


def counted(posts: Posts, borders: list[int], most: int, seed: int = 7) -> WindowTerms:
    window, terms = WindowTerms(rows=np.zeros((16, 4), np.uint64)), terms_of(posts)
    starts = [0, *sorted(min(border, len(posts)) for border in borders), len(posts)]
    for first, last in pairwise(starts):
        window.add(terms, np.arange(first, last), most, seed)
    return window


def told(window: WindowTerms) -> list[list[int]]:
    return [[int(cell) for cell in row] for row in window.rows[: window.used]]


@given(some_posts, st.lists(st.integers(0, 60), max_size=3), st.sampled_from([16, 32, 1 << 16]), st.integers(0, 2**63))
@settings(deadline=None)
def test_the_compiled_count_is_the_plain_one_wherever_batches_end(
    posts: Posts, borders: list[int], most: int, seed: int
) -> None:
    plain = counted(posts, [], most)
    kernels.load()
    compiled = counted(posts, borders, most, seed)
    kernels.unload()
    assert told(compiled) == told(plain) == told(counted(posts, borders, most))
    assert compiled.posts == plain.posts == len(posts)
    assert compiled.dropped == plain.dropped


@given(some_posts)
def test_a_term_counts_once_a_post_and_its_authors_once_each(posts: Posts) -> None:
    window = counted(posts, [], 1 << 16)
    wanted: dict[int, list[int]] = {}
    for author, words in posts:
        for word in dict.fromkeys(words):
            wanted.setdefault(word * 0x9E3779B97F4A7C15 % (1 << 64), []).append(author)
    assert dict(zip(window.keys.tolist(), window.counts.tolist(), strict=True)) == {
        key: len(authors) for key, authors in wanted.items()
    }
    for key, authors in zip(window.keys.tolist(), window.authors.tolist(), strict=True):
        assert authors <= len(wanted[key])
        assert authors >= 0.5 * len(set(wanted[key]))


def test_copies_by_one_author_are_one_author() -> None:
    window = counted([(3, [1, 2])] * 500, [], 1 << 16)
    assert window.counts.tolist() == [500, 500]
    assert window.authors.tolist() == [1, 1]


@pytest.mark.parametrize("authors", [10, 50, 150, 220])
def test_distinct_authors_are_within_a_fifth(authors: int) -> None:
    rng = np.random.default_rng(authors)
    off = []
    for _ in range(50):
        bits = rng.integers(0, 128, authors)
        low = np.bitwise_or.reduce(np.uint64(1) << bits[bits < 64].astype(np.uint64), initial=0)
        high = np.bitwise_or.reduce(np.uint64(1) << (bits[bits >= 64] - 64).astype(np.uint64), initial=0)
        off.append(distinct(np.array([low], np.uint64), np.array([high], np.uint64))[0] / authors - 1)
    assert abs(np.mean(off)) < 0.05
    assert np.std(off) < 0.2


def test_what_is_met_most_stays_when_a_window_is_full() -> None:
    rng = np.random.default_rng(1)
    posts: Posts = [(n, [1, 2, *rng.integers(1000, 2**31, 6).tolist()]) for n in range(500)]
    window = counted(posts, [], 64)
    counts = dict(zip(window.keys.tolist(), window.counts.tolist(), strict=True))
    for word in (1, 2):
        assert counts[word * 0x9E3779B97F4A7C15 % (1 << 64)] == 500
    assert window.used <= 64
    assert window.dropped > 0


def test_a_post_of_a_thousand_words_counts_by_its_end() -> None:
    window = counted([(1, list(range(1, 1001)))], [], 1 << 16)
    assert window.used == 256


@given(st.lists(st.integers(1, 2**64 - 1), max_size=50), st.lists(st.integers(1, 2**64 - 1), max_size=20))
@settings(deadline=None)
def test_terms_that_are_wanted_are_found(keys: list[int], wanted: list[int]) -> None:
    held, sought = np.array(keys + wanted[:3], np.uint64), np.unique(np.array(wanted, np.uint64))
    kernels.load()
    compiled = among(held, sought, 11)
    kernels.unload()
    assert compiled.tolist() == among(held, sought, 11).tolist() == [key in set(wanted) for key in held.tolist()]
