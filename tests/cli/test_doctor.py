"""`doctor` finds what is broken, says what to do, and changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from groundswell.doctor import CHECKS
from groundswell.documents.system import DoctorDocument
from groundswell.engines import Engine
from groundswell.errors import UnavailableError
from groundswell.settings import Settings

Run = Callable[..., Any]


def findings(ran: Any) -> dict[str, dict[str, str]]:
    DoctorDocument.model_validate(ran.document)
    return {check["name"]: check for check in ran.document["checks"]}


def test_a_new_installation_passes_and_no_home_is_made(cli: Run, tmp_path: Path) -> None:
    ran = cli("doctor", "--json")
    assert ran.code == 0, ran.out
    assert ran.document["ok"] is True
    assert len(ran.document["checks"]) == len(CHECKS)
    assert not (tmp_path / "home").exists()


def test_a_home_in_use_passes_and_is_left_as_it_was(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    assert cli("doctor", "--json").code == 0
    assert findings(cli("doctor", "--json"))["lake"]["detail"].startswith("HOME/lake: 0 observations")
    assert list((tmp_path / "home" / "lake").iterdir()) == []


def test_a_misspelt_variable_is_a_warning_with_the_nearest_name(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_PROMISES", "600")
    ran = cli("doctor", "--json")
    assert ran.code == 0
    found = findings(ran)["settings"]
    assert found["state"] == "warn"
    assert "did you mean GROUNDSWELL_PROMISE?" in found["hint"]


def test_a_home_that_is_a_file_fails_with_what_to_do(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    ran = cli("--home", tmp_path / "file", "doctor", "--json")
    assert ran.code == 1
    failed = {name for name, check in findings(ran).items() if check["state"] == "fail"}
    assert {"home", "lake", "desk", "bus"} <= failed
    assert "GROUNDSWELL_HOME" in findings(ran)["home"]["hint"]


def test_a_damaged_desk_and_journal_fail_and_hide_no_other_check(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "desk.sqlite").write_bytes(b"not a database" * 100)
    (tmp_path / "home" / "journal.sqlite").write_bytes(b"not a database" * 100)
    ran = cli("doctor", "--json")
    assert ran.code == 1
    found = findings(ran)
    assert found["desk"]["state"] == found["bus"]["state"] == "fail"
    assert found["lake"]["state"] == found["engine"]["state"] == "ok"


def test_a_journal_that_is_not_in_wal_mode_fails(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    assert cli("doctor", "--json").code == 0
    with closing(sqlite3.connect(tmp_path / "home" / "journal.sqlite")) as journal:
        journal.execute("PRAGMA journal_mode=DELETE")
    found = findings(cli("doctor", "--json"))["bus"]
    assert (found["state"], "WAL" in found["detail"]) == ("fail", True)


def test_an_open_address_without_a_token_fails(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_HOST", "192.0.2.1")
    found = findings(cli("doctor", "--json"))["address"]
    assert (found["state"], found["hint"]) == ("fail", "groundswell token create NAME")


def _no_engine(_: Settings) -> Engine:
    wrong = "Spark does not start"
    raise UnavailableError(wrong)


def test_spark_without_java_fails_only_where_spark_is_the_engine(
    cli: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "no-java"))
    assert findings(cli("doctor", "--json"))["spark"]["state"] == "warn"
    monkeypatch.setattr("groundswell.doctor.parts.open_engine", _no_engine)
    monkeypatch.setenv("GROUNDSWELL_ENGINE", "local[1]")
    found = findings(cli("doctor", "--json"))["spark"]
    assert found["state"] == "fail"
    assert "Java 17" in found["hint"]


def test_the_table_shows_a_line_a_check_and_hints(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_PROMISES", "600")
    ran = cli("doctor")
    assert ran.code == 0
    assert "ok   python" in ran.out
    assert "→ did you mean GROUNDSWELL_PROMISE?" in ran.out
