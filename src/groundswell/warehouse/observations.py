"""Observations of the lake as the warehouse takes them in: some columns of `posts` and `authors`, by their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from groundswell.lake.failures import told
from groundswell.lake.tables import table_layout
from groundswell.lake.terms import content_identity
from groundswell.stores import dataset

if TYPE_CHECKING:
    from groundswell.lake import Lake

#: Numbers of rows that one transaction takes.
STEP: Final = 50_000

_POSTS: Final = (
    *("platform", "post_id", "url", "author_id", "author_name", "created_at", "observed_at", "text", "lang", "region"),
    *("kind", "duration_s", "views", "likes", "comments", "shares", "saves", "followers", "following", "verified"),
    *("author_created_at", "music_id", "music_title", "music_author", "location", "source", "layout", "imported_at"),
    *("hashtags", "challenges", "ingest_seq"),
)
_AUTHORS: Final = (
    *("platform", "author_id", "author_name", "display_name", "url", "text", "region", "created_at", "observed_at"),
    *("followers", "following", "verified", "ingest_seq"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows with numbers up to `last`."""

    rows: pa.Table
    last: int


def posts(lake: Lake, after: int) -> Iterator[Part]:
    """Observations with numbers above `after`, in the order of their numbers."""
    for part in _parts(lake, "posts", _POSTS, after):
        rows = part.rows
        identity = pc.coalesce(rows["post_id"], _hashed(content_identity(rows), rows["post_id"]))
        rows = rows.append_column("post", identity)
        rows = rows.append_column("creator", pc.coalesce(rows["author_id"], rows["author_name"]))
        rows = rows.append_column("sound", pc.coalesce(rows["music_id"], rows["music_title"]))
        rows = rows.append_column("musician", rows["music_author"])
        yield Part(rows.drop_columns(["post_id", "author_id", "music_id", "music_author"]), part.last)


def authors(lake: Lake, after: int) -> Iterator[Part]:
    """Observations of accounts with numbers above `after`."""
    for part in _parts(lake, "authors", _AUTHORS, after):
        rows = part.rows.append_column("creator", pc.coalesce(part.rows["author_id"], part.rows["author_name"]))
        rows = rows.filter(pc.is_valid(rows["creator"])).drop_columns(["author_id", "url"])
        names = ["about" if name == "text" else name for name in rows.column_names]
        names = ["account_created_at" if name == "created_at" else name for name in names]
        yield Part(rows.rename_columns(names), part.last)


def _parts(lake: Lake, table: str, columns: tuple[str, ...], after: int) -> Iterator[Part]:
    last = lake.last_number(table)
    schema = pa.schema([table_layout(table).schema.field(name) for name in columns])
    files = lake.snapshot(table, after_number=after).files
    while after < last and files:
        upto = min(after + STEP, last)
        number = ds.field("ingest_seq")
        with told(f"read the table `{table}`", lake.path(table)):
            found = dataset(files, schema).to_table(columns=list(columns), filter=(number > after) & (number <= upto))
        if found.num_rows:
            yield Part(found.combine_chunks(), upto)
        after = upto


def _hashed(contents: pa.Array, ids: pa.ChunkedArray) -> pa.Array:
    """A short name for each post without an id; null where there is one."""
    return pa.array(
        [
            f"content:{blake2b(text.encode(), digest_size=16).hexdigest()}" if missing else None
            for text, missing in zip(contents.to_pylist(), pc.is_null(ids).to_pylist(), strict=True)
        ],
        pa.string(),
    )
