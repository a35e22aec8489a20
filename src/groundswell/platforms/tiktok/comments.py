"""Comments as TikTok's and Douyin's own API gives them: `cid`, `aweme_id`, `digg_count`, `reply_id`, `user`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import Rejects, any_of

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
    return comments_of(raw, raw, ibis.literal("tiktok"))


def comments_of(
    raw: ir.Table,
    item: Any,
    platform: ir.StringValue,
    more: Mapping[str, casts.Cell | ir.Value] | None = None,
    rejects: Rejects = (),
) -> ir.Table:
    """The same where the comment's parts stand in `item` (the table itself or a struct); `more` columns go beside."""
    user = item["user"]
    parent = any_of(item["reply_to_reply_id"].nullif("0"), item["reply_id"].nullif("0"))
    return casts.mapped(
        raw,
        {
            "platform": platform,
            "comment_id": item["cid"].nullif(""),
            "post_id": item["aweme_id"].nullif("").nullif("0"),
            "parent_id": parent,
            "url": item["share_info"].url.nullif(""),
            "author_id": user.uid.nullif(""),
            "author_name": user.unique_id.nullif(""),
            "created_at": casts.epoch("create_time", item["create_time"]),
            "text": item["text"],
            "lang": item["comment_language"].nullif("").nullif("un"),
            "likes": casts.integer("digg_count", item["digg_count"]),
            "replies": casts.integer("reply_comment_total", item["reply_comment_total"]),
        }
        | dict(more or {}),
        extra={
            "author_display_name": user.nickname.nullif(""),
            "liked_by_author": ibis.cases((item["is_author_digged"].lower() == "true", "true")),
        },
        rejects=rejects,
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
