"""Statuses and accounts of Mastodon (and what speaks its API), from arrays, lines, and events of its stream.

A server numbers a status by itself, so the same one has another `id` on each; its `uri` is the same everywhere and is
the post's id here (`extra.id` keeps the number). The content is HTML and becomes the text that a reader sees, behind
a content warning if there is one. A boost has its own time and author, the boosted text, and no counters: they are
those of the original, which `extra.boost_of` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis
import msgspec

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of, first, handle, known, plain, titled

if TYPE_CHECKING:
    import ibis.expr.types as ir

_NO_TIME: Final = "created_at is not a plausible time"
_MEDIA: Final = (
    "array<struct<type: string, url: string, remote_url: string, meta: struct<original: struct<duration: string>>>>"
)
_ACCOUNT: Final = (
    "struct<id: string, username: string, acct: string, display_name: string, url: string, followers_count: string, "
    "following_count: string, created_at: string, bot: string>"
)
RAW: Final = {
    **dict.fromkeys(("id", "uri", "url", "created_at", "edited_at", "content", "spoiler_text", "language"), "string"),
    **dict.fromkeys(("visibility", "in_reply_to_id", "sensitive"), "string"),
    **dict.fromkeys(("favourites_count", "reblogs_count", "replies_count", "quotes_count"), "string"),
    "account": _ACCOUNT,
    "media_attachments": _MEDIA,
    "mentions": "array<struct<acct: string>>",
    "tags": "array<struct<name: string>>",
    "card": "struct<url: string>",
    "reblog": (
        "struct<id: string, uri: string, url: string, content: string, spoiler_text: string, language: string, "
        f"media_attachments: {_MEDIA}, tags: array<struct<name: string>>, mentions: array<struct<acct: string>>>"
    ),
}
ACCOUNT_RAW: Final = dict.fromkeys(
    (
        *("id", "username", "acct", "display_name", "url", "note", "created_at", "bot", "locked"),
        *("followers_count", "following_count", "statuses_count"),
    ),
    "string",
)
_EVENTS: Final = {
    "delete": "a deletion",
    "notification": "a notification",
    "filters_changed": "news of filters",
    "announcement": "an announcement",
    "conversation": "a conversation",
}
_decode: Final = msgspec.json.Decoder().decode


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record has content, an account and a time, as only a status of Mastodon has."""
    account = record.get("account")
    return {"content", "created_at"} <= record.keys() and isinstance(account, Mapping) and "acct" in account


def expand(record: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The status that an event of the stream carries as text."""
    payload = record.get("payload")
    if record.get("event") not in ("update", "status.update"):
        return None
    if isinstance(payload, str):
        try:
            payload = _decode(payload.encode())
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return None
    return [dict(payload)] if isinstance(payload, Mapping) else None


def ignores(record: Mapping[str, Any]) -> str | None:
    """What an event of the stream is if it brings no status."""
    event = record.get("event")
    known_event = isinstance(event, str) and "payload" in record
    return _EVENTS.get(str(event).partition(".")[0]) if known_event else None


def posts(raw: ir.Table) -> ir.Table:
    """One post for each status; `metrics` holds `quotes`."""
    account, boosted = raw.account, raw.reblog
    is_boost = ibis.coalesce(boosted.id, boosted.uri, boosted.content).notnull()
    media = ibis.cases((is_boost, boosted.media_attachments), else_=raw.media_attachments)
    kind = first(media)["type"]
    seconds = first(media).meta.original.duration
    warning = any_of(boosted.spoiler_text, raw.spoiler_text)
    post_id = any_of(raw.uri, raw.url, raw.id)
    tags = ibis.cases((is_boost, boosted.tags), else_=raw.tags)
    mentions = ibis.cases((is_boost, boosted.mentions), else_=raw.mentions)

    def counter(field: str, text: ir.StringValue) -> casts.Cell:
        return casts.integer(field, ibis.cases((is_boost, ibis.null("string")), else_=text))

    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("mastodon"),
            "post_id": post_id,
            "url": any_of(raw.url, boosted.url, raw.uri),
            "author_id": account.id.nullif(""),
            "author_name": handle(any_of(account.acct, account.username)),
            "created_at": casts.moment("created_at", raw.created_at),
            "text": titled(warning, plain(any_of(boosted.content, raw.content))),
            "lang": any_of(boosted.language, raw.language),
            "hashtags": known(tags.map(lambda tag: tag["name"])),
            "mentions": known(mentions.map(lambda person: person.acct.lower())),
            "kind": ibis.cases(
                (kind.isin(("video", "gifv")), "video"),
                (media.length() > 1, "carousel"),
                (kind == "image", "image"),
                (raw.card.url.notnull(), "link"),
                else_="text",
            ),
            "duration_s": casts.number("duration", seconds),
            "likes": counter("favourites_count", raw.favourites_count),
            "comments": counter("replies_count", raw.replies_count),
            "shares": counter("reblogs_count", raw.reblogs_count),
            "media_urls": known(media.map(lambda item: ibis.coalesce(item.url, item.remote_url))),
            "followers": casts.integer("followers_count", account.followers_count),
            "following": casts.integer("following_count", account.following_count),
            "author_created_at": casts.moment("author_created_at", account.created_at),
        },
        metrics=[counter("quotes", raw.quotes_count)],
        extra={
            "id": raw.id.nullif(""),
            "boost_of": any_of(boosted.uri, boosted.id),
            "visibility": raw.visibility.nullif(""),
            "reply_to": raw.in_reply_to_id.nullif(""),
            "edited_at": raw.edited_at.nullif(""),
            "author_display_name": account.display_name.nullif(""),
            "bot": ibis.cases((account.bot == "true", "true")),
        },
        rejects=[(raw.content.isnull() & ~is_boost, "no content of a status")],
        required=["post_id"],
        reject_unread={"created_at": _NO_TIME},
    )


def is_account(record: Mapping[str, Any]) -> bool:
    """Whether the record is an account."""
    return {"acct", "username", "note", "followers_count"} <= record.keys()


def authors(raw: ir.Table) -> ir.Table:
    """One author for each account; the id is that of the server that was asked, as in a status."""
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("mastodon"),
            "author_id": raw.id.nullif(""),
            "author_name": handle(any_of(raw.acct, raw.username)),
            "display_name": raw.display_name.nullif(""),
            "url": raw.url.nullif(""),
            "text": plain(raw.note).nullif(""),
            "created_at": casts.moment("created_at", raw.created_at),
            "followers": casts.integer("followers_count", raw.followers_count),
            "following": casts.integer("following_count", raw.following_count),
            "posts": casts.integer("statuses_count", raw.statuses_count),
        },
        extra={
            "bot": ibis.cases((raw.bot == "true", "true")),
            "locked": ibis.cases((raw.locked == "true", "true")),
        },
        rejects=[(raw.acct.isnull(), "no name of an account")],
        required=["author_id"],
        reject_unread={"created_at": _NO_TIME},
    )


STATUSES: Final = Layout(
    platform="mastodon",
    name="statuses",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="statuses of Mastodon's API and stream: content, account, favourites_count",
    ignores=ignores,
    unwraps=(("statuses",), ("descendants",)),
    expand=expand,
)

ACCOUNTS: Final = Layout(
    platform="mastodon",
    name="accounts",
    version=1,
    shape=Shape.OBJECT,
    raw=ACCOUNT_RAW,
    matches=is_account,
    posts=authors,
    description="accounts of Mastodon's API",
    unwraps=(("accounts",),),
    table="authors",
)
