"""Documents of raw content: the records behind a post."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from groundswell.web.models import Document


class RawObservation(Document):
    """One observation of a post, and the record that it was read from."""

    platform: str
    post_id: str | None
    key: Annotated[str, Field(description="the observation's key in hex")]
    source: str
    origin: Annotated[str, Field(description="file or partition")]
    origin_offset: Annotated[int, Field(description="byte of the content, row of a table, or number in a stream")]
    layout: str
    layout_version: int
    imported_at: datetime
    observed_at: datetime | None
    form: Annotated[str | None, Field(description="ndjson, json, table, file or numbered; null: not kept")]
    text: Annotated[str | None, Field(description="the record, JSON on lines of its own; null: not kept")]
    why: Annotated[str | None, Field(description="why there is no text")]


class RawPost(Document):
    """The raw records behind a post, oldest import first."""

    post: Annotated[str, Field(description="platform:id, or the key of an observation")]
    observations: list[RawObservation]
