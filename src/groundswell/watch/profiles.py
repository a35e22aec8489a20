"""What a tracker's posts are usually like: words, authors, hashtags … of its quiet past, bounded.

Learned from a fair sample of each closed window in which nothing was unusual.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from typing import Any, Final

import msgspec
import pyarrow as pa

#: Posts of one window that are learned from.
SAMPLE: Final = 64
KEPT: Final = {"words": 1_000, "authors": 2_000, "hashtags": 500, "sounds": 300, "domains": 300, "languages": 100}
_SINGLE: Final = {"authors": "author", "sounds": "sound", "languages": "lang"}
#: Of each kind so many of the most usual are kept with an alert: of a drop they are what stayed away.
_USUAL: Final = 50
#: After this many posts everything is halved, so that the past fades.
FADE_AT: Final = 20_000.0


class Profile(msgspec.Struct):
    """In how many of `posts` posts a word, author, hashtag, sound, linked domain or language stood."""

    posts: float = 0.0
    words: dict[str, float] = {}
    authors: dict[str, float] = {}
    hashtags: dict[str, float] = {}
    sounds: dict[str, float] = {}
    domains: dict[str, float] = {}
    languages: dict[str, float] = {}


def words_of(tokens: str | None) -> set[str]:
    """The distinct words of a post's `tokens`."""
    return set(tokens.split()) if tokens else set()


def learn_posts(profile: Profile, posts: pa.Table) -> None:
    """Add the first `SAMPLE` of the posts (rows as `recent.KEPT`). Changes `profile`."""
    learn_all(profile, posts.slice(0, SAMPLE))


def learn_all(profile: Profile, posts: pa.Table) -> None:
    """Add all of the posts (columns as `recent.learned_columns` gives them). Changes `profile`."""
    words: Counter[str] = Counter()
    for tokens in posts.column("tokens").to_pylist():
        words.update(words_of(tokens))
    profile.posts += posts.num_rows
    found = {"words": words}
    found |= {name: _in_lists(posts.column(name)) for name in ("hashtags", "domains")}
    found |= {name: _single(posts.column(of)) for name, of in _SINGLE.items()}
    for name, kept in KEPT.items():
        _add(getattr(profile, name), found[name], kept)
    if profile.posts > FADE_AT:
        profile.posts /= 2
        for name in KEPT:
            counts = getattr(profile, name)
            for key in counts:
                counts[key] /= 2


def _in_lists(column: pa.ChunkedArray) -> Counter[str]:
    counts: Counter[str] = Counter()
    for values in column.to_pylist():
        counts.update(set(values or ()))
    return counts


def _single(column: pa.ChunkedArray) -> Counter[str]:
    return Counter(value for value in column.to_pylist() if value)


def _add(counts: dict[str, float], new: Counter[str], kept: int) -> None:
    for key, number in new.items():
        counts[key] = counts.get(key, 0.0) + number
    if len(counts) > 2 * kept:
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:kept]
        counts.clear()
        counts.update(ranked)


class Past(Profile):
    """The part of a profile that a card compares with; small enough to be kept with an alert."""

    words_all: float = 0.0
    """Words of the whole profile, those left out here counted."""

    @classmethod
    def of(cls, profile: Profile, posts: Sequence[Mapping[str, Any]]) -> Past:
        """What `profile` knows of what is in `posts` (rows as `recent.KEPT`), and of each kind the most usual."""
        words_all = profile.words_all if isinstance(profile, Past) else sum(profile.words.values())
        met: dict[str, set[str]] = {"words": set()}
        for row in posts:
            met["words"] |= words_of(row["tokens"])
        met |= {name: {key for row in posts for key in row[name] or ()} for name in ("hashtags", "domains")}
        met |= {name: {row[of] for row in posts} for name, of in _SINGLE.items()}
        parts = {name: _part(getattr(profile, name), met[name], 0 if name == "words" else _USUAL) for name in KEPT}
        return cls(posts=profile.posts, words_all=words_all, **parts)


def _part(counts: Mapping[str, float], met: Set[str], usual: int) -> dict[str, float]:
    most = sorted(counts, key=lambda key: (-counts[key], key))[:usual]
    return {key: counts[key] for key in sorted({*most, *(key for key in met if key in counts)})}
