from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.errors import QuerySyntaxError
from groundswell.query import Query, parse
from groundswell.query.ast import (
    HAS,
    IS,
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


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("nike", "nike"),
        ("Nike AND boycott", "nike boycott"),
        ("a b OR c -d", "(a b) OR (c -d)"),
        ("a (b c) d", "a b c d"),
        ("NOT NOT a", "a"),
        ("-(a OR b)", "-(a OR b)"),
        ('"Side  Effects"', '"side effects"'),
        ("“side effects”", '"side effects"'),
        ("late-night", '"late night"'),
        ('shoe* "side eff*"', 'shoe* "side eff*"'),
        ("#JustDoIt @Nike", "#justdoit @nike"),
        ("platform:TikTok lang:EN author:@Bob kind:video", "platform:tiktok lang:en author:bob kind:video"),
        ("followers:>10k likes:<=1.1k views:=0 shares:5", "followers:>10000 likes:<=1100 views:=0 shares:=5"),
        ("ORANGE andy NOTE", "orange andy note"),
        ('"OR" "not" ornament or* "and so"', '"or" "not" ornament or* "and so"'),
        ("a and b Or not c", "(a b) OR -c"),
        ("a | b || c & d", "a OR b OR (c d)"),
        ("–a \u2212b (c)", "-a -b c"),
        ("\uff08nike OR adidas\uff09\uff03tag platform\uff1ax", "(nike OR adidas) #tag platform:x"),
        ("『東京』 «le monde»", '"東 京" "le monde"'),
        ("#just*", "#just*"),
        ("from:Bob type:video language:en country:DE", "author:bob kind:video lang:en region:de"),
        ("domain:https://www.Nike.com/shoes url:Nike.com/A", "domain:nike.com url:nike.com/a"),
        ("https://nike.com/x", "url:nike.com/x"),
        ("has:links has:music is:verified", "has:link has:sound is:verified"),
        ("likes:10..20 views:1k-2k", "likes:>=10 likes:<=20 views:>=1000 views:<=2000"),
        ("-likes:..5 views:7+ saves:≥1,000", "-likes:<=5 views:>=7 saves:>=1000"),
        ("likes>100 followers=5", "likes:>100 followers:=5"),
        ("likes:>99999999999999999999", "likes:>9223372036854775807"),
        ("ﬁne", "fine"),
        ("a\nOR\nb", "a OR b"),
    ],
)
def test_a_query_has_one_normal_form(text: str, normal: str) -> None:
    assert str(parse(text)) == normal
    assert parse(str(parse(text))) == parse(text)


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("", 1, "a word"),
        ("   ", 1, "a word"),
        ("(a", 3, "`)`"),
        ("a)", 2, "the end"),
        ("a OR", 5, "a word"),
        ("OR a", 1, "a word"),
        ("a AND OR b", 7, "a word"),
        ('a "b', 3, "a closing quote"),
        ('""', 1, "at least one word"),
        ("a foo:bar", 3, "one of platform:, lang:"),
        ("a likes:many", 9, "a number after `likes:`"),
        ("platform:", 10, "a value after `platform:`"),
        ("kind:film", 6, "one of video, image"),
        ("sho*e", 4, "only at the end"),
        ("#a*b", 3, "only at its end"),
        ("@a*", 3, "in full"),
        ("author:a*", 8, "in full"),
        ("or a", 1, "“quotes” around and, or, not"),
        ("like:3", 1, "`likes:`?"),
        ("likes:1.5", 7, "a whole number"),
        ("likes:5..3", 7, "the smaller number first"),
        ("domain:nike", 8, "the name of a site"),
        ("has:legs", 5, "one of link, hashtag"),
        ("is:fun", 4, "one of verified"),
        ("a (b “c", 6, "a closing quote"),
        ("#", 1, "a word"),
        ("a !!! b", 3, "a word with at least one"),
        ("NOT", 4, "a word"),
        ("()", 2, "a word"),
        ("(" * 60 + "a" + ")" * 60, 51, "at most 50 nested"),
        ("a " * 3000, 4001, "at most 4000 characters"),
    ],
)
def test_an_error_names_the_column_and_what_was_expected(text: str, column: int, expected: str) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text)
    assert caught.value.column == column
    assert expected in caught.value.expected


def test_a_query_knows_its_own_words() -> None:
    assert parse('nike "side effects" -sponsored #tag platform:x').words == {"nike", "side", "effects", "sponsored"}


words = st.sampled_from(["nike", "côté", "食", "ไ", "😀", "שלום", "привет", "or", "and", "not", "a1"])
operators = st.sampled_from([">", ">=", "<", "<=", "="])
leaf: st.SearchStrategy[Node] = st.one_of(
    st.builds(Words, words, st.booleans()),
    st.builds(lambda a, b: Words(f"{a} {b}"), words, words),
    st.builds(Tag, words, st.booleans()),
    st.builds(Link, st.just("domain"), st.sampled_from(["nike.com", "例え.jp"])),
    st.builds(Link, st.just("url"), st.sampled_from(["nike.com/a(b)", "x y"])),
    st.builds(Has, st.sampled_from([*HAS, *IS])),
    st.builds(Mention, st.sampled_from(["bob", "ann_1"])),
    st.builds(Equals, st.sampled_from(["platform", "lang", "author"]), st.sampled_from(["x", "en", "two words"])),
    st.builds(
        Compare,
        st.sampled_from(["likes", "views"]),
        st.sampled_from([">", ">=", "<", "<=", "="]),
        st.integers(0, 2**63 - 1),
    ),
)


def grow(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    other = inner.filter(lambda node: not isinstance(node, Not))
    parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Not, other),
        st.builds(All, parts.filter(lambda p: not any(isinstance(n, All) for n in p))),
        st.builds(Either, parts.filter(lambda p: not any(isinstance(n, Either) for n in p))),
    )


@given(st.recursive(leaf, grow, max_leaves=8))
def test_what_a_tree_prints_parses_to_the_same_tree(node: Node) -> None:
    assert parse(str(node)).root == node


def parsed_or_wrong(text: str) -> Query | QuerySyntaxError:
    try:
        return parse(text)
    except QuerySyntaxError as error:
        return error


@given(st.text(max_size=60))
def test_any_text_parses_or_says_where_it_does_not(text: str) -> None:
    result = parsed_or_wrong(text)
    if isinstance(result, Query):
        assert parse(str(result)) == result
    else:
        assert 1 <= result.column <= len(text) + 1
        assert result.expected
