"""Tables that 4CAT exports: `id`, `thread_id`, `author`, `body`, `timestamp`, `unix_timestamp` and more by source.

The columns differ from source to source and from year to year, so the layout is fitted to them like a generic table;
what is fixed is that `body` is the text, `subject` stands before it and `unix_timestamp` is the time, without the zone
of the server that `timestamp` is written in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from groundswell.platforms.generic import table as generic
from groundswell.platforms.generic.renamed import renamed
from groundswell.platforms.layout import Layout

NAME: Final = "fourcat"
_ALWAYS: Final = {"post_id": "id", "text": "body", "author_name": "author", "title": "subject"}
#: Columns of 4CAT's sources by field, the likeliest first.
_SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "created_at": ("unix_timestamp", "timestamp"),
    "author_id": ("author_id", "author_user_id", "user_id"),
    "kind": ("media_type", "post_type", "type"),
    "likes": ("likes", "num_likes", "like_count", "amount_likes", "digg_count", "score"),
    "comments": ("comments", "num_comments", "reply_count", "replies", "amount_comments", "comment_count"),
    "shares": ("shares", "retweet_count", "reposts", "amount_shares", "share_count", "num_reposts", "forwards"),
    "views": ("plays", "views", "amount_plays", "play_count", "impression_count", "view_count"),
    "saves": ("saves", "collect_count", "bookmark_count", "num_saves"),
    "hashtags": ("hashtags",),
    "mentions": ("mentions", "mentioned"),
    "url": ("tiktok_url", "post_url", "url", "link"),
    "followers": ("author_followers", "author_follower_count", "followers"),
    "media_urls": ("image_url", "image_urls", "thumbnail_url", "images"),
    "location": ("location_name", "location"),
    "lang": ("language_guess", "lang", "language"),
    "music_title": ("music_name", "music_title"),
    "music_id": ("music_id",),
    "music_author": ("music_author",),
    "verified": ("author_is_verified", "verified"),
}


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the columns that 4CAT always writes are there."""
    return {"id", "thread_id", "body", "timestamp"} <= record.keys() and bool(
        {"unix_timestamp", "author", "subject"} & record.keys()
    )


def fitted(
    columns: Sequence[str],
    mapping: Mapping[str, str] | None = None,
    tz: str = "UTC",
    platform: str | None = None,
    samples: generic.Samples = (),
) -> Layout:
    """The layout for a table of 4CAT with these columns."""
    known = set(columns)
    own = {field: column for field, column in _ALWAYS.items() if column in known}
    if "author_username" in known:
        own["author_name"] = "author_username"
    own |= {
        field: found
        for field, names in _SOURCES.items()
        if (found := next((name for name in names if name in known), None)) is not None
    }
    chosen = own | dict(mapping or {})
    layout = generic.table(columns, chosen, tz, platform, samples, NAME)
    return renamed(layout, "generic", NAME, _DESCRIPTION, matches)


_DESCRIPTION: Final = (
    "CSV export of 4CAT: id, thread_id, author, body, timestamp, unix_timestamp and its source's columns"
)

#: What the registry holds: the columns that all sources have.
FOURCAT: Final = fitted(("id", "thread_id", "author", "subject", "body", "timestamp", "unix_timestamp"))
