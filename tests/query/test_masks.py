from __future__ import annotations

from collections.abc import Iterator

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell import schema
from groundswell.query import Matcher, Query, parse
from groundswell.testing.streams import make_posts

WORDS = [
    "nike",
    "Nikes",
    "ΣΊΣΥΦΟΣ",
    "straße",
    "STRASSE",
    "食品安全",
    "品",
    "ไทย",
    "😀",
    "👍🏽",
    "привет",
    "İstanbul",
    "side",
    "effects",
]
WORDS += ["don't", "a_b", "ﬁne", "e\u0301cole", "école", "שלום", "2024"]
NAMES = ["bob", "Ann", "", None]

texts = st.one_of(
    st.none(),
    st.lists(st.sampled_from(WORDS), max_size=6).flatmap(
        lambda w: st.sampled_from([" ", "", ", ", "\n"]).map(lambda s: s.join(w))
    ),
)
lists = st.one_of(st.none(), st.lists(st.sampled_from(["nike", "食品", "bob"]), max_size=2))
numbers = st.one_of(st.none(), st.integers(0, 3))
posts_rows = st.lists(
    st.tuples(
        texts, lists, lists, st.sampled_from(NAMES), numbers, st.sampled_from(["en", "en-GB", "EN", "eng", None])
    ),
    min_size=1,
    max_size=12,
)
atoms = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(WORDS).map(lambda w: f"{w}*"),
    st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)).map(lambda p: f'"{p[0]} {p[1]}"'),
    st.sampled_from(["#nike", "#食品", "@bob", "@ann", "author:bob", "lang:en", "platform:x", "platform:y"]),
    st.sampled_from(["likes:>1", "likes:=0", "followers:<=2", "views:5"]),
)
queries = st.recursive(
    atoms,
    lambda inner: st.one_of(
        inner.map(lambda q: f"-({q})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda q: f"({' '.join(q)})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda q: f"({' OR '.join(q)})"),
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def duck() -> Iterator[ibis.BaseBackend]:
    connection = ibis.duckdb.connect()
    yield connection
    connection.disconnect()


def table_of(rows: list[tuple[object, ...]]) -> pa.Table:
    text, tags, mentions, author, likes, lang = zip(*rows, strict=True)
    return make_posts(
        list(range(len(rows))),
        list(text),
        authors=list(author),
        hashtags=list(tags),
        mentions=list(mentions),
        likes=list(likes),
        followers=list(likes),
        lang=list(lang),
    )


def in_duckdb(duck: ibis.BaseBackend, table: pa.Table, query: Query) -> list[bool]:
    needed = [
        "record",
        "tokens",
        "hashtags",
        "mentions",
        "author_name",
        "likes",
        "followers",
        "views",
        "lang",
        "platform",
    ]
    posts = ibis.memtable(table.select(needed))
    marked = posts.select("record", hit=query.to_ibis(posts)).order_by("record")
    return list(duck.to_pyarrow(marked).column("hit").to_pylist())


@settings(max_examples=120, deadline=None)
@given(posts_rows, st.lists(queries, min_size=1, max_size=4))
def test_a_query_means_the_same_in_the_lake_and_in_the_stream(
    duck: ibis.BaseBackend, rows: list[tuple[object, ...]], texts: list[str]
) -> None:
    table, parsed = table_of(rows), [parse(text) for text in texts]
    together = Matcher([query.root for query in parsed]).matrix(table)
    for query, mask in zip(parsed, together, strict=True):
        assert query.mask(table).tolist() == mask.tolist()
        assert in_duckdb(duck, table, query) == mask.tolist()


@pytest.mark.parametrize(
    ("query", "text", "matches"),
    [
        ("nike", "NIKE!", True),
        ("nike", "nikes", False),
        ("nike*", "nikes", True),
        ('"side effects"', "side  effects.", True),
        ('"side effects"', "effects side", False),
        ("安全", "食品安全问题", True),
        ("ไทย", "ภาษาไทยง่าย", True),
        ("😀", "so😀good", True),
        ("straße", "STRASSE", True),
        ("école", "e\u0301cole", True),
        ("-nike", None, True),
        ("nike", None, False),
    ],
)
def test_words_match_as_people_expect(query: str, text: str | None, matches: bool) -> None:
    assert parse(query).mask(make_posts([0], [text])).tolist() == [matches]


def test_a_null_field_never_matches_and_its_negation_does() -> None:
    posts = make_posts([0, 1], ["a", "a"], likes=[None, 5])
    assert parse("likes:>1").mask(posts).tolist() == [False, True]
    assert parse("-likes:>1").mask(posts).tolist() == [True, False]
    assert parse("#a").mask(posts).tolist() == [False, False]
    assert parse("-@nobody").mask(posts).tolist() == [True, True]


def test_a_mask_over_no_posts_is_empty() -> None:
    empty = make_posts([], [])
    assert parse("a OR #b").mask(empty).tolist() == []
    assert Matcher([parse("a").root]).matrix(empty).shape == (1, 0)
    assert Matcher([]).matrix(make_posts([0], ["a"])).shape == (0, 1)


def test_a_sliced_and_chunked_table_gives_the_same() -> None:
    posts = make_posts(
        list(range(6)), ["nike", "b", "nike c", None, "c", "nike"], hashtags=[["a"], [], None, ["a"], [], ["b"]]
    )
    chunked = pa.concat_tables([posts.slice(0, 2), posts.slice(2, 4)]).slice(1)
    for text in ("nike", "#a", '"nike c"', "ni*"):
        whole = parse(text).mask(posts)[1:]
        assert parse(text).mask(chunked).tolist() == whole.tolist()
        assert np.array_equal(Matcher([parse(text).root]).matrix(chunked)[0], whole)


def test_the_columns_that_a_query_reads_are_all_in_the_schema() -> None:
    names = {"tokens", "hashtags", "mentions", "author_name", "platform", "lang", "kind", "followers", *schema.COUNTERS}
    assert names <= set(schema.POSTS.names)
