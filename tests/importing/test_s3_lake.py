"""Import, quarantine, raw content, remap and upkeep on a lake in an S3 store, also while it does not answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.services.faults import Faults, faults_before
from tests.services.servers import Minio

from groundswell.bus import Journal
from groundswell.importing import journal_to_lake
from groundswell.importing.rawzone_post import records_behind
from groundswell.importing.remap import remap
from groundswell.importing.retry import mark_resolved, retry
from groundswell.importing.upkeep import keep_up
from groundswell.lake import Lake, raw_join
from groundswell.settings import load_settings
from groundswell.stores import S3Path

pytestmark = pytest.mark.service


@pytest.fixture
def store(minio: Minio, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    with faults_before(minio.port) as proxy:
        for name, value in (minio.environment() | {"GROUNDSWELL_S3_ENDPOINT": proxy.endpoint}).items():
            monkeypatch.setenv(name, value)
        yield proxy


@pytest.fixture
def remote(workshop: Any, store: Faults, minio: Minio) -> Any:
    """The workshop with its lake in a bucket."""
    settings = load_settings(home=workshop.settings.home, lake=f"s3://{minio.new_bucket()}/lake", threads=2)
    return replace(workshop, settings=settings, lake=Lake.open(settings))


def write(path: Path, count: int, first: int = 0) -> Path:
    lines = [
        json.dumps({"post_id": f"p{n}", "text": f"post {n}", "likes": n, "created_at": "2026-11-01"})
        for n in range(first, first + count)
    ]
    path.write_text("\n".join([*lines, "{broken", ""]))
    return path


def test_a_lake_in_a_store_is_imported_to_remapped_and_kept_up(remote: Any, tmp_path: Path) -> None:
    first, second = write(tmp_path / "a.ndjson", 50), write(tmp_path / "b.ndjson", 30, 40)
    assert remote.import_(first)["stored"] == 50
    done = remote.import_(first, second)
    assert (done["stored"], done["known"], done["rejected"]) == (20, 60, 2)
    root = remote.lake.root
    assert isinstance(root, S3Path)
    assert len(root.sizes("*.zst")) == 2
    (behind,) = records_behind(remote.lake, remote.settings, "unknown:p7")
    assert '"p7"' in (behind.text or "")
    assert retry(remote.lake, remote.desk, remote.engine, remote.settings).held == 2
    mark_resolved(remote.lake, [remote.quarantine()[0]["id"]])
    assert sorted(row["state"] for row in remote.quarantine()) == ["held", "resolved"]
    mapped = remap(remote.lake, remote.desk, remote.engine, remote.settings, layout="generic.table", write=True)
    assert (mapped.contents >= 2, mapped.failed) == (True, {})
    before = remote.posts("post_id", "likes")
    kept = keep_up(remote.lake, remote.desk, remote.settings, keep_hours=0)
    assert kept.files_after < kept.files_before
    assert kept.removed > 0
    assert remote.posts("post_id", "likes") == before
    assert len(before) == 70
    assert not list((remote.settings.lake_cache / "staging").glob("*"))


def test_the_small_objects_of_a_stream_are_joined_and_its_records_found(
    remote: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_join, "LEAST", 3)
    remote.import_(write(tmp_path / "a.ndjson", 3, 10))
    parts = (remote.lake, remote.desk, remote.engine, remote.settings)
    with Journal(remote.settings.journal_path) as journal:
        for number in range(5):
            post = {"post_id": f"p{number}", "text": f"post {number}", "created_at": "2026-11-01"}
            journal.append("push", [json.dumps(post).encode()], received_us=1_800_000_000_000_000)
            assert journal_to_lake(journal, *parts) is not None

    def found() -> list[str | None]:
        return [
            records_behind(remote.lake, remote.settings, f"unknown:p{number}")[0].text for number in (0, 1, 2, 3, 4, 11)
        ]

    root = remote.lake.root
    before = found()
    assert all(f'"p{n}"' in (text or "") for n, text in zip((0, 1, 2, 3, 4, 11), before, strict=True))
    assert len(root.sizes("*.zst")) == 6
    keep_up(remote.lake, remote.desk, remote.settings)
    # Who reads by the index of a moment ago still finds its objects; they go the next time.
    assert len(root.sizes("*.zst")) == 7
    assert found() == before
    keep_up(remote.lake, remote.desk, remote.settings)
    assert len(root.sizes("*.zst")) == 2
    assert found() == before
    assert not list(remote.settings.tmp_path.glob("raw-*"))


def _through_an_outage(remote: Any, store: Faults, tmp_path: Path, seconds: float) -> None:
    write(tmp_path / "a.ndjson", 20_000)
    store.fail(503)
    threading.Timer(seconds, store.fail, [None]).start()
    # The store has answered before, so that it is waited for.
    remote.lake.root.store.answered = True
    document = remote.import_(tmp_path / "a.ndjson")
    assert (document["stored"], document["rejected"]) == (20_000, 1)
    assert store.refused > 1
    assert [post["post_id"] for post in remote.posts("post_id")] == [f"p{n}" for n in range(20_000)]
    assert sum(remote.lake.read("ledger")["stored"].to_pylist()) == 20_000


def test_an_import_waits_for_a_store_that_answers_503(remote: Any, store: Faults, tmp_path: Path) -> None:
    _through_an_outage(remote, store, tmp_path, 2.0)


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_an_import_waits_half_a_minute(remote: Any, store: Faults, tmp_path: Path) -> None:
    _through_an_outage(remote, store, tmp_path, 30.0)
