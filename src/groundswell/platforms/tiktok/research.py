"""Answers of the TikTok Research API: videos, comments and accounts, whole or one record a line.

Videos come as JSON (`data.videos`) or as tables with the same names. Comments carry no author, by the API's design.
A user answer does not repeat the handle that was asked for: unless a collector added `username`, there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of, handle, known, nothing
from groundswell.platforms.written import listed, whole_id

if TYPE_CHECKING:
    import ibis.expr.types as ir

SITE: Final = "https://www.tiktok.com/@"

_TEXTS: Final = (
    *("id", "video_id", "username", "video_description", "voice_to_text", "create_time", "region_code", "music_id"),
    *("playlist_id", "video_duration", "view_count", "like_count", "comment_count", "share_count"),
    *("favorites_count", "is_stem_verified"),
)
RAW: Final = dict.fromkeys(_TEXTS, "string") | {
    "hashtag_names": "array<string>",
    "hashtag_info_list": "array<struct<hashtag_id: string, hashtag_name: string>>",
    "video_mention_list": "array<string>",
    "video_label": "struct<content: string>",
    "effect_ids": "array<string>",
}
COLUMNS: Final = (*_TEXTS, "hashtag_names", "video_mention_list", "effect_ids")
_VIDEO: Final = ("video_description", "view_count", "region_code", "hashtag_names", "voice_to_text", "favorites_count")

_COMMENT: Final = ("id", "video_id", "text", "like_count", "reply_count", "parent_comment_id", "create_time")
_USER: Final = (
    *("username", "display_name", "bio_description", "bio_url", "avatar_url", "is_verified"),
    *("follower_count", "following_count", "likes_count", "video_count"),
)
RAW_USER: Final = dict.fromkeys(_USER, "string") | {"data": f"struct<{', '.join(f'{name}: string' for name in _USER)}>"}


def _is_video(record: Mapping[str, Any]) -> bool:
    return sum(key in record for key in _VIDEO) > 1 and not {"digg_count", "statistics"} & record.keys()


def matches(record: Mapping[str, Any]) -> bool:
    """Whether two of the names that only the Research API gives a video are there, hashtags as a list."""
    return _is_video(record) and not isinstance(record.get("hashtag_names"), str)


def matches_table(record: Mapping[str, Any]) -> bool:
    """The same with hashtags as the text of a list, as a table has them."""
    return _is_video(record) and all(value is None or isinstance(value, str) for value in record.values())


def matches_comment(record: Mapping[str, Any]) -> bool:
    """Whether it is a comment: the id of a video, a text, and counters of replies or a parent."""
    return "video_id" in record and "text" in record and bool({"parent_comment_id", "reply_count"} & record.keys())


def matches_user(record: Mapping[str, Any]) -> bool:
    """Whether it is an account, alone or under `data`."""
    inner = record.get("data")
    parts = inner.keys() if isinstance(inner, Mapping) else record.keys()
    return {"follower_count", "display_name"} <= parts and bool({"bio_description", "video_count"} & parts)


def posts(raw: ir.Table) -> ir.Table:
    """One post for each video; the transcript that TikTok made is in `extra`."""
    tags = raw.hashtag_info_list
    challenges = ibis.cases((tags.length() > 0, tags))
    names = ibis.coalesce(known(raw.hashtag_names), known(tags.map(lambda tag: tag.hashtag_name)))
    mentioned = known(raw.video_mention_list.map(lambda name: handle(name).lower()))
    return _posts(raw, names, mentioned, challenges, raw.video_label.content)


def posts_of_table(raw: ir.Table) -> ir.Table:
    """The same from a table's row."""
    mentioned = listed(raw.video_mention_list.lower())
    return _posts(raw, listed(raw.hashtag_names), mentioned, None, None)


def _posts(
    raw: ir.Table,
    tags: ir.ArrayValue,
    mentioned: ir.ArrayValue,
    challenges: ir.ArrayValue | None,
    label: ir.StringValue | None,
) -> ir.Table:
    post_id = whole_id("id", any_of(raw.id, raw.video_id))
    name = handle(raw.username)
    extra = {
        "voice_to_text": raw.voice_to_text.nullif(""),
        "playlist_id": raw.playlist_id.nullif("").nullif("0"),
        "stem_verified": ibis.cases((raw.is_stem_verified.lower() == "true", "true")),
    }
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("tiktok"),
            "post_id": post_id,
            "url": SITE + name + "/video/" + post_id.value,
            "author_name": name,
            "created_at": casts.moment("create_time", raw.create_time),
            "text": casts.text(raw.video_description),
            "region": raw.region_code.nullif(""),
            "hashtags": tags,
            "mentions": mentioned,
            "kind": ibis.literal("video"),
            "duration_s": casts.number("video_duration", raw.video_duration),
            "views": casts.integer("view_count", raw.view_count),
            "likes": casts.integer("like_count", raw.like_count),
            "comments": casts.integer("comment_count", raw.comment_count),
            "shares": casts.integer("share_count", raw.share_count),
            "saves": casts.integer("favorites_count", raw.favorites_count),
            "music_id": raw.music_id.nullif("").nullif("0"),
        }
        | ({} if challenges is None else {"challenges": challenges}),
        extra=extra | ({} if label is None else {"label": label.nullif("")}),
        rejects=[
            (nothing(raw.video_description, raw.create_time, raw.view_count, raw.username), "no video of the API"),
        ],
        required=["post_id", "text"],
        reject_unread={"created_at": "create_time is not a plausible time"},
    )


def comments(raw: ir.Table) -> ir.Table:
    """One comment for each record; a parent that is the video itself is none."""
    parent = raw.parent_comment_id.nullif("").nullif("0")
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("tiktok"),
            "comment_id": whole_id("id", raw.id),
            "post_id": whole_id("video_id", raw.video_id),
            "parent_id": ibis.cases((parent != raw.video_id, parent)),
            "created_at": casts.moment("create_time", raw.create_time),
            "text": casts.text(raw.text),
            "likes": casts.integer("like_count", raw.like_count),
            "replies": casts.integer("reply_count", raw.reply_count),
        },
        required=["comment_id", "text"],
        reject_unread={"created_at": "create_time is not a plausible time"},
    )


def authors(raw: ir.Table) -> ir.Table:
    """One account for each record."""

    def cell(name: str) -> ir.StringValue:
        return any_of(raw[name], raw.data[name])

    name = handle(cell("username"))
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("tiktok"),
            "author_name": name,
            "display_name": cell("display_name"),
            "url": SITE + name,
            "text": cell("bio_description"),
            "followers": casts.integer("follower_count", cell("follower_count")),
            "following": casts.integer("following_count", cell("following_count")),
            "posts": casts.integer("video_count", cell("video_count")),
            "likes": casts.integer("likes_count", cell("likes_count")),
            "verified": casts.boolean("is_verified", cell("is_verified")),
        },
        extra={"bio_url": cell("bio_url"), "avatar_url": cell("avatar_url")},
        required=["author_name", "display_name"],
    )


VIDEOS: Final = Layout(
    platform="tiktok",
    name="research_videos",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="TikTok Research API: videos (video_description, view_count, region_code, hashtag_names, username)",
    unwraps=(("data", "videos"),),
)

TABLE: Final = Layout(
    platform="tiktok",
    name="research_table",
    version=1,
    shape=Shape.ROW,
    raw=dict.fromkeys(COLUMNS, "string"),
    matches=matches_table,
    posts=posts_of_table,
    description="table of TikTok Research API videos, with hashtag_names as the text of a list",
)

COMMENTS: Final = Layout(
    platform="tiktok",
    name="research_comments",
    version=1,
    shape=Shape.OBJECT,
    raw=dict.fromkeys(_COMMENT, "string"),
    matches=matches_comment,
    posts=comments,
    description="TikTok Research API: comments (id, video_id, text, like_count, reply_count, parent_comment_id)",
    unwraps=(("data", "comments"),),
    table="comments",
)

USER: Final = Layout(
    platform="tiktok",
    name="research_user",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW_USER,
    matches=matches_user,
    posts=authors,
    description="TikTok Research API: an account (display_name, bio_description, follower_count, likes_count)",
    table="authors",
)
