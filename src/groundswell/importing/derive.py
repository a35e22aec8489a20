"""From what a layout gives to whole rows of `posts`: words, tags, key, month, and where the row came from."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.importing.same import same
from groundswell.schema import FIELDS, MAPPED_OF, POSTS, TEXTS, UNREAD
from groundswell.text.keys import observation_keys
from groundswell.text.tags import hashtags_of, mentions_of, urls_of
from groundswell.text.tokens import Words, read_words

if TYPE_CHECKING:
    from groundswell.platforms.layout import Layout

UNKNOWN: Final = "unknown"
#: Columns of each table that `derive` gives: all but the number, which the lake gives out.
DERIVED_OF: Final = {
    name: pa.schema([field.to_arrow() for field in fields if field.name != "ingest_seq"])
    for name, fields in FIELDS.items()
}
DERIVED: Final = DERIVED_OF["posts"]

_PLATFORM: Final = re.compile(r"[^a-z0-9._-]+")
_CELLS: Final = re.compile(r"; (?=\w+=)")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where records come from: the source's name, the file or partition, and when they were imported (µs)."""

    source: str
    origin: str
    imported_us: int


def derive(
    mapped: pa.Table,
    layout: Layout,
    origin: Origin,
    offsets: np.ndarray[Any, Any],
    received_us: np.ndarray[Any, Any] | None = None,
    words: Words | None = None,
) -> pa.Table:
    """Rows of `DERIVED_OF` the layout's table from its usable rows (what it maps + `unread`), in the same order.

    `offsets` are the places of the records in the origin; `received_us` (streams) stands in for an
    `observed_at` that the record does not state, after the key was made of what it does state. `words` are those of
    the texts, where somebody has read them already.
    """
    schema = DERIVED_OF[layout.table]
    columns = {name: _whole(mapped[name]) for name in MAPPED_OF[layout.table].names}
    count = mapped.num_rows
    columns["platform"] = _platforms(columns["platform"], layout.platform)
    text = columns["text"]
    if words is None and "tokens" in schema.names:
        words = read_words(text)
    if words is not None:
        columns["tokens"] = words.tokens
    if words is not None and "hashtags" in columns:
        columns["hashtags"] = filled(columns["hashtags"], text, hashtags_of, words.hashtags)
        columns["mentions"] = filled(columns["mentions"], text, mentions_of, words.mentions)
        columns["urls"] = filled(columns["urls"], text, urls_of, words.links)
    columns["extra"] = _with_unread(columns["extra"], _whole(mapped[UNREAD]))
    columns["key"] = observation_keys(pa.table(columns), layout.table)
    if received_us is not None:
        seen = pa.array(received_us, pa.int64()).cast(pa.timestamp("us")).cast(columns["observed_at"].type)
        columns["observed_at"] = pc.coalesce(columns["observed_at"], seen)
    columns["month"] = _months(columns["created_at"])
    columns["source"] = same(origin.source, count)
    columns["layout"] = same(layout.id, count)
    columns["layout_version"] = pa.repeat(pa.scalar(layout.version, pa.int32()), count)
    columns["origin"] = same(origin.origin, count)
    columns["origin_offset"] = pa.array(offsets, pa.int64())
    columns["imported_at"] = pa.repeat(pa.scalar(origin.imported_us, POSTS.field("imported_at").type), count)
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    if not isinstance(column, pa.ChunkedArray):
        return column
    # Combining copies even a single chunk.
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _platforms(given: pa.Array, default: str) -> pa.Array:
    """Platform names as they can stand in a folder name: lower-case letters, digits, `.`, `_`, `-`."""
    if given.null_count == len(given):
        return same(default or UNKNOWN, len(given))
    encoded = pc.dictionary_encode(given)
    names = [
        _PLATFORM.sub("-", str(name).strip().lower()).strip("-.") or UNKNOWN for name in encoded.dictionary.to_pylist()
    ]
    return pc.fill_null(pc.take(pa.array(names, pa.string()), encoded.indices), default or UNKNOWN)


def filled(given: pa.Array, text: pa.Array, extract: Any, rows: np.ndarray[Any, Any] | None) -> pa.Array:
    """What the layout gave, and what the text holds (in `rows`, if that is known) where it gave nothing."""
    if not given.null_count:
        return given
    if given.null_count == len(given):
        return extract(text, rows).cast(TEXTS)
    missing = pc.is_null(given)
    if rows is None:
        text = pc.if_else(missing, text, pa.scalar(None, pa.string()))
    else:  # which leaves out those that are not missing, without a copy of all texts
        rows = rows & missing.to_numpy(zero_copy_only=False)
    found = extract(text, rows).cast(TEXTS)
    return pc.if_else(missing, found, given.cast(TEXTS))


def _months(created: pa.Array) -> pa.Array:
    """`YYYY-MM` of each time, `unknown` for null."""
    micros = created.cast(pa.int64())
    if len(created) and not created.null_count:
        # What came together was mostly made in one month, which the first and the last tell.
        first, last = (_month_of(end.as_py()) for end in pc.min_max(micros).values())
        if first == last:
            return same(first, len(created))
    months = pc.fill_null(micros, 0).to_numpy(zero_copy_only=False).astype("datetime64[us]").astype("datetime64[M]")
    found, codes = np.unique(months, return_inverse=True)
    names = pa.array([str(month) for month in found], pa.string())
    codes = pa.array(codes.astype(np.int32).ravel(), mask=pc.is_null(micros).to_numpy(zero_copy_only=False))
    return pc.fill_null(pc.take(names, codes), UNKNOWN)


def _month_of(micros: int) -> str:
    return str(np.datetime64(micros, "us").astype("datetime64[M]"))


def _with_unread(extra: pa.Array, unread: pa.Array) -> pa.Array:
    """`extra` with the cells that could not be read under `unread`; few rows have any."""
    if unread.null_count == len(unread):
        return extra
    merged = extra.to_pylist()
    for row in np.flatnonzero(pc.is_valid(unread).to_numpy(zero_copy_only=False)):
        document = json.loads(merged[row]) if merged[row] else {}
        document["unread"] = unread_cells(unread[row].as_py())
        merged[row] = json.dumps(document, ensure_ascii=False)
    return pa.array(merged, pa.string())


def unread_cells(text: str) -> dict[str, str]:
    """The cells that could not be read, by field.

    >>> unread_cells("likes=many; views=1,5; 3")
    {'likes': 'many', 'views': '1,5; 3'}
    """
    pairs = (cell.partition("=") for cell in _CELLS.split(text))
    return {name: value for name, _, value in pairs}
