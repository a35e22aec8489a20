"""Documents of imports: what was uploaded, how it would be read, how far it is, what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from groundswell.web.models import Document

ImportState = Literal["looking", "ready", "waiting", "running", "done", "failed", "interrupted", "cancelled"]


class ImportOptions(Document):
    """How a file is to be read; what is not said is recognised from the content."""

    layout: Annotated[str | None, Field(description="Read everything by this layout, as platform.layout.")] = None
    platform: Annotated[str | None, Field(max_length=60, description="For a table that does not say it.")] = None
    tz: Annotated[str | None, Field(description="Time zone of times that name none (IANA name).")] = None
    map: dict[str, str] = Field(default_factory=dict, description="Column by field, for `generic.table`.")


class PreviewContainer(Document):
    """What the file is, recognised from its content."""

    form: str
    compression: str | None
    encoding: str | None
    delimiter: str | None


class PreviewLayout(Document):
    """How many rows of the sample one layout reads (`layout` null: rows that none claims)."""

    layout: str | None
    platform: str | None
    description: str
    table: str | None
    rows: int
    rejected: int
    ignored: int
    reasons: dict[str, int]


class PreviewColumn(Document):
    """A column of a table: which field it is read as, and what stands in it."""

    column: str
    field: str | None
    filled: float
    """Fraction of the rows looked at that have something there."""
    unreadable: int
    """Filled cells that cannot be read as that field."""
    examples: list[str]


class PreviewField(Document):
    """A field that comes out: how often it is filled, with examples."""

    table: str
    field: str
    column: str | None
    filled: float
    examples: list[str]


class Preview(Document):
    """The beginning of a file as it would be read with the options."""

    container: PreviewContainer
    parts: int
    """Files of an archive or sheets of a workbook; 1 for a plain file."""
    rows: int
    """Rows looked at."""
    estimated_rows: int | None
    layouts: list[PreviewLayout]
    mappable: bool
    """Whether columns may be mapped to fields: the generic layout reads it."""
    columns: list[PreviewColumn]
    fields: list[PreviewField]
    choices: list[str]
    """Fields that a column may be mapped to."""
    habits: list[str]
    """How the table writes days and numbers, as its rows show it."""
    notes: list[str]


class ImportProgress(Document):
    """How far it is."""

    file: str
    number: int
    files: int
    position: int
    """Bytes of the file that are done; 0 where that cannot be known."""
    bytes: int
    records: int
    says: str | None
    """What it waits for."""


class LayoutResult(Document):
    """What one layout read (`layout` null: records that none claims)."""

    layout: str | None
    platform: str | None
    read: int
    stored: int
    known: int
    rejected: int
    ignored: int


class ReasonResult(Document):
    """Rejected records of one reason, with an example."""

    reason: str
    rows: int
    example: str


class FileFailure(Document):
    """A file (of an archive) that could not be read to its end."""

    path: str
    error: str


class ImportResult(Document):
    """What came of it: read = stored + known + rejected + ignored."""

    read: int
    stored: int
    known: int
    rejected: int
    ignored: int
    seconds: float
    bytes: int
    files: int
    layouts: list[LayoutResult]
    reasons: list[ReasonResult]
    failed: list[FileFailure]


class Import(Document):
    """One import: a file that was uploaded, or files that the command line read."""

    id: str
    kind: Literal["upload", "command"]
    name: str
    origin: str | None
    """What the lake calls the file: `from:` in a query, `origin` in the quarantine."""
    state: ImportState
    at: datetime
    finished_at: datetime | None
    bytes: int | None
    options: ImportOptions
    preview: Preview | None
    progress: ImportProgress | None
    result: ImportResult | None
    error: str | None
    hint: str | None


class Imports(Document):
    """Imports, newest first."""

    items: list[Import]
    max_upload: int
    """Largest file that is taken, bytes."""
