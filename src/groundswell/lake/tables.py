"""How each table is stored: its partitions, the order of its rows, and the columns with statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from groundswell.errors import UnknownChoiceError
from groundswell.schema import AUTHORS, COMMENTS, FILL, LEDGER, POSTS, POSTS_PARTITION, QUARANTINE, RAW_INDEX

#: Rows of a Parquet row group; also how many rows are sorted together.
ROW_GROUP: Final = 65_536

#: Commit metadata under which the greatest `ingest_seq` ever given is kept.
SEQ_KEY: Final = "ingest_seq"

#: Key of the schema version in a table's Delta configuration.
VERSION_KEY: Final = "groundswell.schemaVersion"


#: Numbers that grow by little, and keys, whose lengths are all the same.
_ENCODED: Final = {
    **dict.fromkeys(("created_at", "ingest_seq", "origin_offset"), "DELTA_BINARY_PACKED"),
    "key": "DELTA_LENGTH_BYTE_ARRAY",
}
_IMPORTED: Final = ("source", "layout", "layout_version", "origin", "imported_at")


@dataclass(frozen=True, slots=True)
class TableLayout:
    """How one table lies on disk.

    `statistics` are the columns whose least and greatest value of a file stand in the Delta log, so that a
    reader can leave the file out; `repeated` the columns whose values recur, which are stored by dictionary; `encoded`
    those that another encoding of Parquet makes smaller, and quicker to write; `texts` those that people wrote, most of
    what there is to compress, and the level at which they are compressed for now: less than one where that saves time.
    """

    name: str
    schema: pa.Schema
    partition_by: tuple[str, ...] = ()
    sort_by: str | None = None
    numbered: str | None = None
    encoded: Mapping[str, str] = field(default_factory=dict)
    statistics: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    texts: Mapping[str, int] = field(default_factory=dict)

    @property
    def stored(self) -> pa.Schema:
        """The schema inside the Parquet files: partition columns stand in the folder names."""
        return pa.schema([field for field in self.schema if field.name not in self.partition_by])


TABLES: Final = {
    table.name: table
    for table in (
        TableLayout(
            "posts",
            POSTS,
            partition_by=POSTS_PARTITION,
            sort_by="created_at",
            numbered="ingest_seq",
            encoded=_ENCODED,
            statistics=("created_at", "ingest_seq", "observed_at", "imported_at", "views", "likes", "followers"),
            texts={"text": -3, "tokens": -50},  # the words stand in the text once more
            repeated=(
                "author_id",
                "author_name",
                "lang",
                "region",
                "kind",
                "music_id",
                "music_title",
                "music_author",
                "location",
                "hashtags.list.element",
                "challenges.list.element.id",
                "challenges.list.element.name",
                "metrics.key_value.key",
                "verified",
                *_IMPORTED,
                "followers",
                "following",
                "author_created_at",
            ),
        ),
        TableLayout(
            "authors",
            AUTHORS,
            partition_by=POSTS_PARTITION,
            numbered="ingest_seq",
            statistics=("created_at", "ingest_seq", "observed_at", "imported_at", "followers"),
            repeated=("lang", "region", "metrics.key_value.key", "verified", *_IMPORTED),
        ),
        TableLayout(
            "comments",
            COMMENTS,
            partition_by=POSTS_PARTITION,
            sort_by="created_at",
            numbered="ingest_seq",
            encoded=_ENCODED,
            statistics=("created_at", "ingest_seq", "observed_at", "imported_at", "likes"),
            repeated=("post_id", "author_id", "author_name", "lang", "metrics.key_value.key", *_IMPORTED),
        ),
        TableLayout(
            "quarantine",
            QUARANTINE,
            statistics=("at", "origin_offset"),
            repeated=("source", "origin", "platform", "layout", "reason", "hint", "state", "at"),
        ),
        TableLayout("ledger", LEDGER, statistics=("quarter",), repeated=("batch", "source", "origin", "quarter")),
        TableLayout(
            "raw_index",
            RAW_INDEX,
            statistics=("imported_at", "origin", "first_record", "last_record"),
            repeated=("batch", "source", "imported_at", "form", "encoding", "hint", "extents.list.element.object"),
        ),
        TableLayout("fill", FILL, statistics=("at",), repeated=("batch", "at", "layout", "kind", "name")),
    )
}


def table_layout(name: str) -> TableLayout:
    """How the table `name` is stored.

    Raises:
        UnknownChoiceError: there is no such table.
    """
    if name not in TABLES:
        kind = "table"
        raise UnknownChoiceError(kind, name, TABLES)
    return TABLES[name]
