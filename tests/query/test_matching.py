# ruff: noqa: RUF001 - what looks alike is what is tested
"""What the compiled matcher, the masks and the lake say of a text is what a plain reading of the query says."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundswell import kernels
from groundswell.query import Matcher, parse
from groundswell.query.ast import (
    HAS,
    IS,
    TEXT_FIELDS,
    WITH_MEDIA,
    All,
    Compare,
    Either,
    Equals,
    Has,
    Link,
    Mention,
    Node,
    Not,
    Tag,
    Words,
)
from groundswell.query.matching import batch_of, pairs_of
from groundswell.query.program import compile_queries
from groundswell.query.pruning import columns_of
from groundswell.schema import POSTS
from groundswell.text.hashing import hash_texts
from groundswell.text.tokens import tokenise, tokenise_one

Post = dict[str, Any]

#: Words of every kind of script, some of which begin with, hold or join with others.
WORDS = [
    *("nike", "Nikes", "NIKE’S", "side", "effects", "of", "the", "Straße"),
    *("STRASSE", "ﬁne", "fine", "École", "e\u0301cole", "ΣΊΣΥΦΟΣ", "σίσυφος", "İstanbul"),
    *("istanbul", "привет", "при", "שלום", "مرحبا", "مرحباً", "नमस्ते", "नम"),
    *("ไทย", "ภาษาไทย", "食品安全", "品", "安全", "かな", "カナ", "ｶﾅ"),
    *("각한", "각", "မြန်မာ", "ខ្មែរ", "ລາວ", "😀", "👍🏽", "👍"),
    *("🇫🇷", "a_b", "2024", "２０２４", "don't", "½", "x²", "ß"),
    *("𝔫𝔦𝔨𝔢"),
]
JOINED = st.sampled_from([" ", " ", "", ", ", "\n", "-", "’"])
text = st.one_of(
    st.none(),
    st.lists(st.tuples(st.sampled_from(WORDS), JOINED), max_size=8).map(lambda p: "".join(w + j for w, j in p)),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)
LINKS = ["https://www.nike.com/A", "nike.co", "http://a.b/?nike.com"]
names = st.sampled_from(["bob", "Ann", "食品", "nike", ""])
post = st.fixed_dictionaries(
    {
        "text": text,
        "hashtags": st.none() | st.lists(st.sampled_from(["nike", "nikeair", "食品", "é"]), max_size=3),
        "mentions": st.none() | st.lists(st.sampled_from(["bob", "ann", "nike"]), max_size=2),
        "author_name": st.none() | names,
        "platform": st.sampled_from(["x", "tiktok"]),
        "lang": st.sampled_from([None, "en", "en-GB", "EN", "eng", "zh-Hant"]),
        "kind": st.sampled_from([None, "text", "video"]),
        "likes": st.none() | st.integers(0, 3),
        "followers": st.none() | st.integers(0, 3),
        "urls": st.none()
        | st.lists(st.sampled_from(["https://www.nike.com/A", "nike.co", "http://a.b/?nike.com"]), max_size=2),
        "verified": st.sampled_from([None, True, False]),
    }
)
word = st.sampled_from(WORDS)
atom = st.one_of(
    word.map(lambda w: f'"{w}"'),
    word.map(lambda w: f'"{w[:2]}*"'),
    st.lists(word, min_size=2, max_size=4).map(lambda p: f'"{" ".join(p)}"'),
    st.lists(word, min_size=2, max_size=3).map(lambda p: f'"{" ".join(p)[:-1]}*"'),
    st.sampled_from(["#nike", "#nike*", "#食*", "@bob", "@nike", "author:ann", "author:食品", "lang:en", "lang:zh"]),
    st.sampled_from(["platform:x", "kind:video", "likes:>1", "likes:=0", "followers:1..2", "has:media", "has:link"]),
    st.sampled_from(["is:verified", "domain:nike.com", "url:nike.co", "has:hashtag"]),
)
query = st.recursive(
    atom,
    lambda inner: st.one_of(
        inner.map(lambda q: f"-({q})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda q: f"({' '.join(q)})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda q: f"({' OR '.join(q)})"),
    ),
    max_leaves=6,
)


def parses(written: str) -> bool:
    """Some beginnings are no words."""
    try:
        parse(written)
    except ValueError:
        return False
    return True


queries = st.lists(query.filter(parses), min_size=1, max_size=6)


def holds(node: Node, post: Post) -> bool:
    """What the documentation says, word by word."""
    if isinstance(node, Not):
        return not holds(node.part, post)
    if isinstance(node, All):
        return all(holds(part, post) for part in node.parts)
    if isinstance(node, Either):
        return any(holds(part, post) for part in node.parts)
    return bool(_LEAVES[type(node)](node, post))


def _words(leaf: Words, post: Post) -> bool:
    has = tokenise_one(post["text"]).split() if post["text"] is not None else []
    wanted = leaf.tokens.split(" ")
    for at in range(len(has) - len(wanted) + 1):
        here = has[at : at + len(wanted)]
        if here == wanted or (leaf.prefix and here[:-1] == wanted[:-1] and here[-1].startswith(wanted[-1])):
            return True
    return False


def _tag(leaf: Tag, post: Post) -> bool:
    return any(tag == leaf.name or (leaf.prefix and tag.startswith(leaf.name)) for tag in post["hashtags"] or ())


def _mention(leaf: Mention, post: Post) -> bool:
    return leaf.name in (post["mentions"] or ()) or (post["author_name"] or "").lower() == leaf.name


def _equals(leaf: Equals, post: Post) -> bool:
    value = post.get(TEXT_FIELDS[leaf.field])
    if value is None:
        return False
    return bool(value.lower() == leaf.value or (leaf.field == "lang" and value.lower().startswith(leaf.value + "-")))


_OPERATORS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "=": operator.eq}


def _compare(leaf: Compare, post: Post) -> bool:
    value = post[leaf.field]
    return value is not None and bool(_OPERATORS[leaf.operator](value, leaf.number))


def _link(leaf: Link, post: Post) -> bool:
    urls = [url.lower() for url in post["urls"] or ()]
    if leaf.field == "url":
        return any(leaf.value in url for url in urls)
    hosts = [re.split("[/?#]", url.split("://")[-1])[0] for url in urls]
    return any(host == leaf.value or host.endswith("." + leaf.value) for host in hosts)


def _has(leaf: Has, post: Post) -> bool:
    if leaf.what in IS:
        return post[IS[leaf.what]] is True
    values = [(name, post.get(name)) for name in HAS[leaf.what]]
    return any(value in WITH_MEDIA if name == "kind" else bool(value) for name, value in values)


_LEAVES: dict[Any, Any] = {
    Words: _words,
    Tag: _tag,
    Mention: _mention,
    Equals: _equals,
    Compare: _compare,
    Link: _link,
    Has: _has,
}


def table_of(posts: list[Post]) -> pa.Table:
    table = pa.Table.from_pylist(posts, schema=POSTS)
    return table.set_column(table.schema.get_field_index("tokens"), "tokens", tokenise(table["text"]))


@pytest.fixture(scope="module", autouse=True)
def compiled() -> Iterator[None]:
    kernels.load_live()
    yield
    kernels.unload()


@pytest.fixture(scope="module")
def duck() -> Iterator[ibis.BaseBackend]:
    connection = ibis.duckdb.connect()
    yield connection
    connection.disconnect()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(st.lists(post, min_size=1, max_size=8), queries)
def test_the_compiled_matcher_and_the_masks_say_what_a_plain_reading_says(posts: list[Post], texts: list[str]) -> None:
    table, parsed = table_of(posts), [parse(text) for text in texts]
    expected = [[holds(query.root, post) for post in posts] for query in parsed]
    assert [query.mask(table).tolist() for query in parsed] == expected
    matcher = Matcher([query.root for query in parsed])
    assert matcher.matrix(table).tolist() == expected
    row, slot = np.nonzero(np.array(expected).T)
    found = matcher.pairs(table)
    assert (found.slot.tolist(), found.row.tolist()) == (slot.tolist(), row.tolist())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(st.lists(post, min_size=1, max_size=8), query.filter(parses))
def test_the_lake_says_what_a_plain_reading_says(duck: ibis.BaseBackend, posts: list[Post], text: str) -> None:
    parsed, table = parse(text), table_of(posts)
    numbered = table.select(columns_of(parsed.root)).append_column("n", pa.array(range(len(posts))))
    lake = ibis.memtable(numbered)
    marked = lake.select("n", hit=parsed.to_ibis(lake)).order_by("n")
    assert duck.to_pyarrow(marked)["hit"].to_pylist() == [holds(parsed.root, post) for post in posts]


def test_thousands_of_queries_find_what_each_finds_alone() -> None:
    rng = np.random.default_rng(3)
    texts = [" ".join(rng.choice(WORDS, 9)) for _ in range(300)]
    table = table_of([{"text": text, "hashtags": [str(rng.choice(["a", "b", "bc"]))]} for text in texts])
    written = [
        f'{a} ({b} OR "{c} {d}") -{e} OR #{t}*' for a, b, c, d, e in rng.choice(WORDS, (600, 5)) for t in "b"[:1]
    ]
    roots = [parse(text).root for text in written if parses(text)]
    matcher = Matcher(roots)
    row, slot = np.nonzero(matcher.matrix(table).T)
    found = matcher.pairs(table)
    assert np.array_equal(found.row, row)
    assert np.array_equal(found.slot, slot)
    assert len(row) > 3_000


def test_pairs_are_in_order_and_alike_with_and_without_the_kernels() -> None:
    table = table_of([{"text": "b a"}, {"text": None}, {"text": "a"}] * 50)
    matcher = Matcher([parse(text).root for text in ("a", "-a", "b OR a", "-zzz")])
    fast = matcher.pairs(table)
    kernels.unload()
    plain = matcher.pairs(table)
    kernels.load_live()
    assert (fast.slot.tolist(), fast.row.tolist()) == (plain.slot.tolist(), plain.row.tolist())
    assert fast.row.tolist() == sorted(fast.row.tolist())


def test_words_with_the_same_hash_are_told_apart() -> None:
    table = table_of([{"text": "nike"}, {"text": "adidas"}])
    compiled = compile_queries([parse("nike").root])
    lexicon = compiled.words.words
    lexicon.keys[lexicon.keys != 0] = 0
    value = int(hash_texts(["adidas"])[0])
    lexicon.bits[:] = np.uint64(2**64 - 1)
    at = value & len(lexicon.keys) - 1
    lexicon.keys[at], lexicon.entry[at] = value, 0
    pairs, _ = pairs_of(compiled, batch_of(compiled, table))
    assert 1 not in pairs.row.tolist()


def test_a_matcher_of_nothing_and_posts_that_are_none() -> None:
    assert Matcher([]).pairs(table_of([{"text": "a"}])).row.tolist() == []
    assert Matcher([parse("a").root]).pairs(table_of([])).row.tolist() == []


def test_what_is_not_known_of_a_post_is_said() -> None:
    table = table_of([{"text": "nike", "likes": 5}, {"text": "nike", "likes": 0}, {"text": "a"}])
    roots = [parse(text).root for text in ("nike has:link", "nike OR has:link", "nike -has:link", "has:link likes:>1")]
    compiled = compile_queries(roots)
    batch = batch_of(compiled, table)
    batch.fields.given[:] = 1
    pairs, sure = pairs_of(compiled, batch)
    assert list(zip(pairs.row.tolist(), pairs.slot.tolist(), sure.tolist(), strict=True)) == [
        (0, 0, False),
        (0, 1, True),
        (0, 2, False),
        (0, 3, False),
        (1, 0, False),
        (1, 1, True),
        (1, 2, False),
        (2, 1, False),
    ]
