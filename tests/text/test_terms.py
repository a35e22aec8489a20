"""Terms are hashed alike by the compiled loops and by the plain function, and a needle is found as text by text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.lake.term_collector import TermCollector
from groundswell.text.terms import Kind, rows_with, term_hash
from groundswell.text.tokens import tokenise

WORDS = st.lists(st.sampled_from(["a", "shoe", "shoes", "été", "火", "🔥", "x" * 300]), max_size=6)
TEXTS = st.lists(st.none() | WORDS.map(lambda words: f" {' '.join(words)} " if words else " "), max_size=12)


def collected(terms: TermCollector) -> dict[int, int]:
    hashes, masks = terms.sorted_terms()
    assert (np.diff(hashes.astype(np.int64)) > 0).all()
    return dict(zip(hashes.tolist(), masks.tolist(), strict=True))


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=4))
def test_each_word_is_held_by_the_parts_that_have_it(parts: list[list[str | None]]) -> None:
    terms = TermCollector()
    expected: dict[int, int] = {}
    for number, texts in enumerate(parts):
        terms.add_words(pa.array(texts, pa.string()), number)
        for word in {word for text in texts if text for word in text.split()}:
            expected[term_hash(Kind.WORD, word)] = expected.get(term_hash(Kind.WORD, word), 0) | 1 << number
    assert collected(terms) == expected


@settings(deadline=None)
@given(st.lists(st.none() | st.text(max_size=8), max_size=20), st.integers(0, 63))
def test_posts_that_a_part_holds_twice_are_marked(ids: list[str | None], part: int) -> None:
    terms = TermCollector()
    terms.add_posts(pa.array(ids, pa.string()), part)
    held = [one for one in ids if one]
    expected = {term_hash(Kind.POST, one): 1 << part for one in held}
    expected |= {term_hash(Kind.REPEATED, one): 1 << part for one in held if held.count(one) > 1}
    assert collected(terms) == expected


def test_kinds_are_different_terms_and_many_terms_make_room() -> None:
    names = [f"name{number}" for number in range(100_000)]
    terms = TermCollector()
    terms.add(Kind.TAG, pa.array(names), 0)
    terms.add(Kind.HANDLE, pa.array(names), 1)
    found = collected(terms)
    assert all(found[term_hash(Kind.TAG, name)] & 1 for name in names[::997])
    assert all(found[term_hash(Kind.HANDLE, name)] & 2 for name in names[::997])
    assert len(found) > 199_900


@given(TEXTS, WORDS.filter(bool), st.booleans(), st.integers(0, 3))
def test_a_needle_is_found_as_in_each_text_alone(
    texts: list[str | None], words: list[str], prefix: bool, skipped: int
) -> None:
    needle = f" {' '.join(words)}" + ("" if prefix else " ")
    expected = [text is not None and needle in text for text in texts]
    assert rows_with(pa.array(texts, pa.string()).slice(skipped), needle).tolist() == expected[skipped:]


@given(st.lists(st.none() | st.text(max_size=30), max_size=8), st.text(min_size=1, max_size=6))
def test_what_the_tokeniser_gives_has_no_match_across_two_texts(texts: list[str | None], sought: str) -> None:
    tokens = tokenise(pa.array(texts, pa.string()))
    needle = (tokenise(pa.array([sought]))[0].as_py() or " ").rstrip()
    if needle:
        expected = [text is not None and needle in text for text in tokens.to_pylist()]
        assert rows_with(tokens, needle).tolist() == expected
