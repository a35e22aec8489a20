"""Videos as the YouTube Data API v3 gives them (`videos.list`), one by one or as whole answers under `items`.

Counts are text; one that the owner hides is absent and therefore null. Channels, playlists and comments of
other answers are no posts and are ignored with that reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.youtube.trending_csv import titled

if TYPE_CHECKING:
    import ibis.expr.types as ir

_WATCH: Final = "https://www.youtube.com/watch?v="
_VIDEO: Final = "youtube#video"
#: ISO 8601 without years and months, which no video has: `PT1H2M3S`, `P1DT2H`.
_DURATION: Final = "^P([0-9]{1,6}W)?([0-9]{1,6}D)?(T([0-9]{1,6}H)?([0-9]{1,6}M)?([0-9]{1,9}([.][0-9]+)?S)?)?$"
_SECONDS: Final = (("W", 604_800), ("D", 86_400), ("H", 3600), ("M", 60), ("S", 1))

_NO_POSTS: Final = {
    "youtube#channel": "a channel, not a video",
    "youtube#playlist": "a playlist, not a video",
    "youtube#playlistItem": "an entry of a playlist, not a video",
    "youtube#subscription": "a subscription, not a video",
    "youtube#comment": "a comment, not a video",
    "youtube#commentThread": "a thread of comments, not a video",
    "youtube#videoCategory": "a category, not a video",
    "youtube#activity": "an activity, not a video",
    "youtube#caption": "a caption track, not a video",
}

RAW: Final = {
    "id": "string",
    "snippet": (
        "struct<publishedAt: string, channelId: string, title: string, description: string, channelTitle: string, "
        "tags: array<string>, categoryId: string, defaultLanguage: string, defaultAudioLanguage: string, "
        "thumbnails: struct<high: struct<url: string>, default: struct<url: string>>>"
    ),
    "statistics": ("struct<viewCount: string, likeCount: string, dislikeCount: string, commentCount: string>"),
    "contentDetails": "struct<duration: string>",
}


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record calls itself a video, or has a text id, a snippet and the parts of one."""
    if record.get("kind") == _VIDEO:
        return True
    parts = sum(isinstance(record.get(part), Mapping) for part in ("snippet", "statistics", "contentDetails"))
    return "kind" not in record and isinstance(record.get("id"), str) and parts > 1


def ignores(record: Mapping[str, Any]) -> str | None:
    """What the record is if it is one of the API's other resources; a search result that is no video, too."""
    kind = record.get("kind")
    if kind == "youtube#searchResult" and isinstance(record.get("id"), Mapping):
        kind = record["id"].get("kind")
    return _NO_POSTS.get(kind) if isinstance(kind, str) else None


def posts(raw: ir.Table) -> ir.Table:
    """One post for each video; `metrics` holds `dislikes` where they are shown, `extra` tags and category."""
    snippet, counts = raw.snippet, raw.statistics
    image = ibis.coalesce(snippet.thumbnails.high.url, snippet.thumbnails["default"].url).nullif("")
    post_id = raw.id.nullif("")
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("youtube"),
            "post_id": post_id,
            "url": _WATCH + post_id,
            "author_id": snippet.channelId.nullif(""),
            "author_name": snippet.channelTitle.nullif(""),
            "created_at": casts.moment("publishedAt", snippet.publishedAt),
            "text": titled(snippet.title, snippet.description),
            "lang": ibis.coalesce(snippet.defaultAudioLanguage, snippet.defaultLanguage).nullif(""),
            "kind": ibis.literal("video"),
            "duration_s": casts.Cell("duration", raw.contentDetails.duration, _seconds(raw.contentDetails.duration)),
            "views": casts.integer("viewCount", counts.viewCount),
            "likes": casts.integer("likeCount", counts.likeCount),
            "comments": casts.integer("commentCount", counts.commentCount),
            "media_urls": ibis.cases((image.notnull(), ibis.array([image]))),
        },
        metrics=[casts.integer("dislikes", counts.dislikeCount)],
        extra={"tags": snippet.tags, "category_id": snippet.categoryId.nullif("")},
        required=["post_id"],
        reject_unread={"created_at": "publishedAt is not a plausible time"},
    )


def _seconds(duration: ir.StringValue) -> ir.FloatingValue:
    """The length of an ISO 8601 duration in seconds; null where it is none."""
    total: ir.IntegerValue = ibis.literal(0, "int64")
    for letter, unit in _SECONDS:
        part = duration.re_extract(f"([0-9]+)([.][0-9]+)?{letter}", 1).try_cast("int64")
        total = total + ibis.coalesce(part, 0) * unit
    is_one = duration.re_search(_DURATION) & duration.re_search("[0-9]")
    return ibis.cases((is_one, total.cast("float64")))


VIDEOS: Final = Layout(
    platform="youtube",
    name="videos_list",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="YouTube Data API v3: resources youtube#video, or an answer with them under items",
    ignores=ignores,
    unwraps=(("items",),),
)
