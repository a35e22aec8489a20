"""YouTube's trending lists as tables: a video recurs on each day on which it trended, with that day's counters.

Five families of columns go round: the first of 2017 (`comment_total`; its `date` has no year, so the day is unread),
those of later in 2017 (`category_id`, `publish_time`, `views`), of 2020 on (`publishedAt`, `channelId`, `categoryId`,
`view_count`), of the lists of many countries (`snapshot_date`, `daily_rank`, `channel_name`) and of the daily exports
of the Data API (`video_published_at`, `video_trending__date`). Where comments or ratings are switched off the table
says 0, which is no count: they are null. An id that a spreadsheet took for a formula (`#NAME?`) is read from the
thumbnail's address. Tags are the uploader's search words, not hashtags: they are in `extra`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import alone, any_of, titled
from groundswell.platforms.youtube.common import WATCH, seconds, trending_day

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: The columns of each part of a video, in all the tables' spellings.
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "video_id": ("video_id", "videoId", "video id"),
    "day": ("trending_date", "snapshot_date", "video_trending__date", "video_trending_date", "trendingDate", "date"),
    "title": ("title", "video_title"),
    "description": ("description", "video_description"),
    "channel_id": ("channelId", "channel_id"),
    "channel_title": ("channel_title", "channelTitle", "channel_name"),
    "category": ("category_id", "categoryId", "video_category_id"),
    "published": ("publish_time", "publishedAt", "publish_date", "video_published_at", "published_at"),
    "tags": ("tags", "video_tags"),
    "views": ("views", "view_count", "video_view_count"),
    "likes": ("likes", "like_count", "video_like_count"),
    "dislikes": ("dislikes", "dislike_count"),
    "comments": ("comment_count", "comments", "comment_total", "video_comment_count"),
    "thumbnail": ("thumbnail_link", "thumbnail_url", "video_default_thumbnail"),
    "no_comments": ("comments_disabled",),
    "no_ratings": ("ratings_disabled",),
    "removed": ("video_error_or_removed",),
    "country": ("country", "video_trending_country"),
    "rank": ("daily_rank", "rank"),
    "lang": ("language", "langauge", "default_audio_language"),
    "duration": ("video_duration", "duration"),
    "subscribers": ("channel_subscriber_count",),
    "channel_made": ("channel_published_at",),
}
COLUMNS: Final = tuple(name for names in NAMES.values() for name in names)


def matches(record: Mapping[str, Any]) -> bool:
    """Whether there are the columns of a video's id, of the day on which it trended and of its channel."""
    keys = record.keys()
    known = all(any(name in keys for name in NAMES[part]) for part in ("video_id", "day", "channel_title"))
    return known or {"video_id", "channel_title", "comment_total", "thumbnail_link", "date"} <= keys


def posts(raw: ir.Table) -> ir.Table:
    """One post for each row; `metrics` holds `dislikes`, `rank`, `extra` tags, category, country of the list."""

    def cell(part: str) -> ir.StringValue:
        return any_of(*(raw[name] for name in NAMES[part]))

    silent, unrated = cell("no_comments").lower() == "true", cell("no_ratings").lower() == "true"
    thumbnail, written = cell("thumbnail"), cell("video_id")
    shown = thumbnail.re_extract("/vi/([A-Za-z0-9_-]{11})/", 1).nullif("")
    post_id = ibis.cases((written.startswith("#"), shown), else_=written)
    tags = cell("tags").nullif("[none]").nullif("[None]")
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("youtube"),
            "post_id": casts.Cell("video_id", written, post_id),
            "url": WATCH + post_id,
            "author_id": cell("channel_id"),
            "author_name": cell("channel_title"),
            "created_at": casts.moment("published", cell("published")),
            "observed_at": casts.Cell("trending_day", cell("day"), trending_day(cell("day"))),
            "text": titled(cell("title"), cell("description").replace("\\n", "\n")),
            "lang": cell("lang"),
            "kind": ibis.literal("video"),
            "duration_s": casts.Cell("duration", cell("duration"), seconds(cell("duration"))),
            "views": casts.integer("views", cell("views")),
            "likes": casts.integer("likes", _unless(unrated, cell("likes"))),
            "comments": casts.integer("comments", _unless(silent, cell("comments"))),
            "media_urls": alone(thumbnail),
            "followers": casts.integer("subscribers", cell("subscribers")),
            "author_created_at": casts.moment("channel_made", cell("channel_made")),
        },
        metrics=[
            casts.integer("dislikes", _unless(unrated, cell("dislikes"))),
            casts.integer("rank", cell("rank")),
        ],
        extra={
            "tags": ibis.cases(
                (tags.contains("|"), tags.replace('"', "").re_split("[|]")),
                (tags.notnull(), tags.replace('"', "").re_split(", *")),
            ),
            "category_id": cell("category"),
            "trending_in": cell("country"),
            "removed": ibis.cases((cell("removed").lower() == "true", "true")),
        },
        required=["post_id", "text"],
        reject_unread={"created_at": "the time of publication is not a plausible time"},
    )


def _unless(off: ir.BooleanValue, raw: ir.StringValue) -> ir.StringValue:
    return ibis.cases((off, ibis.null("string")), else_=raw)


TRENDING: Final = Layout(
    platform="youtube",
    name="trending_csv",
    version=2,
    shape=Shape.ROW,
    raw=dict.fromkeys(COLUMNS, "string"),
    matches=matches,
    posts=posts,
    description="table of trending videos with the video's id, the trending day (yy.dd.mm, ISO) and the channel",
)
