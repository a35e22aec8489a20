"""The terms that stand out in a closed window, by name, with the posts that hold them."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from groundswell.text.function_words import FUNCTION_WORDS
from groundswell.text.tokens import tokenise_one
from groundswell.watch.emerging.levels import LEAST, share
from groundswell.watch.emerging.pool import Pool
from groundswell.watch.emerging.rarity import NEW, Look
from groundswell.watch.emerging.records import TopicParams, TopicTerm
from groundswell.watch.emerging.state import Emerging
from groundswell.watch.emerging.wording import is_own

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: Terms of one window that are looked at for topics, the rarest first.
_MOST_HOT: Final = 512
#: Posts of a term that are looked at for whether it is only part of a link.
_LOOKED_AT: Final = 20
_LINK: Final = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_DAY_HOURS: Final = 24.0


@dataclass(frozen=True)
class Hot:
    """A term that stands out now."""

    key: int
    name: str
    term: TopicTerm
    authors: int
    posts: Ints
    """Rows of the pool that hold it, ascending."""
    goes_on: bool
    """Whether it is still above the usual in the last minutes, not only in the hour."""

    @property
    def rank(self) -> float:
        """Rarity times reach."""
        return rank_of(self.term.return_days, self.authors)

    @property
    def is_own(self) -> bool:
        """Whether nearly all of its posts are news."""
        return is_own(self.term)


@dataclass(frozen=True)
class Moment:
    """The window that closes."""

    start: int
    end: int
    is_block: bool


def rank_of(return_days: float, authors: int) -> float:
    """Rarity times reach: log10(1 + hours until such a thing comes again) × log10(1 + distinct authors).

    >>> round(rank_of(1.0, 99), 2), round(rank_of(30.0, 9), 2)
    (2.8, 2.86)
    """
    return math.log10(1.0 + _DAY_HOURS * return_days) * math.log10(1.0 + authors)


@dataclass(frozen=True)
class Held:
    """What kept posts have of the terms that are looked at, by key: rows of the pool, and the terms themselves."""

    rows: dict[int, Ints]
    names: dict[int, str]
    closed: Ints
    """Rows of all posts of windows that have closed."""
    window: Ints
    """The window of each post of the pool."""

    def since(self, rows: Ints, start: int) -> Ints:
        """Those of `rows` that are of the window `start` or of later ones."""
        return rows[self.window[rows] >= start]

    def of(self, key: int, start: int) -> Ints:
        """Rows of the posts since `start` that hold a term."""
        return self.since(self.rows.get(key, self.closed[:0]), start)


def hot_terms(state: Emerging, seen: Look, days: Floats, moment: Moment, params: TopicParams) -> tuple[list[Hot], Held]:
    """Terms that are rare enough to go on with a topic, the rarest first; notes them for the posts that come."""
    at = np.flatnonzero((days >= params.stay / params.per_day) & (seen.authors >= LEAST) & (seen.observed >= LEAST))
    at = at[np.lexsort((state.terms.key[seen.rows[at]], -days[at]))][:_MOST_HOT]
    keys = state.terms.key[seen.rows[at]]
    leads = np.array([topic.lead for topic in state.topics], np.uint64)
    state.hot = np.unique(np.concatenate((keys, leads)))
    known = {key for topic in state.topics for key in topic.terms}
    wanted = np.unique(np.concatenate((keys, np.array(sorted(known), np.uint64))))
    rows, names = state.pool.with_terms(wanted, moment.start, state.seed) if len(wanted) else ({}, {})
    window = state.pool.column("window")
    held = Held(rows, names, np.flatnonzero(window <= moment.start), window)
    usual = 2.0 * share(state.terms.posts[seen.rows], state.terms.exposure[seen.rows]) * state.stream.ring.sum()
    found = []
    for number, place in enumerate(at.tolist()):
        key, row = int(keys[number]), int(seen.rows[place])
        name, posts = held.names.get(key), held.rows.get(key)
        if name is None or posts is None:
            continue  # no kept post has it yet; from now on those that have it are kept first
        if key not in known and (_says_nothing(name) or _is_of_links(name, state.pool, posts)):
            state.terms.muted[row] = 1
            continue
        term = TopicTerm(
            term=name,
            kind="hashtag" if name.startswith("#") else "word",
            observed=int(seen.observed[place]),
            expected=round(float(seen.expected[place]), 3),
            return_days=round(float(days[place]), 4),
            is_new=bool(seen.classes[place] == NEW),
            since_us=moment.end - int(seen.window_us[place]),
        )
        found.append(Hot(key, name, term, int(seen.authors[place]), posts, bool(state.terms.block[row] > usual[place])))
    return found, held


def _says_nothing(name: str) -> bool:
    """Whether a term alone says nothing of a topic: a function word, a number, a letter or a sign of any script.

    >>> [_says_nothing(name) for name in ("the", "2026", "x", "も", "#2026", "recall", "🔥")]
    [True, True, True, True, False, False, False]
    """
    return name in FUNCTION_WORDS or name.isdigit() or (len(name) == 1 and unicodedata.category(name)[0] != "S")


def _is_of_links(name: str, pool: Pool, posts: Ints) -> bool:
    """Whether a word stands only in the links of its posts."""
    if name.startswith("#"):
        return False
    column = pool.posts.column("text")
    texts = [str(column[row].as_py() or "") for row in posts[-_LOOKED_AT:].tolist()]
    with_links = [text for text in texts if _LINK.search(text)]
    if 2 * len(with_links) <= len(texts):
        return False
    outside = sum(f" {name} " in tokenise_one(_LINK.sub(" ", text)) for text in with_links)
    return 2 * outside < len(with_links)
