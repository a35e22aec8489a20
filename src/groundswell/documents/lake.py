"""Documents about posts and records: import, posts, trends, ledger, quarantine."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import pyarrow as pa
from pydantic import Field, create_model

from groundswell.documents.base import Count, Fraction, Printed, Seconds
from groundswell.marts.latest import FOUND
from groundswell.web.analysis_models import MetricDefinition
from groundswell.web.data_models import Connection


class Sums(Printed):
    """What became of records: read = stored + known + rejected + ignored."""

    read: Count
    stored: Annotated[Count, Field(description="new observations")]
    known: Annotated[Count, Field(description="the same observation was stored before")]
    rejected: Annotated[Count, Field(description="in quarantine, with the reason and the raw bytes")]
    ignored: Annotated[Count, Field(description="no post: a delete event, a channel in a search answer")]


class ImportedLayout(Sums):
    """The records of one file that one layout read."""

    platform: str | None
    layout: Annotated[str | None, Field(description="platform.layout; null for records that no layout knows")]
    table: Annotated[
        Literal["posts", "authors", "comments"] | None,
        Field(description="the table that they go to; null if nothing of them is stored or known"),
    ]
    reasons: Annotated[dict[str, Count], Field(description="rejected records by reason")]
    ignored_reasons: Annotated[dict[str, Count], Field(description="ignored records by reason")]


class CursorMark(Printed):
    """How far the cursor column of a database was read."""

    column: str
    seen: Annotated[dict[str, str], Field(description="the greatest value of each kind that the column holds, as text")]


class ImportedFile(Sums):
    """One file, one member of an archive (`a.zip::b.csv`), or what a database was asked."""

    path: str
    layouts: list[ImportedLayout]
    seconds: Seconds
    bytes: Count
    error: Annotated[str | None, Field(description="why it could not be read to its end; null: it was")]
    examples: Annotated[dict[str, str], Field(description="for each reason, a rejected record and its line")]
    notes: Annotated[list[str], Field(description="what is peculiar in it, in sentences")]
    cursor: Annotated[CursorMark | None, Field(description="the next import with this --cursor reads from here")]


class ImportEstimate(Printed):
    """What a large import was expected to take, by a sample."""

    files: Count
    bytes: Count
    rows: Count | None
    seconds: float | None
    disk_bytes: Count | None
    free_bytes: Annotated[Count | None, Field(description="null where nobody knows: an object store")]
    sampled_rows: Count


class ImportDocument(Sums):
    """`groundswell import --json`."""

    seconds: Seconds
    bytes: Count
    files: list[ImportedFile]
    estimate: Annotated[ImportEstimate | None, Field(description="null for what is imported soon")]


def _json_type(kind: pa.DataType) -> Any:  # noqa: PLR0911 - one line a type
    if pa.types.is_timestamp(kind):
        return datetime
    if pa.types.is_integer(kind):
        return int
    if pa.types.is_floating(kind):
        return float
    if pa.types.is_boolean(kind):
        return bool
    if pa.types.is_map(kind):
        return dict[str, int]
    if pa.types.is_list(kind):
        return list[_json_type(kind.value_type)]  # type: ignore[misc]  # a type that is found at run time
    if pa.types.is_struct(kind):
        return dict[str, str | None]
    return str


def _of_arrow(name: str, doc: str, schema: pa.Schema) -> type[Printed]:
    """A document with the columns of an Arrow schema, every one nullable."""
    fields: dict[str, Any] = {}
    for column in schema:
        meaning = (column.metadata or {}).get(b"meaning", b"").decode()
        fields[column.name] = (_json_type(column.type) | None, Field(description=meaning or None))
    return create_model(name, __base__=Printed, __doc__=doc, **fields)


FoundPost: Final = _of_arrow("FoundPost", "A post: its latest observation.", FOUND)


class PostsDocument(Printed):
    """`groundswell posts --json` (and `--format json`)."""

    query: str
    sort: Literal["latest", "likes", "views", "engagement"]
    limit: Annotated[int, Field(ge=1)]
    found: Annotated[Count, Field(description="posts given, at most `limit`")]
    seconds: float
    lake_version: Annotated[int | None, Field(description="version of the table `posts`; null while it is empty")]
    definitions: Annotated[
        list[MetricDefinition], Field(description="changes of what the sorted metric means that the posts cross")
    ]
    out: Annotated[str | None, Field(description="file that was written, if --out was given")]
    items: Annotated[list[FoundPost] | None, Field(description="the posts; null if they went to a file")]  # type: ignore[valid-type]  # made from the schema


class TrendWindow(Printed):
    """A stretch of event time: after `after`, up to and with `to`."""

    after: datetime
    to: datetime


class Trend(Printed):
    """One thing and how its share of all voices changed."""

    key: Annotated[str, Field(description="hashtag or musician, or the platform's id of the sound, challenge, creator")]
    label: Annotated[str | None, Field(description="what a person reads")]
    platform: Annotated[str | None, Field(description="whose id it is; null for hashtags and musicians")]
    posts: Count
    voices: Annotated[Count, Field(description="distinct authors; a post without a known author is one of its own")]
    posts_before: Count
    voices_before: Annotated[Count, Field(description="sum over the windows before")]
    change: Annotated[float | None, Field(description="share now / share before, median; null: nothing before")]
    lower: Annotated[float | None, Field(description="2.5 % end of its interval")]
    upper: Annotated[float | None, Field(description="97.5 % end of its interval")]
    sure: Annotated[Fraction | None, Field(description="probability that it rose")]


class TrendsDocument(Printed):
    """`groundswell trends --json`."""

    by: Literal["hashtag", "sound", "musician", "challenge", "creator"]
    window_s: float
    windows: Annotated[list[TrendWindow], Field(description="the last window, then those before that hold posts")]
    posts: Count
    voices: Count
    posts_before: Count
    voices_before: Count
    definitions: Annotated[
        list[MetricDefinition], Field(description="changes of what a counter means that the windows cross")
    ]
    seconds: float
    lake_version: int | None
    items: Annotated[list[Trend], Field(description="surest rise first: by `lower`, then `voices`")]


class LedgerLine(Printed):
    """One source (and file or partition) in one quarter hour: received = stored + known + rejected + ignored."""

    quarter: datetime
    source: str
    origin: str
    received: Count
    stored: Count
    known: Count
    rejected: Count
    ignored: Count


class LedgerDocument(Printed):
    """`groundswell ledger --json`."""

    quarters: Annotated[list[LedgerLine], Field(description="newest first")]
    connections: list[Connection]


class HeldRow(Printed):
    """A record in quarantine."""

    id: str
    at: datetime
    source: str | None
    origin: str | None
    origin_offset: int | None
    row: Annotated[int | None, Field(description="line or row number from 1")]
    platform: str | None
    layout: str | None
    reason: str
    detail: str | None
    raw: Annotated[str, Field(description="the record's bytes as text; `list` gives the first 200 characters")]
    raw_bytes: int | None
    raw_sha256: str | None
    hint: str | None
    state: Literal["held", "resolved"]


class QuarantineListDocument(Printed):
    """`groundswell quarantine list --json`."""

    held: Count
    reasons: Annotated[dict[str, Count], Field(description="how many are held for each reason, most first")]
    rows: list[HeldRow]


class QuarantineShowDocument(HeldRow):
    """`groundswell quarantine show --json`."""


class QuarantineRetryDocument(Printed):
    """`groundswell quarantine retry --json`: read = stored + known + ignored + held."""

    read: Count
    stored: Count
    known: Count
    ignored: Count
    held: Annotated[Count, Field(description="still not readable")]
