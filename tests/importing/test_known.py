from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell import kernels
from groundswell.importing.known import MANY, KeySet, no_keys
from groundswell.lake.keyfiles import halves
from groundswell.lake.keyruns import KeyRun

#: Keys that share their first half are the hard case.
KEYS = st.integers(0, 5).flatmap(lambda a: st.integers(0, 5).map(lambda b: bytes([a] * 8 + [b] * 8)))


@pytest.fixture(autouse=True)
def _unloaded() -> Iterator[None]:
    yield
    kernels.unload()


def rows(keys: list[bytes], month: str = "2024-01") -> pa.Table:
    return pa.table(
        {
            "platform": pa.array(["x"] * len(keys), pa.string()),
            "month": pa.array([month] * len(keys), pa.string()),
            "key": pa.array(keys, pa.binary()),
        }
    )


@pytest.mark.parametrize("way", [kernels.load, kernels.unload])
@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(KEYS, min_size=1, max_size=12), max_size=15),
    st.lists(KEYS, max_size=10),
    st.sampled_from((1, 4, MANY)),
)
def test_a_key_is_new_exactly_once(
    way: Callable[[], None], batches: list[list[bytes]], stored: list[bytes], in_memory: int
) -> None:
    way()
    runs = [KeyRun.of(*halves(pa.array(stored[n::2], pa.binary()))) for n in (0, 1)]
    keys = KeySet(lambda _platform, _month: runs, Path(tempfile.gettempdir()), in_memory)
    seen = set(stored)
    for batch in batches:
        expected = []
        for key in batch:
            expected.append(key not in seen)
            seen.add(key)
        assert keys.admit(rows(batch)).tolist() == expected


def test_a_partition_is_loaded_once_and_only_when_it_is_touched() -> None:
    loaded: list[tuple[str, str]] = []

    def load(platform: str, month: str) -> list[KeyRun]:
        loaded.append((platform, month))
        return no_keys(platform, month)

    keys = KeySet(load)
    keys.admit(rows([b"a" * 16]))
    keys.admit(rows([b"b" * 16]))
    keys.admit(rows([b"c" * 16], "2024-02"))
    assert loaded == [("x", "2024-01"), ("x", "2024-02")]


def test_the_halves_of_a_slice_are_those_of_its_rows() -> None:
    keys = pa.array([bytes([n]) * 16 for n in range(5)], pa.binary())
    high, low = halves(keys.slice(2, 2))
    assert high.tolist() == low.tolist() == [int.from_bytes(bytes([n]) * 8, "big") for n in (2, 3)]
    assert np.array_equal(halves(keys)[0][2:4], high)


def test_many_keys_in_several_partitions_are_known_again() -> None:
    kernels.load()
    random = np.random.default_rng(5)
    keys = [random.bytes(16) for _ in range(150_000)]
    months = pa.array([f"2024-{n % 3 + 1:02d}" for n in range(len(keys))])
    table = rows(keys).set_column(1, "month", months)
    known = KeySet(no_keys)
    assert known.admit(table).all()
    assert not known.admit(table).any()
    assert known.held == len(keys)
    runs = {
        month: KeyRun.of(*halves(table.filter(pc.equal(months, month))["key"])) for month in months.unique().to_pylist()
    }
    for load in (kernels.load, kernels.unload):
        load()
        stored = KeySet(lambda _platform, month: [runs[month]])
        assert not stored.admit(table).any()
        assert stored.admit(rows([b"new" + key[3:] for key in keys[:5000]])).all()


def test_many_keys_leave_the_memory_and_no_file_has_a_name(tmp_path: Path) -> None:
    kernels.load()
    keys = [bytes(16), *(n.to_bytes(8, "big") * 2 for n in range(1, 5_000))]
    known = KeySet(no_keys, tmp_path / "lake", many=1_000)
    for at in range(0, len(keys), 600):
        assert known.admit(rows(keys[at : at + 600])).all()
    assert known.held == len(keys)
    assert not list((tmp_path / "lake").iterdir())
    assert not known.admit(rows(keys)).any()
    assert known.afresh().admit(rows(keys)).all()


def test_where_no_file_can_be_made_the_keys_stay_in_memory(tmp_path: Path) -> None:
    (tmp_path / "lake").write_bytes(b"not a folder")
    known = KeySet(no_keys, tmp_path / "lake", many=10)
    keys = [bytes([n]) * 16 for n in range(1, 50)]
    assert known.admit(rows(keys)).all()
    assert not known.admit(rows(keys)).any()
