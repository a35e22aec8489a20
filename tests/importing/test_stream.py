from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.importing.killing import killed_at_commit

from groundswell.bus import Journal, Kind
from groundswell.desk import checkpoints
from groundswell.importing import RawBlock, journal_to_lake, normalise, stream
from groundswell.platforms import registry

HOUR = 3_600_000_000
T0 = 1_700_000_000_000_000


def record(number: int) -> bytes:
    item = {"id": str(number), "text": f"post {number} #tag", "createTime": "1642515300"}
    return json.dumps({"authorInfos": {}, "itemInfos": item}).encode()


@pytest.fixture
def journal(workshop: Any) -> Iterator[Journal]:
    with Journal(workshop.settings.journal_path) as journal:
        yield journal


def take(workshop: Any, journal: Journal) -> stream.LakeBatch | None:
    return journal_to_lake(journal, workshop.lake, workshop.desk, workshop.engine, workshop.settings)


def test_a_batch_stores_posts_rejects_and_counts(workshop: Any, journal: Journal) -> None:
    received = np.array([T0, T0 + HOUR, T0 + HOUR, T0 + HOUR], dtype=np.int64)
    journal.append("push", [record(1), record(2), b"broken", record(3)], kind=Kind.RECORDS, received_us=received)
    done = take(workshop, journal)
    assert done is not None
    assert (done.records, done.stored, done.rejected) == (4, 3, 1)
    observed = [row["observed_at"].timestamp() * 1e6 for row in workshop.posts("observed_at")]
    assert observed == [T0, T0 + HOUR, T0 + HOUR]
    assert [row["origin_offset"] for row in workshop.posts("origin_offset")] == [0, 1, 3]
    ledger = workshop.lake.read("ledger").sort_by("quarter").to_pylist()
    assert [(row["received"], row["stored"], row["rejected"]) for row in ledger] == [(1, 1, 0), (3, 2, 1)]
    assert take(workshop, journal) is None


def test_a_record_that_comes_again_is_known(workshop: Any, journal: Journal) -> None:
    journal.append("push", [record(1), record(1)], kind=Kind.RECORDS, received_us=T0)
    take(workshop, journal)
    journal.append("push", [record(1), record(2)], kind=Kind.RECORDS, received_us=T0 + HOUR)
    done = take(workshop, journal)
    assert done is not None
    assert (done.stored, done.known, workshop.lake.count()) == (1, 1, 2)


@pytest.mark.parametrize("commit", [1, 2, 3])
@pytest.mark.parametrize("before", [True, False])
def test_a_kill_around_each_commit_changes_nothing(commit: int, before: bool, workshop: Any, journal: Journal) -> None:
    journal.append("push", [record(1), b"broken", record(2), record(1)], kind=Kind.RECORDS, received_us=T0)
    with killed_at_commit(commit, before=before):
        take(workshop, journal)
    # What came meanwhile does not move the borders of the batch that was begun.
    journal.append("push", [record(9)], kind=Kind.RECORDS, received_us=T0)
    done = take(workshop, journal)
    assert done is not None
    assert (done.number, done.records, done.stored, done.known, done.rejected) == (1, 4, 2, 1, 1)
    assert (workshop.lake.count(), len(workshop.quarantine())) == (2, 1)
    assert workshop.lake.read("ledger").num_rows == 1
    with workshop.desk.session() as session:
        at = checkpoints.get(session, "lake")
        assert at is not None
        assert at.batch == 1
    last = take(workshop, journal)
    assert last is not None
    assert (last.number, last.stored) == (2, 1)


def test_a_block_of_several_layouts_keeps_the_order_of_its_records(workshop: Any) -> None:
    generic = json.dumps({"id": "g", "text": "hello", "created_at": "2022-01-02T03:04:05Z"}).encode()
    records = [record(1), generic, b"", b"{}", record(2), record(3)]
    block = RawBlock(records, "push", "journal", np.arange(10, 16), np.full(6, T0), None, T0)
    out = normalise(block, workshop.engine, registry(), workshop.settings)
    assert out.posts["record"].to_pylist() == [0, 1, 4, 5]
    assert out.posts["origin_offset"].to_pylist() == [10, 11, 14, 15]
    assert sorted(out.rejected["origin_offset"].to_pylist()) == [12, 13]
    assert out.ignored == {}
