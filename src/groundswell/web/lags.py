"""How far the watch and the lake are behind what has come in, whichever bus it is and wherever they read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from groundswell.bus.lag import PartitionLag
from groundswell.desk import checkpoints

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from groundswell.bus import Bus

#: The readers of a bus; on Spark they read the topic themselves, and are named so among its consumers.
READERS: Final[tuple[Literal["watch", "lake"], ...]] = ("watch", "lake")
_SECOND: Final = 1e6


@dataclass(frozen=True, slots=True)
class ReaderLag:
    """Records that a reader has not done, and seconds since the oldest of them was received (0: none waits)."""

    reader: Literal["watch", "lake"]
    records: int
    seconds: float


def reader_lags(
    session: Session, journal: Bus, partitions: list[PartitionLag], now_us: int, watched: int | None = None
) -> list[ReaderLag]:
    """The lag of each reader; `watched` is the last block of a watch of this process, newer than its checkpoint."""
    on_spark = [lag for lag in partitions if lag.consumer in READERS]
    if on_spark:
        return [_of_partitions(name, [lag for lag in on_spark if lag.consumer == name], now_us) for name in READERS]
    found = []
    for name in READERS:
        mark = checkpoints.get(session, name)
        block = max(0 if mark is None else mark.block, (watched or 0) if name == "watch" else 0)
        found.append(_of_block(name, journal, block, now_us))
    return found


def _of_block(reader: Literal["watch", "lake"], journal: Bus, block: int, now_us: int) -> ReaderLag:
    waiting = journal.read(block, 1, 1)
    if not waiting:
        return ReaderLag(reader, 0, 0.0)
    records = max(journal.next_record() - waiting[0].first_record, 0)
    return ReaderLag(reader, records, max(now_us - waiting[0].received_from_us, 0) / _SECOND)


def _of_partitions(reader: Literal["watch", "lake"], lags: list[PartitionLag], now_us: int) -> ReaderLag:
    return ReaderLag(reader, sum(lag.behind for lag in lags), max((lag.late_s(now_us) or 0 for lag in lags), default=0))


def silence(partitions: list[PartitionLag]) -> str | None:
    """Why nobody knows how far topics are read, where a watch runs in another process; null while it is known."""
    read = [lag for lag in partitions if lag.consumer in (*READERS, "bus")]
    if not read or any(lag.reading for lag in read):
        return None
    return "the brokers of Kafka have not answered the watch of late; records wait there, and are read when they do"
