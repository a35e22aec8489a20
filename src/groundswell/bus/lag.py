"""How far topics of Kafka are read, by partition, from what their consumers note in the desk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from groundswell.desk import bus_index
from groundswell.desk.leases import describe

#: A consumer notes how far it is every second or two; one that has not for so long does not read, microseconds.
_STALE_US: Final = 15_000_000


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """A partition as its consumer saw it last; times are microseconds since 1970 UTC, null where not known."""

    consumer: str
    """`bus`, or `source`: into another bus."""
    topic: str
    partition: int
    next_offset: int
    end_offset: int
    behind: int
    """Messages that are not taken yet, and marks of transactions among them."""
    complete_until_us: int | None
    looked_at_us: int | None
    reading: bool
    """Whether a consumer noted anything lately."""
    owner: str | None
    lost: int
    """Messages that Kafka removed before they were taken."""

    def late_s(self, now_us: int) -> float | None:
        """How far behind now the records are that were taken last, seconds; null where not known."""
        if self.complete_until_us is None or not self.behind:
            return None if self.complete_until_us is None else 0.0
        return max(0, now_us - self.complete_until_us) / 1e6


def read_lag(session: Session, now_us: int) -> list[PartitionLag]:
    """Every partition that was ever read, by consumer, topic and number."""
    return [
        PartitionLag(
            consumer=row.consumer,
            topic=row.topic,
            partition=row.partition,
            next_offset=row.next_offset,
            end_offset=max(row.end_offset, row.next_offset),
            behind=max(0, row.end_offset - row.next_offset),
            complete_until_us=row.complete_until or None,
            looked_at_us=row.looked_at or None,
            reading=row.looked_at >= now_us - _STALE_US,
            owner=describe(row.owner) if row.owner else None,
            lost=row.lost,
        )
        for row in bus_index.partitions(session)
    ]
