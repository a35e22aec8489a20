"""Posts as the mobile API gives them: `aweme_id`, `statistics`, `text_extra`, `cha_list`; TikTok and Douyin alike.

`duration` of the video is in milliseconds there. Which of the two a record is of is said by its links; Douyin's have
`douyin` in their host.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import Rejects, any_of, first, known

if TYPE_CHECKING:
    import ibis.expr.types as ir

_LINKS: Final = "struct<url_list: array<string>>"
RAW: Final = {
    "aweme_id": "string",
    "desc": "string",
    "create_time": "string",
    "region": "string",
    "desc_language": "string",
    "share_url": "string",
    "author": (
        "struct<uid: string, unique_id: string, short_id: string, sec_uid: string, nickname: string, "
        "follower_count: string, following_count: string, total_favorited: string, aweme_count: string>"
    ),
    "statistics": (
        "struct<digg_count: string, share_count: string, play_count: string, comment_count: string, "
        "collect_count: string, download_count: string, forward_count: string, repost_count: string>"
    ),
    "music": "struct<id_str: string, mid: string, id: string, title: string, author: string>",
    "cha_list": "array<struct<cid: string, cha_name: string>>",
    "text_extra": "array<struct<hashtag_name: string>>",
    "video": f"struct<duration: string, play_addr: {_LINKS}, cover: {_LINKS}>",
    "images": f"array<{_LINKS}>",
    "image_post_info": f"struct<images: array<struct<display_image: {_LINKS}>>>",
    "poi_info": "struct<poi_name: string>",
}


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record has an `aweme_id` and the parts of a post, and is no comment."""
    return "aweme_id" in record and "cid" not in record and bool({"statistics", "desc", "create_time"} & record.keys())


def posts(raw: ir.Table) -> ir.Table:
    """One post for each record; `metrics` has downloads, forwards, reposts and the author's totals."""
    douyin = ibis.coalesce(raw.share_url.re_search("douyin[.]com|iesdouyin"), False)
    return posts_of(raw, raw, ibis.cases((douyin, "douyin"), else_="tiktok"))


def posts_of(
    raw: ir.Table,
    item: Any,
    platform: ir.StringValue,
    more: Mapping[str, casts.Cell | ir.Value] | None = None,
    rejects: Rejects = (),
) -> ir.Table:
    """The same where the post's parts stand in `item` (the table itself or a struct); `more` columns go beside."""
    author, counts, music, video = item["author"], item["statistics"], item["music"], item["video"]
    name = any_of(author.unique_id, author.short_id.nullif("0"))
    post_id = item["aweme_id"].nullif("")
    link = ibis.cases(
        (platform == "douyin", "https://www.douyin.com/video/" + post_id),
        else_="https://www.tiktok.com/@" + ibis.coalesce(name, "") + "/video/" + post_id,
    )
    pictures = ibis.coalesce(
        known(item["images"].map(lambda image: first(image.url_list))),
        known(item["image_post_info"].images.map(lambda image: first(image.display_image.url_list))),
    )
    length = casts.integer("duration", ibis.cases((pictures.isnull(), video.duration)))
    seconds = length.value.nullif(0).cast("float64") / 1000
    challenges = item["cha_list"]
    return casts.mapped(
        raw,
        {
            "platform": platform,
            "post_id": post_id,
            "url": link,
            "author_id": author.uid.nullif(""),
            "author_name": name,
            "created_at": casts.epoch("create_time", item["create_time"]),
            "text": item["desc"],
            "lang": item["desc_language"].nullif("").nullif("un"),
            "region": item["region"].nullif(""),
            "hashtags": ibis.coalesce(
                known(challenges.map(lambda part: part.cha_name)),
                known(item["text_extra"].map(lambda p: p.hashtag_name)),
            ),
            "challenges": ibis.cases((challenges.length() > 0, challenges)),
            "kind": ibis.cases((pictures.notnull(), "carousel"), else_="video"),
            "duration_s": casts.Cell("duration", length.raw.nullif("0"), seconds),
            "views": casts.integer("play_count", counts.play_count),
            "likes": casts.integer("digg_count", counts.digg_count),
            "comments": casts.integer("comment_count", counts.comment_count),
            "shares": casts.integer("share_count", counts.share_count),
            "saves": casts.integer("collect_count", counts.collect_count),
            "music_id": any_of(music.id_str, music.mid, music.id),
            "music_title": music.title.nullif(""),
            "music_author": music.author.nullif(""),
            "location": item["poi_info"].poi_name.nullif(""),
            "media_urls": ibis.coalesce(
                pictures, known(ibis.array([first(video.play_addr.url_list), first(video.cover.url_list)]))
            ),
            "followers": casts.integer("follower_count", author.follower_count.nullif("0")),
            "following": casts.integer("following_count", author.following_count.nullif("0")),
        }
        | dict(more or {}),
        metrics=[
            casts.integer("downloads", counts.download_count),
            casts.integer("forwards", counts.forward_count),
            casts.integer("reposts", counts.repost_count),
            casts.integer("author_likes", author.total_favorited.nullif("0")),
            casts.integer("author_posts", author.aweme_count.nullif("0")),
        ],
        extra={"author_display_name": author.nickname.nullif(""), "author_sec_uid": author.sec_uid.nullif("")},
        rejects=rejects,
        required=["post_id"],
        reject_unread={"created_at": "create_time is not a plausible time"},
    )


AWEME: Final = Layout(
    platform="tiktok",
    name="aweme",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="posts of TikTok's and Douyin's mobile API: aweme_id, desc, create_time, statistics, text_extra",
    unwraps=(("aweme_list",), ("aweme_detail", "aweme"), ("data", "aweme_list"), ("data", "aweme_detail")),
)
