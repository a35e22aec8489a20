"""Tweets of X's API v1.1 and of its stream: `id_str`, `full_text` or `text`, `user`, `entities`.

The text of a long tweet may stand in `extended_tweet`, that of a retweet in `retweeted_status`. The counters of a
retweet are those of the original (or 0), so they are left out; `extra.retweet_of` names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of, missing
from groundswell.platforms.x.common import (
    ENTITIES,
    MEDIA,
    NO_TIME,
    PLACE,
    USER,
    counted,
    retweet_text,
    status_columns,
    tags_of,
    text_of,
    whole,
)

if TYPE_CHECKING:
    import ibis.expr.types as ir

_LONG: Final = f"struct<full_text: string, entities: {ENTITIES}, extended_entities: {MEDIA}>"

RAW: Final = {
    **dict.fromkeys(("id_str", "id", "full_text", "text", "created_at", "timestamp_ms", "lang", "source"), "string"),
    **dict.fromkeys(("favorite_count", "retweet_count", "reply_count", "quote_count"), "string"),
    **dict.fromkeys(("in_reply_to_status_id_str", "quoted_status_id_str"), "string"),
    "user": USER,
    "entities": ENTITIES,
    "extended_entities": MEDIA,
    "extended_tweet": _LONG,
    "place": PLACE,
    "retweeted_status": (
        "struct<id_str: string, full_text: string, text: string, extended_tweet: struct<full_text: string>, "
        "user: struct<screen_name: string>>"
    ),
}

#: Messages of the stream that are no tweets.
_MESSAGES: Final = {
    "delete": "a deletion",
    "scrub_geo": "a removal of places",
    "limit": "a notice of limits",
    "status_withheld": "a notice of withheld content",
    "user_withheld": "a notice of a withheld account",
    "disconnect": "a notice of disconnection",
    "warning": "a warning of the stream",
    "friends": "a list of friends",
}


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record has an id, a text and a time, and what only a tweet has beside them."""
    keys = record.keys()
    if not ({"id_str", "id"} & keys and {"full_text", "text"} & keys and "created_at" in keys):
        return False
    user = record.get("user")
    named = isinstance(user, Mapping) and bool({"screen_name", "id_str"} & user.keys())
    return named or (isinstance(record.get("entities"), Mapping) and bool({"favorite_count", "retweeted"} & keys))


def expand(record: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The tweet of an entry of an account's archive (`{"tweet": {…}}`)."""
    inner = record.get("tweet")
    return [dict(inner)] if len(record) == 1 and isinstance(inner, Mapping) and matches(inner) else None


def ignores(record: Mapping[str, Any]) -> str | None:
    """What a message of the stream is if it is no tweet."""
    if len(record) != 1:
        return None
    name, value = next(iter(record.items()))
    return _MESSAGES.get(name) if isinstance(value, Mapping | list) else None


def posts(raw: ir.Table) -> ir.Table:
    """One post for each tweet; `metrics` holds `quotes`."""
    original = raw.retweeted_status
    is_retweet = ibis.coalesce(original.id_str, original.text, original.full_text).notnull()
    post_id = whole(raw.id_str, raw.id)
    own = any_of(raw.extended_tweet.full_text, raw.full_text, raw.text)
    whole_text = any_of(original.extended_tweet.full_text, original.full_text, original.text)
    columns = status_columns(raw, post_id, raw.user, is_retweet)
    columns["created_at"] = casts.moment("created_at", any_of(raw.created_at, raw.timestamp_ms))
    columns["text"] = text_of(
        ibis.cases((is_retweet, retweet_text(own, original.user.screen_name, whole_text)), else_=own)
    )
    long_tags = tags_of(raw.extended_tweet.entities)
    columns["hashtags"] = ibis.cases(
        (is_retweet, ibis.null("array<string>")), else_=ibis.coalesce(long_tags, tags_of(raw.entities))
    )
    return casts.mapped(
        raw,
        columns,
        metrics=[counted(is_retweet, "quotes", raw.quote_count)],
        extra={
            "retweet_of": original.id_str.nullif(""),
            "reply_to": raw.in_reply_to_status_id_str.nullif(""),
            "quote_of": raw.quoted_status_id_str.nullif(""),
            "author_display_name": raw.user["name"].nullif(""),
        },
        rejects=[
            (
                missing(raw.user.screen_name, raw.user.id_str, raw.favorite_count, raw.retweet_count),
                "no tweet of the API v1.1",
            )
        ],
        required=["post_id"],
        reject_unread={"created_at": NO_TIME},
    )


V1: Final = Layout(
    platform="x",
    name="v1",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="X API v1.1: tweets with id_str, full_text or text, user and entities",
    ignores=ignores,
    unwraps=(("statuses",), ("tweets",)),
    expand=expand,
)
