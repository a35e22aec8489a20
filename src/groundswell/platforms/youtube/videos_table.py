"""Videos as flat records with the Data API's names: JSON lists, and the tables of the YouTube Data Tools.

A cell of a list (`tags`, `topicCategories`) is kept as it was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import alone, any_of, missing, titled
from groundswell.platforms.youtube.common import WATCH, seconds

if TYPE_CHECKING:
    import ibis.expr.types as ir

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("videoId", "video_id", "Video Id", "id"),
    "title": ("videoTitle", "title", "Video Title"),
    "description": ("videoDescription", "description", "Video Description"),
    "channel_id": ("channelId", "channel_id", "Channel Id"),
    "channel_title": ("channelTitle", "channel_title", "Channel Title"),
    "published": ("publishedAt", "published_at", "Published At", "publishTime"),
    "views": ("viewCount", "view_count", "View Count"),
    "likes": ("likeCount", "like_count", "Like Count"),
    "dislikes": ("dislikeCount", "dislike_count", "Dislike Count"),
    "comments": ("commentCount", "comment_count", "Comment Count"),
    "duration": ("duration",),
    "seconds": ("durationSec", "duration_sec", "Duration Sec"),
    "lang": ("defaultAudioLanguage", "defaultLAudioLanguage", "defaultLanguage"),
    "thumbnail": ("thumbnail_maxres", "thumbnail", "thumbnailUrl"),
    "category": ("videoCategoryId", "categoryId", "Video Category Id"),
    "category_label": ("videoCategoryLabel", "Video Category Label"),
    "tags": ("tags",),
    "topics": ("topicCategories",),
}
COLUMNS: Final = tuple(name for names in NAMES.values() for name in names)
_OWN: Final = frozenset(("channelTitle", "Channel Title", "videoTitle", "Video Title"))
_COUNTS: Final = frozenset((*NAMES["views"], *NAMES["published"]))


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record has a video's id, its channel and its time or views under the API's names."""
    keys = record.keys()
    return (
        any(isinstance(record.get(name), str) for name in NAMES["id"])
        and bool(_OWN & keys)
        and bool(_COUNTS & keys)
        and not isinstance(record.get("snippet"), Mapping)
    )


def posts(raw: ir.Table) -> ir.Table:
    """One post for each record; `metrics` holds `dislikes`, `extra` tags, category and topics."""

    def cell(part: str) -> ir.StringValue:
        return any_of(*(raw[name] for name in NAMES[part]))

    post_id = cell("id")
    length = ibis.coalesce(seconds(cell("duration")), casts.number("duration", cell("seconds")).value)
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("youtube"),
            "post_id": post_id,
            "url": WATCH + post_id,
            "author_id": cell("channel_id"),
            "author_name": cell("channel_title"),
            "created_at": casts.moment("publishedAt", cell("published")),
            "text": titled(cell("title"), cell("description")),
            "lang": cell("lang"),
            "kind": ibis.literal("video"),
            "duration_s": casts.Cell("duration", any_of(cell("duration"), cell("seconds")), length),
            "views": casts.integer("viewCount", cell("views")),
            "likes": casts.integer("likeCount", cell("likes")),
            "comments": casts.integer("commentCount", cell("comments")),
            "media_urls": alone(cell("thumbnail")),
        },
        metrics=[casts.integer("dislikes", cell("dislikes"))],
        extra={
            "tags": cell("tags"),
            "category_id": cell("category"),
            "category": cell("category_label"),
            "topics": cell("topics"),
        },
        rejects=[(missing(cell("title"), cell("published"), cell("views")), "neither title, time nor views")],
        required=["post_id", "text"],
        reject_unread={"created_at": "publishedAt is not a plausible time"},
    )


VIDEO_ROWS: Final = Layout(
    platform="youtube",
    name="videos_table",
    version=1,
    shape=Shape.ROW,
    raw=dict.fromkeys(COLUMNS, "string"),
    matches=matches,
    posts=posts,
    description="flat videos with the Data API's names (videoId or id, channelTitle, viewCount), JSON or table",
)
