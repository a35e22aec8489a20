"""Plain text of HTML."""

from __future__ import annotations

import html

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.text.markup import plain_text, plain_texts, unescaped_texts


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("no markup", "no markup"),
        ("<p>one</p><p>two<br />three</p>", "one\n\ntwo\nthree"),
        ("a &lt;b&gt; &amp;amp;", "a <b> &amp;"),
        ('<p>see <a href="x"><span class="invisible">https://</span><span>a.example/b</span></a></p>', None),
        ("<script>alert(1)</script>seen", "seen"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("3 < 4", "3 < 4"),
        ("", ""),
    ],
)
def test_html_is_read_as_a_reader_sees_it(markup: str, text: str | None) -> None:
    assert plain_text(markup) == (text if text is not None else "see https://a.example/b")


def test_nulls_stay_and_order_is_kept_in_chunks() -> None:
    texts = pa.chunked_array([["<p>a</p>", None], ["b", "&#39;c"]])
    assert plain_texts(texts).to_pylist() == ["a", None, "b", "'c"]
    assert unescaped_texts(texts).to_pylist() == ["<p>a</p>", None, "b", "'c"]
    assert plain_texts(pa.array([], pa.string())).to_pylist() == []


@given(st.text())
def test_no_text_stops_it_and_what_was_escaped_comes_back(text: str) -> None:
    plain_text(text)
    assert unescaped_texts(pa.array([html.escape(text)])).to_pylist() == [html.unescape(html.escape(text))]
