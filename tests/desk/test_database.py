from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from groundswell.desk import Desk, checkpoints, migrations, open_desk, trackers
from groundswell.desk.tables import Base
from groundswell.errors import ConflictError, UnavailableError
from groundswell.settings import Settings, load_settings


def test_the_migrated_schema_is_that_of_the_tables(desk: Desk) -> None:
    with desk.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_head_is_the_newest_migration() -> None:
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert script.get_current_head() == migrations.HEAD


def test_opening_again_keeps_what_is_there(settings: Settings) -> None:
    with open_desk(settings) as desk, desk.session() as session:
        trackers.add(session, "Shoes", "shoe*", 30.0)
    with open_desk(settings) as desk, desk.reading() as session:
        assert [row.name for row in trackers.list_active(session)] == ["Shoes"]


def test_opening_at_head_does_not_load_alembic(desk: Desk, settings: Settings) -> None:
    code = (
        "import sys; from groundswell.desk import open_desk; from groundswell.settings import load_settings;"
        f"open_desk(load_settings(home={str(settings.home)!r})).close(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_many_processes_open_a_new_desk_at_once(tmp_path: Path) -> None:
    code = (
        "from groundswell.desk import open_desk; from groundswell.settings import load_settings;"
        f"open_desk(load_settings(home={str(tmp_path / 'new')!r})).close()"
    )
    children = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    assert [child.wait(60) for child in children] == [0, 0, 0, 0]


def test_an_exception_rolls_the_session_back(desk: Desk) -> None:
    def add_and_fail() -> None:
        with desk.session() as session:
            trackers.add(session, "Shoes", "shoe*", 30.0)
            raise KeyError

    with pytest.raises(KeyError):
        add_and_fail()
    with desk.reading() as session:
        assert trackers.list_active(session) == []


def test_a_reader_does_not_wait_for_a_writer(desk: Desk) -> None:
    with desk.session() as writing:
        trackers.add(writing, "Shoes", "shoe*", 30.0)
        with desk.reading() as session:
            assert trackers.list_active(session) == []


def test_foreign_keys_are_enforced(desk: Desk) -> None:
    with desk.engine.connect() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1


def test_writers_of_many_threads_take_turns(desk: Desk) -> None:
    def add(n: int) -> None:
        with desk.session() as session:
            trackers.add(session, f"tracker {n}", "x", 30.0)

    threads = [threading.Thread(target=add, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with desk.reading() as session:
        assert len(trackers.list_active(session)) == 8


def test_a_desk_of_a_newer_version_is_refused(settings: Settings) -> None:
    open_desk(settings).close()
    with sqlite3.connect(settings.home / "desk.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(ConflictError, match="newer"):
        open_desk(settings)


def test_a_home_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UnavailableError, match="GROUNDSWELL_HOME"):
        open_desk(load_settings(home=tmp_path / "file" / "home"))


def test_what_was_planned_by_an_older_version_is_done_as_it_was_planned(settings: Settings) -> None:
    open_desk(settings).close()
    with sqlite3.connect(settings.home / "desk.sqlite") as connection:
        connection.executescript(
            "DROP TABLE plans; DROP TABLE rosters; DROP TABLE counters;"
            "DROP TRIGGER trackers_changed_by_insert; DROP TRIGGER trackers_changed_by_update;"
            "DROP TRIGGER trackers_changed_by_delete;"
            "CREATE TABLE plans (number BIGINT NOT NULL PRIMARY KEY, first_block BIGINT NOT NULL,"
            " last_block BIGINT NOT NULL, clock BIGINT NOT NULL, trackers JSON NOT NULL, covered JSON);"
            """INSERT INTO plans VALUES (7, 1, 2, 3, '[["t", 1]]', '[[4, 5]]'), (8, 3, 3, 4, '[["t", 1]]', NULL);"""
            "UPDATE alembic_version SET version_num = '0009';"
        )
    connection.close()
    with open_desk(settings) as desk, desk.reading() as session:
        found = checkpoints.plans_after(session, 0)
        said = [(row.number, row.last_block, row.clock, row.trackers, row.covered) for row in found]
        assert said == [(7, 2, 3, [["t", 1]], [[4, 5]]), (8, 3, 4, [["t", 1]], None)]
        assert found[0].roster == checkpoints.roster_of([("t", 1)])
