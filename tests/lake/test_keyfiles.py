"""Key files: made when asked for, mapped, thrown away with their data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from groundswell import kernels
from groundswell.lake import Lake
from groundswell.lake.keyfiles import KeyRun, drop_orphans, halves, key_runs
from groundswell.settings import Settings

MakePosts = Callable[[Sequence[Mapping[str, Any]]], pa.Table]


def some(count: int) -> list[dict[str, Any]]:
    return [
        {"platform": "tiktok", "post_id": str(n), "created_at": datetime(2024, 1 + n % 2, 3, tzinfo=UTC)}
        for n in range(count)
    ]


def keys_in(lake: Lake, month: str) -> set[tuple[int, int]]:
    runs = list(key_runs(lake, "posts", "tiktok", month, frozenset()))
    return {pair for run in runs for pair in zip(run.high.tolist(), run.low.tolist(), strict=True)}


def test_a_key_file_is_made_once_and_holds_the_keys_of_its_file(settings: Settings, make_posts: MakePosts) -> None:
    lake = Lake.open(settings)
    posts = make_posts(some(50))
    with lake.appender("posts") as out:
        out.write(posts)
        out.commit()
    expected = set(zip(*(half.tolist() for half in halves(posts["key"])), strict=True))
    months = set(posts["month"].to_pylist())
    assert {key for month in months for key in keys_in(lake, month)} == expected
    made = sorted((lake.beside / "keys").rglob("*.keys"))
    before = [path.stat().st_mtime_ns for path in made]
    assert {key for month in months for key in keys_in(lake, month)} == expected
    assert [path.stat().st_mtime_ns for path in made] == before
    assert len(made) == len(lake.snapshot("posts").files)


def test_a_damaged_key_file_is_made_again_and_one_without_data_is_removed(
    settings: Settings, make_posts: MakePosts
) -> None:
    lake = Lake.open(settings)
    with lake.appender("posts") as out:
        out.write(make_posts(some(20)))
        out.commit()
    month = "2024-01"
    found = keys_in(lake, month)
    path = next((lake.beside / "keys").rglob("*.keys"))
    path.write_bytes(path.read_bytes()[:-8])
    assert keys_in(lake, month) == found
    orphan = path.with_name("gone.keys")
    orphan.write_bytes(path.read_bytes())
    assert drop_orphans(lake) == 1
    assert not orphan.exists()
    assert path.exists()


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 1000])
def test_filters_are_the_same_compiled_and_plain(count: int) -> None:
    high, low = np.random.default_rng(count).integers(0, 2**64 - 1, (2, count), dtype=np.uint64)
    plain = KeyRun.of(high, low)
    kernels.load()
    try:
        compiled = KeyRun.of(high, low)
    finally:
        kernels.unload()
    for name in ("words", "high", "low"):
        assert np.array_equal(getattr(plain, name), getattr(compiled, name))


def test_halves_of_no_keys_are_empty(tmp_path: Path) -> None:
    assert [len(half) for half in halves(pa.array([], pa.binary()))] == [0, 0]
