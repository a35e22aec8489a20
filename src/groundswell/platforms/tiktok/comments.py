"""Comments as TikTok's and Douyin's own API gives them: `cid`, `aweme_id`, `digg_count`, `reply_id`, `user`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

RAW: Final = {
    "cid": "string",
    "aweme_id": "string",
    "text": "string",
    "create_time": "string",
    "digg_count": "string",
    "reply_comment_total": "string",
    "reply_id": "string",
    "reply_to_reply_id": "string",
    "comment_language": "string",
    "is_author_digged": "string",
    "user": "struct<uid: string, unique_id: string, nickname: string, region: string>",
    "share_info": "struct<url: string>",
}


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record has a comment's id `cid` and the `aweme_id` of its post."""
    return "cid" in record and "aweme_id" in record


def comments(raw: ir.Table) -> ir.Table:
    """One comment for each record."""
    return comments_of(raw, ibis.literal("tiktok"))


def comments_of(raw: ir.Table, platform: ir.StringValue) -> ir.Table:
    """The same with the platform given."""
    user = raw.user
    parent = any_of(raw.reply_to_reply_id.nullif("0"), raw.reply_id.nullif("0"))
    return casts.mapped(
        raw,
        {
            "platform": platform,
            "comment_id": raw.cid.nullif(""),
            "post_id": raw.aweme_id.nullif("").nullif("0"),
            "parent_id": parent,
            "url": raw.share_info.url.nullif(""),
            "author_id": user.uid.nullif(""),
            "author_name": user.unique_id.nullif(""),
            "created_at": casts.epoch("create_time", raw.create_time),
            "text": raw.text,
            "lang": raw.comment_language.nullif("").nullif("un"),
            "likes": casts.integer("digg_count", raw.digg_count),
            "replies": casts.integer("reply_comment_total", raw.reply_comment_total),
        },
        extra={
            "author_display_name": user.nickname.nullif(""),
            "liked_by_author": ibis.cases((raw.is_author_digged.lower() == "true", "true")),
        },
        required=["comment_id", "text"],
        reject_unread={"created_at": "create_time is not a plausible time"},
    )


COMMENTS: Final = Layout(
    platform="tiktok",
    name="comments",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=comments,
    description="TikTok comments of the web API: cid, aweme_id, text, create_time, digg_count, user",
    unwraps=(("comments",),),
    table="comments",
)
