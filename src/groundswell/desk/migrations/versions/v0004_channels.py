"""Channels on which people are told of alerts, and the outbox of what they are to be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

MICROS = sa.BigInteger()


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "channels",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("trackers", sa.JSON(), nullable=True),
        sa.Column("least_days", sa.Double(), nullable=True),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("quiet", sa.JSON(), nullable=True),
        sa.Column("templates", sa.JSON(), nullable=True),
        sa.Column("report_to", sa.String(32), nullable=True),
        sa.Column("max_age_s", sa.BigInteger(), nullable=False),
        sa.Column("created_at", MICROS, nullable=False),
        sa.Column("paused_at", MICROS, nullable=True),
        sa.Column("removed_at", MICROS, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("trouble_since", MICROS, nullable=True),
        sa.Column("retry_at", MICROS, nullable=True),
        sa.Column("sent_at", MICROS, nullable=True),
    )
    op.create_table(
        "outbox",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("channel_id", sa.String(32), sa.ForeignKey("channels.id"), nullable=False),
        sa.Column("alert_id", sa.String(32), nullable=True),
        sa.Column("event", sa.String(12), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("created_at", MICROS, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tried_at", MICROS, nullable=True),
        sa.Column("ended_at", MICROS, nullable=True),
        sa.Column("claimed_by", sa.String(200), nullable=True),
        sa.Column("claimed_until", MICROS, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("digest_id", sa.String(32), nullable=True),
        sa.UniqueConstraint("id"),
    )
    op.create_index("ix_outbox_alert_id", "outbox", ["alert_id"])
    op.create_index("ix_outbox_channel_id_state_seq", "outbox", ["channel_id", "state", "seq"])
