"""What decides about topics, and what is said of one: plain data."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

_MINUTE: Final = 60_000_000
_HOUR: Final = 60 * _MINUTE

TermKind = Literal["word", "hashtag"]
TopicPhase = Literal["growing", "peak", "fading", "closed"]


class TopicParams(msgspec.Struct, frozen=True):
    """Everything that decides which topics are told, besides the posts."""

    per_day: float = 2.0
    """Things as rare as a topic that opens come about so many times a day, anywhere in the stream; 0: no topics."""
    candidates: int = 1 << 18
    """Hashtags and words that are followed at once."""
    window_terms: int = 1 << 18
    """Different terms counted in one open window; beyond, those met least often are dropped."""
    least_authors: int = 6
    """A topic needs at least this many distinct authors in its window, …"""
    least_ratio: float = 2.0
    """… and at least this many times as many as usual."""
    warm_us: int = 3 * _HOUR
    """Before so much of the stream is known, every word would be new."""
    stay: float = 0.1
    """An open topic goes on while one of its terms is at least this fraction as rare as one that opens."""
    calm_us: int = 30 * _MINUTE
    """A topic is over when for so long none of its terms was."""
    longest_us: int = 24 * _HOUR
    """A topic that lasts this long is no news any more: its terms have a new level."""
    together: float = 0.5
    """A term belongs to a topic if this fraction of the posts of the rarer of the two hold both."""
    keep_posts: int = 512
    """Posts per window kept for examples; where the stream has fewer, all of them."""
    keep_terms: int = 64
    """Words and hashtags of a kept post that are looked at for what comes together."""
    most_open: int = 100
    """Open topics at once; the least of them by rank give way."""


class TopicTerm(msgspec.Struct, frozen=True):
    """A hashtag (with its `#`) or word of a topic, in the window in which it was rarest."""

    term: str
    kind: TermKind
    observed: int
    """Distinct authors in that window."""
    expected: float
    return_days: float
    is_new: bool
    """Hardly ever met in the stream before the last hour."""
    since_us: int


class TopicRecord(msgspec.Struct, frozen=True):
    """A topic as it stands; the same `id` again replaces the earlier one. Times are microseconds since 1970 UTC."""

    id: str
    label: str
    phase: TopicPhase
    started_at: int
    opened_at: int
    updated_at: int
    closed_at: int | None
    window_s: int
    observed: int
    expected: float
    return_days: float
    is_new: bool
    rank: float
    """Rarity times reach: log10(1 + hours until such a thing comes again) × log10(1 + distinct authors of an hour)."""
    authors: int
    """Distinct authors of its busiest hour; where those are many hundreds, authors of single windows summed."""
    posts: int
    reach: int | None
    """Followers of the authors of its example posts, as far as they are known."""
    query: str
    """Finds its posts."""
    headline: str
    detail: str
    body: dict[str, Any]
    """What `groundswell.web.topic_models.Topic` has besides: terms, platforms, windows, words, posts …"""
