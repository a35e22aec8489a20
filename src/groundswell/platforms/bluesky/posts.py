"""Posts of Bluesky as its API shows them (post views, feeds, threads, searches), and the bare records.

A post view has its counters and its author's handle; a record of `listRecords` has neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.bluesky.common import (
    NO_TIME,
    RECORD,
    author_of,
    post_url,
    record_columns,
    record_extra,
)
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of, handle, known, missing

if TYPE_CHECKING:
    import ibis.expr.types as ir

_POST: Final = "app.bsky.feed.post"

VIEW_RAW: Final = {
    **dict.fromkeys(("uri", "cid", "indexedAt", "replyCount", "repostCount", "likeCount", "quoteCount"), "string"),
    "bookmarkCount": "string",
    "author": "struct<did: string, handle: string, displayName: string, createdAt: string>",
    "record": RECORD,
    "embed": "struct<images: array<struct<fullsize: string>>, playlist: string, thumbnail: string>",
}
RECORD_RAW: Final = {"uri": "string", "cid": "string", "value": RECORD}
COLUMNS: Final = (
    *("uri", "cid", "text", "created_at", "createdAt", "indexed_at", "author", "author_did", "did", "author_handle"),
    *("handle", "lang", "langs", "like_count", "likeCount", "likes", "repost_count", "repostCount", "reposts"),
    *("reply_count", "replyCount", "replies", "quote_count", "quoteCount", "reply_to"),
)


def is_view(record: Mapping[str, Any]) -> bool:
    """Whether the record is a post with its author and what it says."""
    return (
        isinstance(record.get("record"), Mapping)
        and isinstance(record.get("author"), Mapping)
        and "did" in record["author"]
    )


def expand(record: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The post of an entry of a feed; all posts of a thread, the parents first."""
    thread = record.get("thread")
    if isinstance(thread, Mapping):
        record = thread
    if not isinstance(record.get("post"), Mapping) or not is_view(record["post"]):
        return None
    if not {"replies", "parent"} & record.keys():
        return [dict(record["post"])]
    found: list[dict[str, Any]] = []
    above = record.get("parent")
    while isinstance(above, Mapping) and isinstance(above.get("post"), Mapping):
        found.insert(0, dict(above["post"]))
        above = above.get("parent")
    waiting: list[Any] = [record]
    while waiting:
        here = waiting.pop()
        if isinstance(here, Mapping) and isinstance(here.get("post"), Mapping):
            found.append(dict(here["post"]))
            replies = here.get("replies")
            waiting.extend(reversed(replies if isinstance(replies, list) else []))
    return found


def views(raw: ir.Table) -> ir.Table:
    """One post for each view; `metrics` holds `quotes`."""
    uri = raw.uri.nullif("")
    columns = record_columns(raw.record, casts.moment("indexedAt", raw.indexedAt))
    columns |= {
        "post_id": uri,
        "url": post_url(uri),
        "author_id": any_of(raw.author.did, author_of(uri)),
        "author_name": handle(raw.author.handle),
        "likes": casts.integer("likeCount", raw.likeCount),
        "comments": casts.integer("replyCount", raw.replyCount),
        "shares": casts.integer("repostCount", raw.repostCount),
        "saves": casts.integer("bookmarkCount", raw.bookmarkCount),
        "media_urls": known(raw.embed.images.map(lambda image: image.fullsize)),
        "author_created_at": casts.moment("author_created_at", raw.author.createdAt),
    }
    return casts.mapped(
        raw,
        columns,
        metrics=[casts.integer("quotes", raw.quoteCount)],
        extra={
            **record_extra(raw.record),
            "cid": raw.cid.nullif(""),
            "author_display_name": raw.author.displayName.nullif(""),
        },
        rejects=[(missing(raw.record.text, raw.record.createdAt), "no record of a post")],
        required=["post_id"],
        reject_unread={"created_at": NO_TIME},
    )


def is_record(record: Mapping[str, Any]) -> bool:
    """Whether the record is a post of `listRecords` or `getRecord`."""
    value, uri = record.get("value"), record.get("uri")
    return isinstance(value, Mapping) and isinstance(uri, str) and f"/{_POST}/" in uri


def records(raw: ir.Table) -> ir.Table:
    """One post for each record, without counters."""
    uri = raw.uri.nullif("")
    columns = record_columns(raw.value, casts.Cell("seen", ibis.null("string"), ibis.null("int64")))
    columns |= {"post_id": uri, "url": post_url(uri), "author_id": author_of(uri)}
    return casts.mapped(
        raw,
        columns,
        extra={**record_extra(raw.value), "cid": raw.cid.nullif("")},
        rejects=[((~raw.uri.contains(f"/{_POST}/")).fill_null(True), "no address of a post")],
        required=["post_id"],
        reject_unread={"created_at": NO_TIME},
    )


def is_row(record: Mapping[str, Any]) -> bool:
    """Whether the record is flat, with a text and the `at://` address of a post."""
    uri = record.get("uri")
    flat = not any(isinstance(value, Mapping) for value in record.values())
    return flat and "text" in record and isinstance(uri, str) and uri.startswith("at://") and f"/{_POST}/" in uri


def rows(raw: ir.Table) -> ir.Table:
    """One post for each row of a table of posts."""
    uri = raw.uri.strip().nullif("")
    by = any_of(raw.author_did, raw.did, raw.author)
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("bluesky"),
            "post_id": uri,
            "url": post_url(uri),
            "author_id": ibis.coalesce(ibis.cases((by.startswith("did:"), by)), author_of(uri)),
            "author_name": handle(any_of(raw.author_handle, raw.handle, ibis.cases((~by.startswith("did:"), by)))),
            "created_at": casts.moment("created_at", any_of(raw.created_at, raw.createdAt, raw.indexed_at)),
            "text": casts.text(raw.text),
            "lang": any_of(raw.lang, raw.langs).re_extract("[A-Za-z]{2,3}(-[A-Za-z0-9]+)*", 0).nullif(""),
            "likes": casts.integer("likes", any_of(raw.like_count, raw.likeCount, raw.likes)),
            "comments": casts.integer("replies", any_of(raw.reply_count, raw.replyCount, raw.replies)),
            "shares": casts.integer("reposts", any_of(raw.repost_count, raw.repostCount, raw.reposts)),
        },
        metrics=[casts.integer("quotes", any_of(raw.quote_count, raw.quoteCount))],
        extra={"cid": raw.cid.nullif(""), "reply_to": raw.reply_to.nullif("")},
        required=["post_id", "text"],
        reject_unread={"created_at": "created_at is not a plausible time"},
    )


VIEWS: Final = Layout(
    platform="bluesky",
    name="posts",
    version=1,
    shape=Shape.OBJECT,
    raw=VIEW_RAW,
    matches=is_view,
    posts=views,
    description="Bluesky's API: post views of feeds, threads and searches",
    unwraps=(("feed",), ("posts",)),
    expand=expand,
)

RECORDS: Final = Layout(
    platform="bluesky",
    name="records",
    version=1,
    shape=Shape.OBJECT,
    raw=RECORD_RAW,
    matches=is_record,
    posts=records,
    description="records app.bsky.feed.post with their at:// address (listRecords, getRecord)",
    unwraps=(("records",),),
)

ROWS: Final = Layout(
    platform="bluesky",
    name="table",
    version=1,
    shape=Shape.ROW,
    raw=dict.fromkeys(COLUMNS, "string"),
    matches=is_row,
    posts=rows,
    description="flat posts of Bluesky with uri (at://…/app.bsky.feed.post/…) and text, JSON or table",
)
