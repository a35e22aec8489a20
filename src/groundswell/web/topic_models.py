"""Documents about emerging topics: what people start to talk about that no tracker asks for."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from groundswell.web.base_models import Document, Phase
from groundswell.web.evidence_models import Driver, EvidencePost, Word


class TopicTerm(Document):
    """A hashtag (with its `#`) or word of a topic, in the window in which it was rarest."""

    term: str
    kind: Literal["word", "hashtag"]
    observed: int
    """Distinct authors in that window."""
    expected: float
    ratio: float | None
    """Null where hardly any were expected."""
    is_new: bool
    """Hardly ever met in the stream before."""
    return_days: float
    since: datetime


class TopicPlatform(Document):
    """How much of a topic is on one platform."""

    platform: str
    posts: int
    share: float


class TopicTracker(Document):
    """A tracker that sees a topic already, and the fraction of its posts that it matches."""

    id: str
    name: str
    share: float


class TopicWindow(Document):
    """One window of a topic's leading term."""

    start: datetime
    count: int
    """Distinct authors, minute by minute."""
    expected: float | None


class TopicSummary(Document):
    """Something that people start to talk about."""

    id: str
    label: str
    phase: Phase
    started_at: datetime
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    window_s: int
    """Length of the window in which it was rarest, seconds; `observed` and `expected` are of that window."""
    observed: int
    expected: float
    ratio: float | None
    is_new: bool
    return_days: float
    """Something so rare is seen once in so many days, anywhere in the stream."""
    rank: float
    """Rarity times reach: log10(1 + hours until such a thing comes again) × log10(1 + distinct authors)."""
    authors: int
    posts: int
    reach: int | None
    """Followers of the authors of its example posts, as far as they are known."""
    query: str
    """A query that finds its posts; for a tracker of it."""
    headline: str
    detail: str
    covered_by: list[TopicTracker]
    terms: list[TopicTerm]
    platforms: list[TopicPlatform]
    spark: list[int]
    """Distinct authors per `spark_s` seconds, oldest first."""
    spark_s: int


class Topic(TopicSummary):
    """A topic with its evidence."""

    windows: list[TopicWindow]
    words: list[Word]
    """Words of its posts that others of the same hour do not have."""
    examples: list[EvidencePost]
    top_authors: list[Driver]
    parameters: dict[str, float | int | str]


class Topics(Document):
    """Topics: open ones first, by rank, then closed ones, newest first."""

    items: list[TopicSummary]
    open: int
    next: str | None = None


_SUMMARY: Final[dict[str, Any]] = {
    "id": "3d0c5a7be1f24986a0b1c2d3e4f5a6b7",
    "label": "#novaleak",
    "phase": "growing",
    "started_at": "2026-11-20T08:05:00Z",
    "opened_at": "2026-11-20T08:09:00Z",
    "updated_at": "2026-11-20T08:20:00Z",
    "closed_at": None,
    "window_s": 900,
    "observed": 58,
    "expected": 0.01,
    "ratio": None,
    "is_new": True,
    "return_days": 41.5,
    "rank": 5.31,
    "authors": 58,
    "posts": 74,
    "reach": 181200,
    "query": "#novaleak",
    "headline": "#novaleak is new: 58 authors in 15 min",
    "detail": "with leak, photos · tiktok and bluesky · no tracker sees it",
    "covered_by": [],
    "terms": [
        {
            "term": "#novaleak",
            "kind": "hashtag",
            "observed": 58,
            "expected": 0.01,
            "ratio": None,
            "is_new": True,
            "return_days": 41.5,
            "since": "2026-11-20T08:05:00Z",
        }
    ],
    "platforms": [
        {"platform": "tiktok", "posts": 61, "share": 0.82},
        {"platform": "bluesky", "posts": 13, "share": 0.18},
    ],
    "spark": [0, 0, 3, 14, 24, 33],
    "spark_s": 300,
}
TOPIC_EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "TopicSummary": _SUMMARY,
    "Topics": {"items": [_SUMMARY], "open": 1, "next": None},
    "Topic": _SUMMARY
    | {
        "windows": [{"start": "2026-11-20T08:15:00Z", "count": 33, "expected": 0.004}],
        "words": [{"word": "photos", "posts": 31, "log_odds": 3.2, "z": 7.4}],
        "examples": [
            {
                "platform": "tiktok",
                "post_id": "7301234567890123456",
                "url": "https://www.tiktok.com/@maya/video/7301234567890123456",
                "author": "maya",
                "followers": 3100,
                "created_at": "2026-11-20T08:06:04Z",
                "text": "the #novaleak photos are real",
                "likes": 88,
                "views": 1520,
                "copies": 3,
                "share": 0.04,
                "origin": "push, record 2417",
            }
        ],
        "top_authors": [{"key": "maya", "label": "@maya", "posts": 3, "share": 0.04, "usual_share": None}],
        "parameters": {"posts_read": 74, "copies_share": 0.04},
    },
}
