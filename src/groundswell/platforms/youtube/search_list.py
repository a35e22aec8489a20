"""What `search.list` and `playlistItems.list` of the YouTube Data API v3 say of videos: no counters, no duration.

A search result's title has its signs escaped as in HTML, which is undone; its description is cut short by the
platform. A result that is a channel is read by `youtube.channels_list`; a playlist is ignored. `publishedAt` of a
playlist's entry is when it was put there (`extra.added_at`); the video's own time is `videoPublishedAt`, which is
absent for a video that is private or deleted: there is nothing to read of such an entry, so it is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import alone, any_of, missing, other_than, resolved, titled
from groundswell.platforms.youtube.common import WATCH

if TYPE_CHECKING:
    import ibis.expr.types as ir

_THUMBNAILS: Final = "thumbnails: struct<high: struct<url: string>, default: struct<url: string>>"
_ITEM: Final = "youtube#playlistItem"
_GONE: Final = {"Private video": "an entry of a private video", "Deleted video": "an entry of a deleted video"}

RESULT_RAW: Final = {
    "id": "struct<kind: string, videoId: string>",
    "snippet": (
        "struct<publishedAt: string, publishTime: string, channelId: string, title: string, description: string, "
        f"channelTitle: string, liveBroadcastContent: string, {_THUMBNAILS}>"
    ),
}
ITEM_RAW: Final = {
    "kind": "string",
    "id": "string",
    "snippet": (
        "struct<publishedAt: string, channelId: string, title: string, description: string, playlistId: string, "
        "position: string, resourceId: struct<kind: string, videoId: string>, videoOwnerChannelId: string, "
        f"videoOwnerChannelTitle: string, {_THUMBNAILS}>"
    ),
    "contentDetails": "struct<videoId: string, videoPublishedAt: string>",
}


def is_result(record: Mapping[str, Any]) -> bool:
    """Whether the record is a search result that is a video."""
    found = record.get("id")
    return isinstance(found, Mapping) and "snippet" in record and isinstance(found.get("videoId"), str)


def results(raw: ir.Table) -> ir.Table:
    """One post for each video that was found."""
    snippet = raw.snippet
    post_id = raw.id.videoId.nullif("")
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("youtube"),
            "post_id": post_id,
            "url": WATCH + post_id,
            "author_id": snippet.channelId.nullif(""),
            "author_name": resolved(snippet.channelTitle).nullif(""),
            "created_at": casts.moment("publishedAt", any_of(snippet.publishedAt, snippet.publishTime)),
            "text": titled(resolved(snippet.title), resolved(snippet.description)),
            "kind": ibis.literal("video"),
            "media_urls": alone(any_of(snippet.thumbnails.high.url, snippet.thumbnails["default"].url)),
        },
        extra={"live": snippet.liveBroadcastContent.nullif("none").nullif("")},
        required=["post_id"],
        reject_unread={"created_at": "publishedAt is not a plausible time"},
    )


def is_item(record: Mapping[str, Any]) -> bool:
    """Whether the record calls itself an entry of a playlist, or names the video that it stands for."""
    if "kind" in record:
        return bool(record["kind"] == _ITEM)
    snippet = record.get("snippet")
    return isinstance(snippet, Mapping) and isinstance(snippet.get("resourceId"), Mapping)


def gone(record: Mapping[str, Any]) -> str | None:
    """Why an entry of a playlist says nothing of a video."""
    snippet = record.get("snippet")
    if not is_item(record) or not isinstance(snippet, Mapping):
        return None
    title, details = snippet.get("title"), record.get("contentDetails")
    told = isinstance(details, Mapping) and details.get("videoPublishedAt")
    return None if told or not isinstance(title, str) else _GONE.get(title)


def items(raw: ir.Table) -> ir.Table:
    """One post for each entry of a playlist that tells of a video."""
    snippet, details = raw.snippet, raw.contentDetails
    post_id = any_of(details.videoId, snippet.resourceId.videoId)
    written = any_of(
        details.videoPublishedAt, ibis.cases((missing(details.videoId, details.videoPublishedAt), snippet.publishedAt))
    )
    hidden = details.videoPublishedAt.isnull() & snippet.title.isin(tuple(_GONE))
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("youtube"),
            "post_id": post_id,
            "url": WATCH + post_id,
            "author_id": any_of(snippet.videoOwnerChannelId, snippet.channelId),
            "author_name": snippet.videoOwnerChannelTitle.nullif(""),
            "created_at": casts.moment("videoPublishedAt", written),
            "text": titled(snippet.title, snippet.description),
            "kind": ibis.literal("video"),
            "media_urls": alone(any_of(snippet.thumbnails.high.url, snippet.thumbnails["default"].url)),
        },
        extra={
            "playlist_id": snippet.playlistId.nullif(""),
            "position": snippet.position.nullif(""),
            "added_at": snippet.publishedAt.nullif(""),
        },
        rejects=[
            (other_than(raw.kind, _ITEM), "a resource that is no entry of a playlist"),
            (hidden.fill_null(False), "an entry of a video that is not public"),
        ],
        required=["post_id"],
        reject_unread={"created_at": "videoPublishedAt is not a plausible time"},
    )


SEARCH: Final = Layout(
    platform="youtube",
    name="search_list",
    version=1,
    shape=Shape.OBJECT,
    raw=RESULT_RAW,
    matches=is_result,
    posts=results,
    description="YouTube Data API v3: videos that search.list found",
    unwraps=(("items",),),
)

PLAYLIST_ITEMS: Final = Layout(
    platform="youtube",
    name="playlist_items",
    version=1,
    shape=Shape.OBJECT,
    raw=ITEM_RAW,
    matches=is_item,
    posts=items,
    description="YouTube Data API v3: entries of playlists (playlistItems.list)",
    ignores=gone,
    unwraps=(("items",),),
)
