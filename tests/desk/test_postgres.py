"""The desk in PostgreSQL: the same schema by the same migrations, and an outbox that is worked on alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from tests.desk.test_alert_groups import posts
from tests.desk.test_alert_life import NOW, alert
from tests.desk.test_records import window
from tests.services.servers import Postgres

from groundswell.desk import (
    Desk,
    alert_cases,
    alert_documents,
    alert_groups,
    alert_life,
    alerts,
    channels,
    open_desk,
    outbox,
    precision,
    seasons,
    series,
    trackers,
)
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


def test_an_alert_lives_is_grouped_and_counts_for_the_report(elsewhere: Desk) -> None:
    with elsewhere:
        with elsewhere.session() as session:
            tracker = trackers.add(session, "Shoes", "shoe*", 30.0, now_us=NOW).id
            series.write(session, [window(tracker, NOW), window(tracker, NOW - 7 * 86_400_000_000, 4)])
            before = trackers.edition(session)
            trackers.change(session, "Shoes", promise_days=20.0)
            assert trackers.edition(session) > before
            alerts.write(session, [alert("abcd1", tracker), alert("abcd2", tracker, NOW + 1)])
            cases = [{"alert_id": name, "data": b"x", "sketch": posts(0, 60)} for name in ("abcd1", "abcd2")]
            alert_cases.write(session, cases)
            assert {row.id for row in alert_groups.regroup(session, ["abcd2"])} == {"abcd1", "abcd2"}
            assert alert_cases.settle(session, 10, version=3, seq=99) == 2
        with elsewhere.session() as session:
            alert_life.acknowledge(session, "abcd1", who="Maya", now_us=NOW)
            alert_life.snooze(session, "abcd1", NOW + 9, now_us=NOW)
            alert_life.comment(session, "abcd1", "seen", now_us=NOW)
            alert_life.judge(session, "abcd1", "real", note="it is", now_us=NOW)
            alerts.write(session, [alert("abcd1", tracker, phase="peak")])
        with elsewhere.reading() as session:
            found = alert_documents.whole(session, alerts.get(session, "abcd1"))
            assert (found["verdict"], found["comments"], found["lake_version"]) == ("real", 1, 3)
            assert [event["kind"] for event in found["events"]] == ["acknowledged", "snoozed", "commented", "verdict"]
            assert [row.id for row in alerts.page(session, grouped=True)] == ["abcd2"]
            assert seasons.season_of(session, tracker, 300, NOW, NOW + 300_000_000) is not None
            report = precision.report(session, NOW, NOW + 86_400_000_000)
            assert report["all"]["verdicts"] == {"real": 1, "false": 0, "known": 0, "none": 1}
