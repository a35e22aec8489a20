"""Accounts of X as the API v1.1 and v2 give them: authors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of, handle, missing
from groundswell.platforms.x.common import NO_TIME, SITE, whole

if TYPE_CHECKING:
    import ibis.expr.types as ir

RAW: Final = {
    **dict.fromkeys(("id", "id_str", "username", "screen_name", "name", "description", "location", "lang"), "string"),
    **dict.fromkeys(("created_at", "verified", "followers_count", "friends_count", "statuses_count"), "string"),
    **dict.fromkeys(("favourites_count", "listed_count"), "string"),
    "public_metrics": (
        "struct<followers_count: string, following_count: string, tweet_count: string, listed_count: string, "
        "like_count: string>"
    ),
}


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record is an account of v1.1 or v2."""
    keys = record.keys()
    counts = record.get("public_metrics")
    of_v2 = {"id", "username", "name"} <= keys and (
        (isinstance(counts, Mapping) and "followers_count" in counts) or "most_recent_tweet_id" in keys
    )
    of_v1 = {"screen_name", "followers_count", "statuses_count"} <= keys
    return (of_v1 or of_v2) and "text" not in keys and "full_text" not in keys


def authors(raw: ir.Table) -> ir.Table:
    """One author for each account; `likes` of an account are those that it gave, so they are in `metrics`."""
    counts = raw.public_metrics
    name = handle(any_of(raw.username, raw.screen_name))
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("x"),
            "author_id": whole(raw.id_str, raw.id),
            "author_name": name,
            "display_name": raw["name"].nullif(""),
            "url": SITE + name,
            "text": raw.description.nullif(""),
            "lang": raw.lang.nullif(""),
            "created_at": casts.moment("created_at", raw.created_at),
            "followers": casts.integer("followers_count", any_of(counts.followers_count, raw.followers_count)),
            "following": casts.integer("following_count", any_of(counts.following_count, raw.friends_count)),
            "posts": casts.integer("tweet_count", any_of(counts.tweet_count, raw.statuses_count)),
            "verified": casts.boolean("verified", raw.verified),
        },
        metrics=[
            casts.integer("listed", any_of(counts.listed_count, raw.listed_count)),
            casts.integer("likes_given", any_of(counts.like_count, raw.favourites_count)),
        ],
        extra={"location": raw.location.nullif("")},
        rejects=[(missing(raw.username, raw.screen_name), "no name of an account")],
        required=["author_id", "author_name"],
        reject_unread={"created_at": NO_TIME},
    )


USERS: Final = Layout(
    platform="x",
    name="users",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=authors,
    description="X API v1.1 and v2: accounts",
    unwraps=(("users",),),
    table="authors",
)
