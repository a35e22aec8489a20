"""Tweets as X's own page gets them (GraphQL), plain and as the browser extension Zeeschuimer delivers them.

A tweet has `rest_id`, its author under `core.user_results.result`, and the parts of v1.1 under `legacy`. In an
answer of the page the tweets stand deep in a timeline; each is taken out. Zeeschuimer puts a tweet under `data`, with
the time at which it was collected; its `id` may have gone through a float and is not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    text_of,
    whole,
)

if TYPE_CHECKING:
    import ibis.expr.types as ir

_PERSON: Final = (
    "struct<rest_id: string, is_blue_verified: string, core: struct<name: string, screen_name: string, "
    f"created_at: string>, legacy: {USER}, verification: struct<verified: string>>"
)
_NOTE: Final = "struct<note_tweet_results: struct<result: struct<text: string>>>"
_ORIGINAL: Final = (
    f"struct<result: struct<rest_id: string, core: struct<user_results: struct<result: {_PERSON}>>, "
    f"legacy: struct<id_str: string, full_text: string>, note_tweet: {_NOTE}>>"
)
_STATUS: Final = (
    "struct<id_str: string, user_id_str: string, full_text: string, text: string, created_at: string, lang: string, "
    "favorite_count: string, retweet_count: string, reply_count: string, quote_count: string, bookmark_count: string, "
    "in_reply_to_status_id_str: string, quoted_status_id_str: string, "
    f"entities: {ENTITIES}, extended_entities: {MEDIA}, place: {PLACE}, retweeted_status_result: {_ORIGINAL}>"
)
RAW: Final = {
    "rest_id": "string",
    "core": f"struct<user_results: struct<result: {_PERSON}>>",
    "legacy": _STATUS,
    "views": "struct<count: string>",
    "ext_views": "struct<count: string>",
    "note_tweet": _NOTE,
    "user": USER,
    "promoted": "string",
}
COLLECTED_RAW: Final = {
    "source_platform": "string",
    "timestamp_collected": "string",
    "source_platform_url": "string",
    "data": "struct<" + ", ".join(f"{name}: {kind}" for name, kind in RAW.items()) + ">",
}
_PLATFORMS: Final = ("twitter.com", "x.com")
_UNAVAILABLE: Final = ("TweetTombstone", "TweetUnavailable")


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record is a tweet with the parts of v1.1 under `legacy`."""
    legacy = record.get("legacy")
    return isinstance(legacy, Mapping) and "full_text" in legacy


def is_collected(record: Mapping[str, Any]) -> bool:
    """Whether Zeeschuimer collected the record from X."""
    return record.get("source_platform") in _PLATFORMS and isinstance(record.get("data"), Mapping)


def expand(record: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The tweets of an answer of the page; a tweet that is wrapped once more."""
    if "rest_id" not in record and isinstance(record.get("tweet"), Mapping) and matches(record["tweet"]):
        return [dict(record["tweet"])]
    data = record.get("data")
    if "source_platform" in record or "item_id" in record or not isinstance(data, Mapping) or matches(data):
        return None
    return list(_tweets(data)) or None


def expand_collected(record: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """A collected tweet that is wrapped once more."""
    if not is_collected(record):
        return None
    inner = record["data"].get("tweet")
    return [{**record, "data": dict(inner)}] if isinstance(inner, Mapping) else None


def _tweets(part: Any) -> Iterator[dict[str, Any]]:
    """The tweets in an answer, in its order."""
    waiting = [part]
    while waiting:
        here = waiting.pop()
        if isinstance(here, list):
            waiting.extend(reversed(here))
        elif isinstance(here, Mapping):
            results = here.get("tweet_results")
            found = results.get("result") if isinstance(results, Mapping) else None
            if isinstance(found, Mapping):
                found = found["tweet"] if isinstance(found.get("tweet"), Mapping) else found
                yield dict(found)
            else:
                waiting.extend(reversed(list(here.values())))


def ignores(record: Mapping[str, Any]) -> str | None:
    """A tweet that X says is not there any more."""
    kept = record["data"] if is_collected(record) else record
    return "a tweet that is not available" if kept.get("__typename") in _UNAVAILABLE else None


def posts(raw: ir.Table) -> ir.Table:
    """One post for each tweet."""
    columns, more = _columns(raw)
    return casts.mapped(raw, columns, **more)


def collected(raw: ir.Table) -> ir.Table:
    """One post for each tweet, seen when it was collected."""
    columns, more = _columns(raw.data)
    columns["observed_at"] = casts.epoch("timestamp_collected", raw.timestamp_collected)
    more["rejects"].append(((~raw.source_platform.isin(_PLATFORMS)).fill_null(True), "not collected from X"))
    more["extra"]["seen_at_url"] = raw.source_platform_url.nullif("")
    return casts.mapped(raw, columns, **more)


def _columns(tweet: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Columns of a tweet (a table or a struct), and what else `mapped` is told."""
    status, person = tweet["legacy"], tweet["core"].user_results.result
    original = status.retweeted_status_result.result
    is_retweet = ibis.coalesce(original.rest_id, original.legacy.full_text).notnull()
    post_id = whole(tweet["rest_id"], status.id_str)
    user = _user(person, tweet["user"], status)
    own = any_of(tweet["note_tweet"].note_tweet_results.result.text, status.full_text, status.text)
    author = original.core.user_results.result
    whole_text = any_of(original.note_tweet.note_tweet_results.result.text, original.legacy.full_text)
    name = any_of(author.core.screen_name, author.legacy.screen_name)
    columns = status_columns(status, post_id, user, is_retweet)
    columns["text"] = text_of(ibis.cases((is_retweet, retweet_text(own, name, whole_text)), else_=own))
    columns["views"] = counted(is_retweet, "views", any_of(tweet["views"]["count"], tweet["ext_views"]["count"]))
    columns["saves"] = counted(is_retweet, "bookmark_count", status.bookmark_count)
    more: dict[str, Any] = {
        "metrics": [counted(is_retweet, "quotes", status.quote_count)],
        "extra": {
            "retweet_of": any_of(original.rest_id, original.legacy.id_str),
            "reply_to": status.in_reply_to_status_id_str.nullif(""),
            "quote_of": status.quoted_status_id_str.nullif(""),
            "author_display_name": any_of(person.core["name"], person.legacy["name"], tweet["user"]["name"]),
            "promoted": ibis.cases((tweet["promoted"] == "true", "true")),
        },
        "rejects": [(missing(status.full_text, status.text), "no text of a tweet under legacy")],
        "required": ["post_id"],
        "reject_unread": {"created_at": NO_TIME},
    }
    return columns, more


def _user(person: ir.StructValue, user: ir.StructValue, status: ir.StructValue) -> ir.StructValue:
    """The author as v1.1 gives one; newer answers have moved its name and its badge."""
    old = person.legacy
    return ibis.struct(
        {
            "id_str": any_of(person.rest_id, user.id_str, status.user_id_str),
            "id": user.id,
            "screen_name": any_of(person.core.screen_name, old.screen_name, user.screen_name),
            "followers_count": any_of(old.followers_count, user.followers_count),
            "friends_count": any_of(old.friends_count, user.friends_count),
            "verified": any_of(person.verification.verified, old.verified, user.verified),
            "created_at": any_of(person.core.created_at, old.created_at, user.created_at),
        }
    )


GRAPHQL: Final = Layout(
    platform="x",
    name="graphql",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="tweets as X's own page gets them (GraphQL): rest_id, core, legacy",
    ignores=ignores,
    expand=expand,
)

ZEESCHUIMER: Final = Layout(
    platform="x",
    name="zeeschuimer",
    version=1,
    shape=Shape.OBJECT,
    raw=COLLECTED_RAW,
    matches=is_collected,
    posts=collected,
    description="tweets that Zeeschuimer collected (source_platform twitter.com or x.com)",
    expand=expand_collected,
)
