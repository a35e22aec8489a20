"""The text index says which row groups can hold a term, is never needed, and goes with its file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from groundswell.lake import Lake, appender
from groundswell.lake import terms as module
from groundswell.lake.maintenance import compact, vacuum
from groundswell.lake.terms import drop_orphans, index_path, index_texts, missing_indexes, open_index
from groundswell.text.terms import Kind, term_hash

MakePosts = Callable[[Sequence[Mapping[str, Any]]], pa.Table]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setattr(module, "LEAST_ROWS", 1)
    monkeypatch.setattr(appender, "ROW_GROUP", 2)
    return Lake(tmp_path / "lake")


def rows(make_posts: MakePosts, words: Sequence[str]) -> pa.Table:
    return make_posts(
        [
            {
                "post_id": f"p{n}",
                "text": word,
                "created_at": NOON + timedelta(hours=n),
                "hashtags": [word],
                "author_name": "Ann",
            }
            for n, word in enumerate(words)
        ]
    )


def test_an_index_finds_the_row_groups_of_a_term(lake: Lake, make_posts: MakePosts) -> None:
    lake.append("posts", rows(make_posts, ["red", "shoe", "hat", "shoe", "hat"]))
    (file,) = lake.snapshot("posts").files
    assert open_index(lake, file) is None
    assert list(missing_indexes(lake).values()) == [5]
    assert index_texts(lake) == 1
    index = open_index(lake, file)
    assert index is not None
    assert [group.rows for group in index.groups] == [2, 2, 1]
    assert index.every == 0b111
    assert index.find(term_hash(Kind.WORD, "shoe")) == 0b011
    assert index.find(term_hash(Kind.TAG, "hat")) == 0b110
    assert index.find(term_hash(Kind.HANDLE, "ann")) == 0b111
    assert index.find(term_hash(Kind.POST, "p4")) == 0b100
    assert index.find(term_hash(Kind.WORD, "absent")) == 0
    assert index.groups[1].earliest == int((NOON + timedelta(hours=2)).timestamp() * 1e6)
    assert index_texts(lake) == 0
    assert not missing_indexes(lake)


def test_a_damaged_index_is_none(lake: Lake, make_posts: MakePosts) -> None:
    lake.append("posts", rows(make_posts, ["red"]))
    (file,) = lake.snapshot("posts").files
    index_texts(lake)
    path = index_path(lake, file)
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:10], b"", b"something else" * 9, whole[:8] + b"\x01" + whole[9:]):
        path.write_bytes(damaged)
        assert open_index(lake, file) is None


def test_a_small_file_needs_no_index(lake: Lake, make_posts: MakePosts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST_ROWS", 6)
    lake.append("posts", rows(make_posts, ["red", "shoe"]))
    assert index_texts(lake) == 0


def test_compaction_makes_files_that_are_indexed_anew_and_old_indexes_go_with_their_files(
    lake: Lake, make_posts: MakePosts
) -> None:
    for word in ("red", "shoe"):
        lake.append("posts", rows(make_posts, [word]))
    old = lake.snapshot("posts").files
    assert index_texts(lake) == 2
    compact(lake)
    assert drop_orphans(lake) == 0  # the old files are still there for readers
    assert index_texts(lake) == 1
    vacuum(lake, keep_hours=0)
    assert not any(index_path(lake, file).exists() for file in old)
    (file,) = lake.snapshot("posts").files
    index = open_index(lake, file)
    assert index is not None
    assert index.find(term_hash(Kind.WORD, "red"))
    assert index.find(term_hash(Kind.WORD, "shoe"))


def test_posts_without_an_id_are_found_by_what_they_say(lake: Lake, make_posts: MakePosts) -> None:
    lake.append("posts", make_posts([{"text": "red", "author_name": "ann", "created_at": NOON}] * 2))
    index_texts(lake)
    index = open_index(lake, lake.snapshot("posts").files[0])
    assert index is not None
    identity = f"ann\n{int(NOON.timestamp() * 1e6)}\nred"
    assert index.find(term_hash(Kind.POST, identity)) == index.find(term_hash(Kind.REPEATED, identity)) == 1
