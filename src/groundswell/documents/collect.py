"""Documents of `groundswell collect`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from groundswell.documents.base import Count, Printed, Seconds


class SkippedLine(Printed):
    """Something that was asked for and is not there."""

    what: str
    reason: Annotated[str, Field(description="what the platform says, or that it said nothing")]


class UnitsDocument(Printed):
    """The platform's daily units."""

    day: Annotated[str, Field(description="the day in the zone in which they renew (Pacific for YouTube)")]
    limit: Count
    this_run: Annotated[int, Field(description="units that this run spent")]
    spent: Annotated[int, Field(description="units that all collectors of this home spent that day")]
    left: Count
    renewed_at: Annotated[datetime, Field(description="when the next day's units begin")]


class TakenDocument(Printed):
    """What became of the records that waited in the journal."""

    read: Count
    stored: Count
    known: Count
    rejected: Count
    ignored: Count


class RawDocument(Printed):
    """What became of the raw items in a collection of MongoDB."""

    target: Annotated[str, Field(description="address of the database, without password")]
    collection: str
    inserted: Count
    unchanged: Annotated[Count, Field(description="documents that were there already")]


class CollectYouTubeDocument(Printed):
    """`groundswell collect youtube --json`."""

    platform: Literal["youtube"]
    job: Annotated[str, Field(description="the same for the same wishes; an unfinished job is gone on with")]
    state: Annotated[
        Literal["done", "out of units", "stopped"],
        Field(description="`out of units`: the same command goes on after `units.renewed_at`"),
    ]
    resumed: Annotated[bool, Field(description="whether it went on with what an earlier run left")]
    requests: Annotated[int, Field(description="calls that were answered")]
    unchanged: Annotated[int, Field(description="answers that said that nothing changed (304); they cost units, too")]
    retries: Count
    videos: Annotated[int, Field(description="videos that came with their counters")]
    items: Annotated[int, Field(description="items of all kinds in the answers")]
    skipped: list[SkippedLine]
    units: UnitsDocument
    lake: Annotated[
        TakenDocument | None,
        Field(description="null where another process (`serve`) takes the records from the journal to the lake"),
    ]
    raw: Annotated[RawDocument | None, Field(description="what went to MongoDB; null without --to")]
    seconds: Seconds
