"""The contracts on a Spark whose driver or executors are other processes: Spark Connect, and a master with a worker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.services.spark import start_cluster, start_connect

pytestmark = [pytest.mark.spark, pytest.mark.service]

ROOT = Path(__file__).resolve().parents[2]
#: Import, search and a mart; a session of Connect and one of the classic kind cannot be in one process.
SOME = (
    "test_import.py::test_a_file_of_every_layout[bluesky.jetstream]",
    "test_import.py::test_a_table_with_broken_rows_and_a_map",
    "test_rows.py::test_a_search_gives_the_same_posts",
    "test_trends.py::test_counts_of_keys[width0-hashtag]",
)
ALL = ("test_engines.py", "test_import.py", "test_query.py", "test_rows.py", "test_trends.py")


def hold(address: str, tests: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "0"]
    done = subprocess.run(
        [*command, *(f"tests/contracts/{test}" for test in tests)],
        cwd=ROOT,
        env={**os.environ, "GROUNDSWELL_TEST_SPARK": address},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert "skipped" not in done.stdout


@pytest.mark.slow
def test_import_search_and_trends_are_the_same_on_spark_connect() -> None:
    with start_connect() as address:
        hold(address, SOME)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_all_contracts_hold_on_spark_connect() -> None:
    with start_connect() as address:
        hold(address, ALL)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_import_search_and_trends_are_the_same_on_a_master_with_a_worker() -> None:
    with start_cluster() as address:
        hold(address, SOME)
