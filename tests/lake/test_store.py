from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from groundswell.errors import ConflictError, UnavailableError, UnknownChoiceError
from groundswell.lake import Lake
from groundswell.lake.tables import VERSION_KEY
from groundswell.schema import LEDGER, POSTS, QUARANTINE

START = datetime(2024, 1, 31, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def posts(
    count: int, start: datetime = START, platform: str = "tiktok", step: timedelta = timedelta(hours=1)
) -> pa.Table:
    times = [start + step * ((7 * n) % count) for n in range(count)]
    rows = [
        {
            "platform": platform,
            "post_id": f"{platform}-{time.isoformat()}",
            "created_at": time,
            "hashtags": ["a"],
            "metrics": [("downloads", n)],
            "key": n.to_bytes(16, "big"),
            "month": time.strftime("%Y-%m"),
        }
        for n, time in enumerate(times)
    ]
    return pa.Table.from_pylist(rows, schema=POSTS)


def read(lake: Lake) -> pa.Table:
    return lake.read("posts", [name for name in POSTS.names if name not in ("platform", "month")])


def test_a_lake_without_tables_reads_as_empty(lake: Lake) -> None:
    assert (lake.count(), lake.version(), lake.snapshot().files, lake.last_number()) == (0, -1, [], 0)
    assert lake.read("quarantine").schema == QUARANTINE


def test_an_unknown_table_is_named_with_the_valid_ones(lake: Lake) -> None:
    with pytest.raises(UnknownChoiceError, match="posts"):
        lake.append("post", pa.table({}))


def test_rows_come_back_as_they_were_with_growing_numbers(lake: Lake) -> None:
    lake.append("posts", posts(50))
    lake.append("posts", posts(5, platform="youtube"))
    found = read(lake)
    assert sorted(found["ingest_seq"].to_pylist()) == list(range(1, 56))
    assert found["metrics"].type == POSTS.field("metrics").type
    assert set(found["hashtags"].to_pylist()[0]) == {"a"}
    assert lake.last_number() == 55


def test_the_partition_of_a_row_is_its_folder(lake: Lake) -> None:
    lake.append("posts", posts(48))
    folders = {"/".join(file.parts[-3:-1]) for file in lake.snapshot().files}
    assert folders == {"platform=tiktok/month=2024-01", "platform=tiktok/month=2024-02"}


def test_rows_are_sorted_by_time_within_a_row_group(lake: Lake) -> None:
    lake.append("posts", posts(20))
    (file,) = lake.snapshot(platforms=["tiktok"]).files
    times = pq.ParquetFile(file).read()["created_at"].to_pylist()
    assert times == sorted(times)


def test_a_snapshot_leaves_out_files_by_partition_and_statistics(lake: Lake) -> None:
    for day in (1, 10, 20):
        lake.append("posts", posts(5, datetime(2024, 3, day, tzinfo=UTC)))
    lake.append("posts", posts(5, datetime(2024, 3, 10, tzinfo=UTC), platform="youtube"))
    since, until = datetime(2024, 3, 10, tzinfo=UTC), datetime(2024, 3, 11, tzinfo=UTC)
    assert lake.snapshot(platforms=["tiktok"], since=since, until=until).rows == 5
    assert len(lake.snapshot(since=since).files) == 3
    assert lake.snapshot(until=datetime(2024, 3, 1, tzinfo=UTC)).files == []
    assert lake.snapshot(platforms=["x"]).files == []


def test_the_last_microsecond_of_a_file_is_not_left_out(lake: Lake) -> None:
    moment = datetime(2024, 3, 1, 0, 0, 0, 123_999, tzinfo=UTC)
    lake.append("posts", posts(1, moment))
    assert lake.snapshot(since=moment).rows == 1


def test_a_transaction_is_done_once(lake: Lake) -> None:
    assert lake.append("posts", posts(3), txn=("import-a", 1), metadata={"summary": "{}"}) is not None
    assert lake.append("posts", posts(3), txn=("import-a", 1)) is None
    assert (lake.count(), lake.txn_version("posts", "import-a"), lake.txn_version("posts", "b")) == (3, 1, None)
    found = lake.commit_metadata("posts", ("import-a", 1))
    assert found is not None
    assert found["summary"] == "{}"
    assert lake.commit_metadata("posts", ("import-a", 2)) is None


def test_an_append_without_rows_still_records_its_transaction(lake: Lake) -> None:
    lake.append("ledger", LEDGER.empty_table(), txn=("journal", 7))
    assert lake.txn_version("ledger", "journal") == 7


def test_an_abandoned_append_leaves_nothing(lake: Lake) -> None:
    with lake.appender("posts") as appender:
        appender.write(posts(10))
    assert lake.count() == 0
    assert list(lake.path("posts").rglob("*.parquet")) == []


def test_a_reader_keeps_its_snapshot_while_rows_are_added(lake: Lake) -> None:
    lake.append("posts", posts(5))
    before = lake.snapshot()
    lake.append("posts", posts(5))
    assert sum(pq.read_metadata(file).num_rows for file in before.files) == before.rows == 5


def test_numbers_go_on_after_a_commit_of_another_program(lake: Lake) -> None:
    lake.append("posts", posts(5))
    table = lake.delta("posts")
    assert table is not None
    table.alter.set_table_properties({"delta.appendOnly": "false"})
    lake.append("posts", posts(1))
    assert max(read(lake)["ingest_seq"].to_pylist()) == 6


def test_a_table_of_another_schema_version_is_refused(lake: Lake) -> None:
    lake.append("posts", posts(1))
    table = lake.delta("posts")
    assert table is not None
    table.alter.set_table_properties({VERSION_KEY: "99"}, raise_if_not_exists=False)
    with pytest.raises(ConflictError, match="schema 99"):
        lake.count()


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UnavailableError, match="not writable"):
        Lake(tmp_path / "file" / "lake").append("posts", posts(1))


def test_many_rows_make_bounded_row_groups(lake: Lake) -> None:
    one = posts(1_000, step=timedelta(seconds=1))
    with lake.appender("posts") as appender:
        for _ in range(70):
            appender.write(one)
        appender.commit()
    (file,) = lake.snapshot().files
    metadata = pq.read_metadata(file)
    assert [metadata.row_group(g).num_rows for g in range(metadata.num_row_groups)] == [65_536, 4_464]
