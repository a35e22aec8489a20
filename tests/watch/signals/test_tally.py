from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.watch.signals import Tally

POSTS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 60)), max_size=120)


def mixed(value: int) -> int:
    value = (value + 1) * 0x9E3779B97F4A7C15 % 2**64
    return (value ^ value >> 29) * 0xBF58476D1CE4E5B9 % 2**64


def keys_of(posts: list[tuple[int, int]], keep: int) -> Tally:
    slots = np.array([slot for slot, _ in posts], dtype=np.int64)
    hashes = np.array([mixed(author) for _, author in posts], dtype=np.uint64)
    return Tally.of_keys(slots, hashes, 3, keep)


def same(left: Tally, right: Tally) -> bool:
    return all(np.array_equal(getattr(left, name), getattr(right, name)) for name in Tally.ARRAYS)


@given(POSTS, st.integers(0, 120), st.integers(0, 120), st.sampled_from([4, 1000]))
def test_it_does_not_matter_how_windows_are_put_together(
    posts: list[tuple[int, int]], first: int, second: int, keep: int
) -> None:
    low, high = sorted((first, second))
    parts = [keys_of(part, keep) for part in (posts[:low], posts[low:high], posts[high:])]
    forward = parts[0].and_also(parts[1], keep).and_also(parts[2], keep)
    backward = parts[2].and_also(parts[0].and_also(parts[1], keep), keep)
    assert same(forward, keys_of(posts, keep))
    assert same(backward, forward)


@given(POSTS)
def test_distinct_keys_and_the_most_frequent_are_exact_while_all_are_kept(posts: list[tuple[int, int]]) -> None:
    tally = keys_of(posts, 1000)
    for slot in range(3):
        mine = [author for at, author in posts if at == slot]
        assert tally.distinct(1000)[slot] == len(set(mine))
        assert tally.greatest()[slot] == max((mine.count(author) for author in set(mine)), default=0)


@pytest.mark.parametrize("people", [1_000, 20_000])
def test_where_not_all_are_kept_the_number_of_distinct_keys_is_close(people: int) -> None:
    tally = keys_of([(1, author) for author in range(people)], 512)
    assert tally.distinct(512)[1] == pytest.approx(people, rel=0.15)
    assert len(tally.packed) == 512


@given(POSTS)
def test_other_trackers_keep_what_was_theirs(posts: list[tuple[int, int]]) -> None:
    moved = keys_of(posts, 50).rows(np.array([2, -1, 0, 1]))
    swapped = [({2: 0, 0: 2, 1: 3}[slot], author) for slot, author in posts]
    slots = np.array([slot for slot, _ in swapped], dtype=np.int64)
    hashes = np.array([mixed(author) for _, author in swapped], dtype=np.uint64)
    assert same(moved, Tally.of_keys(slots, hashes, 4, 50))


def test_windows_numbered_one_after_the_other_come_apart_again() -> None:
    slots = np.array([0, 4, 5, 4], dtype=np.int64)
    tally = Tally.of_numbers(slots, np.array([7, 8, 9, 8], dtype=np.uint64), 6)
    sums = Tally.of_sums(slots, np.array([1.0, 2.0, np.nan, 4.0]), 6)
    first, second = tally.and_also(sums, 100).split(3)
    assert (first.slots.tolist(), first.keys.tolist()) == ([0], [7])
    assert (second.slots.tolist(), second.keys.tolist(), second.counts.tolist()) == ([1, 2], [8, 9], [2, 1])
    assert second.sums.tolist() == [[0, 0], [2, 6], [0, 0]]
