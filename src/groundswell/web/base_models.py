"""What the documents of the REST API share."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

WindowState = Literal["learning", "usual", "unusual", "macro", "gap"]
Verdict = Literal["real", "false", "known"]
Phase = Literal["growing", "peak", "fading", "closed"]


class Document(BaseModel):
    """Base of all documents: unknown fields in a request are refused."""

    model_config = ConfigDict(extra="forbid")


class Window(Document):
    """One closed window of one tracker."""

    start: datetime
    count: int
    expected: float | None
    lower: float | None
    upper: float | None
    return_days: float | None
    platform_ratio: float | None
    state: WindowState
    late: int = 0
