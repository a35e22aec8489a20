"""From query text to its tree, with errors that name the column and what may stand there."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken, VisitError

from groundswell.errors import QuerySyntaxError
from groundswell.query.ast import (
    COUNT_FIELDS,
    TEXT_FIELDS,
    All,
    Compare,
    Either,
    Equals,
    Mention,
    Node,
    Not,
    Operator,
    Tag,
    Words,
)
from groundswell.schema import KINDS
from groundswell.text.tokens import tokenise_one

_START: Final = "a word, a “phrase”, #tag, @name, field:value, NOT or `(`"
_COUNT: Final = re.compile(r"(>=|<=|>|<|=)?(\d+(?:\.\d+)?)([kKmM]?)")
_SCALE: Final = {"": 1, "k": 1_000, "m": 1_000_000}
_QUOTES: Final = '"“”„'
#: A deeper nesting is no query that a person wrote, and Python's stack is not endless.
_DEEPEST: Final = 50
_LONGEST: Final = 4_000


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

    def start(self, node: Node) -> Node:
        return node

    def either(self, *parts: Node) -> Node:
        return Either(_flat(Either, parts)) if len(parts) > 1 else parts[0]

    def all(self, *parts: Node) -> Node:
        return All(_flat(All, parts)) if len(parts) > 1 else parts[0]

    def negated(self, part: Node) -> Node:
        return part.part if isinstance(part, Not) else Not(part)

    def word(self, token: Token) -> Node:
        if str(token)[-1] == ":" and str(token)[:-1].lower() in {*TEXT_FIELDS, *COUNT_FIELDS}:
            raise _WrongPart(_column(token) + len(token), f"a value after `{token}`")
        return _words(str(token), _column(token), "a word with at least one letter, digit or symbol")

    def phrase(self, token: Token) -> Node:
        return _words(str(token)[1:-1], _column(token), "at least one word between the quotes")

    def tag(self, token: Token) -> Node:
        return Tag(_name(token, "a hashtag"))

    def mention(self, token: Token) -> Node:
        return Mention(_name(token, "a name"))

    def filtered(self, field: Token, value: Token) -> Node:
        name = str(field)[:-1].lower()
        text = str(value).strip(_QUOTES)
        after = _column(value)
        if name in COUNT_FIELDS:
            return _compare(name, text, after)
        if name not in TEXT_FIELDS:
            choices = ", ".join(f"{known}:" for known in (*TEXT_FIELDS, *COUNT_FIELDS))
            raise _WrongPart(_column(field), f"one of {choices} (put “quotes” around text that has a colon)")
        folded = _fold(text).lstrip("@") if name == "author" else _fold(text)
        if not folded.strip():
            raise _WrongPart(after, f"a value after `{name}:`")
        if name == "kind" and folded not in KINDS:
            raise _WrongPart(after, f"one of {', '.join(KINDS)}")
        return Equals(name, folded)


def _flat(kind: type[All] | type[Either], parts: tuple[Node, ...]) -> tuple[Node, ...]:
    """The parts, those of the same kind taken apart: `(a b) c` is `a b c`."""
    out: list[Node] = []
    for part in parts:
        out.extend(part.parts if isinstance(part, kind) else (part,))
    return tuple(out)


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
    if "*" in name:
        raise _WrongPart(_column(token) + str(token).index("*"), f"{what} in full (`*` is for words)")
    if any(sign.isspace() or sign in '()"' for sign in name):
        raise _WrongPart(_column(token), f"{what} of letters (folded, this one has blanks or brackets)")
    return name


def _compare(name: str, text: str, column: int) -> Compare:
    found = _COUNT.fullmatch(text)
    if found is None:
        raise _WrongPart(column, f"a number after `{name}:`, such as >1000 or <=5k")
    operator, number, scale = found.groups()
    # Rounded, because 1.1 * 1000 is 1100.0000000000002.
    return Compare(name, cast(Operator, operator or "="), round(float(number) * _SCALE[scale.lower()]))


def _expected(terminals: set[str] | Any, text: str, column: int) -> str:
    names = set(terminals)
    rest = text[column - 1 :]
    if rest[:1] in set(_QUOTES) and not re.search(f"[{_QUOTES}]", rest[1:]):
        return "a closing quote"
    if "VALUE" in names:
        return "a value after the colon"
    options = [_START] if "WORD" in names else []
    if "RPAR" in names:
        options.append("`)`")
    if "$END" in names:
        options.append("the end")
    return " or ".join(options)


def _check_size(text: str) -> None:
    if len(text) > _LONGEST:
        raise QuerySyntaxError(text[:80] + "…", _LONGEST + 1, f"at most {_LONGEST} characters")
    depth = 0
    for position, character in enumerate(text, start=1):
        depth += (character == "(") - (character == ")")
        if depth > _DEEPEST:
            raise QuerySyntaxError(text, position, f"at most {_DEEPEST} nested parentheses")


def parse_tree(text: str) -> Node:
    """The tree of a query.

    Raises:
        QuerySyntaxError: names the column (from 1) and what was expected there.
    """
    _check_size(text)
    flat = text.replace("\n", " ").replace("\r", " ")  # so that columns count from the start of the text
    if not flat.strip():
        raise QuerySyntaxError(text, 1, _START)
    try:
        return _Build().transform(_grammar().parse(flat))
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
