"""Key files: made when asked for, joined, mapped, in step with the data files whatever happens to them."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from groundswell.lake import Lake, keyfiles, keyruns, maintenance
from groundswell.lake.keyfiles import MOST, drop_orphans, halves, key_runs, tend
from groundswell.lake.rewriting import removals
from groundswell.lake.tables import table_layout
from groundswell.settings import Settings

MakePosts = Callable[[Sequence[Mapping[str, Any]]], pa.Table]
MONTH = "2024-01"
WHEN = datetime(2024, 1, 3, tzinfo=UTC)
SCHEMA = table_layout("posts").schema


def some(count: int) -> list[dict[str, Any]]:
    return [
        {"platform": "tiktok", "post_id": str(n), "created_at": datetime(2024, 1 + n % 2, 3, tzinfo=UTC)}
        for n in range(count)
    ]


def keys_in(lake: Lake, month: str = MONTH, without: frozenset[str] = frozenset()) -> list[tuple[int, int]]:
    runs = key_runs(lake, "posts", "tiktok", month, without, MOST)
    return sorted((high, low) for run in runs for high, low in run.pairs.tolist())


def key_files(lake: Lake) -> list[Path]:
    return sorted(path for path in (lake.beside / "keys").rglob("*") if path.is_file())


def key_of(number: int) -> bytes:
    """A key; each two share their first half, and the others lie apart."""
    return (number // 2 * 0x9E3779B97F4A7C15 % 2**64).to_bytes(8, "big") + number.to_bytes(8, "big")


def posts(keys: Sequence[int]) -> pa.Table:
    """Posts that have a key and what they must have."""
    rows = [{"platform": "tiktok", "month": MONTH, "key": key_of(n), "created_at": WHEN} for n in keys]
    return pa.Table.from_pylist(rows, schema=SCHEMA).drop_columns("ingest_seq")


def replace(lake: Lake, files: Sequence[Any], keys: Sequence[int]) -> None:
    """Put posts of some keys in place of some data files."""
    table = lake.delta("posts")
    assert table is not None
    with lake.appender("posts") as out:
        out.write(posts(keys))
        out.remove(removals(table, lake.path("posts"), files))
        out.commit()


def stored(lake: Lake) -> list[tuple[int, int]]:
    """What the data files hold, read from themselves."""
    keys = lake.read("posts", ["key"])["key"]
    return sorted(zip(*(half.tolist() for half in halves(keys)), strict=True))


def test_key_files_are_made_once_and_hold_the_keys_of_their_data_files(
    settings: Settings, make_posts: MakePosts
) -> None:
    lake = Lake.open(settings)
    table = make_posts(some(50))
    lake.append("posts", table)
    expected = sorted(zip(*(half.tolist() for half in halves(table["key"])), strict=True))
    months = set(table["month"].to_pylist())
    assert sorted(key for month in months for key in keys_in(lake, month)) == expected
    before = [(path, path.stat().st_mtime_ns) for path in key_files(lake)]
    assert sorted(key for month in months for key in keys_in(lake, month)) == expected
    assert [(path, path.stat().st_mtime_ns) for path in key_files(lake)] == before
    assert len(before) == 2


def test_damaged_key_files_and_those_of_an_earlier_format_are_made_again_and_the_log_says_so(
    settings: Settings, make_posts: MakePosts, caplog: pytest.LogCaptureFixture
) -> None:
    lake = Lake.open(settings)
    lake.append("posts", make_posts(some(20)))
    found = keys_in(lake)
    path = next(path for path in key_files(lake) if MONTH in str(path))
    path.write_bytes(path.read_bytes()[:-8])
    earlier = path.with_name("part-1.keys")
    earlier.write_bytes(b"GSkeys01" + bytes(100))
    path.with_name("empty.keys").touch()
    with caplog.at_level(logging.INFO, "groundswell.lake"):
        assert keys_in(lake) == found
    assert "3 key files of an earlier format, or damaged, are made again" in caplog.text
    assert [one for one in key_files(lake) if MONTH in str(one)] == [path]
    path.write_bytes(b"GSkeys01" + bytes(100))
    assert drop_orphans(lake) == 1
    assert not path.exists()


def test_a_partition_has_few_key_files_however_many_data_files_it_has(settings: Settings) -> None:
    lake = Lake.open(settings)
    for n in range(20):
        lake.append("posts", posts([n]))
        assert len(keys_in(lake)) == n + 1
        assert len(key_files(lake)) < 4
    assert keys_in(lake) == stored(lake)


def test_keys_of_data_files_that_are_left_out_are_known_only_from_others(settings: Settings) -> None:
    lake = Lake.open(settings)
    for keys in ([1, 2, 2], [2, 3], [4], [5, 1], [6]):
        lake.append("posts", posts(keys))
    whole = keys_in(lake)
    assert sorted(low for _, low in whole) == [1, 1, 2, 2, 2, 3, 4, 5, 6]
    for file in lake.snapshot().files:
        left = keys_in(lake, without=frozenset({file.name}))
        kept = lake.read("posts", ["key"]).num_rows
        assert len(left) < kept
        everyone = frozenset(one.name for one in lake.snapshot().files)
        assert sorted([*left, *keys_in(lake, without=everyone - {file.name})]) == whole
    assert keys_in(lake, without=everyone) == []
    assert keys_in(lake) == whole


@hypothesis(max_examples=12, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(("append", "append", "append", "compact", "replace", "vacuum", "kill", "damage", "copy")),
            st.lists(st.integers(0, 30), min_size=1, max_size=6),
            st.integers(0, 8),
        ),
        max_size=16,
    )
)
def test_what_is_known_is_what_is_stored_whatever_happens(steps: list[tuple[str, list[int], int]]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyfiles, "_SORTED", 4)
        patch.setattr(keyfiles, "_TIER", 2)
        patch.setattr(keyfiles, "_LEAST", 4)
        patch.setattr(keyruns, "_WINDOW", 2)
        patch.setattr(keyruns, "_MERGED", 1)
        lake = Lake(Path(folder) / "lake")
        lake.append("posts", posts([1]))
        for what, keys, number in steps:
            files = lake.snapshot().files
            beside = key_files(lake)
            if what == "append":
                lake.append("posts", posts(keys))
            elif what == "compact":
                maintenance.compact(lake)
            elif what == "replace":
                replace(lake, files[: 1 + number % len(files)], keys)
            elif what == "vacuum":
                maintenance.vacuum(lake, keep_hours=0)
            elif what == "kill":
                lake.append("posts", posts(keys))
                _killed(lake, number)
            elif beside and what == "damage":
                beside[number % len(beside)].write_bytes(b"")
            elif beside:  # as after a kill between a joined file and the removal of its parts
                path = beside[number % len(beside)]
                before = path.read_bytes()
                keys_in(lake)
                path.write_bytes(before)
            if number % 3 == 0:
                assert keys_in(lake) == stored(lake)
        assert keys_in(lake) == stored(lake)
        drop_orphans(lake)
        assert keys_in(lake) == stored(lake)


class _Killed(BaseException):
    """The process ends here."""


def _killed(lake: Lake, number: int) -> None:
    """Ask for the keys in a process that is killed at its n-th step on the disk."""
    left = number

    def step(action: Callable[..., Any]) -> Callable[..., Any]:
        def taken(*args: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise _Killed
            return action(*args, **options)

        return taken

    with pytest.MonkeyPatch.context() as patch:
        for name in ("put", "_open", "_remove"):
            patch.setattr(keyfiles, name, step(getattr(keyfiles, name)))
        patch.setattr(Path, "replace", step(Path.replace))
        with suppress(_Killed):
            keys_in(lake)


def test_where_nothing_can_be_written_the_keys_are_read_and_stay_in_memory(settings: Settings) -> None:
    lake = Lake.open(settings)
    for keys in ([1, 2], [3], [4], [5]):
        lake.append("posts", posts(keys))
    (lake.beside / "keys").write_bytes(b"not a folder")
    assert keys_in(lake) == stored(lake)
    name = lake.snapshot().files[0].name
    assert len(keys_in(lake, without=frozenset({name}))) < 5


def test_a_full_disk_leaves_key_files_as_they_are(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake.open(settings)
    for keys in ([1, 2], [3], [4]):
        lake.append("posts", posts(keys))
        keys_in(lake)
    before = key_files(lake)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keyfiles, "put", full)
    lake.append("posts", posts([5]))
    assert keys_in(lake) == stored(lake)
    assert key_files(lake) == before


def test_maintenance_brings_key_files_in_step_before_their_data_files_go(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake.open(settings)
    for keys in ([*range(100)], [101], [102], [103]):
        lake.append("posts", posts(keys))
    keys_in(lake)
    files = sorted(lake.snapshot().files, key=lambda file: file.stat().st_size)
    replace(lake, files[:1], [200])
    maintenance.vacuum(lake, keep_hours=0)
    with monkeypatch.context() as patch:
        patch.setattr(keyfiles, "parquet", None)
        found = keys_in(lake)
    assert found == stored(lake)
    (lake.beside / "keys" / "posts" / "platform=tiktok" / f"month={MONTH}" / ".run-1.keys-0123").touch()
    assert drop_orphans(lake) == 1
    tend(lake, "comments")
    tend(lake, "authors")


def test_a_lake_that_nobody_asked_for_its_keys_gets_no_key_files(settings: Settings) -> None:
    lake = Lake.open(settings)
    lake.append("posts", posts([1]))
    maintenance.vacuum(lake, keep_hours=0)
    assert not key_files(lake)


def test_halves_of_no_keys_are_empty(tmp_path: Path) -> None:
    assert [len(half) for half in halves(pa.array([], pa.binary()))] == [0, 0]
    assert np.array_equal(halves(pa.array([b"a" * 16]))[0], [int.from_bytes(b"a" * 8, "big")])
