"""The one definition of the tables: what a post is, with every field's meaning and unit.

Everything that stores, maps or shows a post takes its columns from here. A missing value is null, never 0.
Times are UTC with microseconds. Identifiers are text and never pass through a float.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pyarrow as pa

SCHEMA_VERSION: Final = 1

TIMESTAMP: Final = pa.timestamp("us", tz="UTC")
TEXTS: Final = pa.list_(pa.string())
CHALLENGES: Final = pa.list_(pa.struct([("id", pa.string()), ("name", pa.string())]))
METRICS: Final = pa.map_(pa.string(), pa.int64())

KINDS: Final = ("video", "image", "carousel", "text", "link")
COUNTERS: Final = ("views", "likes", "comments", "shares", "saves")


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a table: its Arrow type, what it means, its unit, and who fills it."""

    name: str
    type: pa.DataType
    meaning: str
    unit: str = ""
    filled_by: str = "layout"

    def to_arrow(self) -> pa.Field:
        """The Arrow field, with the meaning as metadata."""
        return pa.field(self.name, self.type, metadata={"meaning": self.meaning, "unit": self.unit})


_POST_LAYOUT: Final = (
    Field("platform", pa.string(), "where it was posted: tiktok, youtube, x, …; `unknown` if nothing says"),
    Field("post_id", pa.string(), "the platform's own id; null where the record has none"),
    Field("url", pa.string(), "the public address of the post"),
    Field("author_id", pa.string(), "the platform's own id of the author"),
    Field("author_name", pa.string(), "the author's handle, without @"),
    Field("created_at", TIMESTAMP, "when it was posted (event time)", "UTC"),
    Field(
        "observed_at",
        TIMESTAMP,
        "when the counters were seen: what the record says, else null for files and the receive time for streams",
        "UTC",
    ),
    Field("text", pa.string(), "caption, title and description, or transcript, as written"),
    Field("lang", pa.string(), "language as the platform states it (BCP 47)"),
    Field(
        "region",
        pa.string(),
        "country or region as the platform states it (ISO 3166-1 alpha-2 where possible)",
    ),
    Field("hashtags", TEXTS, "lower-case, without #, each once, in order of appearance"),
    Field("challenges", CHALLENGES, "the platform's own challenge pages: id and name"),
    Field("mentions", TEXTS, "handles mentioned, lower-case, without @"),
    Field("urls", TEXTS, "links in the text"),
    Field("kind", pa.string(), "video, image, carousel, text or link"),
    Field("duration_s", pa.float64(), "length of the video", "seconds"),
    Field("views", pa.int64(), "plays or views, as the platform defines them on that date", "count"),
    Field("likes", pa.int64(), "likes, hearts, favourites", "count"),
    Field("comments", pa.int64(), "comments or replies", "count"),
    Field("shares", pa.int64(), "shares, retweets, reposts", "count"),
    Field("saves", pa.int64(), "saves or bookmarks", "count"),
    Field("metrics", METRICS, "whatever else the platform counts, by its own name", "count"),
    Field("music_id", pa.string(), "the platform's id of the sound"),
    Field("music_title", pa.string(), "title of the sound"),
    Field("music_author", pa.string(), "musician or owner of the sound"),
    Field("location", pa.string(), "place name as given"),
    Field("media_urls", TEXTS, "addresses of images or videos"),
    Field("followers", pa.int64(), "followers of the author at that time", "count"),
    Field("following", pa.int64(), "accounts that the author follows", "count"),
    Field("verified", pa.bool_(), "the platform's verified badge"),
    Field("author_created_at", TIMESTAMP, "when the account was made", "UTC"),
    Field(
        "extra",
        pa.string(),
        "what else is worth keeping, as a JSON object; `unread` holds cells that could not be read, by field",
    ),
)

_AUTHOR_LAYOUT: Final = (
    Field("platform", pa.string(), "where the account is"),
    Field("author_id", pa.string(), "the platform's own id of the account"),
    Field("author_name", pa.string(), "the handle, without @"),
    Field("display_name", pa.string(), "the name that the account shows"),
    Field("url", pa.string(), "the public address of the account"),
    Field("text", pa.string(), "what the account says about itself, as written"),
    Field("lang", pa.string(), "language as the platform states it (BCP 47)"),
    Field("region", pa.string(), "country or region as the platform states it (ISO 3166-1 alpha-2 where possible)"),
    Field("created_at", TIMESTAMP, "when the account was made", "UTC"),
    Field(
        "observed_at",
        TIMESTAMP,
        "when the counters were seen: what the record says, else null for files and the receive time for streams",
        "UTC",
    ),
    Field("followers", pa.int64(), "followers or subscribers", "count"),
    Field("following", pa.int64(), "accounts that it follows", "count"),
    Field("posts", pa.int64(), "posts or videos that it made", "count"),
    Field("likes", pa.int64(), "likes that it received in all", "count"),
    Field("views", pa.int64(), "views that it received in all", "count"),
    Field("verified", pa.bool_(), "the platform's verified badge"),
    Field("metrics", METRICS, "whatever else the platform counts, by its own name", "count"),
    Field("extra", pa.string(), "what else is worth keeping, as a JSON object; `unread` as in posts"),
)

_COMMENT_LAYOUT: Final = (
    Field("platform", pa.string(), "where it was written"),
    Field("comment_id", pa.string(), "the platform's own id; null where the record has none"),
    Field("post_id", pa.string(), "the platform's id of the post that it is under"),
    Field("parent_id", pa.string(), "the comment that it answers; null at the top level"),
    Field("url", pa.string(), "the public address of the comment"),
    Field("author_id", pa.string(), "the platform's own id of the author"),
    Field("author_name", pa.string(), "the author's handle, without @"),
    Field("created_at", TIMESTAMP, "when it was written (event time)", "UTC"),
    Field(
        "observed_at",
        TIMESTAMP,
        "when the counters were seen: what the record says, else null for files and the receive time for streams",
        "UTC",
    ),
    Field("text", pa.string(), "the comment as written"),
    Field("lang", pa.string(), "language as the platform states it (BCP 47)"),
    Field("likes", pa.int64(), "likes of the comment", "count"),
    Field("replies", pa.int64(), "answers to it", "count"),
    Field("metrics", METRICS, "whatever else the platform counts, by its own name", "count"),
    Field("extra", pa.string(), "what else is worth keeping, as a JSON object; `unread` as in posts"),
)

#: What the import adds to every row of the three tables.
_IMPORT: Final = (
    Field("source", pa.string(), "name of the source that delivered it", filled_by="import"),
    Field("layout", pa.string(), "name of the layout that read it, as platform.layout", filled_by="import"),
    Field("layout_version", pa.int32(), "version of that layout", filled_by="import"),
    Field("origin", pa.string(), "file or partition that it came from", filled_by="import"),
    Field(
        "origin_offset",
        pa.int64(),
        "where in the origin: byte offset of the record, or its row number in a table",
        filled_by="import",
    ),
    Field("imported_at", TIMESTAMP, "when it was imported", "UTC", filled_by="import"),
    Field("ingest_seq", pa.int64(), "monotonic number of the row in the lake", filled_by="import"),
)
_TOKENS: Final = (
    Field(
        "tokens",
        pa.string(),
        "the words of the text, folded (NFKC, case), one space between and around; see `groundswell.text.tokens`",
        filled_by="import",
    ),
)
_PLACE: Final = (
    Field(
        "key",
        pa.binary(),
        "16-byte key of the observation: platform, id (or content), observed_at and counters",
        filled_by="import",
    ),
    Field("month", pa.string(), "partition: YYYY-MM of created_at, or `unknown`", filled_by="import"),
)

POST_FIELDS: Final = (*_POST_LAYOUT, *_IMPORT, *_TOKENS, *_PLACE)
AUTHOR_FIELDS: Final = (*_AUTHOR_LAYOUT, *_IMPORT, *_PLACE)
COMMENT_FIELDS: Final = (*_COMMENT_LAYOUT, *_IMPORT, *_TOKENS, *_PLACE)

#: The fields of each table that layouts write to.
FIELDS: Final = {"posts": POST_FIELDS, "authors": AUTHOR_FIELDS, "comments": COMMENT_FIELDS}

POSTS: Final = pa.schema([f.to_arrow() for f in POST_FIELDS])
AUTHORS: Final = pa.schema([f.to_arrow() for f in AUTHOR_FIELDS])
COMMENTS: Final = pa.schema([f.to_arrow() for f in COMMENT_FIELDS])
POSTS_PARTITION: Final = ("platform", "month")

#: The columns that a layout's expression may give; what it leaves out is null.
MAPPED: Final = pa.schema([f.to_arrow() for f in _POST_LAYOUT])
MAPPED_AUTHORS: Final = pa.schema([f.to_arrow() for f in _AUTHOR_LAYOUT])
MAPPED_COMMENTS: Final = pa.schema([f.to_arrow() for f in _COMMENT_LAYOUT])
#: The same by table.
MAPPED_OF: Final = {"posts": MAPPED, "authors": MAPPED_AUTHORS, "comments": MAPPED_COMMENTS}

#: Added by every layout: why the row is unusable (null: usable) and the cells that could not be read
#: (null: all were), as one text `field=raw; field=raw`.
REJECT: Final = "reject"
UNREAD: Final = "unread"

QUARANTINE: Final = pa.schema(
    [
        pa.field("id", pa.string(), metadata={"meaning": "hash of origin, offset and raw bytes"}),
        pa.field("at", TIMESTAMP, metadata={"meaning": "when it was set aside"}),
        pa.field("source", pa.string()),
        pa.field("origin", pa.string()),
        pa.field("origin_offset", pa.int64()),
        pa.field("row", pa.int64(), metadata={"meaning": "line or row number from 1"}),
        pa.field("platform", pa.string()),
        pa.field("layout", pa.string()),
        pa.field("reason", pa.string(), metadata={"meaning": "what a person is told, without the value"}),
        pa.field("detail", pa.string(), metadata={"meaning": "the reason with the value"}),
        pa.field(
            "raw",
            pa.binary(),
            metadata={"meaning": "the record's bytes (the first 64 KB if it is oversized)"},
        ),
        pa.field("raw_bytes", pa.int64(), metadata={"meaning": "length of the whole record"}),
        pa.field("raw_sha256", pa.string()),
        pa.field(
            "hint",
            pa.string(),
            metadata={"meaning": "JSON: how the record was read (columns, map, time zone)"},
        ),
        pa.field("state", pa.string(), metadata={"meaning": "held, or resolved once a retry stored it"}),
    ]
)

LEDGER: Final = pa.schema(
    [
        pa.field("batch", pa.string(), metadata={"meaning": "the import unit or stream batch that wrote the row"}),
        pa.field("source", pa.string()),
        pa.field("origin", pa.string(), metadata={"meaning": "file or partition"}),
        pa.field("quarter", TIMESTAMP, metadata={"meaning": "start of the quarter hour of receipt"}),
        pa.field("received", pa.int64()),
        pa.field("stored", pa.int64()),
        pa.field("known", pa.int64()),
        pa.field("rejected", pa.int64()),
        pa.field("ignored", pa.int64()),
    ]
)

CONNECTIONS: Final = pa.schema(
    [
        pa.field("source", pa.string()),
        pa.field("connected_from", TIMESTAMP),
        pa.field("connected_to", TIMESTAMP),
    ]
)

#: Where a piece of raw content lies: from `start`, `length` bytes of one zstd frame, which is `packed` bytes from
#: `offset` of the file `object`. `content` is the place of its first byte in the content.
EXTENT: Final = pa.struct(
    [
        pa.field("content", pa.int64()),
        pa.field("length", pa.int64()),
        pa.field("object", pa.string()),
        pa.field("offset", pa.int64()),
        pa.field("packed", pa.int64()),
        pa.field("start", pa.int64()),
    ]
)

RAW_INDEX: Final = pa.schema(
    [
        pa.field("batch", pa.string(), metadata={"meaning": "the transaction that brought it, as the posts' commit"}),
        pa.field("part", pa.int64(), metadata={"meaning": "number of that transaction"}),
        pa.field("source", pa.string()),
        pa.field("origin", pa.string(), metadata={"meaning": "file or partition, as in posts"}),
        pa.field("imported_at", TIMESTAMP, metadata={"meaning": "as in the posts that were read from it"}),
        pa.field("identity", pa.string(), metadata={"meaning": "name, size and time of change of a file"}),
        pa.field("head", pa.string(), metadata={"meaning": "hash of the first 64 KB of the content"}),
        pa.field("position", pa.int64(), metadata={"meaning": "place of its first byte in the content of the origin"}),
        pa.field("length", pa.int64(), metadata={"meaning": "bytes of content"}),
        pa.field("form", pa.string(), metadata={"meaning": "ndjson, json, table, …; stream: numbered records"}),
        pa.field("encoding", pa.string()),
        pa.field("delimiter", pa.string()),
        pa.field("hint", pa.string(), metadata={"meaning": "JSON: what a person chose (layout, map, platform, zone)"}),
        pa.field("first_record", pa.int64(), metadata={"meaning": "of numbered records: the least number"}),
        pa.field("last_record", pa.int64(), metadata={"meaning": "of numbered records: the greatest number"}),
        pa.field("extents", pa.list_(EXTENT)),
        pa.field("places", EXTENT, metadata={"meaning": "numbers, receive times and places of numbered records"}),
    ]
)

FILL: Final = pa.schema(
    [
        pa.field("batch", pa.string(), metadata={"meaning": "the transaction that brought it; null: days joined"}),
        pa.field("at", TIMESTAMP, metadata={"meaning": "when the records were taken in"}),
        pa.field("layout", pa.string()),
        pa.field("layout_version", pa.int32()),
        pa.field(
            "kind",
            pa.string(),
            metadata={"meaning": "field of the table, key that the layout does not read, unread cell, or record"},
        ),
        pa.field("name", pa.string(), metadata={"meaning": "of a key: its path, with dots"}),
        pa.field("records", pa.int64(), metadata={"meaning": "records that were looked at"}),
        pa.field("filled", pa.int64(), metadata={"meaning": "those in which it has a value"}),
        pa.field("examples", TEXTS, metadata={"meaning": "some values, cut short"}),
    ]
)
