from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from groundswell.lake import Lake, maintenance
from groundswell.schema import POSTS


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    for day in (9, 3, 6):
        rows = [
            {"platform": p, "month": "2024-05", "created_at": datetime(2024, 5, day, tzinfo=UTC) + timedelta(hours=h)}
            for p in ("tiktok", "youtube")
            for h in range(4)
        ]
        lake.append("posts", pa.Table.from_pylist(rows, schema=POSTS))
    return lake


def numbers(lake: Lake) -> list[int]:
    found: list[int] = sorted(lake.read("posts", ["ingest_seq"])["ingest_seq"].to_pylist())
    return found


def test_compaction_joins_files_and_keeps_rows_numbers_and_order(lake: Lake) -> None:
    before = numbers(lake)
    done = maintenance.compact(lake)
    assert (done.files_before, done.files_after, done.rows) == (6, 2, 24)
    assert numbers(lake) == before
    assert lake.last_number() == 24
    for file in lake.snapshot().files:
        times = pq.ParquetFile(file).read()["created_at"].to_pylist()
        assert times == sorted(times)
    assert maintenance.compact(lake).files_before == 0


def test_a_reader_of_before_finds_its_files_until_they_are_old(lake: Lake) -> None:
    snapshot = lake.snapshot()
    maintenance.compact(lake)
    assert maintenance.vacuum(lake) == 0
    assert all(file.exists() for file in snapshot.files)
    assert maintenance.vacuum(lake, keep_hours=0) == 6
    assert numbers(lake) == list(range(1, 25))
    lake.append("posts", POSTS.empty_table())
    assert lake.last_number() == 24


def test_vacuum_keeps_the_versions_that_evidence_names(lake: Lake) -> None:
    version, files = lake.version(), lake.snapshot().files
    maintenance.compact(lake)
    maintenance.vacuum(lake, keep_hours=0, keep_versions=[version])
    assert all(file.exists() for file in files)


def test_vacuum_removes_what_a_killed_append_left(lake: Lake) -> None:
    left = lake.path("posts") / "platform=tiktok" / "month=2024-05" / "part-left.parquet"
    pq.write_table(pa.table({"a": [1]}), left)
    maintenance.vacuum(lake, keep_hours=0)
    assert not left.exists()
    assert len(numbers(lake)) == 24


def test_tidy_leaves_a_few_files_alone(lake: Lake) -> None:
    assert maintenance.tidy(lake).files_before == 0
    assert maintenance.tidy(lake, least_files=3).files_before == 6
