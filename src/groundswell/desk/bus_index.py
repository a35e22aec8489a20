"""The index of a bus that is Kafka: which records are where, and how far each partition is.

Writers take the row of numbers first, so that blocks are numbered without gaps and become visible in the order of
their numbers, on both databases.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from groundswell.desk.bus_tables import BusBlockRow, BusConnectionRow, BusNumberRow, BusPartitionRow, BusPositionRow
from groundswell.desk.tables import CheckpointRow
from groundswell.desk.upsert import upsert

_NAME: Final = "bus"


@dataclass(frozen=True, slots=True)
class Piece:
    """A block that has no number yet."""

    partition: int
    first_offset: int
    last_offset: int
    source: str
    kind: str
    hint: str | None
    count: int
    size: int
    received_from: int
    received_to: int


def numbers(session: Session) -> BusNumberRow | None:
    """The numbers; null where nothing was ever read by Kafka."""
    return session.get(BusNumberRow, _NAME)


def begin(session: Session, next_block: int, next_record: int) -> BusNumberRow:
    """Begin the index behind what another bus has numbered, unless it was begun; the numbers."""
    found = session.scalars(select(BusNumberRow).where(BusNumberRow.name == _NAME).with_for_update()).one_or_none()
    if found is None:
        group = f"groundswell-{secrets.token_hex(4)}"
        found = BusNumberRow(name=_NAME, next_block=next_block, next_record=next_record, group=group)
        session.add(found)
        session.flush()
    return found


def least_done(session: Session) -> tuple[int, int]:
    """The last blocks that all readers, and that any reader, of the bus have done; 0 where there is no reader yet."""
    done = [row.block for row in session.scalars(select(CheckpointRow))]
    return (min(done) if len(done) > 1 else 0, max(done, default=0))


def enter(session: Session, topic: str, pieces: Iterable[Piece], now_us: int) -> list[BusBlockRow]:
    """Number blocks and put them behind the last; the caller has checked the position of their partitions."""
    row = begin(session, 1, 0)
    rows = []
    for piece in pieces:
        rows.append(
            BusBlockRow(
                seq=row.next_block,
                topic=topic,
                partition=piece.partition,
                first_offset=piece.first_offset,
                last_offset=piece.last_offset,
                source=piece.source,
                kind=piece.kind,
                hint=piece.hint,
                first_record=row.next_record,
                count=piece.count,
                size=piece.size,
                received_from=piece.received_from,
                received_to=piece.received_to,
                at=now_us,
            )
        )
        row.next_block += 1
        row.next_record += piece.count
    session.add_all(rows)
    session.flush()
    return rows


def partitions(session: Session, consumer: str | None = None, topic: str | None = None) -> list[BusPartitionRow]:
    """How far consumers are, by consumer, topic and partition."""
    query = select(BusPartitionRow)
    if consumer is not None:
        query = query.where(BusPartitionRow.consumer == consumer)
    if topic is not None:
        query = query.where(BusPartitionRow.topic == topic)
    order = (BusPartitionRow.consumer, BusPartitionRow.topic, BusPartitionRow.partition)
    return list(session.scalars(query.order_by(*order)))


def put_partition(session: Session, row: Mapping[str, object]) -> None:
    """Write what is known of a partition; columns that are not given stay."""
    usual = {"next_offset": 0, "end_offset": 0, "complete_until": 0, "looked_at": 0, "lost": 0, "owner": ""}
    key = (row["consumer"], row["topic"], row["partition"])
    found = session.get(BusPartitionRow, key)
    if found is None:
        session.add(BusPartitionRow(**{**usual, **row}))
        session.flush()
        return
    for name, value in row.items():
        setattr(found, name, value)


def blocks(session: Session, first: int, last: int) -> list[BusBlockRow]:
    """The blocks numbered first to last, inclusive, in order."""
    return list(
        session.scalars(select(BusBlockRow).where(BusBlockRow.seq.between(first, last)).order_by(BusBlockRow.seq))
    )


def sizes(session: Session, after: int, limit: int) -> Sequence[tuple[int, int, int, int, int]]:
    """Number, records, bytes, and first and last receive time of the next blocks."""
    columns = (
        BusBlockRow.seq,
        BusBlockRow.count,
        BusBlockRow.size,
        BusBlockRow.received_from,
        BusBlockRow.received_to,
    )
    found = session.execute(select(*columns).where(BusBlockRow.seq > after).order_by(BusBlockRow.seq).limit(limit))
    return [(row[0], row[1], row[2], row[3], row[4]) for row in found]


def first_kept(session: Session) -> int | None:
    """Number of the oldest block of the index; null where it is empty."""
    return session.scalar(select(func.min(BusBlockRow.seq)))


def arrivals(session: Session, after: int) -> list[tuple[str, int, int, int]]:
    """Source, records, newest and oldest receive time of the blocks after one, by source."""
    columns = (
        BusBlockRow.source,
        func.sum(BusBlockRow.count),
        func.max(BusBlockRow.received_to),
        func.min(BusBlockRow.received_from),
    )
    query = select(*columns).where(BusBlockRow.seq > after).group_by(BusBlockRow.source).order_by(BusBlockRow.source)
    return [(row[0], int(row[1]), int(row[2]), int(row[3])) for row in session.execute(query)]


def cut(session: Session, before: int, older_than_us: int) -> int:
    """Remove the entries before a block that were made before a time; how many."""
    gone = session.execute(delete(BusBlockRow).where(BusBlockRow.seq < before, BusBlockRow.at < older_than_us))
    return int(getattr(gone, "rowcount", 0))


def position(session: Session, name: str) -> str | None:
    """A source's position; null if it never gave one."""
    row = session.get(BusPositionRow, name)
    return None if row is None else row.position


def put_positions(session: Session, found: Mapping[str, str], now_us: int) -> None:
    """Keep the positions of sources."""
    rows = [{"name": name, "position": position, "at": now_us} for name, position in found.items()]
    upsert(session, BusPositionRow, rows)


def forget_position(session: Session, name: str) -> None:
    """Drop a source's position."""
    session.execute(delete(BusPositionRow).where(BusPositionRow.name == name))


def connect(session: Session, source: str, from_us: int, to_us: int, gap_us: int) -> None:
    """Note that a source was connected; joins the last interval where that ended at most `gap_us` before."""
    last = session.scalar(select(func.max(BusConnectionRow.connected_from)).where(BusConnectionRow.source == source))
    if last is not None:
        extended = session.execute(
            update(BusConnectionRow)
            .where(
                BusConnectionRow.source == source,
                BusConnectionRow.connected_from == last,
                BusConnectionRow.connected_to >= from_us - gap_us,
                BusConnectionRow.connected_to < to_us,
            )
            .values(connected_to=to_us)
        )
        if getattr(extended, "rowcount", 0):
            return
        row = session.get(BusConnectionRow, (source, last))
        if row is not None and row.connected_to >= to_us:
            return
    upsert(session, BusConnectionRow, [{"source": source, "connected_from": from_us, "connected_to": to_us}])


def connections(session: Session, since_us: int) -> list[tuple[str, int, int]]:
    """Source, begin and end of the intervals that reach beyond a time, by source and begin."""
    columns = (BusConnectionRow.source, BusConnectionRow.connected_from, BusConnectionRow.connected_to)
    query = select(*columns).where(BusConnectionRow.connected_to >= since_us).order_by(columns[0], columns[1])
    return [(row[0], row[1], row[2]) for row in session.execute(query)]
