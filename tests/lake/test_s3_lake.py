"""The lake in an S3 store, on a real server, with a proxy before it that refuses or loses answers."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from deltalake import DeltaTable
from tests.services.faults import Faults, faults_before
from tests.services.servers import Minio

from groundswell.engines import open_engine
from groundswell.errors import ConflictError, UnavailableError, UsageError
from groundswell.lake import Lake, keyfiles, posts_table
from groundswell.lake.delta import options_of
from groundswell.lake.maintenance import compact, vacuum
from groundswell.lake.terms import drop_orphans, index_texts, open_index
from groundswell.settings import Settings, load_settings
from groundswell.stores import S3Path

pytestmark = pytest.mark.service

MakePosts = Callable[[list[dict[str, Any]]], pa.Table]


@pytest.fixture
def make_posts(make_posts: MakePosts) -> MakePosts:
    """Posts that the lake gives their numbers."""
    return lambda rows: make_posts(rows).drop_columns("ingest_seq")


@pytest.fixture
def store(minio: Minio, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    """The store behind a proxy that lets everything through at first."""
    with faults_before(minio.port) as proxy:
        for name, value in (minio.environment() | {"GROUNDSWELL_S3_ENDPOINT": proxy.endpoint}).items():
            monkeypatch.setenv(name, value)
        yield proxy


@pytest.fixture
def elsewhere(store: Faults, minio: Minio, tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home", lake=f"s3://{minio.new_bucket()}/a/lake", threads=2)


def november(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [
        {"post_id": f"p{n}", "text": f"post {n} about shoes", "created_at": datetime(2026, 11, 1 + n % 20, tzinfo=UTC)}
        for n in range(first, first + count)
    ]


def numbers(lake: Lake) -> list[int]:
    return sorted(lake.read("posts", ["ingest_seq"])["ingest_seq"].to_pylist())


def test_a_table_is_written_read_joined_and_cleaned_there(elsewhere: Settings, make_posts: MakePosts) -> None:
    lake = Lake.open(elsewhere)
    assert lake.read("posts").num_rows == 0
    for part in range(3):
        done = lake.append("posts", make_posts(november(40, 40 * part)), txn=("a", part + 1))
        assert done is not None
        assert done.rows == 40
    assert lake.append("posts", make_posts(november(1)), txn=("a", 3)) is None
    assert numbers(lake) == list(range(1, 121))
    assert (lake.txn_version("posts", "a"), lake.last_number(), lake.count()) == (3, 120, 120)
    assert len(lake.files_of("posts", ("a", 2))) == 1
    assert compact(lake).files_after == 1
    assert vacuum(lake, keep_hours=0) == 3
    assert numbers(lake) == list(range(1, 121))
    plain = DeltaTable(str(lake.path("posts")), storage_options=options_of(lake.path("posts")))
    assert plain.to_pyarrow_dataset().count_rows() == 120
    assert not list((elsewhere.lake_cache / "staging").glob("*"))


def test_an_engine_reads_what_it_needs_there(elsewhere: Settings, make_posts: MakePosts) -> None:
    lake = Lake.open(elsewhere)
    lake.append("posts", make_posts(november(60)))
    engine = open_engine(elsewhere)
    try:
        since = datetime(2026, 11, 5, tzinfo=UTC)
        found = posts_table(engine, lake, since=since, until=datetime(2026, 11, 6, tzinfo=UTC))
        rows = engine.run(found.select("post_id", "platform", "month").order_by("post_id")).read_all().to_pylist()
    finally:
        engine.close()
    assert [row["post_id"] for row in rows] == ["p24", "p4", "p44"]
    assert {(row["platform"], row["month"]) for row in rows} == {("x", "2026-11")}


def test_what_is_kept_here_of_a_store_can_be_made_again(
    elsewhere: Settings, make_posts: MakePosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundswell.lake.terms.LEAST_ROWS", 1)
    lake = Lake.open(elsewhere)
    lake.append("posts", make_posts(november(10)))
    for _ in range(2):
        assert sum(run.keys for run in keyfiles.key_runs(lake, "posts", "x", "2026-11", frozenset())) == 10
        assert index_texts(lake) == 1
        assert open_index(lake, lake.snapshot().files[0]) is not None
        assert len([path for path in elsewhere.lake_cache.rglob("*") if path.suffix in {".keys", ".terms"}]) == 2
        assert (keyfiles.drop_orphans(lake), drop_orphans(lake)) == (0, 0)
        shutil.rmtree(elsewhere.lake_cache)


def test_an_outage_loses_and_doubles_nothing_and_is_told(
    store: Faults, elsewhere: Settings, make_posts: MakePosts, caplog: pytest.LogCaptureFixture
) -> None:
    lake = Lake.open(elsewhere)
    lake.append("posts", make_posts(november(5)))
    with caplog.at_level(logging.WARNING, "groundswell.stores"):
        for status in (503, 500):
            store.fail(status)
            threading.Timer(1.5, store.fail, [None]).start()
            lake.append("posts", make_posts(november(5)))
    assert store.refused > 2
    assert numbers(lake) == list(range(1, 16))
    told = [record.getMessage() for record in caplog.records]
    assert any("503" in line and "trying again" in line for line in told)
    assert any("answers again" in line for line in told)


@pytest.mark.parametrize("txn", [None, ("app", 1)])
def test_a_commit_whose_answer_is_lost_is_found_again(
    store: Faults, elsewhere: Settings, make_posts: MakePosts, txn: tuple[str, int] | None
) -> None:
    lake = Lake.open(elsewhere)
    lake.append("posts", make_posts(november(5)))
    store.lose("_delta_log/")
    lake.append("posts", make_posts(november(5, 5)), txn=txn)
    assert store.lost == 1
    assert numbers(lake) == list(range(1, 11))
    assert lake.version() == 2


def test_a_store_that_stays_away_ends_in_an_error_and_an_unchanged_table(
    store: Faults, elsewhere: Settings, make_posts: MakePosts
) -> None:
    impatient = elsewhere.model_copy(update={"s3_patience": 1.0})
    lake = Lake.open(impatient)
    lake.append("posts", make_posts(november(5)))
    store.fail(503)
    with pytest.raises(UnavailableError, match="cannot be reached"):
        lake.append("posts", make_posts(november(5)))
    store.fail(None)
    assert numbers(lake) == [1, 2, 3, 4, 5]


def test_writers_of_small_tables_at_once_lose_nothing(elsewhere: Settings) -> None:
    lake = Lake.open(elsewhere)
    schema = lake.read("ledger").schema
    row = {name: None for name in schema.names} | {"batch": "b", "source": "s", "origin": "o", "received": 1}
    row |= {"quarter": datetime(2026, 11, 1, tzinfo=UTC), "stored": 1, "known": 0, "rejected": 0, "ignored": 0}
    rows = pa.Table.from_pylist([row], schema=schema)
    lake.append("ledger", rows)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: lake.append("ledger", rows), range(12)))
    assert lake.read("ledger").num_rows == 13


def test_two_homes_that_write_posts_at_once_are_told(
    elsewhere: Settings, make_posts: MakePosts, tmp_path: Path
) -> None:
    first = Lake.open(elsewhere)
    second = Lake.open(elsewhere.model_copy(update={"home": tmp_path / "other"}))
    first.append("posts", make_posts(november(1)))
    with first.appender("posts") as appender:
        appender.write(make_posts(november(2)))
        second.append("posts", make_posts(november(3)))
        with pytest.raises(ConflictError, match="another home"):
            appender.commit()
    assert numbers(first) == [1, 2, 3, 4]


def test_what_is_wrong_with_a_store_is_said(
    store: Faults, minio: Minio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(lake: str, **more: Any) -> None:
        Lake.open(load_settings(home=tmp_path / "home", lake=lake, **more)).snapshot()

    bucket = minio.new_bucket()
    with pytest.raises(UsageError, match="no bucket"):
        read("s3://")
    with pytest.raises(UnavailableError, match="no bucket `missing-one`"):
        read("s3://missing-one/lake")
    with pytest.raises(UnavailableError, match="cannot be reached"):
        read(f"s3://{bucket}/lake", s3_endpoint="http://127.0.0.1:9", s3_patience=0.1)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(UnavailableError, match="does not let us in"):
        read(f"s3://{bucket}/lake")


def test_a_profile_opens_the_store(
    elsewhere: Settings, make_posts: MakePosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    keys = {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    lines = "\n".join(f"{name.lower()} = {value}" for name, value in keys.items())
    (tmp_path / "credentials").write_text(f"[work]\n{lines}\n")
    for name in keys:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "work")
    lake = Lake.open(elsewhere)
    lake.append("posts", make_posts(november(3)))
    assert numbers(lake) == [1, 2, 3]
    root = lake.root
    assert isinstance(root, S3Path)
    assert ds.dataset([lake.snapshot().files[0].as_posix()], filesystem=root.store.files).count_rows() == 3
