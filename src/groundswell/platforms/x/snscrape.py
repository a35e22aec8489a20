"""Tweets as snscrape and twscrape write them, one JSON object a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of, first, known, missing
from groundswell.platforms.x.common import counted, kind_of, retweet_text, status_url, text_of, whole

if TYPE_CHECKING:
    import ibis.expr.types as ir

_MEDIA: Final = "struct<fullUrl: string, previewUrl: string, thumbnailUrl: string, url: string, duration: string>"

RAW: Final = {
    **dict.fromkeys(("id_str", "id", "url", "date", "rawContent", "content", "lang", "conversationId"), "string"),
    **dict.fromkeys(("likeCount", "retweetCount", "replyCount", "quoteCount", "viewCount"), "string"),
    **dict.fromkeys(("bookmarkCount", "bookmarkedCount"), "string"),
    "user": (
        "struct<id_str: string, id: string, username: string, displayname: string, followersCount: string, "
        "friendsCount: string, verified: string, created: string>"
    ),
    "hashtags": "array<string>",
    "mentionedUsers": "array<struct<username: string>>",
    "outlinks": "array<string>",
    "links": "array<struct<url: string>>",
    "media": f"array<{_MEDIA}>",
    "place": "struct<fullName: string, countryCode: string>",
    "retweetedTweet": "struct<id: string, rawContent: string, content: string, user: struct<username: string>>",
    "quotedTweet": "struct<id: string>",
}


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record has the names that only these tools use for the parts of a tweet."""
    keys = record.keys()
    return (
        bool({"rawContent", "content", "renderedContent"} & keys)
        and {"retweetCount", "date", "user"} <= keys
        and bool({"id", "id_str", "url"} & keys)
    )


def posts(raw: ir.Table) -> ir.Table:
    """One post for each tweet; `metrics` holds `quotes`."""
    user, original, media = raw.user, raw.retweetedTweet, first(raw.media)
    post_id = whole(raw.id_str, raw.id)
    handle = user.username.nullif("")
    is_retweet = original.id.notnull()
    own = any_of(raw.rawContent, raw.content)
    whole_text = any_of(original.rawContent, original.content)
    links = ibis.coalesce(raw.outlinks, raw.links.map(lambda link: link.url))
    kind = ibis.cases((ibis.coalesce(media.thumbnailUrl, media.duration).notnull(), "video"))
    images = raw.media.map(lambda item: ibis.coalesce(item.fullUrl, item.thumbnailUrl, item.url, item.previewUrl))
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("x"),
            "post_id": post_id,
            "url": any_of(raw.url, status_url(handle, post_id)),
            "author_id": whole(user.id_str, user.id),
            "author_name": handle,
            "created_at": casts.moment("date", raw.date),
            "text": text_of(ibis.cases((is_retweet, retweet_text(own, original.user.username, whole_text)), else_=own)),
            "lang": raw.lang.nullif("und").nullif(""),
            "region": raw.place.countryCode.nullif(""),
            "hashtags": known(raw.hashtags),
            "mentions": known(raw.mentionedUsers.map(lambda mentioned: mentioned.username.lower())),
            "urls": known(links),
            "kind": kind_of(raw.media, kind, links),
            "duration_s": casts.number("duration", media.duration),
            "views": counted(is_retweet, "viewCount", raw.viewCount),
            "likes": counted(is_retweet, "likeCount", raw.likeCount),
            "comments": counted(is_retweet, "replyCount", raw.replyCount),
            "shares": counted(is_retweet, "retweetCount", raw.retweetCount),
            "saves": counted(is_retweet, "bookmarkCount", any_of(raw.bookmarkCount, raw.bookmarkedCount)),
            "location": raw.place.fullName.nullif(""),
            "media_urls": known(images),
            "followers": casts.integer("followersCount", user.followersCount),
            "following": casts.integer("friendsCount", user.friendsCount),
            "verified": casts.boolean("verified", user.verified),
            "author_created_at": casts.moment("created", user.created),
        },
        metrics=[counted(is_retweet, "quotes", raw.quoteCount)],
        extra={
            "retweet_of": original.id.nullif(""),
            "quote_of": raw.quotedTweet.id.nullif(""),
            "conversation_id": raw.conversationId.nullif(""),
            "author_display_name": user.displayname.nullif(""),
        },
        rejects=[(missing(raw.rawContent, raw.content), "no content of a tweet")],
        required=["post_id"],
        reject_unread={"created_at": "date is not a plausible time"},
    )


SNSCRAPE: Final = Layout(
    platform="x",
    name="snscrape",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="tweets of snscrape and twscrape: rawContent or content, retweetCount, user.username",
)
