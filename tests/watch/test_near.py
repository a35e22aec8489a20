"""Near-duplicate texts are found without comparing all with all."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.watch.copies import group_copies, words_said
from groundswell.watch.near import ALIKE, bands, leaders, signatures, similarity

WORD = st.text(alphabet="abcdefg", min_size=1, max_size=3)
TEXT = st.lists(WORD, min_size=1, max_size=12).map(tuple)


def test_signatures_agree_as_often_as_the_texts_are_alike() -> None:
    rng = np.random.default_rng(7)
    words = [f"w{n}" for n in range(400)]
    far = []
    for _ in range(60):
        first = tuple(rng.choice(words, 40))
        second = (*first[: int(rng.integers(0, 40))], *rng.choice(words, 10))
        a, b = signatures([first, second])
        far.append(float((a == b).mean()) - similarity(first, second))
    assert abs(np.mean(far)) < 0.03
    assert np.std(far) < 0.09


def test_texts_that_are_alike_nearly_always_share_a_band() -> None:
    rng = np.random.default_rng(11)
    words = [f"w{n}" for n in range(900)]
    shared = 0
    for _ in range(200):
        first = [str(word) for word in rng.choice(words, 40)]
        second = list(first)
        second[int(rng.integers(0, 40))] = "other"
        a, b = bands(signatures([tuple(first), tuple(second)]))
        shared += bool((a == b).any())
    assert shared == 200


@settings(deadline=None, max_examples=60)
@given(st.lists(TEXT, unique=True, max_size=15))
def test_who_follows_resembles_the_leader_and_leaders_lead_themselves(texts: list[tuple[str, ...]]) -> None:
    for at, leader in enumerate(leaders(texts)):
        assert leader <= at
        assert leaders(texts)[leader] == leader
        assert leader == at or similarity(texts[at], texts[leader]) >= ALIKE


@settings(deadline=None, max_examples=60)
@given(st.lists(TEXT.map(" ".join), max_size=15), st.randoms(use_true_random=False))
def test_which_texts_are_together_does_not_depend_on_their_order(texts: list[str], shuffle: random.Random) -> None:
    order = list(range(len(texts)))
    shuffle.shuffle(order)
    straight = {frozenset(group) for group in group_copies(texts)}
    mixed = {frozenset(order[at] for at in group) for group in group_copies([texts[at] for at in order])}
    assert straight == mixed


@pytest.mark.parametrize("text", [None, "", "https://a.b/c", "@ann #tag 42"])
def test_a_text_without_words_says_nothing(text: str | None) -> None:
    assert words_said(text) == ()
