"""What a topic is called, the sentences about it, and a query that finds it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from groundswell.watch.emerging.records import TopicRecord, TopicTerm

#: Authors expected below which a ratio says nothing.
LEAST_EXPECTED: Final = 0.5
#: Words of a query that are operators where they stand alone.
_OPERATORS: Final = frozenset({"and", "or", "not", "near"})
#: A hashtag, or a word, names its topic if it is in this fraction of the topic's posts.
_TAGS: Final = 0.3
_NAMES: Final = 0.5
#: Two words are asked for together if so many of the posts with one of them have both.
_TOGETHER: Final = 0.7
#: Terms of a query, and words of a name, at most.
_MOST: Final = 3
#: A further term of a query brings at least this fraction of the topic's posts.
_GAIN: Final = 0.1
_OWN: Final = 4.0
_MENTION: Final = re.compile(r"@[\w.]+")


@dataclass(frozen=True)
class Said:
    """A term of a topic, and the kept posts of the topic that hold it."""

    term: TopicTerm
    posts: frozenset[int]


@dataclass(frozen=True)
class Name:
    """What a topic is called, and a query for it."""

    label: str
    query: str


def name_of(own: Sequence[Said], lead: TopicTerm, texts: Sequence[str]) -> Name:
    """The name of a topic by the terms that are its own (`own`, may be empty), else by the one that leads it.

    A hashtag that most posts have is the best name, then a handle that they mention, then words that stand together.
    `texts` are some of the posts, the first one the most typical.

    >>> tag = Said(TopicTerm("#novaleak", "hashtag", 40, 0.0, 90.0, True, 0), frozenset({1, 2, 3, 4}))
    >>> word = Said(TopicTerm("photos", "word", 30, 0.0, 9.0, True, 0), frozenset({3, 4, 5}))
    >>> name_of([word, tag], word.term, ["the photos #novaleak"])
    Name(label='#novaleak', query='#novaleak OR photos')
    >>> name_of([word], word.term, ["see the photos"])
    Name(label='photos', query='photos')
    """
    everything = frozenset().union(*(one.posts for one in own))
    ranked = sorted(own, key=lambda one: (-len(one.posts), -one.term.return_days, one.term.term))
    tags = [one for one in ranked if one.term.kind == "hashtag" and len(one.posts) >= _TAGS * len(everything)]
    if tags:
        return Name(tags[0].term.term, _widened(tags[0].term.term, tags[0].posts, ranked, everything))
    words = [one for one in ranked if one.term.kind == "word" and len(one.posts) >= _NAMES * len(everything)]
    if not words:
        return Name(lead.term, _asked(lead.term))
    handle = _handle_of(words[0].term.term, texts)
    if handle is not None:
        return Name(handle, handle)
    chosen = [words[0]]
    for one in words[1:]:
        both = frozenset.intersection(one.posts, *(other.posts for other in chosen))
        if len(chosen) < _MOST and len(both) >= _TOGETHER * len(words[0].posts):
            chosen.append(one)
    first = texts[0].casefold() if texts else ""
    spoken = sorted((one.term.term for one in chosen), key=lambda term: (first.find(term) % (len(first) + 1), term))
    held = frozenset.intersection(*(one.posts for one in chosen))
    others = [one for one in ranked if one not in chosen]
    return Name(" ".join(spoken), _widened(" ".join(_asked(term) for term in spoken), held, others, everything))


def _widened(query: str, caught: frozenset[int], own: Sequence[Said], everything: frozenset[int]) -> str:
    """The query, or what else catches more of the topic's posts."""
    parts = [query]
    for one in own:
        if len(parts) < _MOST and len(one.posts - caught) >= max(1, _GAIN * len(everything)):
            parts.append(_asked(one.term.term))
            caught = caught | one.posts
    return " OR ".join(parts)


def _handle_of(word: str, texts: Sequence[str]) -> str | None:
    """The handle that a word is part of, where most texts have the word only in it."""
    handles: Counter[str] = Counter()
    for text in texts:
        folded = text.casefold()
        found = [handle.rstrip(".") for handle in _MENTION.findall(folded) if word in handle]
        spoken = word in _MENTION.sub(" ", folded)
        handles[found[0] if found and not spoken else ""] += found != [] or spoken
    best = max(handles.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    return best[0] if best[0] and best[1] > handles.total() / 2 else None


def is_own(term: TopicTerm) -> bool:
    """Whether the term has at least four times the authors that are usual: nearly all of its posts are news."""
    return term.observed >= _OWN * term.expected


def _asked(term: str) -> str:
    return f'"{term}"' if term.casefold() in _OPERATORS else term


def ratio_of(observed: int, expected: float) -> float | None:
    """Observed over expected; null where hardly anything was expected.

    >>> ratio_of(12, 4.0), ratio_of(12, 0.1)
    (3.0, None)
    """
    return None if expected < LEAST_EXPECTED else round(observed / expected, 3)


def headline(record: TopicRecord) -> str:
    """What happened, in one sentence."""
    length = _duration(record.window_s)
    ratio = ratio_of(record.observed, record.expected)
    people = f"{record.observed:,} author" + ("" if record.observed == 1 else "s")
    if record.is_new:
        return f"{record.label} is new: {people} in {length}"
    if ratio is None:
        return f"{record.label}: {people} in {length}; usually there are almost none"
    return f"{record.label}: {people} in {length}, {ratio:.1f} times as many as usual"


def detail(record: TopicRecord, terms: Sequence[TopicTerm]) -> str:
    """What it comes with, where, and whether a tracker sees it: the line below the headline."""
    own = {word.removeprefix("#") for word in record.label.removeprefix("@").replace(".", " ").split()}
    others = [term.term for term in terms if term.term.removeprefix("#") not in own]
    parts = [f"with {', '.join(others[:4])}"] if others else []
    platforms = record.body.get("platforms", [])
    if platforms:
        parts.append(" and ".join(one["platform"] for one in platforms[:2]))
    copies = record.body.get("parameters", {}).get("copies_share", 0.0)
    if copies >= 0.3:
        parts.append(f"{copies:.0%} copies of one text".replace("%", " %"))
    parts.append("no tracker sees it" if not record.body.get("covered_by") else "a tracker sees it")
    return " · ".join(parts)


def _duration(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds < 7_200 else f"{seconds / 3600:.1f} h".replace(".0 h", " h")
