"""What a tracker's posts are usually like: words, authors, hashtags … of its quiet past, bounded.

Learned from a fair sample of each closed window in which nothing was unusual.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec
import pyarrow as pa

#: Posts of one window that are learned from.
SAMPLE: Final = 64
KEPT: Final = {"words": 1_000, "authors": 2_000, "hashtags": 500, "sounds": 300, "domains": 300, "languages": 100}
_SINGLE: Final = {"authors": "author", "sounds": "sound", "languages": "lang"}
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
