"""What is worked out of a date, and which files of the inbox were imported."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

MICROS = sa.BigInteger()


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "day_marts",
        sa.Column("date", sa.String(10), primary_key=True),
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("made_at", MICROS, nullable=False),
        sa.Column("lake_version", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
    )
    op.create_table(
        "inbox",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("imported_at", MICROS, nullable=False),
    )
