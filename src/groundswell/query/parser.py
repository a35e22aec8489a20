"""From query text to its tree, with errors that name the column and what may stand there."""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, Literal, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken, VisitError

from groundswell.errors import QuerySyntaxError
from groundswell.query.ast import (
    COUNT_FIELDS,
    HAS,
    IS,
    LINK_FIELDS,
    QUOTES,
    TEXT_FIELDS,
    All,
    Either,
    Equals,
    Has,
    Leaf,
    Link,
    LinkField,
    Mention,
    Node,
    Not,
    Tag,
    Words,
)
from groundswell.query.numbers import COMPARED, read_count
from groundswell.schema import KINDS
from groundswell.text.tokens import tokenise_one

FIELDS: Final = (*TEXT_FIELDS, *COUNT_FIELDS, *LINK_FIELDS, "has", "is")
#: Other names that people know from other tools.
ALIASES: Final = {
    "from": "author",
    "by": "author",
    "language": "lang",
    "type": "kind",
    "country": "region",
    "site": "domain",
    "link": "url",
    "plays": "views",
    "retweets": "shares",
    "reposts": "shares",
    "replies": "comments",
    "bookmarks": "saves",
}
_PLURALS: Final = {"links": "link", "url": "link", "urls": "link", "hashtags": "hashtag", "mentions": "mention"} | {
    "image": "media",
    "images": "media",
    "video": "media",
    "music": "sound",
    "place": "location",
}

_START: Final = "a word, a “phrase”, #tag, @name, field:value, NOT or `(`"
_OPERATORS: Final = "; put “quotes” around and, or, not to search for the words themselves"
#: What a keyboard of another script writes for signs of the grammar; each is one character, so columns stay.
_SIGNS: Final = {
    **{ord(sign) + 0xFEE0: sign for sign in '():#@"-*|&'},
    **{0xFE5F: "#", 0xFE6B: "@", 0x0A: " ", 0x0D: " "},
}
_HOST: Final = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?:www\.)?[*.]*([^/?#:@\s()]+\.[^/?#:@\s().]+)\.?(?:[/:?#].*)?")
#: A deeper nesting is no query that a person wrote, and Python's stack is not endless.
_DEEPEST: Final = 50
_LONGEST: Final = 4_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a query: column from 1 and length, in characters."""

    column: int
    length: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """The tree of a query, its leaves with their places from left to right, and readings that may surprise."""

    root: Node
    leaves: list[tuple[Leaf, Place]] = field(default_factory=list)
    operators: list[tuple[str, Place]] = field(default_factory=list)
    """`and`, `or` and `not` in small letters."""
    mixed: list[Node] = field(default_factory=list)
    """Parts that AND joins without brackets beside an OR."""


class _WrongPart(Exception):
    """A part that the grammar takes and the language does not: where it is and what was expected."""

    def __init__(self, column: int, expected: str) -> None:
        super().__init__(expected)
        self.column = column
        self.expected = expected


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    text = files("groundswell.query").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer="contextual", propagate_positions=False, maybe_placeholders=False)


def _column(token: Token) -> int:
    return cast(int, token.column)


def _fold(name: str) -> str:
    return unicodedata.normalize("NFKC", name).lower()


@v_args(inline=True)
class _Build(Transformer[Token, Node]):
    """Makes nodes of what the grammar found; one method a rule."""

    def __init__(self) -> None:
        super().__init__()
        self.parsed = Parsed(Words(""))
        self._bare: list[Node] = []

    def start(self, node: Node) -> Node:
        return node

    def either(self, *found: Node | Token) -> Node:
        parts = self._parts(found)
        if len(parts) == 1:
            return parts[0]
        self.parsed.mixed.extend(part for part in parts if any(part is bare for bare in self._bare))
        return Either(_flat(Either, parts))

    def all(self, *found: Node | Token) -> Node:
        parts = self._parts(found)
        if len(parts) == 1:
            return parts[0]
        node = All(_flat(All, parts))
        self._bare.append(node)
        return node

    def bracketed(self, node: Node) -> Node:
        self._bare = [bare for bare in self._bare if bare is not node]
        return node

    def negated(self, *found: Node | Token) -> Node:
        (part,) = self._parts(found)
        return part.part if isinstance(part, Not) else Not(part)

    def word(self, token: Token) -> Node:
        text, column = str(token), _column(token)
        if text[-1] == ":" and _name_of(text[:-1]) in FIELDS:
            raise _WrongPart(column + len(text), f"a value after `{text}`")
        compared = COMPARED.fullmatch(text)
        if compared is not None and _name_of(compared.group(1)) in COUNT_FIELDS:
            return self._count(_name_of(compared.group(1)), compared.group(2), column, len(text))
        return self._leaf(_words(text, column, "a word with at least one letter, digit or symbol"), column, len(text))

    def phrase(self, token: Token) -> Node:
        words = _words(str(token)[1:-1], _column(token), "at least one word between the quotes")
        return self._leaf(words, _column(token), len(token))

    def tag(self, token: Token) -> Node:
        name = _name(token, "a hashtag")
        return self._leaf(Tag(name.removesuffix("*"), name.endswith("*")), _column(token), len(token))

    def mention(self, token: Token) -> Node:
        name = _name(token, "a name")
        if "*" in name:
            raise _WrongPart(_column(token) + str(token).index("*"), "a name in full (`*` is for words and hashtags)")
        return self._leaf(Mention(name), _column(token), len(token))

    def filtered(self, token: Token, value: Token) -> Node:
        name, text = _name_of(str(token)[:-1]), str(value).strip(QUOTES)
        column, after = _column(token), _column(value)
        length = after + len(value) - column
        if name in {"http", "https"} and text.startswith("//"):
            return self._leaf(_link("url", text[2:], after), column, length)
        if name not in FIELDS:
            raise _WrongPart(column, _fields_near(name))
        if name in COUNT_FIELDS:
            return self._count(name, text, column, length, after)
        return self._leaf(_filter(name, text, after), column, length)

    def _count(self, name: str, text: str, column: int, length: int, after: int = 0) -> Node:
        found = read_count(name, text)
        if isinstance(found, str):
            raise _WrongPart(after or column, found)
        for leaf in found.parts if isinstance(found, All) else (found,):
            self._leaf(cast(Leaf, leaf), column, length)
        return found

    def _leaf(self, leaf: Leaf, column: int, length: int) -> Leaf:
        self.parsed.leaves.append((leaf, Place(column, length)))
        return leaf

    def _parts(self, found: tuple[Node | Token, ...]) -> tuple[Node, ...]:
        """The nodes among what a rule found; operators in small letters are noted."""
        for token in found:
            if isinstance(token, Token) and token.islower():
                self.parsed.operators.append((str(token), Place(_column(token), len(token))))
        return tuple(part for part in found if not isinstance(part, Token))


def _flat(kind: type[All] | type[Either], parts: tuple[Node, ...]) -> tuple[Node, ...]:
    """The parts, those of the same kind taken apart: `(a b) c` is `a b c`."""
    out: list[Node] = []
    for part in parts:
        out.extend(part.parts if isinstance(part, kind) else (part,))
    return tuple(out)


def _name_of(written: str) -> str:
    return ALIASES.get(written.lower(), written.lower())


def _fields_near(name: str) -> str:
    choices = ", ".join(f"{known}:" for known in FIELDS)
    near = difflib.get_close_matches(name, [*FIELDS, *ALIASES], n=1)
    guess = f"`{near[0]}:`? It may be " if near else ""
    return f"{guess}one of {choices} (put “quotes” around text that has a colon)"


def _filter(name: str, text: str, after: int) -> Leaf:
    """The filter `name:text`; `after` is the column of the text."""
    folded = _fold(text).strip()
    if name == "author":
        folded = folded.lstrip("@")
    if not folded:
        raise _WrongPart(after, f"a value after `{name}:`")
    if any(sign in QUOTES for sign in folded):
        raise _WrongPart(after, "a value without quotes in it")
    if name == "author" and "*" in folded:
        raise _WrongPart(after, "a name in full (`*` is for words and hashtags)")
    if name in LINK_FIELDS:
        return _link(cast(LinkField, name), folded, after)
    if name in {"has", "is"}:
        choices = IS if name == "is" else HAS
        what = _PLURALS.get(folded, folded)
        if what not in choices:
            raise _WrongPart(after, f"one of {', '.join(choices)}")
        return Has(what)
    if name == "kind" and folded not in KINDS:
        raise _WrongPart(after, f"one of {', '.join(KINDS)}")
    return Equals(name, folded)


def _link(name: Literal["url", "domain"], text: str, after: int) -> Link:
    folded = _fold(text)
    if name == "url":
        return Link("url", folded)
    host = _HOST.fullmatch(folded)
    if host is None:
        raise _WrongPart(after, "the name of a site, such as example.com")
    return Link("domain", host.group(1))


def _words(text: str, column: int, expected: str) -> Words:
    prefix = text.endswith("*")
    body = text[:-1] if prefix else text
    if "*" in body:
        raise _WrongPart(column + text.index("*"), "`*` only at the end of a word")
    tokens = (tokenise_one(body) or "").strip()
    if not tokens:
        raise _WrongPart(column, expected)
    return Words(tokens, prefix)


def _name(token: Token, what: str) -> str:
    name = _fold(str(token)[1:])
    if "*" in name[:-1] or name == "*":
        raise _WrongPart(_column(token) + str(token).index("*"), f"{what} with `*` only at its end")
    if any(sign.isspace() or sign in f"(){QUOTES}" for sign in name):
        raise _WrongPart(_column(token), f"{what} of letters (folded, this one has blanks or brackets)")
    return name


def _expected(terminals: set[str] | Any, text: str, column: int) -> str:
    names = set(terminals)
    rest = text[column - 1 :]
    if rest[:1] in set(QUOTES) and not re.search(f"[{QUOTES}]", rest[1:]):
        return "a closing quote"
    if "VALUE" in names:
        return "a value after the colon"
    options = [_START] if "WORD" in names else []
    if "RPAR" in names:
        options.append("`)`")
    if "$END" in names:
        options.append("the end")
    hint = _OPERATORS if re.match(r"(and|or)\b", rest) else ""
    return " or ".join(options) + hint


def _check_size(text: str, flat: str) -> None:
    if len(text) > _LONGEST:
        raise QuerySyntaxError(text[:80] + "…", _LONGEST + 1, f"at most {_LONGEST} characters")
    depth = 0
    for position, character in enumerate(flat, start=1):
        depth += (character == "(") - (character == ")")
        if depth > _DEEPEST:
            raise QuerySyntaxError(text, position, f"at most {_DEEPEST} nested parentheses")


def parse_places(text: str) -> Parsed:
    """The tree of a query with the places of its leaves.

    Raises:
        QuerySyntaxError: names the column (from 1) and what was expected there.
    """
    flat = text.translate(_SIGNS)  # one line, so that columns count from the start of the text
    _check_size(text, flat)
    if not flat.strip():
        raise QuerySyntaxError(text, 1, _START)
    build = _Build()
    try:
        root = build.transform(_grammar().parse(flat))
    except UnexpectedEOF as error:
        raise QuerySyntaxError(text, len(text) + 1, _expected(error.expected, flat, len(text) + 1)) from None
    except UnexpectedToken as error:
        column = len(text) + 1 if error.token.type == "$END" else error.column
        raise QuerySyntaxError(text, column, _expected(error.accepts or error.expected, flat, column)) from None
    except UnexpectedCharacters as error:
        raise QuerySyntaxError(text, error.column, _expected(error.allowed or set(), flat, error.column)) from None
    except VisitError as error:
        wrong = error.orig_exc
        if isinstance(wrong, _WrongPart):
            raise QuerySyntaxError(text, wrong.column, wrong.expected) from None
        raise
    return Parsed(root, build.parsed.leaves, build.parsed.operators, build.parsed.mixed)


def parse_tree(text: str) -> Node:
    """The tree of a query.

    Raises:
        QuerySyntaxError: names the column (from 1) and what was expected there.
    """
    return parse_places(text).root
