"""The document of `warehouse sync`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from groundswell.documents.base import Count, Printed, Seconds


class WarehouseSyncDocument(Printed):
    """`groundswell warehouse sync --json`."""

    warehouse: Annotated[str, Field(description="address of the database, without password")]
    full: Annotated[bool, Field(description="whether everything was made anew")]
    reason: Annotated[str | None, Field(description="why everything was made anew although nobody asked for it")]
    ingest_seq: Annotated[Count, Field(description="observations of the lake up to this number are there")]
    lake_version: Annotated[int, Field(ge=-1, description="version of the lake's posts; -1: there are none yet")]
    read: Annotated[dict[str, Count], Field(description="rows that were read now, by table of lake or desk")]
    rows: Annotated[dict[str, Count], Field(description="rows that the tables of the warehouse have")]
    seconds: Seconds
