"""Plain text of what some platforms give as HTML, or with its characters escaped as in HTML."""

from __future__ import annotations

import html
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

#: Elements that begin on a line of their own, with an empty line before, and those without one.
_PARAGRAPHS: Final = frozenset(("p", "blockquote", "pre", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "table"))
_LINES: Final = frozenset(("br", "li", "div", "tr"))
_SILENT: Final = frozenset(("script", "style", "template"))


class _Text(HTMLParser):
    """Collects what a reader would see; a link's hidden parts (`https://`) belong to its text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag in _PARAGRAPHS and self.parts:
            self.parts.append("\n\n")
        elif tag in _LINES and (tag == "br" or self.parts):
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT and self._silent:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def plain_text(markup: str) -> str:
    r"""What a reader sees of a piece of HTML: paragraphs with an empty line between, line breaks, no tags.

    >>> plain_text('<p>Hi <a href="https://a.example/#x">#<span>Été</span></a><br>you &amp; me</p><p>Bye</p>')
    'Hi #Été\nyou & me\n\nBye'
    """
    if "<" not in markup and "&" not in markup:
        return markup
    parser = _Text()
    parser.feed(markup)
    parser.close()
    return "".join(parser.parts).strip()


def plain_texts(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """`plain_text` of each text; null where it is null."""
    return _changed(texts, "[<&]", plain_text)


def unescaped_texts(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Each text with its character references (`&amp;`, `&#39;`) resolved once; null where it is null.

    >>> unescaped_texts(pa.array(["Q&amp;A &lt;3", "a<b", None])).to_pylist()
    ['Q&A <3', 'a<b', None]
    """
    return _changed(texts, "&[#A-Za-z]", html.unescape)


def _changed(texts: pa.Array | pa.ChunkedArray, pattern: str, change: Callable[[str], str]) -> pa.Array:
    """The texts, those in which `pattern` is found as `change` makes them."""
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    texts = texts.cast(pa.string())
    found = pc.fill_null(pc.match_substring_regex(texts, pattern), False)
    if not pc.any(found).as_py():
        return texts
    new = [change(text) for text in texts.filter(found).to_pylist()]
    return pc.replace_with_mask(texts, found, pa.array(new, pa.string()))
