"""Documents about layouts: what is installed, what one reads, what an import would make of a file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from groundswell.documents.base import Count, Fraction, Printed


class LayoutLine(Printed):
    """One layout."""

    layout: Annotated[str, Field(description="platform.name, as --layout takes it")]
    platform: str
    name: str
    version: int
    table: Annotated[str, Field(description="where its rows go: posts, authors or comments")]
    shape: Literal["object", "row"]
    description: str
    saved: Annotated[bool, Field(description="a person's saved mapping")]


class LayoutsDocument(Printed):
    """`groundswell layouts list --json`."""

    items: list[LayoutLine]


class LayoutDocument(LayoutLine):
    """`groundswell layouts show --json`."""

    reads: Annotated[list[str], Field(description="the keys or columns that it reads, with dots between")]
    fields: Annotated[list[str], Field(description="the fields that it may fill")]
    unwraps: Annotated[list[str], Field(description="where a document holds its records")]
    map: Annotated[dict[str, str] | None, Field(description="column by field; null where columns are not mapped")]
    columns: Annotated[list[str] | None, Field(description="the table that a saved mapping was made for")]
    tz: str | None
    file: Annotated[str | None, Field(description="where a saved mapping lies")]


class RemovedLayout(Printed):
    """`groundswell layouts remove --json`."""

    removed: str


class PackingDocument(Printed):
    """How the records of a file are packed."""

    form: Annotated[str, Field(description="ndjson, json, table, database, empty or binary")]
    compression: str | None
    encoding: str | None
    delimiter: str | None


class FoundLayout(Printed):
    """One layout and what it made of the sample; `layout` null: nothing knows these records."""

    layout: str | None
    platform: str | None
    description: str
    table: str | None
    rows: Count
    rejected: Count
    ignored: Count
    reasons: dict[str, Count]


class PreviewColumn(Printed):
    """One column or key of the sample."""

    column: str
    field: Annotated[str | None, Field(description="what it is read as; null: it is kept in `extra`")]
    filled: Annotated[Fraction, Field(description="share of the rows in which something stands")]
    unreadable: Annotated[Count, Field(description="cells that cannot be read as the field")]
    examples: Annotated[list[str], Field(max_length=3)]


class PreviewField(Printed):
    """One field of what comes out."""

    table: str
    field: str
    column: str | None
    filled: Fraction
    examples: Annotated[list[str], Field(max_length=3)]


class PreviewDocument(Printed):
    """`groundswell layouts preview --json`, and a file of a dry run: what an import would make of it."""

    path: str
    container: PackingDocument
    parts: Annotated[Count, Field(description="members of an archive or sheets that were looked at")]
    rows: Annotated[Count, Field(description="records that were looked at")]
    estimated_rows: Count | None
    layouts: list[FoundLayout]
    mappable: Annotated[bool, Field(description="whether --map may say which column is which field")]
    columns: list[PreviewColumn]
    fields: list[PreviewField]
    habits: Annotated[list[str], Field(description="how days and numbers are taken, in words")]
    notes: list[str]
    choices: Annotated[list[str], Field(description="the fields that a column may be mapped to")]
