"""Posts that say nearly the same: grouped by their words, without links, names and numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from groundswell.watch.near import Words, leaders

_LEFT_OUT: Final = re.compile(r"https?://\S+|[@#]\w+|\d+|^\s*rt\b")
_WORD: Final = re.compile(r"\w+")


def words_said(text: str | None) -> Words:
    """What a text says, word by word.

    >>> words_said("RT @ann: my ARM hurts #ouch https://a.b/1")
    ('my', 'arm', 'hurts')
    """
    return tuple(_WORD.findall(_LEFT_OUT.sub(" ", text.lower()))) if text else ()


def group_copies(texts: Sequence[str | None]) -> list[list[int]]:
    """Positions of texts grouped by near-duplicates, largest group first, then by first position.

    A text without words is a group of its own. Which texts are together does not depend on their order.

    >>> group_copies(["My arm hurts https://a.b", "my ARM hurts!!", "nice day", None])
    [[0, 1], [2], [3]]
    """
    by_words: dict[Words, list[int]] = {}
    alone: list[list[int]] = []
    for position, text in enumerate(texts):
        words = words_said(text)
        if words:
            by_words.setdefault(words, []).append(position)
        else:
            alone.append([position])
    distinct = sorted(by_words, key=lambda words: (-len(by_words[words]), words))
    joined: dict[int, list[int]] = {}
    for at, leader in enumerate(leaders(distinct)):
        joined.setdefault(leader, []).extend(by_words[distinct[at]])
    groups = [*joined.values(), *alone]
    return sorted((sorted(rows) for rows in groups), key=lambda rows: (-len(rows), rows[0]))
