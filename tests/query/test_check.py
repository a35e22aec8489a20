from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.query.check import check


def test_a_query_that_parses_has_its_normal_form_and_its_terms_where_they_stand() -> None:
    checked = check('Nike -(giveaway OR "free  shoes") #Just* @Bob likes:5..9')
    assert checked.canonical == 'nike -(giveaway OR "free shoes") #just* @bob likes:>=5 likes:<=9'
    assert [(t.kind, t.text, t.column, t.length, t.excluded) for t in checked.terms] == [
        ("word", "nike", 1, 4, False),
        ("word", "giveaway", 8, 8, True),
        ("phrase", '"free shoes"', 20, 13, True),
        ("hashtag", "#just*", 35, 6, False),
        ("mention", "@bob", 42, 4, False),
        ("filter", "likes:>=5 likes:<=9", 47, 10, False),
    ]


def test_a_query_that_does_not_parse_says_where_and_what_was_expected() -> None:
    checked = check("nike AND OR boycott")
    assert (checked.canonical, checked.column, checked.terms) == (None, 10, [])
    assert checked.expected is not None
    assert checked.expected.startswith("a word")


@pytest.mark.parametrize(
    ("text", "code", "column", "length", "says"),
    [
        ("nike likes:>100", "grows", 6, 10, "hardly any post"),
        ("nike views:<5", "grows", 6, 8, "nearly every post"),
        ("nike or adidas", "operator", 6, 2, "read as OR"),
        ("a1 b1 OR c1", "mixed", 1, 5, "this is read as (a1 b1)"),
        ("lang:en -nike", "broad", 1, 13, "matches very many"),
        ("nike OR the", "broad", 1, 11, "matches very many"),
        ("nike lang:english", "language", 6, 12, "pt-br"),
        ("nike platform:tiktak", "platform", 6, 15, "tiktok"),
        ("nike platform:x platform:tiktok", "never", 17, 15, "put OR between"),
        ("nike -nike", "never", 1, 10, "has it not"),
        ("nike followers:>9 followers:<9", "never", 19, 12, "fulfils both"),
    ],
)
def test_what_is_probably_not_meant_is_said(text: str, code: str, column: int, length: int, says: str) -> None:
    warnings = check(text, for_tracker=True, platforms=["x", "tiktok"]).warnings
    assert code in [warning.code for warning in warnings]
    warning = next(warning for warning in warnings if warning.code == code)
    assert (warning.column, warning.length) == (column, length)
    assert says in warning.text


@pytest.mark.parametrize(
    "text",
    [
        'nike AND (boycott OR scandal) -giveaway "side effects" #justdoit @nike shoe*',
        "(nike boycott) OR #nike followers:>10k",
        "the NOT of",
        "author:nike OR domain:nike.com",
        "lang:en lang:de",
        "食",
    ],
)
def test_an_ordinary_query_gives_no_warning_but_those_that_it_deserves(text: str) -> None:
    codes = {warning.code for warning in check(text, for_tracker=True).warnings}
    assert codes <= (
        {"broad"} if text in {"the NOT of", "lang:en lang:de"} else {"mixed"} if "#nike" in text else set()
    )


def test_counters_are_no_surprise_where_the_posts_are_not_new() -> None:
    assert not check("nike likes:>100").warnings


@given(
    st.text(max_size=40) | st.lists(st.sampled_from(["a", "OR", "(", ")", "-", "likes:>1", "#t*", "or"])).map(" ".join)
)
def test_any_text_can_be_checked(text: str) -> None:
    checked = check(text, for_tracker=True)
    assert (checked.canonical is None) != (checked.column is None)
    places = [(w.column, w.length) for w in checked.warnings] + [(t.column, t.length) for t in checked.terms]
    for column, length in places:
        assert 1 <= column <= len(text)
        assert column + length <= len(text) + 1
