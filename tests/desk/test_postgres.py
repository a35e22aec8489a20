"""The desk in PostgreSQL: the same schema by the same migrations, and an outbox that is worked on alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from tests.services.servers import Postgres

from groundswell.desk import Desk, channels, open_desk, outbox
from groundswell.desk.channels import Rules
from groundswell.desk.tables import Base
from groundswell.settings import load_settings

pytestmark = pytest.mark.service


@pytest.fixture
def elsewhere(postgres: Postgres, tmp_path: Path) -> Desk:
    url = postgres.url(postgres.new_database()).replace("postgresql://", "postgresql+psycopg://")
    return open_desk(load_settings(home=tmp_path / "home", desk=url))


def test_the_migrated_schema_is_that_of_the_tables(elsewhere: Desk) -> None:
    with elsewhere, elsewhere.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_message_is_planned_once_claimed_held_and_told_in_a_digest(elsewhere: Desk) -> None:
    body = {"alert": {"id": "a", "return_days": 1.0}}
    with elsewhere:
        with elsewhere.session() as session:
            where = channels.add(session, "ops", "file", {"path": "/x"}, Rules()).id
            assert outbox.add(session, where, "opened", body, identity="i" * 32, alert_id="a", now_us=1)
            assert not outbox.add(session, where, "opened", body, identity="i" * 32, alert_id="a", now_us=1)
        with elsewhere.session() as session:
            message = outbox.claim(session, where, 2, 10)
            assert message is not None
            assert outbox.settle(session, message.seq, "waiting", 3, "away")
            assert outbox.hold(session, where, "held", 3) == 1
            together = outbox.digest(session, where, 4)
            assert together is not None
            assert outbox.counts(session)[where] == {"digested": 1, "waiting": 1}
            assert outbox.bury(session, 5, 6) == 1
            assert outbox.revive(session, together.id, now_us=7).state == "waiting"
            channels.remove(session, "ops", now_us=8)
        with elsewhere.reading() as session:
            assert outbox.counts(session)[where] == {"digested": 1, "dropped": 1}
