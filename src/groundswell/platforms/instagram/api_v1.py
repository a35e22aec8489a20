"""Posts as Instagram's own app and web API give them: `taken_at`, `code`, `caption.text`, `like_count`, `user`.

Grids leave out the time, the author and the counters: those are null then. A count of likes that is hidden
(`like_and_view_counts_disabled`) is null although the answer holds a few.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.instagram.common import link_of, shown_count
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import Rejects, any_of, first, known, nothing

if TYPE_CHECKING:
    import ibis.expr.types as ir

_USER: Final = (
    "struct<pk: string, pk_id: string, id: string, username: string, full_name: string, is_verified: string, "
    "follower_count: string, following_count: string>"
)
_IMAGES: Final = "struct<candidates: array<struct<url: string>>>"
RAW: Final = {
    "__typename": "string",
    "pk": "string",
    "id": "string",
    "code": "string",
    "taken_at": "string",
    "media_type": "string",
    "product_type": "string",
    "caption": "struct<text: string>",
    "user": _USER,
    "owner": _USER,
    "like_count": "string",
    "comment_count": "string",
    "play_count": "string",
    "ig_play_count": "string",
    "view_count": "string",
    "reshare_count": "string",
    "media_repost_count": "string",
    "save_count": "string",
    "fb_like_count": "string",
    "fb_play_count": "string",
    "like_and_view_counts_disabled": "string",
    "video_duration": "string",
    "accessibility_caption": "string",
    "image_versions2": _IMAGES,
    "video_versions": "array<struct<url: string>>",
    "carousel_media": f"array<struct<image_versions2: {_IMAGES}>>",
    "location": "struct<pk: string, name: string, city: string>",
    "usertags": "struct<in: array<struct<user: struct<username: string>>>>",
    "clips_metadata": (
        "struct<music_info: struct<music_asset_info: struct<audio_cluster_id: string, title: string, "
        "display_artist: string>>, original_sound_info: struct<audio_asset_id: string, original_audio_title: string, "
        "ig_artist: struct<username: string>>>"
    ),
}
_KINDS: Final = {"1": "image", "2": "video", "8": "carousel"}


def matches(record: Mapping[str, Any]) -> bool:
    """Whether it has a `code` or `pk` and two more parts as only this API names them, and is no thread of Threads."""
    if "text_post_app_info" in record or not {"code", "pk"} & record.keys():
        return False
    own = ("taken_at", "media_type", "image_versions2", "carousel_media", "like_count", "comment_count")
    return sum(key in record for key in own) > 1


def ignores(record: Mapping[str, Any]) -> str | None:
    """An advertisement between the posts is none of the people that were looked at."""
    if matches(record) and record.get("product_type") == "ad":
        return "an advertisement in the feed"
    return None


def posts(raw: ir.Table) -> ir.Table:
    """One post for each item."""
    return posts_of(raw, raw)


def posts_of(
    raw: ir.Table, item: Any, more: Mapping[str, casts.Cell | ir.Value] | None = None, rejects: Rejects = ()
) -> ir.Table:
    """The same where the item's parts stand in `item` (the table itself or a struct); `more` columns go beside."""
    user, owner, clip = item["user"], item["owner"], item["clips_metadata"]
    music, sound = clip["music_info"]["music_asset_info"], clip["original_sound_info"]
    hidden = ibis.coalesce(item["like_and_view_counts_disabled"].lower() == "true", False)

    def author(name: str) -> ir.StringValue:
        return any_of(user[name], owner[name])

    def unless_hidden(counter: ir.StringValue) -> ir.StringValue:
        return ibis.cases((~hidden, shown_count(counter)))

    code = item["code"].nullif("")
    media_id = any_of(item["pk"], item["id"].re_extract("^[0-9]+", 0))
    pictures = item["carousel_media"].map(lambda part: first(part["image_versions2"]["candidates"])["url"])
    alone = ibis.array([first(item["image_versions2"]["candidates"])["url"], first(item["video_versions"])["url"]])
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("instagram"),
            "post_id": ibis.coalesce(code, media_id),
            "url": link_of(code),
            "author_id": any_of(author("pk"), author("pk_id"), author("id"), item["id"].re_extract("_([0-9]+)$", 1)),
            "author_name": author("username"),
            "created_at": casts.epoch("taken_at", item["taken_at"]),
            "text": item["caption"]["text"],
            "kind": ibis.cases(*((item["media_type"] == name, here) for name, here in _KINDS.items())),
            "duration_s": casts.number("video_duration", item["video_duration"]),
            "views": casts.integer(
                "play_count", unless_hidden(any_of(item["play_count"], item["ig_play_count"], item["view_count"]))
            ),
            "likes": casts.integer("like_count", unless_hidden(item["like_count"])),
            "comments": casts.integer("comment_count", item["comment_count"]),
            "shares": casts.integer("reshare_count", item["reshare_count"]),
            "saves": casts.integer("save_count", item["save_count"]),
            "music_id": any_of(music["audio_cluster_id"], sound["audio_asset_id"]),
            "music_title": any_of(music["title"], sound["original_audio_title"]),
            "music_author": any_of(music["display_artist"], sound["ig_artist"]["username"]),
            "location": any_of(item["location"]["name"], item["location"]["city"]),
            "media_urls": ibis.coalesce(known(pictures), known(alone)),
            "followers": casts.integer("follower_count", author("follower_count")),
            "following": casts.integer("following_count", author("following_count")),
            "verified": casts.boolean("is_verified", author("is_verified")),
        }
        | dict(more or {}),
        metrics=[
            casts.integer("reposts", item["media_repost_count"]),
            casts.integer("facebook_likes", item["fb_like_count"]),
            casts.integer("facebook_plays", item["fb_play_count"]),
        ],
        extra={
            "media_id": media_id,
            "author_display_name": author("full_name"),
            "image_description": item["accessibility_caption"].nullif(""),
            "product": item["product_type"].nullif(""),
            "tagged_users": known(item["usertags"]["in"].map(lambda tag: tag["user"]["username"])),
        },
        rejects=[*rejects, (nothing(code, item["taken_at"], item["media_type"]), "no item of the API")],
        required=["post_id"],
        reject_unread={"created_at": "taken_at is not a plausible time"},
    )


API_V1: Final = Layout(
    platform="instagram",
    name="api_v1",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="Instagram items of the app's and the web's API: code, taken_at, caption.text, like_count, user",
    ignores=ignores,
)
