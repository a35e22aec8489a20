"""What an editor says of a query while it is typed: where it does not parse, and what may surprise if it does."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, Literal

from groundswell.errors import QuerySyntaxError
from groundswell.query.ast import All, Compare, Either, Equals, Leaf, Link, Mention, Node, Not, Tag, Words
from groundswell.query.numbers import GREATEST
from groundswell.query.parser import Parsed, Place, parse_places
from groundswell.text.function_words import FUNCTION_WORDS

Code = Literal["grows", "broad", "never", "operator", "mixed", "language", "platform"]
Kind = Literal["word", "phrase", "prefix", "hashtag", "mention", "filter"]

#: Counts that begin at nothing when a post is made.
GROWING: Final = ("views", "likes", "comments", "shares", "saves")
#: A prefix of fewer characters begins too many words.
_SHORT: Final = 2


@dataclass(frozen=True, slots=True)
class QueryWarning:
    """Something that is allowed and probably not meant; `column` from 1, `length` in characters."""

    code: Code
    column: int
    length: int
    text: str


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a query as it is searched: `text` in its normal form; `excluded` where it must not match."""

    kind: Kind
    text: str
    column: int
    length: int
    excluded: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """A query that was looked at: `canonical` if it parses, else `column` (from 1) and what was `expected` there."""

    canonical: str | None = None
    column: int | None = None
    expected: str | None = None
    warnings: list[QueryWarning] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)


def check(text: str, *, for_tracker: bool = False, platforms: Collection[str] = ()) -> Checked:
    """Look at a query; never raises.

    Args:
        text: the query as it stands.
        for_tracker: it will watch a stream of new posts, whose counters have not grown yet.
        platforms: names that `platform:` can have, where they are known.

    >>> [warning.code for warning in check("nike likes:>100 lang:english", for_tracker=True).warnings]
    ['grows', 'language']
    """
    try:
        parsed = parse_places(text)
    except QuerySyntaxError as error:
        return Checked(column=error.column, expected=error.expected)
    found = sorted(_warnings(parsed, len(text), for_tracker, platforms), key=lambda each: each.column)
    return Checked(str(parsed.root), warnings=found, terms=list(_terms(parsed)))


def is_broad(node: Node) -> bool:
    """Whether nothing in the query must be there that few posts have: no word, hashtag, name or link."""
    if isinstance(node, All):
        return all(is_broad(part) for part in node.parts)
    if isinstance(node, Either):
        return any(is_broad(part) for part in node.parts)
    if isinstance(node, Words):
        return node.tokens in FUNCTION_WORDS or (node.prefix and len(node.tokens) < _SHORT)
    return not (isinstance(node, Tag | Mention | Link) or (isinstance(node, Equals) and node.field == "author"))


def _warnings(parsed: Parsed, length: int, for_tracker: bool, platforms: Collection[str]) -> Iterator[QueryWarning]:
    for leaf, place in parsed.leaves:
        told = _about(leaf, for_tracker, platforms)
        if told is not None:
            yield QueryWarning(told[0], place.column, place.length, told[1])
    for word, place in parsed.operators:
        meant = f"“{word}” is read as {word.upper()}; put it in quotes to search for the word"
        yield QueryWarning("operator", place.column, place.length, meant)
    for part in parsed.mixed:
        place = _place_of(part, parsed)
        yield QueryWarning("mixed", place.column, place.length, f"AND binds before OR: this is read as ({part})")
    if is_broad(parsed.root):
        what = "nothing here must be in a post that few posts have, so it matches very many; add a word, #tag or @name"
        yield QueryWarning("broad", 1, length, what)
    for part, why in _impossible(parsed.root):
        place = _place_of(part, parsed)
        yield QueryWarning("never", place.column, place.length, why)


def _about(leaf: Leaf, for_tracker: bool, platforms: Collection[str]) -> tuple[Code, str] | None:
    if for_tracker and isinstance(leaf, Compare) and leaf.field in GROWING:
        which = "nearly every" if _takes_nothing(leaf) else "hardly any"
        return "grows", (
            f"a new post has next to no {leaf.field} yet, so in a live stream `{leaf}` takes {which} post; "
            "`followers:` is known from the start"
        )
    if isinstance(leaf, Equals) and leaf.field == "lang" and len(leaf.value.split("-")[0]) > 3:
        return "language", "languages are named by their code: en, de, pt-br, zh"
    if isinstance(leaf, Equals) and leaf.field == "platform" and platforms and leaf.value not in platforms:
        return "platform", f"no platform has this name; known are {', '.join(sorted(platforms))}"
    return None


def _takes_nothing(leaf: Compare) -> bool:
    """Whether a count of 0 fulfils the comparison."""
    least, most = _span(leaf)
    return least <= 0 <= most


def _span(leaf: Compare) -> tuple[int, int]:
    number = leaf.number
    return {
        ">": (number + 1, GREATEST),
        ">=": (number, GREATEST),
        "<": (0, number - 1),
        "<=": (0, number),
        "=": (number, number),
    }[leaf.operator]


def _impossible(node: Node) -> Iterator[tuple[Node, str]]:
    """Parts that no post can match, and why."""
    if isinstance(node, Not):
        return
    if isinstance(node, All):
        values: dict[str, str] = {}
        spans: dict[str, tuple[int, int]] = {}
        for part in node.parts:
            if Not(part) in node.parts:
                yield part, f"no post has `{part}` and has it not"
            elif isinstance(part, Equals) and values.setdefault(part.field, part.value) != part.value:
                if part.field != "lang":
                    yield part, f"no post has two values of `{part.field}:`; put OR between them"
            elif isinstance(part, Compare):
                before, now = spans.get(part.field, (0, GREATEST)), _span(part)
                spans[part.field] = least, most = max(before[0], now[0]), min(before[1], now[1])
                if least > most:
                    yield part, f"no count of {part.field} fulfils both"
    if isinstance(node, All | Either):
        for part in node.parts:
            yield from _impossible(part)


def _place_of(node: Node, parsed: Parsed) -> Place:
    """From the first to the last leaf of a part; each leaf where it first stands."""
    held = [node] if not isinstance(node, All | Either | Not) else [leaf for leaf, _ in _signed(node, excluded=False)]
    places = [place for leaf, place in parsed.leaves if leaf in held]
    column = min(place.column for place in places)
    return Place(column, max(place.column + place.length for place in places) - column)


def _signed(node: Node, *, excluded: bool) -> Iterator[tuple[Leaf, bool]]:
    """The leaves from left to right, and whether each stands below an odd number of negations."""
    if isinstance(node, Not):
        yield from _signed(node.part, excluded=not excluded)
    elif isinstance(node, All | Either):
        for part in node.parts:
            yield from _signed(part, excluded=excluded)
    else:
        yield node, excluded


def _terms(parsed: Parsed) -> Iterator[Term]:
    signed = zip(_signed(parsed.root, excluded=False), parsed.leaves, strict=True)
    placed = [(leaf, excluded, place) for (leaf, excluded), (_, place) in signed]
    for place, group in groupby(placed, key=lambda each: each[2]):
        several = list(group)  # of a range, both ends
        text = " ".join(str(leaf) for leaf, _, _ in several)
        yield Term(_kind(several[0][0]), text, place.column, place.length, several[0][1])


def _kind(leaf: Leaf) -> Kind:
    if isinstance(leaf, Words):
        return "prefix" if leaf.prefix else "phrase" if " " in leaf.tokens else "word"
    if isinstance(leaf, Tag):
        return "hashtag"
    return "mention" if isinstance(leaf, Mention) else "filter"


__all__ = ["Checked", "QueryWarning", "Term", "check", "is_broad"]
