"""Documents of what came in: sources, the ledger, the quarantine, imports, layouts.

As in `models.py`: times are RFC 3339 UTC, a value that is not known is null and never 0, fractions are 0 to 1.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from groundswell.web.models import Document

SourceKind = Literal["files", "stream"]
SlotState = Literal["data", "quiet", "gap", "before"]


class Counts(Document):
    """What became of records: received = stored + known + rejected + ignored."""

    received: int = 0
    stored: int = 0
    known: int = 0
    rejected: int = 0
    ignored: int = 0


class Source(Document):
    """One source: all imported files together, or a stream."""

    name: str
    kind: SourceKind
    files: int | None
    """Files that were imported; null for a stream."""
    last_received_at: datetime | None
    last_day: Counts
    """Of the last 24 hours."""
    total: Counts
    connected: bool | None
    """Whether it is connected now; null for files."""
    connected_since: datetime | None
    """When it was connected last without a break up to now; null where it is not connected."""
    records_per_s: float | None
    waiting: int | None
    """Records in the journal that the lake does not have yet; null for files."""
    lag_s: float | None
    """How long the oldest of them waits, seconds; 0 where none does, null for files."""


class Sources(Document):
    """Every source, the busiest of the last day first, and what the lake holds."""

    items: list[Source]
    posts: int
    """Observations of posts in the lake."""
    authors: int
    comments: int
    bytes: int
    """Of the lake on disk, without what older versions keep."""
    held: int
    """Records in the quarantine that wait to be read."""


class Slot(Document):
    """What one source brought in one stretch of time.

    `state` `quiet`: connected, and nothing came. `gap`: not connected for at least a tenth of it, so that nothing is
    concluded from its counts. `before`: nothing is known of the source so early.
    """

    start: datetime
    counts: Counts
    state: SlotState
    connected: float | None
    """Fraction of the stretch (up to now) in which the source was connected; null for files."""


class SourceSlots(Document):
    """One source over time."""

    source: str
    kind: SourceKind
    slots: list[Slot]


class Inflow(Document):
    """What came in over time, by source, in equal stretches of `step_s` from `since` to `until`."""

    since: datetime
    until: datetime
    step_s: int
    items: list[SourceSlots]


class LedgerRow(Document):
    """What came in from one source in one quarter hour."""

    source: str
    quarter: datetime
    received: int
    stored: int
    known: int
    rejected: int
    ignored: int


class Connection(Document):
    """An interval in which a source was connected."""

    source: str
    connected_from: datetime
    connected_to: datetime


class Ledger(Document):
    """What was received, stored, known, rejected and ignored, and when sources were connected."""

    items: list[LedgerRow]
    connections: list[Connection]


class QuarantineRow(Document):
    """A record that could not be read, with its reason; the raw bytes are kept."""

    id: str
    at: datetime
    source: str
    origin: str
    row: int | None
    layout: str | None
    reason: str
    detail: str
    example: str
    """The beginning of the record as text; what cannot be shown is escaped."""
    state: str


class QuarantineShare(Document):
    """How many held records share a reason, an origin or a layout."""

    name: str | None
    """Null for a layout: no layout claims the record."""
    rows: int
    newest_at: datetime
    example: str
    """The beginning of the newest of them."""


class Quarantine(Document):
    """Records set aside, newest first, and how many are held.

    The counts by reason, origin and layout are of all held records that the other filters let through, the fifty
    largest each.
    """

    items: list[QuarantineRow]
    held: int
    reasons: dict[str, int]
    by_reason: list[QuarantineShare]
    by_origin: list[QuarantineShare]
    by_layout: list[QuarantineShare]


class QuarantineRecord(QuarantineRow):
    """One record set aside, with its bytes as text that is safe to show."""

    raw: str
    """What is kept, at most 64 KB: UTF-8, with `\\xNN` for bytes and `\\uNNNN` for characters that cannot be shown."""
    raw_bytes: int
    raw_sha256: str
    whole: bool
    """Whether `raw` is all of it."""


class RetryRequest(Document):
    """Which held records are read again, and how; without anything: all of them, as today's layouts read them."""

    ids: list[str] = Field(default_factory=list, max_length=10_000)
    reason: str | None = None
    origin: str | None = None
    layout: str | None = None
    map: dict[str, str] = Field(default_factory=dict, description="Column by field, for `generic.table`.")


class Retried(Document):
    """What a retry did: read = stored + known + ignored + still held."""

    read: int
    stored: int
    known: int
    ignored: int
    held: int


class LayoutDocument(Document):
    """One kind of raw record that can be read."""

    id: str
    """`platform.name`, as `layout` names it."""
    platform: str
    name: str
    version: int
    table: str
    """`posts`, `authors` or `comments`."""
    description: str


class Layouts(Document):
    """Layouts in the order in which they are tried, the generic table last."""

    items: list[LayoutDocument]


class NewLayout(Document):
    """A mapping to be kept as a layout."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$", examples=["agency-export"])
    map: dict[str, str] = Field(min_length=1, description="Column by field; an empty column: not to be guessed.")
    platform: str | None = Field(None, max_length=60)
    tz: str | None = None
