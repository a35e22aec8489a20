"""TikTok posts as the web's own API gives them, alone, as an answer, or as collectors store them one a line.

`author` is an object in answers of the API and a handle in what a page embeds (`nickname` and `authorId` beside
it): two layouts with one expression, because a key is read as one type. `statsV2` has the counters as exact text;
where both are there it goes before `stats`, whose 32-bit numbers overflow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import Rejects, any_of, first, known, nothing

if TYPE_CHECKING:
    import ibis.expr.types as ir

SITE: Final = "https://www.tiktok.com/@"

_COUNTS: Final = (
    "struct<diggCount: string, shareCount: string, playCount: string, commentCount: string, collectCount: string, "
    "repostCount: string, downloadCount: string, forwardCount: string>"
)
_AUTHOR_COUNTS: Final = (
    "struct<followerCount: string, followingCount: string, heartCount: string, heart: string, videoCount: string>"
)
_COMMON: Final = {
    "id": "string",
    "desc": "string",
    "createTime": "string",
    "stats": _COUNTS,
    "statsV2": _COUNTS,
    "authorStats": _AUTHOR_COUNTS,
    "authorStatsV2": _AUTHOR_COUNTS,
    "music": "struct<id: string, title: string, authorName: string, original: string>",
    "video": "struct<duration: string, playAddr: string, downloadAddr: string, cover: string, originCover: string>",
    "imagePost": "struct<title: string, images: array<struct<imageURL: struct<urlList: array<string>>>>>",
    "challenges": "array<struct<id: string, title: string>>",
    "textExtra": "array<struct<hashtagName: string, userUniqueId: string>>",
    "stickersOnItem": "array<struct<stickerText: array<string>>>",
    "duetInfo": "struct<duetFromId: string>",
    "poi": "struct<name: string>",
    "locationCreated": "string",
    "textLanguage": "string",
    "isAd": "string",
    "nickname": "string",
    "authorId": "string",
}
RAW: Final = _COMMON | {
    "author": "struct<id: string, uniqueId: string, nickname: string, verified: string, createTime: string>"
}
RAW_EMBEDDED: Final = _COMMON | {"author": "string"}

WRAPPERS: Final = (
    ("itemInfo", "itemStruct"),
    ("__DEFAULT_SCOPE__", "webapp.video-detail", "itemInfo", "itemStruct"),
    ("itemList",),
    ("items",),
    ("body", "itemList"),
    ("data", "itemList"),
)


def _is_item(record: Mapping[str, Any]) -> bool:
    told = sum(key in record for key in ("desc", "stats", "statsV2", "music", "video", "challenges", "textExtra"))
    return "createTime" in record and "id" in record and "diggCount" not in record and told > 1


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record has an id, a `createTime` and two parts of an item, and `author` is no text."""
    return _is_item(record) and not isinstance(record.get("author"), str)


def matches_embedded(record: Mapping[str, Any]) -> bool:
    """The same with `author` as a handle."""
    return _is_item(record) and isinstance(record.get("author"), str)


def posts(raw: ir.Table) -> ir.Table:
    """One post for each item; `metrics` has reposts, downloads and the author's totals, `extra` what marks a post."""
    return posts_of(raw, raw)


def posts_embedded(raw: ir.Table) -> ir.Table:
    """The same where `author` is a handle."""
    return posts_embedded_of(raw, raw)


def posts_of(
    raw: ir.Table, item: Any, more: Mapping[str, casts.Cell | ir.Value] | None = None, rejects: Rejects = ()
) -> ir.Table:
    """`posts` where the item's parts stand in `item` (the table itself or a struct); `more` columns go beside."""
    author = item["author"]
    columns = {
        "author_id": author.id.nullif(""),
        "author_name": author.uniqueId.nullif(""),
        "verified": casts.boolean("verified", author.verified),
        "author_created_at": casts.epoch("author createTime", author.createTime.nullif("0")),
    }
    other = author.uniqueId.isnull() & author.id.isnull() & item["nickname"].notnull()
    objections = [*rejects, (other, "author is a handle, not an object")]
    return _posts(raw, item, columns | dict(more or {}), author.nickname, objections)


def posts_embedded_of(
    raw: ir.Table, item: Any, more: Mapping[str, casts.Cell | ir.Value] | None = None, rejects: Rejects = ()
) -> ir.Table:
    """`posts_embedded`, as `posts_of`."""
    author = item["author"]
    columns = {"author_id": item["authorId"].nullif(""), "author_name": author.nullif("")}
    objections = [*rejects, (author.startswith("{"), "author is an object, not a handle")]
    return _posts(raw, item, columns | dict(more or {}), item["nickname"], objections)


def _posts(
    raw: ir.Table,
    item: Any,
    author: Mapping[str, casts.Cell | ir.Value],
    nickname: ir.StringValue,
    objections: Rejects,
) -> ir.Table:
    video, music, counts = item["video"], item["music"], _newest(item["stats"], item["statsV2"])
    totals = _newest(item["authorStats"], item["authorStatsV2"])
    images = item["imagePost"].images
    challenges = item["challenges"]
    tags = known(item["textExtra"].map(lambda part: part.hashtagName))
    name = author["author_name"]
    post_id = item["id"].nullif("")
    clip = known(ibis.array([any_of(video.playAddr, video.downloadAddr), any_of(video.cover, video.originCover)]))
    shown = known(images.map(lambda image: first(image.imageURL.urlList)))
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("tiktok"),
            "post_id": post_id,
            "url": SITE + ibis.coalesce(name, "") + "/video/" + post_id,
            **author,
            "created_at": casts.epoch("createTime", item["createTime"]),
            "text": item["desc"],
            "lang": item["textLanguage"].nullif("").nullif("un"),
            "region": item["locationCreated"].nullif("").nullif("FAKE-AD"),
            "hashtags": ibis.coalesce(known(challenges.map(lambda part: part.title)), tags),
            "challenges": ibis.cases((challenges.length() > 0, _each_once(challenges))),
            "mentions": known(item["textExtra"].map(lambda part: part.userUniqueId.lower())),
            "kind": ibis.cases((images.length() > 0, "carousel"), else_="video"),
            "duration_s": casts.number("duration", ibis.cases((images.length() > 0, None), else_=video.duration)),
            "views": casts.integer("playCount", counts("playCount")),
            "likes": casts.integer("diggCount", counts("diggCount")),
            "comments": casts.integer("commentCount", counts("commentCount")),
            "shares": casts.integer("shareCount", counts("shareCount")),
            "saves": casts.integer("collectCount", counts("collectCount")),
            "music_id": music.id.nullif(""),
            "music_title": music.title.nullif(""),
            "music_author": music.authorName.nullif(""),
            "location": item["poi"]["name"].nullif(""),
            "media_urls": ibis.coalesce(shown, clip),
            "followers": casts.integer("followerCount", totals("followerCount")),
            "following": casts.integer("followingCount", totals("followingCount")),
        },
        metrics=[
            casts.integer("reposts", counts("repostCount")),
            casts.integer("downloads", counts("downloadCount")),
            casts.integer("forwards", counts("forwardCount")),
            casts.integer("author_likes", ibis.coalesce(totals("heartCount"), totals("heart"))),
            casts.integer("author_posts", totals("videoCount")),
        ],
        extra={
            "author_display_name": nickname.nullif(""),
            "duet_of": item["duetInfo"].duetFromId.nullif("").nullif("0"),
            "stickers": known(item["stickersOnItem"].map(lambda part: first(part.stickerText))),
            "title": item["imagePost"].title.nullif(""),
            "ad": ibis.cases((item["isAd"].lower() == "true", "true")),
            "original_sound": ibis.cases((music.original.lower() == "true", "true")),
        },
        rejects=[*objections, (nothing(item["createTime"], item["desc"], counts("diggCount")), "no item of TikTok")],
        required=["post_id"],
        reject_unread={"created_at": "createTime is not a plausible time"},
    )


def _each_once(challenges: ir.ArrayValue) -> ir.ArrayValue:
    """The challenges in order, each once: the API repeats those that a text names twice."""
    ids = challenges.map(lambda part: part.id)
    return challenges.filter(lambda part, place: part.id.isnull() | (ids.index(part.id) == place))


def _newest(old: ir.StructValue, new: ir.StructValue) -> Any:
    """A reader of counters: the text of the newer part, else of the older."""

    def read(name: str) -> ir.StringValue:
        return any_of(new[name], old[name])

    return read


API: Final = Layout(
    platform="tiktok",
    name="api",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="TikTok items of the web API: desc, createTime, author (an object), stats or statsV2, challenges",
    unwraps=WRAPPERS,
)

EMBEDDED: Final = Layout(
    platform="tiktok",
    name="embedded",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW_EMBEDDED,
    matches=matches_embedded,
    posts=posts_embedded,
    description="TikTok items as a page embeds them: as tiktok.api, with author as a handle and nickname beside it",
    unwraps=WRAPPERS,
)
