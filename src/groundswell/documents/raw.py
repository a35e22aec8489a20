"""Documents about raw content and drift: raw, remap, drift, maintain."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from groundswell.documents.base import Count, Printed


class ChangeExample(Printed):
    """A value before and after."""

    id: Annotated[str | None, Field(description="the platform's own id of the row")]
    before: str | None
    after: str | None


class FieldChange(Printed):
    """How often a field changes."""

    field: str
    changed: Count
    from_null: Count
    to_null: Count
    examples: list[ChangeExample]


class TableChange(Printed):
    """What changes in one table; counts are rows."""

    table: str
    replaced: Annotated[Count, Field(description="read again by the layout of today")]
    changed: Annotated[Count, Field(description="of those, rows with another value in a field")]
    added: Annotated[Count, Field(description="come in where no row was: they were set aside or left out before")]
    known: Annotated[Count, Field(description="become the same as another row, and go")]
    rejected: Annotated[Count, Field(description="cannot be used by the layout of today, and go to the quarantine")]
    dropped: Annotated[Count, Field(description="their record gives fewer rows now, and they go")]
    left: Annotated[Count, Field(description="were not met again, and stay")]
    fields: list[FieldChange]


class WithoutRaw(Printed):
    """Rows that cannot be read again."""

    origin: str
    rows: Count


class FailedContent(Printed):
    """Raw content that could not be read; its rows stay."""

    origin: str
    error: str


class RemapDocument(Printed):
    """`groundswell remap --json`."""

    written: Annotated[bool, Field(description="false: only compared")]
    contents: Annotated[Count, Field(description="files (and batches of streams) that are read again")]
    bytes: Annotated[Count, Field(description="their content")]
    resolved: Annotated[Count, Field(description="records of the quarantine that can be read now")]
    without_raw: list[WithoutRaw]
    failed: list[FailedContent]
    tables: list[TableChange]


class MaintainDocument(Printed):
    """`groundswell maintain --json`."""

    files_before: Annotated[Count, Field(description="small files that were joined")]
    files_after: Count
    removed: Annotated[Count, Field(description="files of old versions")]
    folded: Annotated[Count, Field(description="rows saved in the counts of filled fields")]
    raw_forgotten: Annotated[Count, Field(description="imports whose raw content is older than it shall be kept")]
    raw_objects: Annotated[Count, Field(description="files of raw content that were removed")]
    raw_bytes: Count
