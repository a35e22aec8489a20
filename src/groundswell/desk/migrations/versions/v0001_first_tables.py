"""The first tables: trackers, alerts, series, the runner's plans and checkpoints, leases, runs, tokens, changes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

MICROS = sa.BigInteger()


def _column(name: str, kind: Any, *, null: bool = False, key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null, primary_key=key)


def upgrade() -> None:
    """Create the tables."""
    _watch()
    _runner()
    _application()


def _watch() -> None:
    op.create_table(
        "trackers",
        _column("id", sa.String(32), key=True),
        _column("name", sa.String(200)),
        _column("query", sa.Text()),
        _column("version", sa.Integer()),
        _column("promise_days", sa.Double()),
        _column("created_at", MICROS),
        _column("removed_at", MICROS, null=True),
    )
    op.create_index("ix_trackers_name", "trackers", ["name"])
    op.create_table(
        "alerts",
        _column("id", sa.String(32), key=True),
        sa.Column("tracker_id", sa.String(32), sa.ForeignKey("trackers.id"), nullable=False),
        _column("tracker_version", sa.Integer()),
        _column("signal", sa.String(40)),
        _column("window_s", sa.Integer()),
        _column("direction", sa.String(8)),
        _column("phase", sa.String(12)),
        _column("started_at", MICROS),
        _column("opened_at", MICROS),
        _column("updated_at", MICROS),
        _column("closed_at", MICROS, null=True),
        _column("observed", sa.BigInteger()),
        _column("expected", sa.Double()),
        _column("lower", sa.Double()),
        _column("upper", sa.Double()),
        _column("p_value", sa.Double()),
        _column("return_days", sa.Double()),
        _column("posts", sa.BigInteger()),
        _column("headline", sa.Text()),
        _column("evidence", sa.JSON()),
        _column("verdict", sa.String(12), null=True),
        _column("created_wall", MICROS),
    )
    op.create_index("ix_alerts_tracker_id", "alerts", ["tracker_id"])
    op.create_index("ix_alerts_started_at", "alerts", ["started_at"])
    op.create_table(
        "series",
        _column("tracker_id", sa.String(32), key=True),
        _column("window_s", sa.Integer(), key=True),
        _column("start", MICROS, key=True),
        _column("count", sa.BigInteger()),
        _column("expected", sa.Double(), null=True),
        _column("lower", sa.Double(), null=True),
        _column("upper", sa.Double(), null=True),
        _column("p_value", sa.Double(), null=True),
        _column("return_days", sa.Double(), null=True),
        _column("platform_ratio", sa.Double(), null=True),
        _column("state", sa.String(12)),
        _column("late", sa.Integer()),
    )


def _runner() -> None:
    op.create_table(
        "plans",
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        _column("first_block", sa.BigInteger()),
        _column("last_block", sa.BigInteger()),
        _column("clock", MICROS),
        _column("trackers", sa.JSON()),
        _column("covered", sa.JSON(), null=True),
    )
    op.create_table(
        "checkpoints",
        _column("name", sa.String(20), key=True),
        _column("block", sa.BigInteger()),
        _column("batch", sa.BigInteger()),
        _column("generation", sa.BigInteger()),
        _column("watermark", MICROS, null=True),
        _column("at", MICROS),
    )
    op.create_table(
        "leases",
        _column("name", sa.String(20), key=True),
        _column("holder", sa.String(200)),
        _column("epoch", sa.BigInteger()),
        _column("expires_at", MICROS),
    )


def _application() -> None:
    op.create_table(
        "runs",
        _column("id", sa.String(32), key=True),
        _column("kind", sa.String(20)),
        _column("subject", sa.Text()),
        _column("state", sa.String(12)),
        _column("started_at", MICROS),
        _column("finished_at", MICROS, null=True),
        _column("summary", sa.JSON(), null=True),
    )
    op.create_index("ix_runs_kind", "runs", ["kind"])
    op.create_table(
        "tokens",
        _column("id", sa.String(16), key=True),
        _column("name", sa.String(200)),
        sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
        _column("created_at", MICROS),
        _column("revoked_at", MICROS, null=True),
    )
    op.create_table(
        "changes",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        _column("at", MICROS),
        _column("kind", sa.String(12)),
        _column("subject", sa.String(64)),
        _column("body", sa.JSON()),
    )
