"""What people do with an alert, what its card was made of, and trackers that are quiet for a while."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

MICROS = sa.BigInteger()
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns and create the tables."""
    op.add_column("trackers", sa.Column("snoozed_until", MICROS, nullable=True))
    for name, kind in (
        ("verdict_note", sa.Text()),
        ("verdict_by", sa.String(100)),
        ("verdict_at", MICROS),
        ("acknowledged_at", MICROS),
        ("acknowledged_by", sa.String(100)),
        ("group_id", sa.String(32)),
    ):
        op.add_column("alerts", sa.Column(name, kind, nullable=True))
    op.create_index("ix_alerts_group_id", "alerts", ["group_id"])
    op.create_table(
        "alert_events",
        sa.Column("seq", SERIAL, primary_key=True, autoincrement=True),
        sa.Column("alert_id", sa.String(32), sa.ForeignKey("alerts.id"), nullable=False),
        sa.Column("at", MICROS, nullable=False),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("verdict", sa.String(12), nullable=True),
        sa.Column("until", MICROS, nullable=True),
    )
    op.create_index("ix_alert_events_alert_id", "alert_events", ["alert_id"])
    op.create_table(
        "alert_cases",
        sa.Column("alert_id", sa.String(32), sa.ForeignKey("alerts.id"), primary_key=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("sketch", sa.LargeBinary(), nullable=False),
        sa.Column("lake_version", sa.BigInteger(), nullable=True),
        sa.Column("lake_seq", sa.BigInteger(), nullable=True),
    )
