"""`config` says of every setting what it is, why, and what it accepts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from groundswell.documents.system import ConfigDocument
from groundswell.settings import Settings, load_settings

Run = Callable[..., Any]


def lines(cli: Run, *before: str | Path) -> dict[str, dict[str, str]]:
    ran = cli(*before, "config", "--json")
    assert ran.code == 0
    ConfigDocument.model_validate(ran.document)
    return {line["name"]: line for line in ran.document["settings"]}


def test_every_setting_is_listed_once_with_its_variable_and_meaning(cli: Run) -> None:
    found = lines(cli)
    assert list(found) == list(Settings.model_fields)
    assert all(line["meaning"] and line["accepts"] for line in found.values())
    assert found["port"] == {
        "name": "port",
        "variable": "GROUNDSWELL_PORT",
        "value": "8765",
        "origin": "default",
        "place": "",
        "default": "8765",
        "accepts": "whole number from 0 to 65,535",
        "meaning": "port that `serve` listens on; 0: any free one",
    }


def test_the_option_wins_over_the_variable_and_the_variable_over_the_file(
    cli: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "groundswell.env").write_text("GROUNDSWELL_PORT=1\ngroundswell_window=600\nGROUNDSWELL_HOME=a\n")
    monkeypatch.setenv("GROUNDSWELL_PORT", "2")
    found = lines(cli, "--home", tmp_path / "chosen")
    assert (found["port"]["value"], found["port"]["origin"], found["port"]["place"]) == (
        "2",
        "environment",
        "GROUNDSWELL_PORT",
    )
    assert (found["window"]["value"], found["window"]["origin"]) == ("600", "file")
    assert found["window"]["place"] == str(tmp_path / "groundswell.env")
    assert (found["home"]["value"], found["home"]["origin"]) == (str(tmp_path / "chosen"), "option")


def test_what_is_printed_is_a_settings_file_with_the_same_values(
    cli: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GROUNDSWELL_PROMISE", "12.5")
    printed = cli("config")
    assert printed.code == 0
    before = load_settings()
    monkeypatch.delenv("GROUNDSWELL_PROMISE")
    monkeypatch.delenv("GROUNDSWELL_HOME")
    (tmp_path / "groundswell.env").write_text(printed.out)
    assert load_settings() == before


def test_a_wrong_value_names_the_variable_and_what_it_accepts(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_TZ", "Mars/Olympus")
    ran = cli("config")
    assert ran.code == 2
    assert ran.out == ""
    assert "GROUNDSWELL_TZ" in ran.err
    assert "Europe/Paris" in ran.err
