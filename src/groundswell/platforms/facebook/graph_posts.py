"""Posts and comments as the Facebook Graph API gives them: `message`, `created_time`, `from`, summaries of counters.

Reactions by kind have no field of their own there: collectors ask for them under aliases (`love`, `reactions_love`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.facebook.live import kind_of
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of, known, nothing, titled

if TYPE_CHECKING:
    import ibis.expr.types as ir

_TOTAL: Final = "struct<summary: struct<total_count: string>>"
REACTIONS: Final = ("love", "wow", "haha", "sad", "angry", "care")
RAW: Final = {
    "id": "string",
    "message": "string",
    "story": "string",
    "name": "string",
    "description": "string",
    "created_time": "string",
    "updated_time": "string",
    "permalink_url": "string",
    "link": "string",
    "full_picture": "string",
    "type": "string",
    "status_type": "string",
    "from": "struct<id: string, name: string, username: string>",
    "place": "struct<name: string>",
    "shares": "struct<count: string>",
    "comments": _TOTAL,
    "likes": _TOTAL,
    "like": _TOTAL,
    "reactions": _TOTAL,
    **{name: _TOTAL for name in REACTIONS},
    **{f"reactions_{name}": _TOTAL for name in ("like", *REACTIONS)},
    "attachments": "struct<data: array<struct<unshimmed_url: string>>>",
}
RAW_COMMENT: Final = {
    "id": "string",
    "message": "string",
    "created_time": "string",
    "permalink_url": "string",
    "like_count": "string",
    "comment_count": "string",
    "from": "struct<id: string, name: string>",
    "parent": "struct<id: string>",
    "object": "struct<id: string>",
}


def matches(record: Mapping[str, Any]) -> bool:
    """Whether it has an id, a `created_time` and a part as only a post has one."""
    own = {"story", "shares", "permalink_url", "full_picture", "status_type", "reactions", "attachments"}
    told = {"message", "story", "from", "permalink_url"} & record.keys()
    known_ = own & record.keys()
    return {"id", "created_time"} <= record.keys() and bool(told and known_) and "like_count" not in record


def matches_comment(record: Mapping[str, Any]) -> bool:
    """Whether it has an id, a message, a `created_time` and counters as only a comment has them."""
    return {"id", "message", "created_time"} <= record.keys() and bool(
        {"like_count", "comment_count", "parent"} & record.keys()
    )


def posts(raw: ir.Table) -> ir.Table:
    """One post for each record; `metrics` holds all reactions and each kind that was asked for."""
    author = raw["from"]
    page = raw.id.re_extract("^([0-9]+)_[0-9]+$", 1)
    attached = raw.attachments.data

    def total(*names: str) -> ir.StringValue:
        return any_of(*(raw[name].summary.total_count for name in names))

    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("facebook"),
            "post_id": raw.id.nullif(""),
            "url": ibis.coalesce(raw.permalink_url.nullif(""), "https://www.facebook.com/" + raw.id.nullif("")),
            "author_id": any_of(author.id, page),
            "author_name": any_of(author.username, author["name"]),
            "created_at": casts.moment("created_time", raw.created_time),
            "text": titled(any_of(raw.message, raw.story), titled(raw["name"], raw.description)),
            "urls": ibis.coalesce(known(ibis.array([raw.link])), known(attached.map(lambda part: part.unshimmed_url))),
            "kind": ibis.coalesce(kind_of(raw.type), kind_of(raw.status_type)),
            "likes": casts.integer("likes", total("like", "reactions_like", "likes")),
            "comments": casts.integer("comments", total("comments")),
            "shares": casts.integer("shares", raw.shares["count"]),
            "location": raw.place["name"].nullif(""),
            "media_urls": known(ibis.array([raw.full_picture])),
        },
        metrics=[
            casts.integer("reactions", total("reactions")),
            *(casts.integer(name, total(name, f"reactions_{name}")) for name in REACTIONS),
        ],
        extra={"story": raw.story.nullif(""), "updated": raw.updated_time.nullif("")},
        rejects=[(nothing(raw.created_time, raw.message, raw.story), "no post of the API")],
        required=["post_id"],
        reject_unread={"created_at": "created_time is not a plausible time"},
    )


def comments(raw: ir.Table) -> ir.Table:
    """One comment for each record; the post is the first half of its id where nothing else says it."""
    author = raw["from"]
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("facebook"),
            "comment_id": raw.id.nullif(""),
            "post_id": any_of(raw.object.id, raw.id.re_extract("^([0-9]+)_[0-9]+$", 1)),
            "parent_id": raw.parent.id.nullif(""),
            "url": raw.permalink_url.nullif(""),
            "author_id": author.id.nullif(""),
            "author_name": author["name"].nullif(""),
            "created_at": casts.moment("created_time", raw.created_time),
            "text": raw.message,
            "likes": casts.integer("like_count", raw.like_count),
            "replies": casts.integer("comment_count", raw.comment_count),
        },
        required=["comment_id", "text"],
        reject_unread={"created_at": "created_time is not a plausible time"},
    )


POSTS: Final = Layout(
    platform="facebook",
    name="graph_posts",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="Facebook Graph API: posts with message, created_time, from, shares, reactions.summary, attachments",
    unwraps=(("posts", "data"), ("feed", "data"), ("published_posts", "data")),
)

COMMENTS: Final = Layout(
    platform="facebook",
    name="graph_comments",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW_COMMENT,
    matches=matches_comment,
    posts=comments,
    description="Facebook Graph API: comments with message, created_time, from, like_count, comment_count, parent",
    table="comments",
)
