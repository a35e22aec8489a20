"""Documents of `groundswell replay` and `groundswell bus`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from groundswell.documents.base import Count, Printed, Seconds
from groundswell.web.models import PartitionStatus


class ReplayDocument(Printed):
    """`groundswell replay --json`."""

    to: Annotated[str, Field(description="the topic, without options")]
    files: list[str]
    records: Annotated[int, Field(description="records that the files hold")]
    undated: Annotated[int, Field(description="records without a time, which are written last")]
    first: Annotated[datetime | None, Field(alias="from", description="event time of the first record")]
    until: Annotated[datetime | None, Field(description="event time of the last")]
    begun_at: Annotated[int, Field(description="records that earlier runs had written")]
    sent: Annotated[int, Field(description="records that this run wrote")]
    too_large: Annotated[int, Field(description="records that are larger than a message may be, and were left out")]
    state: Literal["done", "stopped", "done before"]
    seconds: Seconds


class BusDocument(Printed):
    """`groundswell bus --json`."""

    bus: Annotated[str, Field(description="journal, or the topic without options")]
    blocks: Annotated[int, Field(description="blocks that were ever numbered")]
    records: Count
    watch_behind: Annotated[int, Field(description="blocks that the watch has not done yet")]
    lake_behind: Annotated[int, Field(description="blocks that the lake does not have yet")]
    partitions: Annotated[list[PartitionStatus], Field(description="of topics that are read, empty without Kafka")]
