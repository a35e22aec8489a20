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
from groundswell.query.ast import COUNT_FIELDS, HAS, TEXT_FIELDS
from groundswell.query.pruning import columns_of
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
LINKS = ["https://www.NIKE.com/A?b", "nike.com", "http://notnike.com/x", "https://a.b/nike.com/a", "//u@x.co.uk:80", ""]
links = st.one_of(st.none(), st.lists(st.sampled_from(LINKS), max_size=2))
others = st.tuples(links, st.sampled_from([None, "DE", "de", "us"]), st.sampled_from([None, "video", "text"]))
flags = st.tuples(st.sampled_from([None, "", "m1"]), st.sampled_from([None, True, False]))
posts_rows = st.lists(
    st.tuples(
        texts,
        lists,
        lists,
        st.sampled_from(NAMES),
        numbers,
        st.sampled_from(["en", "en-GB", "EN", "eng", None]),
        others,
        flags,
    ),
    min_size=1,
    max_size=12,
)
atoms = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(WORDS).map(lambda w: f"{w}*"),
    st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)).map(lambda p: f'"{p[0]} {p[1]}"'),
    st.sampled_from(["#nike", "#食品", "@bob", "@ann", "author:bob", "lang:en", "platform:x", "platform:y"]),
    st.sampled_from(["likes:>1", "likes:=0", "followers:<=2", "views:5", "followers:1..2"]),
    st.sampled_from(["#ni*", "#食*", "url:nike.com/a", "domain:nike.com", "domain:co.uk"]),
    st.sampled_from(["has:link", "has:hashtag", "has:mention", "has:media", "has:sound", "is:verified", "region:de"]),
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
    text, tags, mentions, author, likes, lang, others, flags = zip(*rows, strict=True)
    return make_posts(
        list(range(len(rows))),
        list(text),
        authors=list(author),
        hashtags=list(tags),
        mentions=list(mentions),
        likes=list(likes),
        followers=list(likes),
        lang=list(lang),
        urls=[links for links, _, _ in others],
        media_urls=[links and links[:1] for links, _, _ in others],
        region=[region for _, region, _ in others],
        kind=[kind for _, _, kind in others],
        music_id=[sound for sound, _ in flags],
        verified=[verified for _, verified in flags],
    )


def in_duckdb(duck: ibis.BaseBackend, table: pa.Table, query: Query) -> list[bool]:
    needed = sorted({"record", *columns_of(query.root)})
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


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("domain:nike.com", [True, True, False, False, False, False]),
        ("url:nike.com/a", [True, False, False, True, False, False]),
        ("domain:co.uk", [False, False, False, False, True, False]),
        ("has:link", [True] * 6),
    ],
)
def test_links_are_those_to_a_site_or_with_a_text_in_them(query: str, matches: list[bool]) -> None:
    posts = make_posts(list(range(6)), ["a"] * 6, urls=[[link] for link in LINKS])
    assert parse(query).mask(posts).tolist() == matches


def test_the_columns_that_a_query_reads_are_all_in_the_schema() -> None:
    every = [*TEXT_FIELDS, *COUNT_FIELDS]
    text = " ".join([*(f"{name}:1" for name in every if name != "kind"), "kind:text a #b @c url:d"])
    names = {*columns_of(parse(text + "".join(f" has:{what}" for what in HAS) + " is:verified").root)}
    assert names <= set(schema.POSTS.names)
