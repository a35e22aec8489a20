"""Airflow in an environment of its own, made of its lock once and kept in the cache folder of the tests."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from tests.services.built import alone, cache

ROOT: Final = Path(__file__).resolve().parent.parent.parent
LOCK: Final = ROOT / "requirements" / "airflow.txt"
_PATIENCE_S: Final = 1_800


def airflow_program() -> Path:
    """The program `airflow`."""
    digest = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = cache() / f"airflow-{digest}"
    program = folder / "bin" / "airflow"
    if program.exists():
        return program
    with alone(folder.name):
        if not program.exists():
            _build(folder)
    return program


def _build(folder: Path) -> None:
    uv = str(Path(sys.executable).parent / "uv")
    # Programs of an environment name its folder, so it is made where it stays; one that was not finished is removed.
    shutil.rmtree(folder, ignore_errors=True)
    commands = (
        [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
        [uv, "pip", "install", "--quiet", "--require-hashes", "--python", str(folder), "-r", str(LOCK)],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE_S)
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            pytest.skip(f"Airflow could not be installed: {done.stderr.strip().splitlines()[-3:]}")


@dataclass(frozen=True)
class Airflow:
    """Airflow with a home and a database of its own."""

    program: Path
    home: Path
    dags: Path

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Call `airflow`; what it said, errors among it."""
        own = {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        }
        return subprocess.run(
            [str(self.program), *arguments],
            env={**os.environ, **own, **(environment or {})},
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_PATIENCE_S,
        )


def new_airflow(home: Path, dags: Path) -> Airflow:
    """Airflow with an empty database of the newest schema, which is made once and copied."""
    program = airflow_program()
    made = Airflow(program, home, dags)
    home.mkdir(parents=True, exist_ok=True)
    template = program.parent.parent / "groundswell-empty.db"
    if not template.exists():
        with alone(program.parent.parent.name), tempfile.TemporaryDirectory() as folder:
            done = Airflow(program, Path(folder), dags).run("db", "migrate")
            assert done.returncode == 0, done.stdout[-2000:]
            shutil.copy(Path(folder) / "airflow.db", template.with_suffix(".partial"))
            template.with_suffix(".partial").replace(template)
    shutil.copy(template, home / "airflow.db")
    return made
