"""Trackers say their country, their rule that does not wait for a window, and by which time they count."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns."""
    for column in (
        sa.Column("country", sa.String(8), nullable=True),
        sa.Column("reach_followers", sa.BigInteger(), nullable=True),
        sa.Column("reach_share", sa.Double(), nullable=True),
        sa.Column("count_by", sa.String(12), nullable=False, server_default="created_at"),
    ):
        op.add_column("trackers", column)
