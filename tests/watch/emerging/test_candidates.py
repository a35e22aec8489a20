"""The rows of followed terms, and what is usual for each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell import kernels
from groundswell.watch.emerging.candidates import BLOCKS, Candidates
from groundswell.watch.emerging.levels import Memory, pass_block, pass_window, share
from groundswell.watch.emerging.window import WindowTerms

FIVE = 300_000_000


@pytest.fixture(autouse=True)
def _plain_afterwards() -> Iterator[None]:
    yield
    kernels.unload()


def window(counts: dict[int, int]) -> WindowTerms:
    """A window with so many authors of each key."""
    rows = np.zeros((max(len(counts), 1), 4), np.uint64)
    for number, (key, count) in enumerate(counts.items()):
        rows[number] = (key, count, (1 << min(count, 60)) - 1, 0)
    return WindowTerms(rows, len(counts))


def run(windows: list[dict[int, int]], most: int = 1 << 12) -> tuple[Candidates, list[list[int]]]:
    """Windows of a minute, 100 posts each, through all passes; which terms were to be looked at."""
    terms, memory, flagged = Candidates(5), Memory.of(FIVE), []
    for number, counts in enumerate(windows):
        terms.take_window(window(counts), most, 100.0 * number, number // 5, seed=3)
        flags = pass_window(terms, number % 5, 100.0, 500.0)
        if number % 5 == 4:
            flags |= pass_block(terms, number // 5 % BLOCKS, np.array([500.0, 1500.0, 6000.0, 500.0]), memory)
        flagged.append(terms.key[np.flatnonzero(flags)].tolist())
    return terms, flagged


def arrays(terms: Candidates) -> dict[str, Any]:
    return {name: array[..., : terms.used].tolist() for name, array in terms.arrays()}


some_windows = st.lists(
    st.dictionaries(st.integers(1, 40), st.integers(1, 50), max_size=20), min_size=1, max_size=90
)  # fmt: skip


@given(some_windows, st.sampled_from([16, 1 << 12]))
@settings(deadline=None, max_examples=40)
def test_the_compiled_passes_are_the_plain_ones(windows: list[dict[int, int]], most: int) -> None:
    plain, plain_flags = run(windows, most)
    kernels.load()
    compiled, compiled_flags = run(windows, most)
    kernels.unload()
    assert compiled_flags == plain_flags
    assert arrays(compiled) == arrays(plain)
    assert (compiled.used, compiled.floor, compiled.turned_away) == (plain.used, plain.floor, plain.turned_away)


@given(some_windows)
@settings(deadline=None, max_examples=40)
def test_sums_are_those_of_the_last_windows(windows: list[dict[int, int]]) -> None:
    terms, _ = run(windows)
    for row, key in enumerate(terms.key[: terms.used].tolist()):
        counts = [int(min(one.get(key, 0), distinct_of(one.get(key, 0)))) for one in windows]
        assert terms.now[row] == counts[-1]
        assert terms.block[row] == sum(counts[-5:])
        whole = len(counts) // 5 * 5
        assert terms.hour[row] == sum(counts[max(0, whole - 60) : whole])


def distinct_of(count: int) -> int:
    from groundswell.watch.emerging.window import AUTHORS

    return int(AUTHORS[min(count, 60)])


def test_a_level_is_learned_an_hour_late_and_is_a_share_of_the_stream() -> None:
    terms, _ = run([{7: 10}] * 60)
    assert terms.posts[0] == 0
    terms, _ = run([{7: 10}] * 3000)
    level = share(terms.posts[:1], terms.exposure[:1])[0]
    assert level == pytest.approx(0.1, rel=0.1)


def test_a_burst_does_not_teach_itself() -> None:
    usual = [{7: 4}] * 600
    quiet, _ = run(usual)
    after, _ = run([*usual, *([{7: 50}] * 60)])
    assert after.posts[0] / after.exposure[0] == pytest.approx(quiet.posts[0] / quiet.exposure[0], rel=0.02)


def test_what_stands_out_is_looked_at_at_once() -> None:
    _, flagged = run([*([{7: 4, 9: 2}] * 600), {7: 40, 9: 2}])
    assert flagged[-2] == []
    assert flagged[-1] == [7]


def test_the_weakest_go_and_newcomers_inherit_what_they_may_have_had() -> None:
    strong = {key: 5 for key in range(1, 9)}
    terms, _ = run([strong, *({100 + number: 2} for number in range(40))], most=16)
    assert set(strong) <= set(terms.key[: terms.used].tolist())
    assert terms.used <= 16
    assert terms.floor >= 1
    assert terms.posts[terms.used - 1] >= 1


def test_while_room_is_short_a_term_of_one_author_is_let_in_when_it_comes_again() -> None:
    full = {key: 5 for key in range(1, 17)}
    first, second = 100 << 50, 101 << 50
    once, _ = run([full, {first: 1}, {second: 1}], most=16)
    assert once.key[: once.used].tolist() == [*range(1, 17)]
    again, _ = run([full, {first: 1}, {second: 1}, {first: 1}], most=16)
    assert first in again.key[: again.used].tolist()
    assert second not in again.key[: again.used].tolist()


def test_memory_is_within_two_hundred_megabytes_with_all_candidates() -> None:
    terms = Candidates(5)
    while terms.room < 1 << 18:
        terms._widen()
    kernels.load()
    terms.find(np.ones(1, np.uint64), 1)
    assert terms.nbytes < 60e6
