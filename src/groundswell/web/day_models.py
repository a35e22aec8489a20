"""Documents of what is worked out once a day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final, Literal

from groundswell.web.base_models import Document

TrendKind = Literal["hashtag", "sound", "musician", "challenge", "creator"]


class DayCounter(Document):
    """One counter over the posts of a platform and day."""

    sum: int | None
    """Null where no post shows the counter."""
    median: float | None
    known: int
    """Posts that show it."""


class DayPlatform(Document):
    """A platform's day. Posts count on the date of their creation, with their counters as seen last."""

    platform: str
    posts: int
    authors: int
    observations: int
    """Rows of the lake: a post that was seen three times is three."""
    hashtagged: int
    """Posts with a hashtag."""
    hashtags: int
    """Distinct hashtags."""
    counters: dict[str, DayCounter]
    """Views, likes, comments, shares, saves. They mean something else on each platform, so they are not summed up."""


class DaySummary(Document):
    """Summary statistics of a day, UTC."""

    posts: int
    authors: int
    """The sum over the platforms; a person on two of them is two."""
    observations: int
    platforms: list[DayPlatform]


class DayWindow(Document):
    """After `after`, up to and with `to`."""

    after: datetime
    to: datetime


class DayTrend(Document):
    """One thing and how its share of all voices changed on that day, against comparable days before."""

    key: str
    label: str | None
    platform: str | None
    """Whose id `key` is; null for hashtags and musicians."""
    posts: int
    voices: int
    """Distinct authors."""
    posts_before: int
    voices_before: int
    change: float | None
    """Share now / share before; null where nothing lies before."""
    lower: float | None
    upper: float | None
    sure: float | None
    """Probability that it rose."""


class DayTrends(Document):
    """What rose on a day, of one kind, surest first."""

    by: TrendKind
    windows: list[DayWindow]
    posts: int
    voices: int
    posts_before: int
    voices_before: int
    items: list[DayTrend]


class Day(Document):
    """What was worked out of a date; null, or left out of `trends`, what was not."""

    date: date
    made_at: datetime
    """When the last of it was worked out."""
    lake_version: int | None
    """Version of the table of posts that the last of it was worked out of."""
    summary: DaySummary | None
    trends: list[DayTrends]


class DayLine(Document):
    """One date in the list."""

    date: date
    posts: int | None
    """Null where the day was not summed up."""
    made_at: datetime


class Days(Document):
    """Dates of which something was worked out, newest first."""

    items: list[DayLine]


_COUNTER: Final[dict[str, Any]] = {"sum": 812_344, "median": 310.0, "known": 1_204}
DAY_EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "Days": {"items": [{"date": "2026-11-19", "posts": 1_310, "made_at": "2026-11-20T03:31:12Z"}]},
    "Day": {
        "date": "2026-11-19",
        "made_at": "2026-11-20T03:31:12Z",
        "lake_version": 412,
        "summary": {
            "posts": 1_310,
            "authors": 988,
            "observations": 1_874,
            "platforms": [
                {
                    "platform": "tiktok",
                    "posts": 1_310,
                    "authors": 988,
                    "observations": 1_874,
                    "hashtagged": 1_102,
                    "hashtags": 640,
                    "counters": {"views": _COUNTER, "saves": {"sum": None, "median": None, "known": 0}},
                }
            ],
        },
        "trends": [
            {
                "by": "sound",
                "windows": [{"after": "2026-11-19T00:00:00Z", "to": "2026-11-20T00:00:00Z"}],
                "posts": 1_004,
                "voices": 820,
                "posts_before": 6_920,
                "voices_before": 5_710,
                "items": [
                    {
                        "key": "7301234567890123456",
                        "label": "Night Drive · Nova",
                        "platform": "tiktok",
                        "posts": 41,
                        "voices": 39,
                        "posts_before": 12,
                        "voices_before": 12,
                        "change": 21.4,
                        "lower": 11.9,
                        "upper": 41.0,
                        "sure": 1.0,
                    }
                ],
            }
        ],
    },
}
