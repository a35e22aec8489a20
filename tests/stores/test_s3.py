"""Paths of a store, and patience with one that does not answer; no store is asked here."""

from __future__ import annotations

import logging
from pathlib import Path, PurePosixPath

import pytest

from groundswell.errors import UsageError
from groundswell.settings import load_settings
from groundswell.stores import S3Path, Store, hurried, lake_root, raw_root, way
from groundswell.stores.refusals import StoreLostError, may_pass, reason, refused

BUSY = OSError("Generic S3 error\n Server returned non-2xx status code\n 503 Slow Down\n")
NO_BUCKET = OSError("404 Not Found <Code>NoSuchBucket</Code>")
DENIED = OSError("AWS Error ACCESS_DENIED during HeadObject operation: No response body.")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr("groundswell.stores.s3._PAUSE_S", 0.001)
    return Store("http://127.0.0.1:9", 5.0, answered=True)


def test_a_path_has_the_members_of_a_path(store: Store) -> None:
    root = store.path("s3://bucket//a/lake/")
    file = root / "posts" / "month=2026-11" / "part-1.parquet"
    assert str(file) == "s3://bucket/a/lake/posts/month=2026-11/part-1.parquet"
    assert (file.name, file.bucket, file.parent.name) == ("part-1.parquet", "bucket", "month=2026-11")
    assert way(file, root) == PurePosixPath("posts/month=2026-11/part-1.parquet")
    assert file.with_suffix(".keys").uri("s3a").endswith("part-1.keys")
    assert file == root.joinpath("posts", "month=2026-11", "part-1.parquet")
    assert len({file, S3Path(store, file.key)}) == 1
    assert sorted([file, root])[0] is root


def test_the_settings_say_where_the_lake_is(tmp_path: Path) -> None:
    here = load_settings(home=tmp_path)
    assert lake_root(here) == tmp_path / "lake"
    there = load_settings(home=tmp_path, lake="s3://bucket/lake", s3_endpoint="http://127.0.0.1:9")
    assert str(raw_root(there)) == "s3://bucket/lake/raw"
    assert there.lake_cache.is_relative_to(tmp_path / "cache")
    with pytest.raises(UsageError, match="no bucket"):
        lake_root(load_settings(home=tmp_path, lake="s3://"))


def test_what_may_pass_is_tried_again_and_told(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    answers = iter([BUSY, BUSY, BUSY])

    def action() -> str:
        for error in answers:
            raise error
        return "done"

    with caplog.at_level(logging.WARNING, "groundswell.stores"):
        assert store.patiently("write it", action) == "done"
    first, last = (record.getMessage() for record in caplog.records)
    assert "cannot write it: it answers 503 Slow Down" in first
    assert "answers again" in last


@pytest.mark.parametrize("error", [NO_BUCKET, DENIED, FileNotFoundError("gone")])
def test_what_will_not_pass_is_an_error_at_once(store: Store, error: OSError) -> None:
    tries = []

    def action() -> None:
        tries.append(1)
        raise error

    with pytest.raises(OSError, match=str(error)[:10]):
        store.patiently("write it", action)
    assert len(tries) == 1


def test_patience_ends(store: Store) -> None:
    store.patience_s = 0.02
    with pytest.raises(OSError, match="503"):
        store.patiently("write it", lambda: (_ for _ in ()).throw(BUSY))


def test_refusals_are_told_apart() -> None:
    assert (may_pass(BUSY), may_pass(NO_BUCKET), may_pass(DENIED)) == (True, False, False)
    assert reason(DENIED) == "access denied"
    assert "no bucket `b`" in refused(NO_BUCKET, "read", "s3://b/x").what
    assert "let us in" in refused(DENIED, "read", "s3://b/x").what


def test_while_it_waits_the_store_says_why_and_who_is_in_a_hurry_waits_less(store: Store) -> None:
    said: list[str | None] = []
    answers = iter([BUSY, BUSY])

    def action() -> str:
        said.append(store.trouble)
        for error in answers:
            raise error
        return "done"

    assert store.patiently("write it", action) == "done"
    assert said[0] is None
    assert all("cannot write it: it answers 503 Slow Down" in (text or "") for text in said[1:])
    assert store.trouble is None

    def never() -> str:
        raise BUSY

    with hurried(0.05), pytest.raises(OSError, match="503"):
        store.patiently("read it", never)
    assert store.trouble is None


def test_a_store_that_answered_before_is_lost_and_another_is_named_wrongly() -> None:
    assert isinstance(refused(BUSY, "write it", "s3://b/c", answered=True), StoreLostError)
    assert not isinstance(refused(BUSY, "write it", "s3://b/c"), StoreLostError)
    assert not isinstance(refused(DENIED, "write it", "s3://b/c", answered=True), StoreLostError)
