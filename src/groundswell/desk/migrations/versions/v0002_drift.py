"""Drift notices: fields of a layout that came to be filled less often than before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

MICROS = sa.BigInteger()


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "drift_notices",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("layout", sa.String(100), nullable=False),
        sa.Column("layout_version", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(200), nullable=False),
        sa.Column("opened_at", MICROS, nullable=False),
        sa.Column("since", MICROS, nullable=False),
        sa.Column("closed_at", MICROS, nullable=True),
        sa.Column("share_before", sa.Double(), nullable=False),
        sa.Column("records_before", sa.BigInteger(), nullable=False),
        sa.Column("share_now", sa.Double(), nullable=False),
        sa.Column("records_now", sa.BigInteger(), nullable=False),
        sa.Column("p_value", sa.Double(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
    )
    op.create_index("ix_drift_notices_layout", "drift_notices", ["layout"])
