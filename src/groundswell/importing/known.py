"""Which observations are known already: 16-byte keys as pairs of integers in sorted runs.

Exact (both halves are compared), and small: 16 bytes a key. The keys of the lake are loaded for the
partitions that are touched, when they are touched.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from groundswell.lake import Lake
from groundswell.lake.failures import told

Half = npt.NDArray[np.uint64]
#: Given platform and month, the keys that the lake holds there (`binary`, 16 bytes each).
LoadKeys = Callable[[str, str], pa.ChunkedArray]

#: Runs are merged when there are more; each look-up searches all of them.
_RUNS: Final = 6


class KeySet:
    """The keys seen so far; `admit` says which of some rows are new, and remembers them."""

    def __init__(self, load: LoadKeys) -> None:
        self._load = load
        self._loaded: set[tuple[str, str]] = set()
        self._runs: list[tuple[Half, Half]] = []

    def admit(self, posts: pa.Table) -> npt.NDArray[np.bool_]:
        """For each row (columns platform, month, key): whether it is new; of equal rows the first is."""
        self._touch(posts)
        high, low = halves(posts["key"])
        order = _order(high, low)
        high_sorted, low_sorted = high[order], low[order]
        fresh = np.ones(len(high), dtype=np.bool_)
        fresh[1:] = (high_sorted[1:] != high_sorted[:-1]) | (low_sorted[1:] != low_sorted[:-1])
        for run in self._runs:
            fresh &= ~_contains(run, high_sorted, low_sorted)
        if fresh.any():
            self._remember(high_sorted[fresh], low_sorted[fresh])
        new = np.empty(len(high), dtype=np.bool_)
        new[order] = fresh
        return new

    def afresh(self) -> KeySet:
        """A set that knows only what the lake holds."""
        return KeySet(self._load)

    def _touch(self, posts: pa.Table) -> None:
        platforms, months = (pc.unique(posts[name]).to_pylist() for name in ("platform", "month"))
        if self._loaded.issuperset(itertools.product(platforms, months)):
            return
        pairs = posts.select(["platform", "month"]).group_by(["platform", "month"]).aggregate([])
        found = set(zip(pairs["platform"].to_pylist(), pairs["month"].to_pylist(), strict=True))
        for platform, month in sorted(found - self._loaded):
            self._loaded.add((platform, month))
            high, low = halves(self._load(platform, month))
            if len(high):
                order = np.lexsort((low, high))
                self._remember(high[order], low[order])

    def _remember(self, high: Half, low: Half) -> None:
        self._runs.append((high, low))
        if len(self._runs) > _RUNS:
            # The largest run stays as it is until the others have grown to its size.
            self._runs.sort(key=lambda run: len(run[0]), reverse=True)
            whole = sum(len(run[0]) for run in self._runs[1:])
            first = 0 if whole * 2 > len(self._runs[0][0]) else 1
            merged = self._runs[first:]
            highs, lows = np.concatenate([h for h, _ in merged]), np.concatenate([w for _, w in merged])
            order = np.lexsort((lows, highs))
            self._runs[first:] = [(highs[order], lows[order])]


def _order(high: Half, low: Half) -> npt.NDArray[np.int64]:
    """What sorts the pairs, equal ones as they came; the first half alone nearly always does."""
    order = np.argsort(high, kind="stable")
    ordered = high[order]
    return np.lexsort((low, high)) if (ordered[1:] == ordered[:-1]).any() else order


def halves(keys: pa.ChunkedArray | pa.Array) -> tuple[Half, Half]:
    """The two 64-bit halves of 16-byte keys."""
    whole = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
    if not len(whole):
        empty = np.empty(0, dtype=np.uint64)
        return empty, empty
    buffer = pc.cast(whole, pa.binary(16)).buffers()[1]
    offset = whole.offset if pa.types.is_fixed_size_binary(whole.type) else 0
    pairs = np.frombuffer(buffer, dtype=">u8")[2 * offset : 2 * (offset + len(whole))].reshape(-1, 2)
    return pairs[:, 0].astype(np.uint64), pairs[:, 1].astype(np.uint64)


def _contains(run: tuple[Half, Half], high: Half, low: Half) -> npt.NDArray[np.bool_]:
    """Whether each pair of the (sorted) `high`, `low` is in the run."""
    run_high, run_low = run
    at = np.searchsorted(run_high, high)
    found = np.zeros(len(high), dtype=np.bool_)
    candidates = np.flatnonzero(at < len(run_high))
    while len(candidates):
        place = at[candidates]
        same = run_high[place] == high[candidates]
        found[candidates[same & (run_low[place] == low[candidates])]] = True
        # Another key with the same first half may stand behind.
        candidates = candidates[same & ~found[candidates]]
        at[candidates] += 1
        candidates = candidates[at[candidates] < len(run_high)]
    return found


def keys_of(lake: Lake, table: str = "posts", without: Collection[str] = ()) -> LoadKeys:
    """Loads the keys of one partition of a table of the lake as they are now; `without` some files, by name."""

    def load(platform: str, month: str) -> pa.ChunkedArray:
        files = lake.snapshot(table, platforms=[platform], months=[month]).files
        with told(f"read the known {table}", lake.path(table)):
            read = (pq.ParquetFile(file).read(columns=["key"])["key"] for file in files if file.name not in without)
            chunks = [chunk for keys in read for chunk in keys.chunks]
        return pa.chunked_array(chunks, pa.binary())

    return load


def no_keys(_platform: str, _month: str) -> pa.ChunkedArray:
    """A lake without posts."""
    return pa.chunked_array([], pa.binary())


def take_rows(table: pa.Table, mask: npt.NDArray[Any]) -> pa.Table:
    """The rows where `mask` holds; the table itself if that is all of them."""
    return table if mask.all() else table.filter(pa.array(mask))
