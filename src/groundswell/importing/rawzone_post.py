"""The raw records behind a post: for each of its observations the record that it was read from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.dataset as ds

from groundswell.errors import NotFoundError, UsageError
from groundswell.importing.rawzone_read import record_at
from groundswell.lake import Lake, raw_index
from groundswell.lake.failures import told
from groundswell.lake.raw import RawReader
from groundswell.lake.raw_index import Kept
from groundswell.lake.tables import table_layout
from groundswell.stores import dataset, raw_root

if TYPE_CHECKING:
    from groundswell.settings import Settings

_KEY: Final = re.compile(r"[0-9a-f]{32}")
_COLUMNS: Final = (
    "post_id", "source", "layout", "layout_version", "origin", "origin_offset", "imported_at", "observed_at",
    "ingest_seq", "key",
)  # fmt: skip
_GONE: Final = "not kept: imported with --no-raw, or older than GROUNDSWELL_RAW_DAYS; import the file again to keep it"


@dataclass(frozen=True, slots=True)
class Behind:
    """One observation and the record that it was read from; `text` is null where that is not kept (`why`)."""

    platform: str
    post_id: str | None
    key: str
    source: str
    origin: str
    origin_offset: int
    layout: str
    layout_version: int
    imported_at: datetime
    observed_at: datetime | None
    form: str | None
    text: str | None
    why: str | None


def records_behind(lake: Lake, settings: Settings, post: str) -> list[Behind]:
    """The raw records behind the post `platform:id`, or the observation of a key in hex; oldest import first.

    Raises:
        UsageError: `post` is neither.
        NotFoundError: no such post is stored.
        UnavailableError: the lake cannot be read, or the raw content is damaged.
    """
    platform, sign, post_id = post.partition(":")
    if _KEY.fullmatch(post):
        found = _observations(lake, None, ds.field("key") == pa.scalar(bytes.fromhex(post), pa.binary()))
    elif sign and platform and post_id:
        found = _observations(lake, platform, ds.field("post_id") == post_id)
    else:
        what = "not a post"
        raise UsageError(
            what, where=post, hint="write platform:id (`tiktok:7312…`), or the key of an observation in hex"
        )
    if not found:
        what = "no such post is stored"
        raise NotFoundError(what, where=post, hint="`groundswell posts` finds posts and shows their platform and id")
    reader = RawReader(raw_root(settings))
    index: dict[tuple[str, str], list[Kept]] = {}
    return [_behind(row, reader, index, lake, settings) for row in found]


def _observations(lake: Lake, platform: str | None, wanted: Any) -> list[dict[str, Any]]:
    snapshot = lake.snapshot("posts", platforms=None if platform is None else [platform])
    found: list[dict[str, Any]] = []
    stored = table_layout("posts").stored
    with told("read the table `posts`", lake.path("posts")):
        for file in snapshot.files:
            # One file after another: a scan of all of them at once would hold more.
            rows = dataset([file], stored).to_table(columns=list(_COLUMNS), filter=wanted)
            of = next(part.removeprefix("platform=") for part in file.parts if part.startswith("platform="))
            found += [row | {"platform": of} for row in rows.to_pylist()]
    return sorted(found, key=lambda row: row["ingest_seq"])


def _behind(
    row: dict[str, Any], reader: RawReader, index: dict[tuple[str, str], list[Kept]], lake: Lake, settings: Settings
) -> Behind:
    place = (row["source"], row["origin"])
    if place not in index:
        index[place] = raw_index.of_origin(lake, *place)
    imported_us = int(pa.scalar(row["imported_at"], pa.timestamp("us", "UTC")).value)
    entry = raw_index.at(index[place], imported_us, row["origin_offset"])
    record = None if entry is None else record_at(reader, entry, row["origin_offset"], settings)
    return Behind(
        platform=row["platform"],
        post_id=row["post_id"],
        key=row["key"].hex(),
        source=row["source"],
        origin=row["origin"],
        origin_offset=row["origin_offset"],
        layout=row["layout"],
        layout_version=row["layout_version"],
        imported_at=row["imported_at"],
        observed_at=row["observed_at"],
        form=None if entry is None else entry.form,
        text=None if record is None else pretty(record),
        why=None if record is not None else _GONE,
    )


def pretty(record: bytes) -> str:
    """A record as people read it: JSON on lines of its own, numbers and repeated keys as they stand; else the text.

    >>> print(pretty(b'{"id":12345678901234567890123,"n":1.10}'))
    {
      "id": 12345678901234567890123,
      "n": 1.10
    }
    """
    text = record.decode("utf-8", "replace")
    try:
        value = json.loads(
            text, parse_float=_Number, parse_int=_Number, parse_constant=_Number, object_pairs_hook=_Pairs
        )
        return "".join(_lines(value, "\n"))
    except (ValueError, RecursionError):
        return text


class _Number(str):
    """A number as it stands: an id never passes through a float."""

    __slots__ = ()


class _Pairs(list[tuple[str, Any]]):
    """An object with all of its keys, in order."""


def _lines(value: Any, line: str) -> Iterator[str]:
    inner = line + "  "
    if isinstance(value, _Number):
        yield value
    elif isinstance(value, _Pairs) and value:
        yield "{"
        for at, (key, item) in enumerate(value):
            yield f"{',' if at else ''}{inner}{_plain(key)}: "
            yield from _lines(item, inner)
        yield line + "}"
    elif isinstance(value, list) and value:
        yield "["
        for at, item in enumerate(value):
            yield f"{',' if at else ''}{inner}"
            yield from _lines(item, inner)
        yield line + "]"
    elif isinstance(value, list):
        yield "{}" if isinstance(value, _Pairs) else "[]"
    else:
        yield _plain(value)


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
