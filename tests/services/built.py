"""Test servers that Go builds or Maven brings, once for each version: kept in the cache folder of the tests."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

MINIO: Final = "v0.0.0-20260212201848-7aac2a2c5b7c"
FERRETDB: Final = Path(__file__).parent / "ferretdb"
MAVEN: Final = Path(__file__).parent / "maven"
#: A first build downloads and compiles; the tests that need it are not to be timed out by it.
_PATIENCE_S: Final = 1_800


def cache() -> Path:
    """Folder of what is built once: `GROUNDSWELL_TEST_CACHE`, else in the user's cache folder."""
    named = os.environ.get("GROUNDSWELL_TEST_CACHE")
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(named) if named else root / "groundswell-tests"


def minio() -> Path:
    """The program of the S3 server."""
    folder = f"minio-{MINIO}"
    return _built(folder, "minio", ["install", f"github.com/minio/minio@{MINIO}"])


def ferretdb() -> Path:
    """The program of the server of the MongoDB protocol, built of the module in `ferretdb/`."""
    sources = [FERRETDB / name for name in ("go.mod", "go.sum", "main.go")]
    digest = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    return _built(f"ferretdb-{digest}", "ferretdb", ["build", "-mod=mod", "-o", "ferretdb", "."], sources)


def jars(name: str, *options: str) -> Path:
    """Folder of the jars that `maven/NAME.xml` needs to run, by `mvn dependency:copy-dependencies` with `options`."""
    pom = MAVEN / f"{name}.xml"
    digest = hashlib.sha256(b"\0".join([pom.read_bytes(), *map(str.encode, options)])).hexdigest()[:12]
    folder = f"{name}-{digest}"
    ready = cache() / folder
    if ready.exists():
        return ready
    maven = shutil.which("mvn")
    if maven is None:
        pytest.skip(f"the jars of {name} are brought by Maven, which is not installed (Debian: apt-get install maven)")
    with alone(folder):
        if not ready.exists():
            _bring(ready, [maven, "-B", "-q", "-f", "pom.xml", "dependency:copy-dependencies", *options], pom)
    return ready


def _bring(ready: Path, command: Sequence[str], pom: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cache()) as name:
        work = Path(name)
        shutil.copy(pom, work / "pom.xml")
        made = [*command, "-DincludeScope=runtime", "-DoutputDirectory=jars"]
        done = subprocess.run(made, cwd=work, capture_output=True, text=True, check=False, timeout=_PATIENCE_S)
        if done.returncode:
            pytest.skip(f"the jars of {ready.name} could not be had: {(done.stdout + done.stderr).strip()[-300:]}")
        (work / "jars").replace(ready)


def _built(folder: str, program: str, command: Sequence[str], sources: Sequence[Path] = ()) -> Path:
    built = cache() / folder / program
    if built.exists():
        return built
    go = shutil.which("go")
    if go is None:
        pytest.skip(f"{program} is built with Go, which is not installed (https://go.dev/dl)")
    with alone(folder):
        if not built.exists():
            _build(built, [go, *command], sources)
    return built


@contextmanager
def alone(folder: str) -> Iterator[None]:
    """Several test processes build a thing once: the others wait."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(built: Path, command: Sequence[str], sources: Sequence[Path]) -> None:
    with tempfile.TemporaryDirectory(dir=cache()) as name:
        work = Path(name)
        for source in sources:
            shutil.copy(source, work)
        environment: Mapping[str, str] = {**os.environ, "GOBIN": str(work)}
        done = subprocess.run(
            command, cwd=work, env=environment, capture_output=True, text=True, check=False, timeout=_PATIENCE_S
        )
        if done.returncode:
            pytest.skip(f"{built.name} could not be built: {done.stderr.strip().splitlines()[-1:]}")
        built.parent.mkdir(exist_ok=True)
        (work / built.name).replace(built)
