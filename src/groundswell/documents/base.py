"""What all documents share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Printed(BaseModel):
    """Base of all documents: no field may be missing or unknown."""

    model_config = ConfigDict(extra="forbid")


Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
