"""Tables of tweets, by the column names that go round: the sets of Kaggle, twint, snscrape, TCAT and twarc.

Recognised is a table with a text and a column that only tables of tweets have. `hashtags` may be the text of a Python
list. A handle goes before a shown name; a set that has only the shown name gives that as the author's name. An id
that a spreadsheet has rounded (`1.34E+18`) is none. Ratings of sentiment and whatever else a set adds are in `extra`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of, handle, resolved
from groundswell.platforms.written import links, listed, whole_id
from groundswell.platforms.x.common import status_url

if TYPE_CHECKING:
    import ibis.expr.types as ir

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("tweet_id", "tweetid", "Tweet Id", "id_str", "id"),
    "text": ("full_text", "tweet", "tweet_text", "text", "content", "rawContent"),
    "date": ("created_at", "tweet_created", "datetime", "date", "publish_date", "timestamp"),
    "observed": ("collected_at", "harvested_date", "__twarc.retrieved_at"),
    "author_id": ("user_id", "author_id", "from_user_id", "author.id", "external_author_id", "userid"),
    "handle": (
        *("user_screen_name", "screen_name", "username", "user_username", "author.username"),
        *("from_user_name", "handle", "author", "user"),
    ),
    "shown": ("user_name", "name", "author.name", "from_user_realname", "displayname"),
    "likes": (
        *("favorites", "favorite_count", "favourites_count", "likes", "likes_count", "like_count", "nlikes"),
        *("public_metrics.like_count", "likeCount"),
    ),
    "shares": (
        *("retweets", "retweet_count", "retweets_count", "nretweets", "public_metrics.retweet_count"),
        "retweetCount",
    ),
    "replies": ("replies", "replies_count", "reply_count", "nreplies", "public_metrics.reply_count", "replyCount"),
    "quotes": ("quote_count", "quotes_count", "public_metrics.quote_count", "quoteCount"),
    "views": ("views", "view_count", "viewCount", "impression_count", "public_metrics.impression_count"),
    "saves": ("bookmarks", "bookmark_count", "public_metrics.bookmark_count"),
    "hashtags": ("hashtags",),
    "urls": ("urls",),
    "url": ("link", "tweet_url", "url", "permalink"),
    "lang": ("lang", "language"),
    "region": ("country_code", "country"),
    "place": ("user_location", "tweet_location", "author.location", "location", "place"),
    "followers": (
        *("user_followers", "user_followers_count", "followers", "followers_count", "from_user_followercount"),
        *("author.public_metrics.followers_count",),
    ),
    "following": (
        *("user_friends", "friends_count", "following", "from_user_friendcount"),
        *("author.public_metrics.following_count",),
    ),
    "verified": ("user_verified", "author.verified", "from_user_verified", "verified"),
    "made": ("user_created", "user_join_date", "from_user_created_at", "author.created_at"),
    "retweet": ("is_retweet", "isRetweet", "retweet"),
    "source": ("source", "device"),
    "about": ("user_description", "from_user_description", "author.description"),
    "feeling": ("airline_sentiment", "sentiment", "label"),
    "topic": ("airline", "entity", "negativereason"),
    "reply_to": ("in_reply_to_status_id", "in_response_to_tweet_id", "reply_to"),
}
COLUMNS: Final = tuple(dict.fromkeys(name for names in NAMES.values() for name in names))
#: One of these says that a table is of tweets.
_OWN: Final = frozenset(
    (
        *("tweet", "tweet_id", "tweet_text", "Tweet Id", "tweetid", "tweet_created", "tweet_url"),
        *("retweets", "retweet_count", "retweets_count", "nretweets", "retweetCount", "is_retweet", "isRetweet"),
        *("public_metrics.retweet_count", "user_screen_name", "from_user_name"),
    )
)


def matches(record: Mapping[str, Any]) -> bool:
    """Whether there are a text and a column that only tables of tweets have, all of them flat."""
    keys = record.keys()
    if not _OWN & keys or not any(name in keys for name in NAMES["text"]):
        return False
    # A column for the platform makes it a mixed table, an object within it another kind of record.
    mixed = any(name.strip().lower() in ("platform", "network") for name in keys)
    return not mixed and not any(isinstance(value, Mapping) for value in record.values())


def posts(raw: ir.Table) -> ir.Table:
    """One post for each row; `metrics` holds `quotes`, `extra` what the set adds."""

    def cell(part: str) -> ir.StringValue:
        return any_of(*(raw[name] for name in NAMES[part]))

    found = whole_id("id", cell("id"))
    # A row that was broken in two has the rest of a text there.
    post_id = replace(found, value=ibis.cases((~found.value.re_search("[ \t\r\n]"), found.value)))
    by_handle = handle(cell("handle"))
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("x"),
            "post_id": post_id,
            "url": any_of(
                ibis.cases((cell("url").startswith("http"), cell("url"))), status_url(by_handle, post_id.value)
            ),
            "author_id": whole_id("author_id", cell("author_id")),
            "author_name": ibis.coalesce(by_handle, cell("shown").strip()),
            "created_at": casts.moment("date", cell("date")),
            "observed_at": casts.moment("observed", cell("observed")),
            "text": resolved(casts.text(cell("text"))),
            "lang": cell("lang").nullif("und"),
            "region": cell("region"),
            "hashtags": listed(cell("hashtags")),
            "urls": links(cell("urls")),
            "views": casts.integer("views", cell("views")),
            "likes": casts.integer("likes", cell("likes")),
            "comments": casts.integer("replies", cell("replies")),
            "shares": casts.integer("retweets", cell("shares")),
            "saves": casts.integer("bookmarks", cell("saves")),
            "location": cell("place"),
            "followers": casts.integer("followers", cell("followers")),
            "following": casts.integer("following", cell("following")),
            "verified": casts.boolean("verified", cell("verified")),
            "author_created_at": casts.moment("made", cell("made")),
        },
        metrics=[casts.integer("quotes", cell("quotes"))],
        extra={
            "author_display_name": ibis.cases((by_handle.notnull(), cell("shown"))),
            "author_description": cell("about"),
            "is_retweet": cell("retweet"),
            "source": cell("source"),
            "sentiment": cell("feeling"),
            "topic": cell("topic"),
            "reply_to": cell("reply_to"),
        },
        required=["post_id", "text"],
        reject_unread={"created_at": "the date is not a plausible time"},
    )


TABLE: Final = Layout(
    platform="x",
    name="table",
    version=2,
    shape=Shape.ROW,
    raw=dict.fromkeys(COLUMNS, "string"),
    matches=matches,
    posts=posts,
    description="tables of tweets: a text and retweets, tweet_id, user_screen_name or their like",
)
