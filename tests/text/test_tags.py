# ruff: noqa: RUF001 - what looks alike is what is tested
"""Hashtags, handles and links."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.text.tags import fold_tags, hashtags_of, mentions_of, urls_of


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("#One #two#three #ONE", ["one", "two", "three"]),
        ("#हिन्दी_में and #日本語タグ!", ["हिन्दी_में", "日本語タグ"]),
        ("＃ｗｉｄｅ", ["wide"]),
        ("#1 #2021 #_ ## # x", []),
        ("#covid19 #19covid", ["covid19", "19covid"]),
        ("it&#39;s https://a.example/#frag #real", ["real"]),
        ("#don't #Straße", ["don", "strasse"]),
        ("#fire🔥", ["fire"]),
        ("", []),
    ],
)
def test_hashtags_of_examples(text: str, tags: list[str]) -> None:
    assert hashtags_of(pa.array([text])).to_pylist() == [tags]


@pytest.mark.parametrize(
    ("text", "handles"),
    [
        ("@A and @a, @b.c. @d-e", ["a", "b.c", "d-e"]),
        ("mail me@home.example", []),
        ("https://www.tiktok.com/@someone/video/1", []),
        ("@userさん @user님", ["user"]),
        ("(@x) '@y'", ["x", "y"]),
        ("@", []),
    ],
)
def test_mentions_of_examples(text: str, handles: list[str]) -> None:
    assert mentions_of(pa.array([text])).to_pylist() == [handles]


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see https://T.co/AbC… and http://b.example/x,", ["https://T.co/AbC", "http://b.example/x"]),
        ("(www.a.example/(x)) https://a.example https://a.example", ["www.a.example/(x)", "https://a.example"]),
        ("nothing.here", []),
    ],
)
def test_links_of_examples(text: str, links: list[str]) -> None:
    assert urls_of(pa.array([text])).to_pylist() == [links]


@pytest.mark.parametrize("extract", [hashtags_of, mentions_of, urls_of])
def test_null_is_null_and_chunks_agree_with_arrays(extract: Callable[[pa.Array | pa.ChunkedArray], pa.Array]) -> None:
    texts = [None, "#a @b https://c.example", "none", None, "#d#e @f www.g.example"]
    whole = extract(pa.array(texts)).to_pylist()
    chunks = extract(pa.chunked_array([texts[:2], texts[2:]]))
    assert whole[0] is None
    assert whole[2] == []
    assert chunks.to_pylist() == whole
    assert extract(pa.array(texts).slice(1, 2)).to_pylist() == whole[1:3]


@given(st.lists(st.one_of(st.none(), st.text(alphabet="#@aß日_1 .-/&\n", max_size=20)), max_size=10))
@settings(max_examples=200, deadline=None)
def test_a_text_gives_the_same_alone_as_among_others(texts: list[str | None]) -> None:
    for extract in (hashtags_of, mentions_of):
        whole = extract(pa.array(texts, pa.string())).to_pylist()
        assert whole == [extract(pa.array([text], pa.string())).to_pylist()[0] for text in texts]


def test_listed_tags_are_folded_once_each_and_empty_ones_go() -> None:
    tags = pa.array([["#FYP", " fyp", "Straße", "", None], None, []], pa.list_(pa.string()))
    assert fold_tags(tags).to_pylist() == [["fyp", "strasse"], None, []]
    assert fold_tags(tags.slice(1)).to_pylist() == [None, []]


def test_marks_that_join_with_nothing_are_part_of_a_hashtag() -> None:
    assert hashtags_of(pa.array(["#हिन्दी_2 #ไทยกลั่ง ß"])).to_pylist() == [["हिन्दी_2", "ไทยกลั่ง"]]
