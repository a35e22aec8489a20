"""TikTok posts as collectors store them: `authorInfos`, `challengeInfoList`, `itemInfos`, `musicInfos`, `authorStats`.

Counts are numbers or text, any part may be missing, `createTime` is text in epoch seconds. A post without
id is unusable, and so is one whose `createTime` stands there but is no time; without `createTime` it is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape

if TYPE_CHECKING:
    import ibis.expr.types as ir

SITE: Final = "https://www.tiktok.com/@"

RAW: Final = {
    "authorInfos": "struct<userId: string, uniqueId: string, verified: string>",
    "challengeInfoList": "array<struct<challengeId: string, challengeName: string>>",
    "itemInfos": (
        "struct<id: string, text: string, createTime: string, authorId: string, musicId: string, "
        "video: struct<urls: array<string>, url: string, videoMeta: struct<duration: string>>, "
        "diggCount: string, shareCount: string, playCount: string, commentCount: string, collectCount: string>"
    ),
    "musicInfos": "struct<musicId: string, musicName: string, authorName: string>",
    "authorStats": (
        "struct<followerCount: string, followingCount: string, heartCount: string, heart: string, videoCount: string>"
    ),
}


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record has `itemInfos`, or at least two of the other parts."""
    if isinstance(record.get("itemInfos"), Mapping):
        return True
    return sum(part in record for part in ("itemInfos", "authorInfos", "challengeInfoList", "musicInfos")) > 1


def posts(raw: ir.Table) -> ir.Table:
    """One post for each record; `metrics` holds `author_likes` and `author_posts`."""
    item, author, music, stats = raw.itemInfos, raw.authorInfos, raw.musicInfos, raw.authorStats
    video = item.video
    challenges = raw.challengeInfoList
    some = challenges.length() > 0
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("tiktok"),
            "post_id": item.id.nullif(""),
            "url": SITE + author.uniqueId + "/video/" + item.id,
            "author_id": ibis.coalesce(author.userId, item.authorId).nullif(""),
            "author_name": author.uniqueId.nullif(""),
            "created_at": casts.epoch("createTime", item.createTime),
            "text": item.text,
            "hashtags": ibis.cases((some, challenges.map(lambda challenge: challenge.challengeName))),
            "challenges": ibis.cases((some, challenges)),
            "kind": ibis.literal("video"),
            "duration_s": casts.number("duration", video.videoMeta.duration),
            "views": casts.integer("playCount", item.playCount),
            "likes": casts.integer("diggCount", item.diggCount),
            "comments": casts.integer("commentCount", item.commentCount),
            "shares": casts.integer("shareCount", item.shareCount),
            "saves": casts.integer("collectCount", item.collectCount),
            "music_id": ibis.coalesce(music.musicId, item.musicId).nullif(""),
            "music_title": music.musicName.nullif(""),
            "music_author": music.authorName.nullif(""),
            "media_urls": ibis.coalesce(video.urls, ibis.cases((video.url != "", ibis.array([video.url])))),
            "followers": casts.integer("followerCount", stats.followerCount),
            "following": casts.integer("followingCount", stats.followingCount),
            "verified": casts.boolean("verified", author.verified),
        },
        metrics=[
            casts.integer("author_likes", ibis.coalesce(stats.heartCount, stats.heart)),
            casts.integer("author_posts", stats.videoCount),
        ],
        required=["post_id"],
        reject_unread={"created_at": "createTime is not a plausible time"},
    )


NESTED: Final = Layout(
    platform="tiktok",
    name="nested",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="TikTok posts with authorInfos, challengeInfoList, itemInfos, musicInfos and authorStats",
    unwraps=(("body", "itemListData"),),
)
