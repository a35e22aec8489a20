"""Posts that say nearly the same: grouped by their words, without links, names and numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_LEFT_OUT: Final = re.compile(r"https?://\S+|[@#]\w+|\d+|^\s*rt\b", re.IGNORECASE)
_WORD: Final = re.compile(r"\w+")

#: Two groups whose word pairs overlap this much (Jaccard) are one.
ALIKE: Final = 0.7
#: Only the largest groups are compared with each other.
_COMPARED: Final = 40


def group_copies(texts: Sequence[str | None]) -> list[list[int]]:
    """Positions of texts grouped by near-duplicates, largest group first, then by first position.

    A text without words is a group of its own.

    >>> group_copies(["My arm hurts https://a.b", "my ARM hurts!!", "nice day", None])
    [[0, 1], [2], [3]]
    """
    by_words: dict[tuple[str, ...], list[int]] = {}
    alone: list[list[int]] = []
    for position, text in enumerate(texts):
        words = tuple(_WORD.findall(_LEFT_OUT.sub(" ", text.lower()))) if text else ()
        if words:
            by_words.setdefault(words, []).append(position)
        else:
            alone.append([position])
    exact = sorted(by_words.items(), key=lambda item: (-len(item[1]), item[1][0]))
    merged = _merge(exact[:_COMPARED])
    groups = merged + [rows for _, rows in exact[_COMPARED:]] + alone
    return sorted((sorted(rows) for rows in groups), key=lambda rows: (-len(rows), rows[0]))


def _merge(groups: list[tuple[tuple[str, ...], list[int]]]) -> list[list[int]]:
    """Join a group to the first larger one that it resembles."""
    kept: list[tuple[frozenset[tuple[str, str]], list[int]]] = []
    for words, rows in groups:
        pairs = frozenset(zip(words, (*words[1:], ""), strict=True))
        for other, joined in kept:
            common = len(pairs & other)
            if common >= ALIKE * (len(pairs) + len(other) - common):
                joined.extend(rows)
                break
        else:
            kept.append((pairs, list(rows)))
    return [rows for _, rows in kept]
