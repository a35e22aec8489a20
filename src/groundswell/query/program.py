"""Many queries as the arrays that the compiled matcher runs on: words to look up, and a postfix program each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from groundswell.kernels.lookups import (
    AND,
    CODED,
    COMPARED,
    GIVEN,
    NOT,
    OR,
    STAMPED,
    Beginnings,
    Lexicon,
    ListTerms,
    Program,
    WordTerms,
    head_of_three,
    pair_hash,
)
from groundswell.query.ast import (
    TEXT_FIELDS,
    All,
    Compare,
    Either,
    Equals,
    Has,
    Leaf,
    Link,
    Mention,
    Node,
    Not,
    Tag,
    Words,
)
from groundswell.text.function_words import FUNCTION_WORDS
from groundswell.text.hashing import hash_texts

#: Fields with few values, in the order of their codes.
CODED_FIELDS: Final = tuple(name for name in TEXT_FIELDS if name != "author")
_OPERATORS: Final = (">", ">=", "<", "<=", "=")


@dataclass(frozen=True)
class Compiled:
    """A program and what it must be given of a batch."""

    program: Program
    words: WordTerms
    tags: ListTerms
    mentions: ListTerms
    authors: ListTerms
    leaves: tuple[Leaf, ...]
    numbers: tuple[str, ...]
    """Columns of the counts that it compares."""
    coded: tuple[Equals, ...]
    """Leaves over coded fields, one a row of the truth table."""
    given: tuple[Link | Has, ...]
    """Leaves whose truth is given for each post."""

    @cached_property
    def needs(self) -> frozenset[str]:
        """Which of `hashtags`, `mentions` and `authors` it looks at."""
        needs: set[str] = set()
        for leaf in self.leaves:
            if isinstance(leaf, Tag):
                needs.add("hashtags")
            elif isinstance(leaf, Mention):
                needs |= {"mentions", "authors"}
            elif isinstance(leaf, Equals) and leaf.field == "author":
                needs.add("authors")
        return frozenset(needs)


def compile_queries(roots: Sequence[Node]) -> Compiled:
    """The program of queries, each with its place as its slot."""
    found: dict[Leaf, int] = {}
    operations: list[list[int]] = []
    for root in roots:
        written: list[int] = []
        _write(root, found, written)
        operations.append(written)
    leaves = tuple(found)
    numbers = tuple(dict.fromkeys(leaf.field for leaf in leaves if isinstance(leaf, Compare)))
    coded = tuple(leaf for leaf in leaves if isinstance(leaf, Equals) and leaf.field != "author")
    given = tuple(leaf for leaf in leaves if isinstance(leaf, Link | Has))
    kinds, at, operators, limits = _looks(leaves, numbers, coded, given)
    pivots = [_pivots(root) for root in roots]
    looked_at: list[list[int]] = [[] for _ in leaves]
    for slot, chosen in enumerate(pivots):
        for leaf in dict.fromkeys(chosen or ()):
            looked_at[found[leaf]].append(slot)
    program = Program(
        leaf_kind=kinds,
        leaf_at=at,
        leaf_operator=operators,
        leaf_number=limits,
        candidates=_borders(map(len, looked_at)),
        slots=_ints([slot for slots in looked_at for slot in slots]),
        always=_ints([slot for slot, chosen in enumerate(pivots) if chosen is None]),
        starts=_borders(map(len, operations)),
        operations=_ints([each for written in operations for each in written]),
    )
    terms = (
        _word_terms(found),
        _tag_terms(found),
        _name_terms(found, by_author=False),
        _name_terms(found, by_author=True),
    )
    return Compiled(program, *terms, leaves, numbers, coded, given)


def _write(node: Node, found: dict[Leaf, int], out: list[int]) -> None:
    """A query in postfix order."""
    if isinstance(node, Not):
        _write(node.part, found, out)
        out.append(NOT)
    elif isinstance(node, All | Either):
        for number, part in enumerate(node.parts):
            _write(part, found, out)
            if number:
                out.append(AND if isinstance(node, All) else OR)
    else:
        out.append(found.setdefault(node, len(found)))


def _looks(
    leaves: Sequence[Leaf], numbers: Sequence[str], coded: Sequence[Equals], given: Sequence[Link | Has]
) -> tuple[Any, Any, Any, Any]:
    """Of each leaf its kind, row, operator and number."""
    kinds, at, operators, limits = [], [], [], []
    for leaf in leaves:
        kind, row, operator, limit = STAMPED, 0, 0, 0
        if isinstance(leaf, Compare):
            kind, row = COMPARED, numbers.index(leaf.field)
            operator, limit = _OPERATORS.index(leaf.operator), leaf.number
        elif isinstance(leaf, Link | Has):
            kind, row = GIVEN, given.index(leaf)
        elif isinstance(leaf, Equals) and leaf.field != "author":
            kind, row, limit = CODED, CODED_FIELDS.index(leaf.field), coded.index(leaf)
        kinds.append(kind)
        at.append(row)
        operators.append(operator)
        limits.append(limit)
    return np.array(kinds, np.uint8), _ints(at), np.array(operators, np.uint8), np.array(limits, np.int64)


def _pivots(node: Node) -> list[Leaf] | None:
    """Leaves of which a post that matches has one; null if it may have none. Those that fewest posts have."""
    if isinstance(node, Words | Tag | Mention) or (isinstance(node, Equals) and node.field == "author"):
        return [node]
    if isinstance(node, All):
        choices = [chosen for chosen in map(_pivots, node.parts) if chosen is not None]
        return min(choices, key=lambda chosen: sum(map(_commonness, chosen)), default=None)
    if isinstance(node, Either):
        parts = [_pivots(part) for part in node.parts]
        return None if None in parts else [leaf for part in parts if part is not None for leaf in part]
    return None


def _commonness(leaf: Leaf) -> float:
    """About how many of 1,000 posts have the leaf; a guess, on which nothing but speed depends."""
    if not isinstance(leaf, Words):
        return 0.5
    words = leaf.tokens.split(" ")
    if leaf.prefix and len(words) == 1:
        return 100.0 / len(leaf.tokens)
    return 0.1 if len(words) > 1 else _word_commonness(words[0])


def _word_commonness(word: str) -> float:
    if word in FUNCTION_WORDS:
        return 100.0
    return 20.0 / len(word.encode()) ** 2 * (4 if len(word) == 1 else 1)


# ---- tables ----------------------------------------------------------------------------------------------------------


def _word_terms(found: dict[Leaf, int]) -> WordTerms:
    """The tables of words, pairs, phrases and beginnings of words."""
    single: dict[str, int] = {}
    opens: set[str] = set()
    by_word: dict[str, list[int]] = {}
    by_pair: dict[tuple[str, str], list[int]] = {}
    phrases: list[tuple[int, int, bytes]] = []
    begins: dict[str, int] = {}
    for leaf, number in found.items():
        if not isinstance(leaf, Words):
            continue
        words = leaf.tokens.split(" ")
        whole = words[:-1] if leaf.prefix else words
        if len(words) == 1:
            (begins if leaf.prefix else single)[words[0]] = number
            continue
        at = _anchor(whole)
        offset = 1 + sum(len(word.encode()) + 1 for word in words[:at])
        if len(whole) > 1:
            opens.add(whole[at])
            by_pair.setdefault((whole[at], whole[at + 1]), []).append(len(phrases))
        else:
            by_word.setdefault(whole[0], []).append(len(phrases))
        phrases.append((number, offset, leaf.needle.encode()))
    texts = list(dict.fromkeys([*single, *by_word, *opens]))
    pairs = list(by_pair)
    hashed = hash_texts([word for pair in pairs for word in pair]).reshape(-1, 2)
    both = np.array([pair_hash(first, second) for first, second in hashed], np.uint64)
    return WordTerms(
        words=_lexicon(texts),
        word_leaf=_ints([single.get(text, -1) for text in texts]),
        word_opens=np.array([text in opens for text in texts], np.uint8),
        word_phrases=_borders(len(by_word.get(text, ())) for text in texts),
        phrases_of_word=_ints([phrase for text in texts for phrase in by_word.get(text, ())]),
        pairs=_hashed(both, np.zeros(0, np.uint8), np.zeros(len(pairs) + 1, np.int64)),
        pair_phrases=_borders(len(by_pair[pair]) for pair in pairs),
        phrases_of_pair=_ints([phrase for pair in pairs for phrase in by_pair[pair]]),
        phrase_leaf=_ints([leaf for leaf, _, _ in phrases]),
        phrase_offset=_ints([offset for _, offset, _ in phrases]),
        phrase_texts=_bytes([needle for _, _, needle in phrases]),
        phrase_ends=_borders((len(needle) for _, _, needle in phrases), np.int64),
        begins=_beginnings(list(begins)),
        begin_leaf=_ints(list(begins.values())),
    )


def _anchor(whole: list[str]) -> int:
    """The first of the two words by which a phrase is found: those that fewest posts have."""
    pairs = range(max(len(whole) - 1, 1))
    return min(pairs, key=lambda at: sum(map(_word_commonness, whole[at : at + 2])))


def _tag_terms(found: dict[Leaf, int]) -> ListTerms:
    whole = {leaf.name: number for leaf, number in found.items() if isinstance(leaf, Tag) and not leaf.prefix}
    begins = {leaf.name: number for leaf, number in found.items() if isinstance(leaf, Tag) and leaf.prefix}
    none = _ints([-1] * len(whole))
    return ListTerms(
        _lexicon(list(whole)),
        _ints(list(whole.values())),
        none,
        _beginnings(list(begins)),
        _ints(list(begins.values())),
    )


def _name_terms(found: dict[Leaf, int], *, by_author: bool) -> ListTerms:
    """Handles that a post mentions; with `by_author` of who wrote it, which counts for `@name` and `author:name`."""
    mentions = {leaf.name: number for leaf, number in found.items() if isinstance(leaf, Mention)}
    equal = {leaf: number for leaf, number in found.items() if isinstance(leaf, Equals) and by_author}
    authors = {leaf.value: number for leaf, number in equal.items() if leaf.field == "author"}
    names = list(dict.fromkeys([*mentions, *authors]))
    leaves, others = (_ints([kind.get(name, -1) for name in names]) for kind in (mentions, authors))
    return ListTerms(_lexicon(names), leaves, others, _beginnings([]), _ints([]))


def _lexicon(texts: list[str]) -> Lexicon:
    raw = [text.encode() for text in texts]
    return _hashed(hash_texts(texts), _bytes(raw), _borders(map(len, raw), np.int64))


def _hashed(hashes: npt.NDArray[np.uint64], texts: npt.NDArray[np.uint8], ends: npt.NDArray[Any]) -> Lexicon:
    """A table of entries with these hashes, in their order; a quarter of its places is taken at most."""
    size = max(16, 1 << (4 * len(hashes)).bit_length())
    bits = np.zeros(max(1, size // 8), np.uint64)  # 16 bits or more an entry
    keys = np.zeros(size, np.uint64)
    entry = np.full(size, -1, np.int32)
    for number, value in enumerate(hashes.tolist()):
        bit = value >> 40 & 64 * len(bits) - 1
        bits[bit >> 6] |= np.uint64(1 << (bit & 63))
        at = value & size - 1
        while entry[at] >= 0:
            at = at + 1 & size - 1
        keys[at], entry[at] = value, number
    return Lexicon(bits, keys, entry, texts, ends)


def _beginnings(texts: list[str]) -> Beginnings:
    heads = np.zeros(256 + 2 * 65536, np.uint8)
    for text in texts:
        raw = text.encode()
        heads[raw[0]] |= 1 << min(len(raw), 3) - 1
        if len(raw) == 2:
            heads[256 + (raw[0] << 8 | raw[1])] = 1
        elif len(raw) > 2:
            heads[256 + 65536 + head_of_three(raw[0] << 16 | raw[1] << 8 | raw[2])] = 1
    return Beginnings(heads, _ints(sorted({len(text.encode()) for text in texts})), _lexicon(texts))


def _ints(values: list[int]) -> npt.NDArray[np.int32]:
    return np.array(values, np.int32)


def _bytes(texts: list[bytes]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(b"".join(texts), np.uint8).copy()


def _borders(counts: Iterable[int], kind: Any = np.int32) -> npt.NDArray[Any]:
    return np.concatenate([[0], np.cumsum(np.array(list(counts), np.int64))]).astype(kind)
