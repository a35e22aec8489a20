"""What a platform's counter means, and since when: where a definition changed, numbers before and after are not alike.

A definition holds from its day on, for observations made from then on. Only changes that the platform itself announced
are here; `precision` says how exactly the day is known.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Definition:
    """One change of what a counter means."""

    platform: str
    metric: str
    """A column of posts, or a key of `metrics`."""

    since: date
    meaning: str
    before: str
    source: str
    applies_to: str = "all posts"
    precision: Literal["day", "month"] = "day"

    @property
    def moment(self) -> datetime:
        """Midnight UTC of the day from which it holds."""
        return datetime.combine(self.since, time(), UTC)

    def document(self) -> dict[str, str]:
        """As JSON-ready values."""
        return {
            "platform": self.platform,
            "metric": self.metric,
            "since": self.since.isoformat(),
            "precision": self.precision,
            "applies_to": self.applies_to,
            "meaning": self.meaning,
            "before": self.before,
            "source": self.source,
        }


DEFINITIONS: Final = (
    Definition(
        "facebook",
        "likes",
        date(2016, 2, 24),
        "like is one of several reactions; the others are counted apart (love, haha, wow, sad, angry)",
        "like was the only reaction",
        "Facebook newsroom: Reactions now available globally",
    ),
    Definition(
        "x",
        "likes",
        date(2015, 11, 3),
        "likes (hearts)",
        "favourites (stars), which people used as bookmarks, too",
        "Twitter blog: Hearts on Twitter",
    ),
    Definition(
        "x",
        "views",
        date(2022, 12, 22),
        "times that a post was seen, shown to everyone",
        "not shown; posts of before the change have no count",
        "X: About view counts",
    ),
    Definition(
        "youtube",
        "dislikes",
        date(2021, 12, 13),
        "seen by the owner only; the API gives it to nobody else",
        "public",
        "YouTube Data API revision history",
    ),
    Definition(
        "youtube",
        "views",
        date(2025, 3, 31),
        "times that a Short began to play or was replayed, without a least watch time",
        "times that a Short was watched for a certain time (now `engaged views`)",
        "YouTube help: changes to how Shorts views are counted",
        applies_to="Shorts",
    ),
    Definition(
        "youtube",
        "views",
        date(2026, 8, 1),
        "counted for all videos as for Shorts since 2025-03-31",
        "times that a video was watched for a certain time (Shorts: see 2025-03-31)",
        "YouTube: view counts of all formats",
        precision="month",
    ),
    Definition(
        "instagram",
        "views",
        date(2025, 4, 21),
        "times that a post was played or shown, one metric for all formats",
        "`plays`, `video_views` and `impressions`, each counted in its own way",
        "Instagram Platform changelog, v22.0",
    ),
)


def crossed(
    platforms: Collection[str], metrics: Collection[str], first: datetime | None, last: datetime | None
) -> tuple[Definition, ...]:
    """The definitions of `metrics` that changed after `first` and up to `last`, oldest first; none if one is null.

    >>> [str(d.since) for d in crossed(["youtube"], ["views"], datetime(2025, 1, 1, tzinfo=UTC),
    ...                                datetime(2025, 6, 1, tzinfo=UTC))]
    ['2025-03-31']
    """
    if first is None or last is None:
        return ()
    found = [
        one for one in DEFINITIONS if one.platform in platforms and one.metric in metrics and first < one.moment <= last
    ]
    return tuple(sorted(found, key=lambda one: (one.since, one.platform, one.metric)))
