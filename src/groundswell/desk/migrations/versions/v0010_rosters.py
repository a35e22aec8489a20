"""How often trackers were changed, and the trackers of plans once for many of them."""

from __future__ import annotations

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

MICROS = sa.BigInteger()
_COUNT = "UPDATE counters SET value = value + 1 WHERE name = 'trackers'"


def upgrade() -> None:
    """Create the tables, let triggers count, and write what is planned in the new way."""
    counters = op.create_table(
        "counters",
        sa.Column("name", sa.String(20), primary_key=True),
        sa.Column("value", sa.BigInteger(), nullable=False),
    )
    op.bulk_insert(counters, [{"name": "trackers", "value": 1}])
    if op.get_bind().dialect.name == "postgresql":
        body = f"BEGIN {_COUNT}; RETURN NULL; END"
        op.execute(f"CREATE FUNCTION count_tracker_changes() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
        op.execute(
            "CREATE TRIGGER trackers_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON trackers"
            " FOR EACH STATEMENT EXECUTE FUNCTION count_tracker_changes()"
        )
    else:
        for change in ("INSERT", "UPDATE", "DELETE"):
            name = f"trackers_changed_by_{change.lower()}"
            op.execute(f"CREATE TRIGGER {name} AFTER {change} ON trackers BEGIN {_COUNT}; END")
    _plans()


def _plans() -> None:
    old = sa.Table("plans", sa.MetaData(), autoload_with=op.get_bind())
    planned = [dict(row._mapping) for row in op.get_bind().execute(sa.select(old))]
    op.drop_table("plans")
    rosters = op.create_table(
        "rosters",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("trackers", sa.JSON(), nullable=False),
    )
    plans = op.create_table(
        "plans",
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("first_block", sa.BigInteger(), nullable=False),
        sa.Column("last_block", sa.BigInteger(), nullable=False),
        sa.Column("clock", MICROS, nullable=False),
        sa.Column("roster", sa.String(32), sa.ForeignKey("rosters.id"), nullable=False),
        sa.Column("covered", sa.JSON(none_as_null=True), nullable=True),
    )
    held = {}
    for row in planned:
        trackers = row.pop("trackers")
        text = json.dumps(trackers, separators=(",", ":"))
        row["roster"] = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        held[row["roster"]] = trackers
    op.bulk_insert(rosters, [{"id": name, "trackers": trackers} for name, trackers in held.items()])
    op.bulk_insert(plans, planned)
