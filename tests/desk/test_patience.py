"""A desk whose server goes away and comes back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import wait_until
from tests.services.servers import Postgres, start_postgres

from groundswell.desk import Desk, DeskLostError, leases, open_desk, trackers
from groundswell.errors import UnavailableError
from groundswell.settings import Settings, load_settings

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with start_postgres() as own:
        yield own


@pytest.fixture
def elsewhere(server: Postgres, tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home", desk=server.url(server.new_database()))


def add(desk: Desk, name: str) -> None:
    with desk.session() as session:
        trackers.add(session, name, "x", 30.0)


def names(desk: Desk) -> list[str]:
    with desk.reading() as session:
        return sorted(row.name for row in trackers.list_active(session))


def test_what_has_not_begun_waits_for_the_server(
    server: Postgres, elsewhere: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with open_desk(elsewhere) as desk, caplog.at_level(logging.WARNING, "groundswell.desk"):
        add(desk, "one")
        server.process.kill()
        adding = threading.Thread(target=add, args=(desk, "two"))
        adding.start()
        wait_until(lambda: bool(caplog.records), what="it was noticed")
        server.process.start()
        adding.join()
        assert names(desk) == ["one", "two"]
    told = [record.getMessage() for record in caplog.records]
    assert "does not answer" in told[0]
    assert "answers again" in told[-1]


def test_a_transaction_that_is_cut_off_is_not_there(server: Postgres, elsewhere: Settings) -> None:
    with open_desk(elsewhere) as desk:

        def cut_off() -> None:
            with desk.session() as session:
                trackers.add(session, "one", "x", 30.0)
                server.process.kill()
                server.process.start()
                trackers.add(session, "two", "x", 30.0)

        with pytest.raises(DeskLostError, match="went away"):
            cut_off()
        assert names(desk) == []


def test_a_lease_outlives_a_restart(server: Postgres, elsewhere: Settings) -> None:
    with open_desk(elsewhere) as desk, leases.hold(desk, "lake") as held:
        server.process.stop()
        server.process.start()
        with desk.session() as session:
            held.guard(session)
        held.renew()


def test_a_server_that_is_not_there_at_the_start_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="GROUNDSWELL_DESK"):
        open_desk(load_settings(home=tmp_path, desk="postgresql://x@127.0.0.1:9/x"))
