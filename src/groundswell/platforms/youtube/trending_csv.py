"""YouTube's trending lists as tables: a video recurs on each day on which it trended, with that day's counters.

Where comments or ratings are switched off the table says 0, which is no count: they are null. An id that a
spreadsheet took for a formula (`#NAME?`) is read from the thumbnail's address. Tags are the uploader's search
words, not hashtags: they are in `extra`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.udfs import times_reader

if TYPE_CHECKING:
    import ibis.expr.types as ir

_TRENDING_DAY: Final = "^([0-9]{2})[.]([0-9]{2})[.]([0-9]{2})$"
_WATCH: Final = "https://www.youtube.com/watch?v="

COLUMNS: Final = (
    "video_id",
    "trending_date",
    "title",
    "channel_title",
    "category_id",
    "publish_time",
    "tags",
    "views",
    "likes",
    "dislikes",
    "comment_count",
    "thumbnail_link",
    "comments_disabled",
    "ratings_disabled",
    "video_error_or_removed",
    "description",
)


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the columns that only this table has are there."""
    return {"video_id", "trending_date", "channel_title"} <= record.keys()


def posts(raw: ir.Table) -> ir.Table:
    """One post for each row: what was seen of a video at the start of a trending day (UTC)."""
    silent = raw.comments_disabled.lower() == "true"
    unrated = raw.ratings_disabled.lower() == "true"
    shown = raw.thumbnail_link.re_extract("/vi/([A-Za-z0-9_-]{11})/", 1).nullif("")
    post_id = ibis.cases((raw.video_id.startswith("#"), shown), else_=raw.video_id).nullif("")
    tags = raw.tags.nullif("[none]").nullif("")
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("youtube"),
            "post_id": casts.Cell("video_id", raw.video_id, post_id),
            "url": _WATCH + post_id,
            "author_name": raw.channel_title.nullif(""),
            "created_at": casts.moment("publish_time", raw.publish_time),
            "observed_at": casts.Cell("trending_date", raw.trending_date, _trending_day(raw.trending_date)),
            "text": titled(raw.title, raw.description.replace("\\n", "\n")),
            "kind": ibis.literal("video"),
            "views": casts.integer("views", raw.views),
            "likes": casts.integer("likes", _unless(unrated, raw.likes)),
            "comments": casts.integer("comment_count", _unless(silent, raw.comment_count)),
            "media_urls": ibis.cases((raw.thumbnail_link != "", ibis.array([raw.thumbnail_link]))),
        },
        metrics=[casts.integer("dislikes", _unless(unrated, raw.dislikes))],
        extra={
            "tags": ibis.cases((tags.notnull(), tags.replace('"', "").re_split("[|]"))),
            "category_id": raw.category_id.nullif(""),
            "removed": ibis.cases((raw.video_error_or_removed.lower() == "true", "true")),
        },
        required=["post_id", "text"],
        reject_unread={"created_at": "publish_time is not a plausible time"},
    )


def titled(title: ir.StringValue, description: ir.StringValue) -> ir.StringValue:
    """Title and description with an empty line between them; null where neither is."""
    head, body = title.nullif(""), description.nullif("")
    return ibis.cases((head.notnull() & body.notnull(), head + "\n\n" + body), else_=ibis.coalesce(head, body))


def _trending_day(written: ir.StringValue) -> ir.IntegerValue:
    """`yy.dd.mm` at 00:00 UTC, in microseconds."""
    year, day, month = (written.re_extract(_TRENDING_DAY, group) for group in (1, 2, 3))
    return times_reader("UTC")(ibis.cases((written.re_search(_TRENDING_DAY), "20" + year + "-" + month + "-" + day)))


def _unless(off: ir.BooleanValue, raw: ir.StringValue) -> ir.StringValue:
    return ibis.cases((off, ibis.null("string")), else_=raw)


TRENDING: Final = Layout(
    platform="youtube",
    name="trending_csv",
    version=1,
    shape=Shape.ROW,
    raw=dict.fromkeys(COLUMNS, "string"),
    matches=matches,
    posts=posts,
    description="CSV of trending videos with video_id, trending_date (yy.dd.mm) and channel_title",
)
