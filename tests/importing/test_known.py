from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.importing.known import KeySet, halves, no_keys

#: Keys that share their first half are the hard case.
KEYS = st.integers(0, 5).flatmap(lambda a: st.integers(0, 5).map(lambda b: bytes([a] * 8 + [b] * 8)))


def rows(keys: list[bytes], month: str = "2024-01") -> pa.Table:
    return pa.table(
        {
            "platform": pa.array(["x"] * len(keys), pa.string()),
            "month": pa.array([month] * len(keys), pa.string()),
            "key": pa.array(keys, pa.binary()),
        }
    )


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(KEYS, min_size=1, max_size=12), max_size=15), st.lists(KEYS, max_size=10))
def test_a_key_is_new_exactly_once(batches: list[list[bytes]], stored: list[bytes]) -> None:
    keys = KeySet(lambda _platform, _month: pa.chunked_array([pa.array(stored, pa.binary())]))
    seen = set(stored)
    for batch in batches:
        expected = []
        for key in batch:
            expected.append(key not in seen)
            seen.add(key)
        assert keys.admit(rows(batch)).tolist() == expected


def test_a_partition_is_loaded_once_and_only_when_it_is_touched() -> None:
    loaded: list[tuple[str, str]] = []

    def load(platform: str, month: str) -> pa.ChunkedArray:
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
