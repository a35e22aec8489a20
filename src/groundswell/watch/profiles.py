"""What a tracker's posts are usually like: words, authors, hashtags and sounds of its quiet past, bounded.

Learned from a fair sample of each closed window in which nothing was unusual.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec
import pyarrow as pa

#: Posts of one window that are learned from.
SAMPLE: Final = 64
KEPT: Final = {"words": 1_000, "authors": 2_000, "hashtags": 500, "sounds": 300}
#: After this many posts everything is halved, so that the past fades.
FADE_AT: Final = 20_000.0


class Profile(msgspec.Struct):
    """In how many of `posts` posts a word, author, hashtag or sound stood."""

    posts: float = 0.0
    words: dict[str, float] = {}
    authors: dict[str, float] = {}
    hashtags: dict[str, float] = {}
    sounds: dict[str, float] = {}


def words_of(tokens: str | None) -> set[str]:
    """The distinct words of a post's `tokens`."""
    return set(tokens.split()) if tokens else set()


def learn_posts(profile: Profile, posts: pa.Table) -> None:
    """Add the first `SAMPLE` of the posts (rows as `recent.KEPT`). Changes `profile`."""
    learn_all(profile, posts.slice(0, SAMPLE))


def learn_all(profile: Profile, posts: pa.Table) -> None:
    """Add all of the posts (columns tokens, hashtags, author, sound). Changes `profile`."""
    words: Counter[str] = Counter()
    for tokens in posts.column("tokens").to_pylist():
        words.update(words_of(tokens))
    tags: Counter[str] = Counter()
    for hashtags in posts.column("hashtags").to_pylist():
        tags.update(set(hashtags or ()))
    profile.posts += posts.num_rows
    _add(profile.words, words, KEPT["words"])
    _add(profile.hashtags, tags, KEPT["hashtags"])
    _add(profile.authors, Counter(a for a in posts.column("author").to_pylist() if a), KEPT["authors"])
    _add(profile.sounds, Counter(s for s in posts.column("sound").to_pylist() if s), KEPT["sounds"])
    if profile.posts > FADE_AT:
        profile.posts /= 2
        for counts in (profile.words, profile.hashtags, profile.authors, profile.sounds):
            for key in counts:
                counts[key] /= 2


def _add(counts: dict[str, float], new: Counter[str], kept: int) -> None:
    for key, number in new.items():
        counts[key] = counts.get(key, 0.0) + number
    if len(counts) > 2 * kept:
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:kept]
        counts.clear()
        counts.update(ranked)
