"""Tables of TikTok posts that common tools write: minet, pyktok, and scrapers' records flattened with dots or slashes.

One layout reads them all: a field is in the first of its columns that is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of, handle, known
from groundswell.platforms.written import listed, whole_id

if TYPE_CHECKING:
    import ibis.expr.types as ir

_SITE: Final = "https://www.tiktok.com/@"


def _flat(part: str, *names: str) -> tuple[str, ...]:
    """The columns of a nested key as flatteners call them: `stats.playCount`, `stats/playCount`, `stats_playCount`."""
    return tuple(f"{part}{sign}{name}" for name in names for sign in "./_")


#: The columns of each field, the likeliest first.
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "video_id"),
    "url": ("webVideoUrl", "video_url", "url"),
    "author_id": ("author_id", *_flat("authorMeta", "id"), *_flat("author", "id")),
    "author_name": (
        *("author_unique_id", "author_username"),
        *_flat("authorMeta", "name"),
        *_flat("author", "uniqueId"),
    ),
    "display_name": ("author_nickname", "author_name", *_flat("authorMeta", "nickName"), *_flat("author", "nickname")),
    "created": ("timestamp", "video_timestamp", "createTime", "createTimeISO", "utc_time"),
    "text": ("description", "video_description", "text", "desc"),
    "region": ("video_locationcreated", "locationCreated", "location_created"),
    "duration": ("video_duration", *_flat("videoMeta", "duration"), *_flat("video", "duration")),
    "views": ("play_count", "video_playcount", "playCount", *_flat("stats", "playCount")),
    "likes": ("digg_count", "video_diggcount", "diggCount", *_flat("stats", "diggCount")),
    "comments": ("comment_count", "video_commentcount", "commentCount", *_flat("stats", "commentCount")),
    "shares": ("share_count", "video_sharecount", "shareCount", *_flat("stats", "shareCount")),
    "saves": ("collect_count", "video_collectcount", "collectCount", *_flat("stats", "collectCount")),
    "music_id": ("music_id", *_flat("musicMeta", "musicId"), *_flat("music", "id")),
    "music_title": ("music_title", *_flat("musicMeta", "musicName"), *_flat("music", "title")),
    "music_author": (
        *("music_author_name",),
        *_flat("musicMeta", "musicAuthor"),
        *_flat("music", "authorName"),
    ),
    "followers": (
        *("author_follower_count", "author_followercount"),
        *_flat("authorMeta", "fans"),
        *_flat("authorStats", "followerCount"),
    ),
    "following": (
        *("author_following_count", "author_followingcount"),
        *_flat("authorMeta", "following"),
        *_flat("authorStats", "followingCount"),
    ),
    "verified": ("author_verified", *_flat("authorMeta", "verified"), *_flat("author", "verified")),
    "author_likes": (
        *("author_heart_count", "author_heartcount"),
        *_flat("authorMeta", "heart"),
        *_flat("authorStats", "heartCount"),
    ),
    "author_posts": (
        *("author_video_count", "author_videocount"),
        *_flat("authorMeta", "video"),
        *_flat("authorStats", "videoCount"),
    ),
    "challenges": ("challenges_titles",),
    "stickers": ("stickers_texts", "video_stickers"),
    "cover": ("video_cover", "covers.default", "covers/default"),
}
COLUMNS: Final = tuple(dict.fromkeys(name for names in NAMES.values() for name in names))


def _has(record: Mapping[str, Any], field: str) -> bool:
    return any(name in record for name in NAMES[field])


def matches(record: Mapping[str, Any]) -> bool:
    """Whether it is a flat row with TikTok's own names for plays and likes, and an id."""
    own = {"digg_count", "video_diggcount", "diggCount", *_flat("stats", "diggCount")} & record.keys()
    if not own or "aweme_id" in record or "cid" in record or "authorMeta" in record:
        return False
    return _has(record, "id") and _has(record, "views") and _has(record, "author_name")


def posts(raw: ir.Table) -> ir.Table:
    """One post for each row; `metrics` holds `author_likes` and `author_posts`."""

    def cell(field: str) -> ir.StringValue:
        return any_of(*(raw[name] for name in NAMES[field]))

    post_id = whole_id("id", cell("id"))
    name = handle(cell("author_name"))
    link = cell("url")
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("tiktok"),
            "post_id": post_id,
            "url": ibis.coalesce(
                ibis.cases((link.re_search("tiktok[.]com/@"), link)), _SITE + name + "/video/" + post_id.value
            ),
            "author_id": whole_id("author_id", cell("author_id")),
            "author_name": name,
            "created_at": casts.moment("created", cell("created")),
            "text": casts.text(cell("text")),
            "region": cell("region"),
            "hashtags": listed(cell("challenges")),
            "kind": ibis.literal("video"),
            "duration_s": casts.number("duration", cell("duration")),
            "views": casts.integer("views", cell("views")),
            "likes": casts.integer("likes", cell("likes")),
            "comments": casts.integer("comments", cell("comments")),
            "shares": casts.integer("shares", cell("shares")),
            "saves": casts.integer("saves", cell("saves")),
            "music_id": whole_id("music_id", cell("music_id")),
            "music_title": cell("music_title"),
            "music_author": cell("music_author"),
            "media_urls": known(ibis.array([cell("cover")])),
            "followers": casts.integer("followers", cell("followers")),
            "following": casts.integer("following", cell("following")),
            "verified": casts.boolean("verified", cell("verified")),
        },
        metrics=[
            casts.integer("author_likes", cell("author_likes")),
            casts.integer("author_posts", cell("author_posts")),
        ],
        extra={"author_display_name": cell("display_name"), "stickers": cell("stickers")},
        required=["post_id"],
        reject_unread={"created_at": "the time of the post is not plausible"},
    )


TABLES: Final = Layout(
    platform="tiktok",
    name="tables",
    version=1,
    shape=Shape.ROW,
    raw=dict.fromkeys(COLUMNS, "string"),
    matches=matches,
    posts=posts,
    description="tables of TikTok posts as minet, pyktok and flattened scraper output have them",
)
