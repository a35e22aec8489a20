# ruff: noqa: RUF001 - what looks alike is what is tested
"""The compiled kernels beside their plain twins."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundswell import kernels
from groundswell.schema import COUNTERS, MAPPED
from groundswell.text.hashing import hash_bytes, hash_table
from groundswell.text.keys import observation_keys
from groundswell.text.tags import hashtags_of, mentions_of, urls_of
from groundswell.text.tokens import read_hashed, read_words, tokenise

ALPHABET = (
    "ab Z_9 ÄßŁﬁ ΣΊς बी ज़ुक् ไทยกำลั່ 漢カﾊﾝｶﾞ각한 🔥👍🏽👩‍💻❤️½²™ '’` #＃﹫@＠ :/. www. http://x.y "
    "e\u0301\u0307\u0323\u0130\u200b\u200d\u00ad\n\x00\u093c\u094d\u0e38\u0e48\U000e0061\uffff\U0010ffff"
)
any_text = st.one_of(
    st.text(alphabet=st.sampled_from(ALPHABET), max_size=40),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20),
)
MARKS = [chr(c) for c in range(0x20000) if unicodedata.category(chr(c))[0] == "M"]
marked = st.text(alphabet=st.sampled_from([*MARKS, *"aİiIé이각कภ漢'’\u200d#ß ."]), max_size=6)
texts = st.lists(st.one_of(st.none(), any_text, marked), max_size=8)
quick = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def loaded() -> Iterator[None]:
    kernels.load()
    yield
    kernels.unload()


def plainly(call: Any) -> Any:
    kernels.unload()
    try:
        return call()
    finally:
        kernels.load()


SIGNS = "é日「」（）)([]{}…’”“*|!?,;:/@-_\"'`<>😀wa.\u3000\u00a0\x85\u2028\u205f\u1680\u200a\u200b\x1c\x1f \t"
LINKS = [
    "http",
    "https",
    "HTTPS",
    "hTTp",
    "httpſ",
    "://",
    ":/",
    "www.",
    "WWW.",
    "ww",
    "http://a",
    "https://b.c/d",
    *SIGNS,
]


@given(st.lists(st.lists(st.sampled_from(LINKS), max_size=14).map("".join), max_size=20), st.integers(0, 3))
@quick
def test_links_are_the_same(given_texts: list[str], start: int) -> None:
    column = pa.array([*given_texts, None], pa.string()).slice(start)
    found = urls_of(column)
    found.validate(full=True)
    assert found.to_pylist() == plainly(lambda: urls_of(column)).to_pylist()


@given(texts, st.integers(0, 3))
@quick
def test_words_are_the_same(given_texts: list[str | None], start: int) -> None:
    column = pa.array(given_texts, pa.string()).slice(start)
    found = tokenise(column)
    found.validate(full=True)
    assert found.to_pylist() == plainly(lambda: tokenise(column)).to_pylist()


def test_every_character_is_the_same_word_beside_letters() -> None:
    characters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    column = pa.array([f"a{c}b {c}{c} é{c}i İ{c}\u0323{c}" for c in characters], pa.string())
    assert tokenise(column).equals(plainly(lambda: tokenise(column)))


@given(texts)
@quick
def test_the_rows_that_may_hold_tags_are_all_that_do(given_texts: list[str | None]) -> None:
    column = pa.array(given_texts, pa.string())
    words = read_words(column)
    assert words.hashtags is not None
    for extract, rows in ((hashtags_of, words.hashtags), (mentions_of, words.mentions), (urls_of, words.links)):
        assert extract(column, rows).to_pylist() == extract(column).to_pylist()


def test_a_link_is_seen_wherever_it_stands() -> None:
    column = pa.array(["www.a.example", "x WWW.b.example", "HTTPS://c.example", "w.w", "a:/b", ""], pa.string())
    links = read_words(column).links
    assert links is not None
    assert urls_of(column, links).to_pylist() == urls_of(column).to_pylist()


numbers = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(0, 2000))
rows = st.lists(
    st.fixed_dictionaries(
        {
            "platform": st.sampled_from(["tiktok", "x", "", None]),
            "post_id": st.one_of(st.text(max_size=5), st.just("7" * 300), st.none()),
            "observed_at": st.one_of(st.none(), st.integers(0, 2**50)),
            **dict.fromkeys(COUNTERS, numbers),
        }
    ),
    max_size=6,
)


@given(rows, st.integers(0, 2))
@quick
def test_keys_are_the_same(given_rows: list[dict[str, Any]], start: int) -> None:
    table = pa.Table.from_pylist(given_rows, schema=MAPPED).slice(start)
    with_ids = pa.Table.from_pylist([row for row in given_rows if row["post_id"] is not None], schema=MAPPED)
    for posts in (table, with_ids):
        assert observation_keys(posts).equals(plainly(lambda posts=posts: observation_keys(posts)))


def test_keys_of_numbers_at_every_power_of_ten() -> None:
    values = sorted({sign * (10**k + d) for k in range(19) for d in (-1, 0, 1) for sign in (-1, 1)} | {-(2**63)})
    columns = {name: pa.nulls(len(values), MAPPED.field(name).type) for name in MAPPED.names}
    columns |= {"post_id": pa.array(np.arange(len(values)).astype(str)), "views": pa.array(values, pa.int64())}
    table = pa.table(columns)
    assert observation_keys(table).equals(plainly(lambda: observation_keys(table)))


@quick
@given(texts)
def test_words_come_with_their_hashes_and_places(given_texts: list[str | None]) -> None:
    array = pa.array(given_texts, pa.string())
    read = read_hashed(array, hash_table())
    expected = [(words or "").split() for words in plainly(lambda: tokenise(array)).to_pylist()]
    places = list(zip(read.begins.tolist(), read.ends.tolist(), strict=True))
    found = [bytes(read.data[begin:end]).decode() for begin, end in places]
    assert [found[first:last] for first, last in pairwise(read.rows.tolist())] == expected
    assert read.hashes.tolist() == hash_bytes(pa.array(found, pa.string())).tolist()
    assert all(read.data[begin - 1] == read.data[end] == ord(" ") for begin, end in places)
