"""Media as the Instagram Graph API gives it: `/media` with fields, `insights` and `children`; its comments.

The API's own `id` is of the app and in `extra`; a post is known by the shortcode in its permalink, as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.instagram.common import link_of, shortcode_in
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of, first, known, nothing

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Insights of the API's versions, and what they are here.
INSIGHTS: Final = (
    *("impressions", "reach", "engagement", "total_interactions", "profile_visits", "profile_activity", "follows"),
    *("replies", "taps_forward", "taps_back", "exits", "ig_reels_avg_watch_time", "ig_reels_video_view_total_time"),
)
_VIEWS: Final = ("views", "plays", "video_views")

RAW: Final = {
    "id": "string",
    "ig_id": "string",
    "shortcode": "string",
    "caption": "string",
    "media_type": "string",
    "media_product_type": "string",
    "media_url": "string",
    "thumbnail_url": "string",
    "permalink": "string",
    "timestamp": "string",
    "username": "string",
    "owner": "struct<id: string, username: string>",
    "like_count": "string",
    "comments_count": "string",
    "view_count": "string",
    "is_shared_to_feed": "string",
    "children": "struct<data: array<struct<media_url: string>>>",
    "insights": (
        "struct<data: array<struct<name: string, values: array<struct<value: string>>, "
        "total_value: struct<value: string>>>>"
    ),
}
RAW_COMMENT: Final = {
    "id": "string",
    "text": "string",
    "timestamp": "string",
    "username": "string",
    "like_count": "string",
    "parent_id": "string",
    "media": "struct<id: string>",
    "from": "struct<id: string, username: string>",
    "replies": "struct<data: array<struct<id: string>>>",
}
_KINDS: Final = {"IMAGE": "image", "VIDEO": "video", "CAROUSEL_ALBUM": "carousel"}


def matches(record: Mapping[str, Any]) -> bool:
    """Whether it names its media type or permalink as the API does, beside an id and a time or a caption."""
    kind = record.get("media_type")
    named = (isinstance(kind, str) and not kind.isdigit()) or "media_product_type" in record
    linked = "permalink" in record and "instagram.com" in str(record.get("permalink"))
    parts = {"timestamp", "caption", "like_count", "comments_count", "insights"} & record.keys()
    of_4cat = {"thread_id", "body"} <= record.keys()
    return "id" in record and (named or linked) and bool(parts) and "taken_at" not in record and not of_4cat


def matches_comment(record: Mapping[str, Any]) -> bool:
    """Whether it is a comment: text and time, and the `media` or the parent that it is under."""
    under = isinstance(record.get("media"), Mapping) or "parent_id" in record
    return {"id", "text", "timestamp", "username"} <= record.keys() and under and "permalink" not in record


def ignores(record: Mapping[str, Any]) -> str | None:
    """An insight by itself says nothing of a post."""
    if {"name", "period", "values"} <= record.keys() and "caption" not in record:
        return "a metric without its post"
    return None


def posts(raw: ir.Table) -> ir.Table:
    """One post for each medium; `metrics` holds the insights, `extra` the API's id and the kind of product."""
    shortcode = ibis.coalesce(raw.shortcode.nullif(""), shortcode_in(raw.permalink))
    told = raw.insights.data

    def insight(name: str) -> ir.StringValue:
        found = first(told.filter(lambda part: part["name"] == name))
        return any_of(first(found["values"])["value"], found.total_value["value"])

    pictures = known(raw.children.data.map(lambda child: child.media_url))
    kind = raw.media_type
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("instagram"),
            "post_id": ibis.coalesce(shortcode, raw.id.nullif("")),
            "url": ibis.coalesce(raw.permalink.nullif(""), link_of(shortcode)),
            "author_id": raw.owner.id.nullif(""),
            "author_name": any_of(raw.username, raw.owner.username),
            "created_at": casts.moment("timestamp", raw.timestamp),
            "text": raw.caption,
            "kind": ibis.cases(*((kind == name, here) for name, here in _KINDS.items())),
            "views": casts.integer("views", any_of(*(insight(name) for name in _VIEWS), raw.view_count)),
            "likes": casts.integer("like_count", any_of(raw.like_count, insight("likes"))),
            "comments": casts.integer("comments_count", any_of(raw.comments_count, insight("comments"))),
            "shares": casts.integer("shares", insight("shares")),
            "saves": casts.integer("saved", any_of(insight("saved"), insight("saves"))),
            "media_urls": ibis.coalesce(pictures, known(ibis.array([raw.media_url, raw.thumbnail_url]))),
        },
        metrics=[casts.integer(name, insight(name)) for name in INSIGHTS],
        extra={"media_id": raw.id.nullif(""), "product": raw.media_product_type.nullif("")},
        rejects=[
            (nothing(raw.media_type, raw.permalink, raw.timestamp, raw.media_product_type), "no medium of the API")
        ],
        required=["post_id"],
        reject_unread={"created_at": "timestamp is not a plausible time"},
    )


def comments(raw: ir.Table) -> ir.Table:
    """One comment for each record; `post_id` is the API's id of the medium, the only one that it gives."""
    author = raw["from"]
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("instagram"),
            "comment_id": raw.id.nullif(""),
            "post_id": raw.media.id.nullif(""),
            "parent_id": raw.parent_id.nullif(""),
            "author_id": author.id.nullif(""),
            "author_name": any_of(raw.username, author.username),
            "created_at": casts.moment("timestamp", raw.timestamp),
            "text": raw.text,
            "likes": casts.integer("like_count", raw.like_count),
        },
        required=["comment_id", "text"],
        reject_unread={"created_at": "timestamp is not a plausible time"},
    )


MEDIA: Final = Layout(
    platform="instagram",
    name="graph_media",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="Instagram Graph API: media with caption, media_type, permalink, like_count, insights and children",
    ignores=ignores,
    unwraps=(("media", "data"), ("business_discovery", "media", "data"), ("tags", "data")),
)

COMMENTS: Final = Layout(
    platform="instagram",
    name="graph_comments",
    version=1,
    shape=Shape.OBJECT,
    raw={name: kind for name, kind in RAW_COMMENT.items() if name != "replies"},
    matches=matches_comment,
    posts=comments,
    description="Instagram Graph API: comments with text, timestamp, username and the media that they are under",
    table="comments",
)
