"""TikTok posts as scrapers write them: `authorMeta`, `musicMeta`, `hashtags`, `webVideoUrl`, often under `collector`.

`tiktok-scraper` (2019 to 2022) and the actors that took over its format, which add `collectCount`, `createTimeISO`,
`isSlideshow` and `locationCreated`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of, handle, known, nothing

if TYPE_CHECKING:
    import ibis.expr.types as ir

SITE: Final = "https://www.tiktok.com/@"

RAW: Final = {
    "id": "string",
    "text": "string",
    "createTime": "string",
    "createTimeISO": "string",
    "webVideoUrl": "string",
    "videoUrl": "string",
    "mediaUrls": "array<string>",
    "textLanguage": "string",
    "locationCreated": "string",
    "isSlideshow": "string",
    "isAd": "string",
    "authorMeta": (
        "struct<id: string, name: string, uniqueId: string, nickName: string, verified: string, fans: string, "
        "following: string, heart: string, video: string>"
    ),
    "musicMeta": "struct<musicId: string, musicName: string, musicAuthor: string, musicOriginal: string>",
    "videoMeta": "struct<duration: string, coverUrl: string>",
    "covers": "struct<default: string, origin: string>",
    "locationMeta": "struct<locationName: string, address: string, countryCode: string>",
    "hashtags": "array<struct<id: string, name: string>>",
    "mentions": "array<string>",
    "diggCount": "string",
    "shareCount": "string",
    "playCount": "string",
    "commentCount": "string",
    "collectCount": "string",
    "repostCount": "string",
}


def matches(record: Mapping[str, Any]) -> bool:
    """Whether `authorMeta`, `musicMeta` or `webVideoUrl` is there beside the counters of a TikTok post."""
    if any(key.startswith(("authorMeta.", "authorMeta/", "musicMeta.", "musicMeta/")) for key in record):
        return False  # flattened: `tiktok.tables` reads it
    parts = sum(isinstance(record.get(part), Mapping) for part in ("authorMeta", "musicMeta", "videoMeta"))
    return "id" in record and (parts > 1 or ((parts > 0 or "webVideoUrl" in record) and "diggCount" in record))


def posts(raw: ir.Table) -> ir.Table:
    """One post for each record; `metrics` holds reposts, `author_likes` and `author_posts`."""
    author, music, place = raw.authorMeta, raw.musicMeta, raw.locationMeta
    post_id = raw.id.nullif("")
    name = handle(any_of(author["name"], author.uniqueId))
    tags = raw.hashtags
    slides = raw.isSlideshow.lower() == "true"
    cover = any_of(raw.videoMeta.coverUrl, raw.covers["default"], raw.covers.origin)
    found = tags.filter(lambda tag: tag.id.notnull() & tag["name"].notnull())
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("tiktok"),
            "post_id": post_id,
            "url": ibis.coalesce(raw.webVideoUrl.nullif(""), SITE + name + "/video/" + post_id),
            "author_id": author.id.nullif(""),
            "author_name": name,
            "created_at": casts.moment("createTime", any_of(raw.createTime, raw.createTimeISO)),
            "text": raw.text,
            "lang": raw.textLanguage.nullif("").nullif("un"),
            "region": any_of(raw.locationCreated, place.countryCode),
            "hashtags": known(tags.map(lambda tag: tag["name"])),
            "challenges": ibis.cases((found.length() > 0, found)),
            "mentions": known(raw.mentions.map(lambda text: handle(text).lower())),
            "kind": ibis.cases((slides, "carousel"), else_="video"),
            "duration_s": casts.number("duration", raw.videoMeta.duration),
            "views": casts.integer("playCount", raw.playCount),
            "likes": casts.integer("diggCount", raw.diggCount),
            "comments": casts.integer("commentCount", raw.commentCount),
            "shares": casts.integer("shareCount", raw.shareCount),
            "saves": casts.integer("collectCount", raw.collectCount),
            "music_id": music.musicId.nullif(""),
            "music_title": music.musicName.nullif(""),
            "music_author": music.musicAuthor.nullif(""),
            "location": any_of(place.locationName, place.address),
            "media_urls": ibis.coalesce(known(raw.mediaUrls), known(ibis.array([raw.videoUrl, cover]))),
            "followers": casts.integer("fans", author.fans),
            "following": casts.integer("following", author.following),
            "verified": casts.boolean("verified", author.verified),
        },
        metrics=[
            casts.integer("reposts", raw.repostCount),
            casts.integer("author_likes", author.heart),
            casts.integer("author_posts", author.video),
        ],
        extra={
            "author_display_name": author.nickName.nullif(""),
            "ad": ibis.cases((raw.isAd.lower() == "true", "true")),
            "original_sound": ibis.cases((music.musicOriginal.lower() == "true", "true")),
        },
        rejects=[(nothing(raw.createTime, raw.text, name, raw.diggCount), "no post of a scraper")],
        required=["post_id"],
        reject_unread={"created_at": "createTime is not a plausible time"},
    )


SCRAPER: Final = Layout(
    platform="tiktok",
    name="scraper",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="TikTok posts of scrapers: authorMeta, musicMeta, hashtags, webVideoUrl, alone or under collector",
    unwraps=(("collector",),),
)
