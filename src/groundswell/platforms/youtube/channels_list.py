"""Channels as the YouTube Data API v3 gives them (`channels.list`, and those that `search.list` found): authors.

A channel that hides its subscribers says 0 or nothing; both are null here. Counters are those of the moment of the
answer, which does not say when that was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of, handle, known, other_than, resolved
from groundswell.platforms.youtube.common import CHANNEL

if TYPE_CHECKING:
    import ibis.expr.types as ir

_CHANNEL: Final = "youtube#channel"

RAW: Final = {
    "kind": "string",
    "id": "string",
    "snippet": (
        "struct<title: string, description: string, customUrl: string, publishedAt: string, defaultLanguage: string, "
        "country: string>"
    ),
    "statistics": (
        "struct<viewCount: string, subscriberCount: string, hiddenSubscriberCount: string, videoCount: string, "
        "commentCount: string>"
    ),
    "contentDetails": "struct<relatedPlaylists: struct<uploads: string>>",
    "topicDetails": "struct<topicCategories: array<string>>",
    "brandingSettings": "struct<channel: struct<keywords: string, country: string>>",
}
FOUND_RAW: Final = {
    "id": "struct<kind: string, channelId: string>",
    "snippet": "struct<publishedAt: string, channelId: string, title: string, description: string>",
}


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record calls itself a channel, or has the parts of one."""
    if record.get("kind") == _CHANNEL:
        return True
    counts = record.get("statistics")
    return (
        "kind" not in record
        and isinstance(record.get("id"), str)
        and isinstance(record.get("snippet"), Mapping)
        and isinstance(counts, Mapping)
        and "videoCount" in counts
    )


def authors(raw: ir.Table) -> ir.Table:
    """One author for each channel; `extra` holds topics, keywords and the playlist of its uploads."""
    snippet, counts = raw.snippet, raw.statistics
    hidden = counts.hiddenSubscriberCount.lower() == "true"
    author_id = raw.id.nullif("")
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("youtube"),
            "author_id": author_id,
            "author_name": handle(snippet.customUrl),
            "display_name": snippet.title.nullif(""),
            "url": CHANNEL + author_id,
            "text": snippet.description.nullif(""),
            "lang": snippet.defaultLanguage.nullif(""),
            "region": any_of(snippet.country, raw.brandingSettings.channel.country),
            "created_at": casts.moment("publishedAt", snippet.publishedAt),
            "followers": casts.integer(
                "subscriberCount", ibis.cases((hidden, ibis.null("string")), else_=counts.subscriberCount)
            ),
            "posts": casts.integer("videoCount", counts.videoCount),
            "views": casts.integer("viewCount", counts.viewCount),
        },
        extra={
            "topics": known(raw.topicDetails.topicCategories),
            "keywords": raw.brandingSettings.channel.keywords.nullif(""),
            "uploads": raw.contentDetails.relatedPlaylists.uploads.nullif(""),
        },
        rejects=[(other_than(raw.kind, _CHANNEL), "a resource that is no channel")],
        required=["author_id"],
        reject_unread={"created_at": "publishedAt is not a plausible time"},
    )


def is_found(record: Mapping[str, Any]) -> bool:
    """Whether the record is a search result that is a channel."""
    found = record.get("id")
    return isinstance(found, Mapping) and found.get("kind") == _CHANNEL


def found_authors(raw: ir.Table) -> ir.Table:
    """One author for each channel that was found, without counters."""
    snippet = raw.snippet
    author_id = any_of(raw.id.channelId, snippet.channelId)
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("youtube"),
            "author_id": author_id,
            "display_name": resolved(snippet.title).nullif(""),
            "url": CHANNEL + author_id,
            "text": resolved(snippet.description).nullif(""),
            "created_at": casts.moment("publishedAt", snippet.publishedAt),
        },
        rejects=[((raw.id.kind != _CHANNEL).fill_null(True), "a search result that is no channel")],
        required=["author_id"],
        reject_unread={"created_at": "publishedAt is not a plausible time"},
    )


CHANNELS: Final = Layout(
    platform="youtube",
    name="channels_list",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=authors,
    description="YouTube Data API v3: channels (channels.list)",
    unwraps=(("items",),),
    table="authors",
)

FOUND_CHANNELS: Final = Layout(
    platform="youtube",
    name="search_channels",
    version=1,
    shape=Shape.OBJECT,
    raw=FOUND_RAW,
    matches=is_found,
    posts=found_authors,
    description="YouTube Data API v3: channels that search.list found",
    unwraps=(("items",),),
    table="authors",
)
