"""What all tests share: the real data, a home of their own, waiting without sleeping, and no silent skips in CI."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.services.fixtures import ferretdb, kafka, minio, postgres

from groundswell.desk import Desk, open_desk
from groundswell.schema import POSTS
from groundswell.settings import Settings, load_settings

__all__ = ["ferretdb", "kafka", "minio", "postgres"]

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of the real files; a test that needs them is skipped where they are absent."""
    folder = Path(os.environ.get("GROUNDSWELL_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no test data in {folder}; set GROUNDSWELL_TEST_DATA")
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a home of this test's own."""
    return load_settings(home=tmp_path / "home", threads=2)


@pytest.fixture
def desk(settings: Settings) -> Iterator[Desk]:
    """A new desk in this test's home."""
    with open_desk(settings) as desk:
        yield desk


def post_rows(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows of POSTS, `ingest_seq` from 1; what a row does not say is null, except what every row of a lake has."""
    full = []
    for number, row in enumerate(rows, 1):
        created, text = row.get("created_at"), row.get("text")
        base = {
            "platform": "x",
            "ingest_seq": number,
            "imported_at": datetime(2026, 11, 20, 12, tzinfo=UTC),
            "tokens": None if text is None else f" {' '.join(text.lower().replace('#', '').split())} ",
            "key": number.to_bytes(16, "big"),
            "month": f"{created:%Y-%m}" if created else "unknown",
        }
        full.append(base | dict(row))
    return pa.Table.from_pylist(full, schema=POSTS)


@pytest.fixture
def make_posts() -> Callable[[Sequence[Mapping[str, Any]]], pa.Table]:
    """`post_rows` as a fixture: posts made of what a test says about them."""
    return post_rows


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads or writes the developer's home folder or settings."""
    for name in [n for n in os.environ if n.startswith("GROUNDSWELL_") and not n.startswith("GROUNDSWELL_TEST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GROUNDSWELL_HOME", str(tmp_path / "home"))


def wait_until(condition: Callable[[], bool], seconds: float = 60.0, what: str = "the condition") -> None:
    """Poll `condition` until it holds; fails after `seconds`, naming `what`."""
    pause = threading.Event()
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come true within {seconds:g} s")
        pause.wait(0.02)


@pytest.fixture
def until() -> Callable[..., None]:
    """`wait_until` as a fixture, for test modules that cannot import this one."""
    return wait_until


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several workers a file's tests stay together, and what needs Spark shares one session."""
    for item in items:
        together = "spark" if item.get_closest_marker("spark") else str(item.path)
        item.add_marker(pytest.mark.xdist_group(together))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped and IN_CI:
        terminalreporter.write_line(f"{len(skipped)} skipped: in CI a skip is a failure", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter is not None else []
    if IN_CI and skipped and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
