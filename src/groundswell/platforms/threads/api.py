"""Threads: posts as the web gives them (`text_post_app_info`), which is Instagram's item with counters of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import Rejects, any_of, first, known, nothing

if TYPE_CHECKING:
    import ibis.expr.types as ir

_IMAGES: Final = "struct<candidates: array<struct<url: string>>>"
RAW: Final = {
    "pk": "string",
    "id": "string",
    "code": "string",
    "taken_at": "string",
    "media_type": "string",
    "caption": "struct<text: string>",
    "user": "struct<pk: string, id: string, username: string, full_name: string, is_verified: string>",
    "like_count": "string",
    "like_and_view_counts_disabled": "string",
    "image_versions2": _IMAGES,
    "video_versions": "array<struct<url: string>>",
    "carousel_media": f"array<struct<image_versions2: {_IMAGES}>>",
    "text_post_app_info": (
        "struct<direct_reply_count: string, repost_count: string, quote_count: string, reshare_count: string, "
        "is_reply: string, link_preview_attachment: struct<url: string>>"
    ),
}


def matches(record: Mapping[str, Any]) -> bool:
    """Whether it has `text_post_app_info` and a code."""
    return "text_post_app_info" in record and bool({"code", "pk"} & record.keys())


def posts(raw: ir.Table) -> ir.Table:
    """One post for each item."""
    return posts_of(raw, raw)


def posts_of(
    raw: ir.Table, item: Any, more: Mapping[str, casts.Cell | ir.Value] | None = None, rejects: Rejects = ()
) -> ir.Table:
    """The same where the item's parts stand in `item` (the table itself or a struct); `more` columns go beside."""
    user, info = item["user"], item["text_post_app_info"]
    hidden = ibis.coalesce(item["like_and_view_counts_disabled"].lower() == "true", False)
    code, name = item["code"].nullif(""), user["username"].nullif("")
    pictures = item["carousel_media"].map(lambda part: first(part["image_versions2"]["candidates"])["url"])
    picture, video = first(item["image_versions2"]["candidates"])["url"], first(item["video_versions"])["url"]
    link = info["link_preview_attachment"]["url"]
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("threads"),
            "post_id": ibis.coalesce(code, item["pk"].nullif("")),
            "url": "https://www.threads.com/@" + name + "/post/" + code,
            "author_id": any_of(user["pk"], user["id"]),
            "author_name": name,
            "created_at": casts.epoch("taken_at", item["taken_at"]),
            "text": item["caption"]["text"],
            "urls": known(ibis.array([link])),
            "kind": ibis.cases(
                (known(pictures).notnull(), "carousel"),
                (video.notnull(), "video"),
                (picture.notnull(), "image"),
                (link.notnull(), "link"),
                else_="text",
            ),
            "likes": casts.integer("like_count", ibis.cases((~hidden, item["like_count"]))),
            "comments": casts.integer("direct_reply_count", info["direct_reply_count"]),
            "shares": casts.integer("repost_count", info["repost_count"]),
            "media_urls": ibis.coalesce(known(pictures), known(ibis.array([picture, video]))),
            "verified": casts.boolean("is_verified", user["is_verified"]),
        }
        | dict(more or {}),
        metrics=[
            casts.integer("quotes", info["quote_count"]),
            casts.integer("reshares", info["reshare_count"]),
        ],
        extra={
            "media_id": any_of(item["pk"], item["id"]),
            "author_display_name": user["full_name"].nullif(""),
            "is_reply": ibis.cases((info["is_reply"].lower() == "true", "true")),
        },
        rejects=[
            *rejects,
            (
                nothing(info["direct_reply_count"], info["repost_count"], info["is_reply"], info["quote_count"]),
                "no post of Threads",
            ),
        ],
        required=["post_id"],
        reject_unread={"created_at": "taken_at is not a plausible time"},
    )


API: Final = Layout(
    platform="threads",
    name="api",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="Threads posts of the web API: code, taken_at, caption.text, text_post_app_info, user",
)
