"""Videos as the YouTube Data API v3 gives them (`videos.list`), one by one or as whole answers under `items`.

Counts are text; one that the owner hides is absent and therefore null. Playlists, categories and other resources
are no posts and are ignored with that reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import alone, any_of, known, other_than, titled
from groundswell.platforms.youtube.common import OTHER_KINDS, WATCH, seconds

if TYPE_CHECKING:
    import ibis.expr.types as ir

_VIDEO: Final = "youtube#video"
_ID: Final = re.compile(r"[A-Za-z0-9_-]{11}")

RAW: Final = {
    "kind": "string",
    "id": "string",
    "snippet": (
        "struct<publishedAt: string, channelId: string, title: string, description: string, channelTitle: string, "
        "tags: array<string>, categoryId: string, defaultLanguage: string, defaultAudioLanguage: string, "
        "liveBroadcastContent: string, thumbnails: struct<high: struct<url: string>, default: struct<url: string>>>"
    ),
    "statistics": "struct<viewCount: string, likeCount: string, dislikeCount: string, commentCount: string>",
    "contentDetails": "struct<duration: string>",
    "topicDetails": "struct<topicCategories: array<string>>",
}


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record calls itself a video, or has a video's id and a part of one."""
    if record.get("kind") == _VIDEO:
        return not isinstance(record.get("title"), str)  # a table may have a column for the kind
    if "kind" in record or not isinstance(record.get("id"), str) or _is_other(record):
        return False
    parts = sum(isinstance(record.get(part), Mapping) for part in ("snippet", "statistics", "contentDetails"))
    return parts > 1 or (parts == 1 and _ID.fullmatch(record["id"]) is not None)


def _is_other(record: Mapping[str, Any]) -> bool:
    """Whether it has what only a channel, a thread or an entry of a playlist has."""
    statistics, snippet = record.get("statistics"), record.get("snippet")
    return (isinstance(statistics, Mapping) and "videoCount" in statistics) or (
        isinstance(snippet, Mapping) and not {"topLevelComment", "resourceId", "textDisplay"}.isdisjoint(snippet)
    )


def ignores(record: Mapping[str, Any]) -> str | None:
    """What the record is if it is a resource of the API that is no video, channel or comment."""
    kind = record.get("kind")
    if kind == "youtube#searchResult" and isinstance(record.get("id"), Mapping):
        kind = record["id"].get("kind")
    return OTHER_KINDS.get(kind) if isinstance(kind, str) else None


def posts(raw: ir.Table) -> ir.Table:
    """One post for each video; `metrics` holds `dislikes` where they are shown, `extra` tags, category and topics."""
    snippet, counts = raw.snippet, raw.statistics
    post_id = raw.id.nullif("")
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("youtube"),
            "post_id": post_id,
            "url": WATCH + post_id,
            "author_id": snippet.channelId.nullif(""),
            "author_name": snippet.channelTitle.nullif(""),
            "created_at": casts.moment("publishedAt", snippet.publishedAt),
            "text": titled(snippet.title, snippet.description),
            "lang": any_of(snippet.defaultAudioLanguage, snippet.defaultLanguage),
            "kind": ibis.literal("video"),
            "duration_s": casts.Cell("duration", raw.contentDetails.duration, seconds(raw.contentDetails.duration)),
            "views": casts.integer("viewCount", counts.viewCount),
            "likes": casts.integer("likeCount", counts.likeCount),
            "comments": casts.integer("commentCount", counts.commentCount),
            "media_urls": alone(any_of(snippet.thumbnails.high.url, snippet.thumbnails["default"].url)),
        },
        metrics=[casts.integer("dislikes", counts.dislikeCount)],
        extra={
            "tags": snippet.tags,
            "category_id": snippet.categoryId.nullif(""),
            "topics": known(raw.topicDetails.topicCategories),
            "live": snippet.liveBroadcastContent.nullif("none").nullif(""),
        },
        rejects=[(other_than(raw.kind, _VIDEO), "a resource that is no video")],
        required=["post_id"],
        reject_unread={"created_at": "publishedAt is not a plausible time"},
    )


VIDEOS: Final = Layout(
    platform="youtube",
    name="videos_list",
    version=2,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="YouTube Data API v3: resources youtube#video, or an answer with them under items",
    ignores=ignores,
    unwraps=(("items",),),
)
