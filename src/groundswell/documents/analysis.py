"""Documents about what the data is like: history, profile, export, codebook."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from groundswell.documents.base import Count, Fraction, Printed, Seconds
from groundswell.web.analysis_models import Profile


class ProfileDocument(Profile):
    """`groundswell profile --json`."""

    query: str


class ExportTarget(Printed):
    """The database that was written; unchanged rows were there as they are."""

    target: Annotated[str, Field(description="address, without a password")]
    table: str
    inserted: Count
    updated: Count
    unchanged: Count


class ExportDocument(Printed):
    """`groundswell export --json`."""

    table: Literal["posts", "authors", "comments", "velocity", "raw"]
    query: str
    out: Annotated[str | None, Field(description="file that was written; null for a database")]
    format: Literal["csv", "ndjson", "parquet", "xlsx"] | None
    target: ExportTarget | None
    rows: Count
    changed: Annotated[dict[str, Count], Field(description="what had to be changed for the form, and how often")]
    recipe: Annotated[str | None, Field(description="file that says what --clean did")]
    seconds: Seconds
    lake_version: int | None


class CodebookEntry(Printed):
    """One field of one table."""

    table: Literal["posts", "authors", "comments"]
    field: str
    type: str
    meaning: str
    unit: str | None
    filled_by: Annotated[str, Field(description="layout: what a platform gives; import: what Groundswell adds")]
    rows: Count
    filled: Annotated[Fraction | None, Field(description="of all observations; null while the table is empty")]
    by_platform: dict[str, Fraction]
    examples: list[str]


class CodebookDocument(Printed):
    """`groundswell codebook --json`."""

    made_at: datetime
    fields: list[CodebookEntry]
