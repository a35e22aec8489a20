"""Documents of drift: fields that came to be filled less often, and what stands there instead."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from groundswell.web.models import Document


class NewKey(Document):
    """A key of the raw records that no layout reads, in the fraction of records that have it."""

    key: str
    """Dotted path; `x.y as object` for a value of another form."""
    share: float
    before: float | None
    examples: list[str]


class DriftNotice(Document):
    """A field of a layout that fell; closed when it is filled again."""

    id: str
    state: Literal["open", "closed"]
    layout: str
    layout_version: int
    field: str
    """Empty: records that the layout can use at all."""
    opened_at: datetime
    since: datetime
    closed_at: datetime | None
    share_before: float
    records_before: int
    share_now: float
    records_now: int
    p_value: float
    instead: list[NewKey]
    """Keys that came up at the same time."""
    unread: list[str]
    """Cells that could not be read."""
    share_back: float | None


class FieldShare(Document):
    """The fraction of a layout's records in which a field has a value, lately and before."""

    field: str
    share: float
    records: int
    before: float | None
    records_before: int


class LayoutFill(Document):
    """How the fields of one layout are filled."""

    layout: str
    layout_version: int
    at: datetime
    records: int
    usable: int
    fields: list[FieldShare]
    unknown_keys: list[NewKey]


class Drift(Document):
    """What is known about drift: notices, open ones first, and the fill of each layout."""

    notices: list[DriftNotice]
    layouts: list[LayoutFill]
