"""PostgreSQL restarted in the middle of a live watch: it goes on by itself, and nothing is lost or doubled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import wait_until
from tests.crash.test_live_kills import SOURCES, Feeder, a_file, chunks, home_that_tells, outcome, run
from tests.services.receiver import receiving
from tests.services.servers import Postgres, start_postgres

from groundswell.desk import checkpoints, open_desk
from groundswell.settings import load_settings

pytestmark = [pytest.mark.service, pytest.mark.slow]

__all__ = ["chunks"]

#: Chunks during which the server is away: cut off, and shut down in peace.
AWAY = {3: "kill", 7: "stop"}


@contextmanager
def _restarting(path: Path, server: Postgres) -> Iterator[Feeder]:
    with a_file(path) as file:

        def give(number: int, chunk: list[dict[str, Any]]) -> None:
            if number not in AWAY:
                file.give(number, chunk)
                return
            wait_until(lambda: _progress() > 0, 120, "the watch has begun")
            getattr(server.process, AWAY[number])()
            file.give(number, chunk)
            server.process.start()

        yield Feeder(file.spec, give)


def _progress() -> int:
    with open_desk(load_settings()) as desk, desk.reading() as session:
        mark = checkpoints.get(session, "watch")
    return 0 if mark is None else mark.block


def test_a_server_that_is_restarted_changes_nothing(
    chunks: list[list[dict[str, Any]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[dict[str, Any]] = []
    for name in ("undisturbed", "restarted"):
        folder = tmp_path / name
        folder.mkdir()
        with start_postgres() as server, receiving() as receiver:
            source = "file"
            if name == "restarted":
                monkeypatch.setenv("GROUNDSWELL_DESK", server.url(server.new_database()))
                monkeypatch.setitem(SOURCES, "restarting", partial(_restarting, server=server))
                source = "restarting"
            settings = home_that_tells(folder / "home", receiver)
            monkeypatch.setenv("GROUNDSWELL_HOME", str(settings.home))
            result = run(settings, source, chunks, folder)
            assert result["killed"] == 0
            found.append(outcome(settings, receiver))
    assert found[0]["alerts"]
    assert found[1] == found[0]
