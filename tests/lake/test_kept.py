"""A lake whose tables stay open sees what everybody else commits, at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from deltalake import DeltaTable
from tests.lake.test_store import posts

from groundswell.lake import Lake
from groundswell.lake.kept import Kept
from groundswell.lake.maintenance import compact, vacuum


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def test_what_others_commit_is_seen(lake: Lake) -> None:
    keeping = lake.keeping()
    assert (keeping.version(), keeping.txn_version("posts", "them")) == (-1, None)
    for n in range(1, 4):
        lake.append("posts", posts(5), txn=("them", n))
        assert keeping.txn_version("posts", "them") == n
        assert keeping.append("posts", posts(5), txn=("them", n)) is None
        keeping.append("posts", posts(5), txn=("us", n))
        assert lake.txn_version("posts", "us") == n
    assert keeping.snapshot() == lake.snapshot()
    assert (keeping.last_number(), keeping.count()) == (30, 30)


def test_files_that_others_join_and_remove_are_not_asked_for(lake: Lake) -> None:
    keeping = lake.keeping()
    for n in range(3):
        keeping.append("posts", posts(5), txn=("us", n + 1))
    compact(lake)
    vacuum(lake, keep_hours=0)
    assert keeping.snapshot() == lake.snapshot()
    assert keeping.read("posts", ["ingest_seq"]).num_rows == 15
    compact(keeping)
    keeping.append("posts", posts(5), txn=("us", 4))
    assert lake.count() == 20


def test_a_table_that_was_made_anew_is_not_taken_for_the_old_one(lake: Lake, tmp_path: Path) -> None:
    keeping = lake.keeping()
    for n in range(3):
        keeping.append("posts", posts(5), txn=("us", n + 1))
    shutil.rmtree(tmp_path / "lake" / "posts")
    assert keeping.version() == -1
    for n in range(4):
        lake.append("posts", posts(2), txn=("them", n + 1))
    assert (keeping.count(), keeping.txn_version("posts", "us")) == (8, None)


def test_a_table_is_opened_anew_now_and_then(lake: Lake) -> None:
    lake.append("posts", posts(5))
    path, clock, opened = lake.path("posts"), [0.0], list[Path]()
    assert isinstance(path, Path)
    held = Kept(lambda: clock[0])

    def open_table(place: Path) -> DeltaTable:
        opened.append(place)
        return DeltaTable(str(place))

    for clock[0] in (0.0, 10.0, 599.0, 700.0, 701.0):
        held.table(path, open_table)
    assert len(opened) == 2
