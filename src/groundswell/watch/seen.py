"""Which posts were counted already: 64-bit identities per window, in sorted runs.

A post is the same as an earlier one if platform and post id are (or, without an id, its observation key).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Hashes = npt.NDArray[np.uint64]

_TABLE_SIZE: Final = 512
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)


@lru_cache(maxsize=1)
def _table() -> Hashes:
    """Fixed random numbers, one a position; the same in every process."""
    return np.random.Generator(np.random.PCG64(20_261_121)).integers(1, 2**64, _TABLE_SIZE, dtype=np.uint64)


def _mixed(values: Hashes) -> Hashes:
    """The finaliser of splitmix64: every bit of the input moves every bit of the output."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def hash_bytes(values: Any) -> Hashes:
    """64-bit hashes of an Arrow string or binary array; null hashes like the empty text."""
    flat = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    flat = pc.fill_null(flat.cast(pa.large_binary()), b"")
    if len(flat) == 0:
        return np.zeros(0, dtype=np.uint64)
    _, offsets_buffer, data_buffer = flat.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int64)[flat.offset : flat.offset + len(flat) + 1]
    lengths = np.diff(offsets)
    out = np.full(len(flat), _ODD, dtype=np.uint64)
    if offsets[-1] > offsets[0]:
        data = np.frombuffer(data_buffer, dtype=np.uint8)[offsets[0] : offsets[-1]].astype(np.uint64)
        position = np.arange(len(data)) - np.repeat(offsets[:-1] - offsets[0], lengths)
        turn = (position // _TABLE_SIZE).astype(np.uint64) * np.uint64(2) + np.uint64(1)
        terms = _mixed(data + np.uint64(1) + _table()[position % _TABLE_SIZE] * turn)
        filled = lengths > 0
        out[filled] += np.add.reduceat(terms, (offsets[:-1] - offsets[0])[filled])
    return _mixed(out + lengths.astype(np.uint64))


def identities(posts: pa.Table) -> Hashes:
    """The identity of each post."""
    by_key = hash_bytes(posts.column("key"))
    post_id = posts.column("post_id")
    has_id = pc.is_valid(post_id).to_numpy()
    by_id = _mixed(hash_bytes(posts.column("platform")) * _ODD + hash_bytes(post_id))
    return np.where(has_id, by_id, by_key)


class Seen:
    """Identities per window. A window's runs double in length, so that adding stays cheap."""

    def __init__(self, runs: dict[int, list[Hashes]] | None = None) -> None:
        self.runs = runs or {}

    def add(self, windows: npt.NDArray[np.int64], hashes: Hashes) -> npt.NDArray[np.bool_]:
        """Which posts are new, in order; all are known from now on."""
        new = np.zeros(len(hashes), dtype=np.bool_)
        if len(hashes) == 0:
            return new
        order = np.argsort(windows, kind="stable")
        starts, first = np.unique(windows[order], return_index=True)
        for start, rows in zip(starts.tolist(), np.split(order, first[1:]), strict=True):
            new[rows] = self._add_to(start, hashes[rows])
        return new

    def _add_to(self, window: int, hashes: Hashes) -> npt.NDArray[np.bool_]:
        distinct, first = np.unique(hashes, return_index=True)
        fresh = np.ones(len(distinct), dtype=np.bool_)
        runs = self.runs.setdefault(window, [])
        for run in runs:
            at = np.minimum(np.searchsorted(run, distinct), len(run) - 1)
            fresh &= run[at] != distinct
        new = np.zeros(len(hashes), dtype=np.bool_)
        new[first[fresh]] = True
        if fresh.any():
            runs.append(distinct[fresh])
            while len(runs) > 1 and len(runs[-2]) < 2 * len(runs[-1]):
                last = runs.pop()
                runs[-1] = np.sort(np.concatenate((runs[-1], last)), kind="stable")
        return new

    def forget(self, before: int) -> None:
        """Drop windows that start before `before`."""
        for start in [start for start in self.runs if start < before]:
            del self.runs[start]
