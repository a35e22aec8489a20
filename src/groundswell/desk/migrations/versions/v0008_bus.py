"""The index of a bus that is Kafka."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

MICROS = sa.BigInteger()


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "bus_blocks",
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("topic", sa.String(249), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("first_offset", sa.BigInteger(), nullable=False),
        sa.Column("last_offset", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("hint", sa.Text(), nullable=True),
        sa.Column("first_record", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received_from", MICROS, nullable=False),
        sa.Column("received_to", MICROS, nullable=False),
        sa.Column("at", MICROS, nullable=False),
        sa.UniqueConstraint("topic", "partition", "first_offset", name="uq_bus_blocks_place"),
    )
    op.create_table(
        "bus_partitions",
        sa.Column("consumer", sa.String(20), primary_key=True),
        sa.Column("topic", sa.String(249), primary_key=True),
        sa.Column("partition", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.Column("end_offset", sa.BigInteger(), nullable=False),
        sa.Column("complete_until", MICROS, nullable=False),
        sa.Column("looked_at", MICROS, nullable=False),
        sa.Column("lost", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
    )
    op.create_table(
        "bus_numbers",
        sa.Column("name", sa.String(20), primary_key=True),
        sa.Column("next_block", sa.BigInteger(), nullable=False),
        sa.Column("next_record", sa.BigInteger(), nullable=False),
        sa.Column("consumer_group", sa.String(200), nullable=False),
    )
    op.create_table(
        "bus_positions",
        sa.Column("name", sa.String(600), primary_key=True),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("at", MICROS, nullable=False),
    )
    op.create_table(
        "bus_connections",
        sa.Column("source", sa.String(300), primary_key=True),
        sa.Column("connected_from", MICROS, primary_key=True, autoincrement=False),
        sa.Column("connected_to", MICROS, nullable=False),
    )
    op.create_index("ix_bus_connections_connected_to", "bus_connections", ["connected_to"])
