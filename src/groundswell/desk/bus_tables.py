"""Tables of the desk for a bus that is Kafka: the index of its blocks, and what a journal keeps beside its records."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from groundswell.desk.base import Base, Micros


class BusBlockRow(Base):
    """Records of one source that follow each other in a partition: where they are, and the number of the first."""

    __tablename__ = "bus_blocks"
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  # without gaps, from 1
    topic: Mapped[str] = mapped_column(String(249))
    partition: Mapped[int] = mapped_column(Integer)
    first_offset: Mapped[int] = mapped_column(BigInteger)
    last_offset: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(12))
    hint: Mapped[str | None] = mapped_column(Text)
    first_record: Mapped[int] = mapped_column(BigInteger)
    count: Mapped[int] = mapped_column(Integer)
    size: Mapped[int] = mapped_column(BigInteger)  # bytes of the records
    received_from: Mapped[int] = mapped_column(Micros)
    received_to: Mapped[int] = mapped_column(Micros)
    at: Mapped[int] = mapped_column(Micros)  # wall clock when it was entered

    __table_args__ = (UniqueConstraint("topic", "partition", "first_offset", name="uq_bus_blocks_place"),)


class BusPartitionRow(Base):
    """How far a consumer is in a partition."""

    __tablename__ = "bus_partitions"
    consumer: Mapped[str] = mapped_column(String(20), primary_key=True)  # bus, or source: into another bus
    topic: Mapped[str] = mapped_column(String(249), primary_key=True)
    partition: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    next_offset: Mapped[int] = mapped_column(BigInteger)  # the first that is not taken
    end_offset: Mapped[int] = mapped_column(BigInteger)  # of the partition, when it was looked at
    complete_until: Mapped[int] = mapped_column(Micros)  # everything received before is taken; 0: not known
    looked_at: Mapped[int] = mapped_column(Micros)
    lost: Mapped[int] = mapped_column(BigInteger, default=0)  # records that Kafka removed before they were taken
    owner: Mapped[str] = mapped_column(String(200), default="")  # process that takes it


class BusNumberRow(Base):
    """The numbers that the next block and record get; its lock puts writers of the index in a row."""

    __tablename__ = "bus_numbers"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    next_block: Mapped[int] = mapped_column(BigInteger)
    next_record: Mapped[int] = mapped_column(BigInteger)
    group: Mapped[str] = mapped_column("consumer_group", String(200))  # of this desk, where an address names none


class BusPositionRow(Base):
    """The position of a source that came with its last records."""

    __tablename__ = "bus_positions"
    name: Mapped[str] = mapped_column(String(600), primary_key=True)
    position: Mapped[str] = mapped_column(Text)
    at: Mapped[int] = mapped_column(Micros)


class BusConnectionRow(Base):
    """An interval in which a source was connected."""

    __tablename__ = "bus_connections"
    source: Mapped[str] = mapped_column(String(300), primary_key=True)
    connected_from: Mapped[int] = mapped_column(Micros, primary_key=True, autoincrement=False)
    connected_to: Mapped[int] = mapped_column(Micros, index=True)
