"""Runs the command line in this process, as the console script would."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from groundswell import cli as command_line
from groundswell.settings import current_settings


@dataclass(frozen=True)
class Ran:
    """Exit code and what was printed."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """`cli("posts", "--json")` runs the verb in an empty working folder, with this test's home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str | Path) -> Ran:
        monkeypatch.setattr("sys.argv", ["groundswell", *map(str, words)])
        current_settings.cache_clear()
        capfd.readouterr()
        try:
            command_line.main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        finally:
            current_settings.cache_clear()
        printed = capfd.readouterr()
        return Ran(code, printed.out, printed.err)

    return run
