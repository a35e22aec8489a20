"""Tweets of X's API v2: answers with `data` and `includes`, and the flat lines that twarc makes of them.

An answer is taken apart as twarc does: each tweet gets its author under `author`, its media under
`attachments.media` and what it refers to under `referenced_tweets`. Tweets that an answer only includes, because
others refer to them, are not posts of the collection. The counters of a retweet are the original's or 0 and are
left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of, first, known, missing
from groundswell.platforms.x.common import NO_TIME, counted, kind_of, retweet_text, status_url, text_of, whole

if TYPE_CHECKING:
    import ibis.expr.types as ir

RAW: Final = {
    **dict.fromkeys(("id", "text", "author_id", "created_at", "lang", "conversation_id", "source"), "string"),
    "public_metrics": (
        "struct<retweet_count: string, reply_count: string, like_count: string, quote_count: string, "
        "bookmark_count: string, impression_count: string>"
    ),
    "entities": (
        "struct<hashtags: array<struct<tag: string>>, mentions: array<struct<username: string>>, "
        "urls: array<struct<expanded_url: string, url: string>>>"
    ),
    "attachments": (
        "struct<media_keys: array<string>, media: array<struct<type: string, url: string, preview_image_url: string, "
        "duration_ms: string>>>"
    ),
    "referenced_tweets": "array<struct<type: string, id: string, text: string, note_tweet: struct<text: string>>>",
    "author": (
        "struct<id: string, username: string, name: string, verified: string, created_at: string, location: string, "
        "public_metrics: struct<followers_count: string, following_count: string>>"
    ),
    "geo": "struct<full_name: string, country_code: string>",
    "note_tweet": "struct<text: string>",
    "edit_history_tweet_ids": "array<string>",
}


_PARTS: Final = ("entities", "referenced_tweets", "attachments")


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record has an id and a text and what only a tweet of v2 has."""
    keys = record.keys()
    if not {"id", "text"} <= keys or "user" in keys:
        return False
    counts = record.get("public_metrics")
    return (
        isinstance(record.get("edit_history_tweet_ids"), list)
        or (isinstance(counts, Mapping) and "retweet_count" in counts)
        or ("author_id" in keys and any(isinstance(record.get(part), Mapping | list) for part in _PARTS))
    )


def expand(record: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The tweets (or users) of an answer, each tweet with its author, media and references."""
    data = record.get("data")
    items: list[Any] = data if isinstance(data, list) else [data]
    found: list[Mapping[str, Any]] = [item for item in items if isinstance(item, Mapping)]
    if not {"includes", "meta", "errors"} & record.keys() or len(found) < len(items):
        return None
    if not found or not all("id" in item and {"text", "username"} & item.keys() for item in found):
        return None
    known_parts = _Included(record.get("includes"))
    return [known_parts.joined(item) if "text" in item else dict(item) for item in found]


def ignores(record: Mapping[str, Any]) -> str | None:
    """An answer without tweets."""
    meta = record.get("meta")
    empty = isinstance(meta, Mapping) and meta.get("result_count") == 0 and "data" not in record
    return "an answer without posts" if empty else None


class _Included:
    """What an answer includes, by its ids."""

    def __init__(self, includes: Any) -> None:
        parts = includes if isinstance(includes, Mapping) else {}
        self._users = _by(parts.get("users"), "id")
        self._media = _by(parts.get("media"), "media_key")
        self._tweets = _by(parts.get("tweets"), "id")
        self._places = _by(parts.get("places"), "id")

    def joined(self, tweet: Mapping[str, Any]) -> dict[str, Any]:
        """The tweet with what it refers to."""
        out = dict(tweet)
        author = self._users.get(str(tweet.get("author_id")))
        if author is not None:
            out.setdefault("author", author)
        attached = tweet.get("attachments")
        if isinstance(attached, Mapping) and isinstance(attached.get("media_keys"), list):
            media = [self._media[key] for key in map(str, attached["media_keys"]) if key in self._media]
            out["attachments"] = {**attached, "media": media}
        references = tweet.get("referenced_tweets")
        if isinstance(references, list):
            out["referenced_tweets"] = [self._whole(reference) for reference in references]
        geo = tweet.get("geo")
        if isinstance(geo, Mapping):
            out["geo"] = {**geo, **self._places.get(str(geo.get("place_id")), {})}
        if not matches(out):
            # Without `tweet.fields` a tweet is its id and its text; what says that it is one is the answer around it.
            out["edit_history_tweet_ids"] = [str(tweet.get("id"))]
        return out

    def _whole(self, reference: Any) -> Any:
        if not isinstance(reference, Mapping):
            return reference
        return {**self._tweets.get(str(reference.get("id")), {}), **reference}


def _by(items: Any, key: str) -> dict[str, dict[str, Any]]:
    listed: Iterable[Any] = items if isinstance(items, list) else ()
    return {str(item[key]): dict(item) for item in listed if isinstance(item, Mapping) and key in item}


def posts(raw: ir.Table) -> ir.Table:
    """One post for each tweet; `metrics` holds `quotes`."""
    refers = first(raw.referenced_tweets)
    is_retweet = (refers["type"] == "retweeted").fill_null(False)
    counts, author, media = raw.public_metrics, raw.author, raw.attachments.media
    post_id, handle = whole(raw.id), raw.author.username.nullif("")
    own = any_of(raw.note_tweet.text, raw.text)
    original = any_of(refers.note_tweet.text, refers.text)
    tags = known(raw.entities.hashtags.map(lambda tag: tag.tag))
    millis = first(media).duration_ms
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("x"),
            "post_id": post_id,
            "url": status_url(handle, post_id),
            "author_id": any_of(raw.author_id, author.id),
            "author_name": handle,
            "created_at": casts.moment("created_at", raw.created_at),
            "text": text_of(ibis.cases((is_retweet, retweet_text(own, ibis.null("string"), original)), else_=own)),
            "lang": raw.lang.nullif("und").nullif(""),
            "region": raw.geo.country_code.nullif(""),
            "hashtags": ibis.cases((is_retweet, ibis.null("array<string>")), else_=tags),
            "mentions": known(raw.entities.mentions.map(lambda user: user.username.lower())),
            "urls": known(raw.entities.urls.map(lambda url: ibis.coalesce(url.expanded_url, url.url))),
            "kind": kind_of(raw.attachments.media_keys, first(media)["type"], raw.entities.urls),
            "duration_s": casts.Cell("duration_ms", millis, casts.number("", millis).value / 1000),
            "views": counted(is_retweet, "impression_count", counts.impression_count),
            "likes": counted(is_retweet, "like_count", counts.like_count),
            "comments": counted(is_retweet, "reply_count", counts.reply_count),
            "shares": counted(is_retweet, "retweet_count", counts.retweet_count),
            "saves": counted(is_retweet, "bookmark_count", counts.bookmark_count),
            "location": raw.geo.full_name.nullif(""),
            "media_urls": known(media.map(lambda item: ibis.coalesce(item.url, item.preview_image_url))),
            "followers": casts.integer("followers_count", author.public_metrics.followers_count),
            "following": casts.integer("following_count", author.public_metrics.following_count),
            "verified": casts.boolean("verified", author.verified),
            "author_created_at": casts.moment("author_created_at", author.created_at),
        },
        metrics=[counted(is_retweet, "quotes", counts.quote_count)],
        extra={
            "refers_to": ibis.cases((refers.id.notnull(), refers["type"] + " " + refers.id)),
            "conversation_id": raw.conversation_id.nullif(""),
            "author_display_name": author["name"].nullif(""),
        },
        rejects=[
            (
                missing(raw.author_id, counts.retweet_count) & raw.edit_history_tweet_ids.isnull(),
                "no tweet of the API v2",
            )
        ],
        required=["post_id"],
        reject_unread={"created_at": NO_TIME},
    )


V2: Final = Layout(
    platform="x",
    name="v2",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="X API v2: answers with data and includes (users, media and references are joined), twarc's lines",
    ignores=ignores,
    expand=expand,
)
