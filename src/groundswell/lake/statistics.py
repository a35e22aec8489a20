"""Statistics of a Parquet file for the Delta log, and what they mean when a reader leaves files out."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pyarrow.parquet as pq

#: Delta keeps times by the millisecond; a file's true greatest value may be almost one later.
ROUNDING: Final = timedelta(milliseconds=1)


def file_statistics(metadata: pq.FileMetaData, columns: tuple[str, ...]) -> str:
    """The Delta `stats` document of one file: rows, least and greatest values and null counts of `columns`."""
    least: dict[str, Any] = {}
    greatest: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    for position in _positions(metadata, columns):
        name = metadata.schema.column(position).name
        chunks = [metadata.row_group(g).column(position).statistics for g in range(metadata.num_row_groups)]
        if any(chunk is None for chunk in chunks):
            continue
        nulls[name] = sum(chunk.null_count or 0 for chunk in chunks)
        bounded = [chunk for chunk in chunks if chunk.has_min_max]
        if bounded:
            least[name] = _plain(min(chunk.min for chunk in bounded))
            greatest[name] = _plain(max(chunk.max for chunk in bounded))
    return json.dumps({"numRecords": metadata.num_rows, "minValues": least, "maxValues": greatest, "nullCount": nulls})


def _positions(metadata: pq.FileMetaData, columns: tuple[str, ...]) -> list[int]:
    paths = [metadata.schema.column(i).path for i in range(metadata.num_columns)]
    return [position for position, path in enumerate(paths) if path in columns]


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
    if isinstance(value, date):
        return value.isoformat()
    return value
