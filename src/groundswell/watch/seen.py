"""Which posts were counted already: 64-bit identities per window, in sorted runs.

A post is the same as an earlier one if platform and post id are (or, without an id, its observation key).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.text.hashing import ODD, hash_bytes, mixed

Hashes = npt.NDArray[np.uint64]

__all__ = ["Seen", "hash_bytes", "identities"]


def identities(posts: pa.Table) -> Hashes:
    """The identity of each post."""
    by_key = hash_bytes(posts.column("key"))
    post_id = posts.column("post_id")
    has_id = pc.is_valid(post_id).to_numpy()
    by_id = mixed(hash_bytes(posts.column("platform")) * ODD + hash_bytes(post_id))
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
        runs = self.runs.setdefault(window, [])
        distinct = np.sort(hashes)
        fresh = np.concatenate(([True], distinct[1:] != distinct[:-1]))
        for run in runs:
            at = np.minimum(np.searchsorted(run, distinct), len(run) - 1)
            fresh &= run[at] != distinct
        new = np.ones(len(hashes), dtype=np.bool_)
        if not fresh.all():  # few come twice, and which of them come first takes longer to find out than all else
            distinct = distinct[fresh]
            found, first = np.unique(hashes, return_index=True)
            new[:] = False
            new[first[np.isin(found, distinct, assume_unique=True)]] = True
        if len(distinct):
            runs.append(distinct)
            while len(runs) > 1 and len(runs[-2]) < 2 * len(runs[-1]):
                last = runs.pop()
                runs[-1] = np.sort(np.concatenate((runs[-1], last)), kind="stable")
        return new

    def forget(self, before: int) -> None:
        """Drop windows that start before `before`."""
        for start in [start for start in self.runs if start < before]:
            del self.runs[start]
