"""Which observations are known already: 16-byte keys, compared whole.

What the lake holds is asked of its key files (`groundswell.lake.keyfiles`), those of the partitions that are touched,
when they are touched; what was seen since is kept in memory, and by runs of many keys in files that have no name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.kernels import loaded
from groundswell.lake import Lake
from groundswell.lake.keyfiles import MODEST, halves, key_runs
from groundswell.lake.keyruns import Flags, Half, KeyRun, Rows, mapped_run, ordered
from groundswell.text.columns import only_text

#: Given platform and month, the keys that the lake holds there.
LoadKeys = Callable[[str, str], Iterable[KeyRun]]

#: So many keys are kept in memory (about 32 bytes each, and as much while the table grows).
MANY: Final = 1 << 21
#: Marks of so many keys stay in memory, 2.3 bytes each; more of them are read again for each batch of rows.
ROOM: Final = 1 << 26
#: Sorted runs are merged when there are more; each look-up searches all of them.
_RUNS: Final = 6
_PLACES: Final = 1 << 16
#: So many rows that are kept together, on average, make pieces of a table cheaper than a copy.
_LEAST_RUN: Final = 64


class KeySet:
    """The keys seen so far; `admit` says which of some rows are new, and remembers them."""

    def __init__(self, load: LoadKeys, folder: Path | None = None, many: int = MANY) -> None:
        """`load` gives what the lake holds; of `many` keys that were seen a file is made in `folder` (null: none)."""
        self._load = load
        self._folder = folder
        self._many = many
        self._stored: dict[tuple[str, str], list[KeyRun]] = {}
        self._left: list[KeyRun] = []
        self._room = ROOM
        self._seen = _empty()

    @property
    def held(self) -> int:
        """How many keys were seen."""
        return self._seen.count + sum(run.keys for run in self._left)

    def admit(self, posts: pa.Table) -> Flags:
        """For each row (columns platform, month, key): whether it is new; of equal rows the first is."""
        high, low = halves(posts["key"])
        fresh = np.ones(len(high), dtype=np.bool_)
        for partition, rows in _partitions(posts):
            _discard(self._runs(partition), high, low, fresh, rows)
        _discard(self._left, high, low, fresh)
        self._seen.add(high, low, fresh)
        if self._folder is not None and self._seen.count >= self._many:
            self._leave(self._folder)
        return fresh

    def afresh(self) -> KeySet:
        """A set that knows only what the lake holds."""
        return KeySet(self._load, self._folder, self._many)

    def _leave(self, folder: Path) -> None:
        """Put what is in memory into a file."""
        high, low = self._seen.keys()
        self._seen = _empty()  # before the keys are sorted, which takes as much again
        self._left.append(self._kept(mapped_run(KeyRun.of(high, low), folder)))

    def _kept(self, run: KeyRun) -> KeyRun:
        """The run, as much of it kept in memory as there is room for."""
        kept = run.kept(self._room)
        self._room = max(0, self._room - run.keys)
        return kept

    def _runs(self, partition: tuple[str, str]) -> list[KeyRun]:
        if partition not in self._stored:
            self._stored[partition] = [self._kept(run) for run in self._load(*partition) if run.keys]
        return self._stored[partition]


class _Table:
    """A hash table of keys, filled by a compiled kernel."""

    def __init__(self) -> None:
        self.count = 0
        self._has_zero = False
        self._high, self._low = np.zeros(_PLACES, np.uint64), np.zeros(_PLACES, np.uint64)

    def add(self, high: Half, low: Half, fresh: Flags) -> None:
        """Remember the keys that are `fresh`; it stays true for those that were not there."""
        kernel: Any = loaded()
        if (self.count + len(high)) * 3 > len(self._high) * 2:
            self._grow(kernel, self.count + len(high))
        self.count += kernel.add_new(self._high, self._low, high, low, fresh)
        if not high.all():
            self._add_zero(np.flatnonzero((high == 0) & (low == 0) & fresh), fresh)

    def keys(self) -> tuple[Half, Half]:
        """All keys, in any order."""
        used = (self._high != 0) | (self._low != 0)
        high, low = self._high[used], self._low[used]
        return (np.append(high, np.uint64(0)), np.append(low, np.uint64(0))) if self._has_zero else (high, low)

    def _add_zero(self, rows: npt.NDArray[np.int64], fresh: Flags) -> None:
        """The key of zeros has no place in the table, where it stands for an empty one."""
        fresh[rows[0 if self._has_zero else 1 :]] = False
        self._has_zero = self._has_zero or len(rows) > 0

    def _grow(self, kernel: Any, count: int) -> None:
        size = len(self._high)
        while count * 3 > size * 2:
            size *= 2
        high, low = self._high, self._low
        self._high, self._low = np.zeros(size, np.uint64), np.zeros(size, np.uint64)
        kernel.add_new(self._high, self._low, high, low, (high != 0) | (low != 0))


class _Sorted:
    """Sorted runs of keys: the same without a compiler."""

    def __init__(self) -> None:
        self.count = 0
        self._runs: list[tuple[Half, Half]] = []

    def add(self, high: Half, low: Half, fresh: Flags) -> None:
        """Remember the keys that are `fresh`; it stays true for those that were not there."""
        order = np.lexsort((np.arange(len(high)), low, high))
        high, low, new = high[order], low[order], fresh[order]
        new[1:] &= (high[1:] != high[:-1]) | (low[1:] != low[:-1])
        for run in self._runs:
            new &= ~_contains(*run, high, low)
        if new.any():
            self._remember(high[new], low[new])
        fresh[order] = new

    def keys(self) -> tuple[Half, Half]:
        """All keys, in any order."""
        return np.concatenate([high for high, _ in self._runs]), np.concatenate([low for _, low in self._runs])

    def _remember(self, high: Half, low: Half) -> None:
        self.count += len(high)
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


def _empty() -> _Table | _Sorted:
    return _Sorted() if loaded() is None else _Table()


def _discard(runs: Sequence[KeyRun], high: Half, low: Half, fresh: Flags, rows: Rows | None = None) -> None:
    """Make `fresh` false for each key in some rows (null: in all of them) that is in one of the runs."""
    if not runs:
        return
    rows = ordered(high) if rows is None else rows[ordered(high[rows])]
    high, low, part = high[rows], low[rows], fresh[rows]
    for run in runs:
        run.discard_known(high, low, part)
    fresh[rows] = part


def _contains(run_high: Half, run_low: Half, high: Half, low: Half) -> Flags:
    """Whether each pair of `high`, `low` is in a sorted run of pairs."""
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


def _partitions(posts: pa.Table) -> list[tuple[tuple[str, str], npt.NDArray[np.int64] | None]]:
    """The partitions of some rows, each with its rows (null: all of them)."""
    platform, month = only_text(posts["platform"]), only_text(posts["month"])
    if platform is not None and month is not None:
        return [((platform, month), None)]
    platforms, months = (posts[name].combine_chunks().dictionary_encode() for name in ("platform", "month"))
    codes = platforms.indices.to_numpy().astype(np.int64) * max(1, len(months.dictionary)) + months.indices.to_numpy()
    found: list[tuple[tuple[str, str], npt.NDArray[np.int64] | None]] = []
    for code in np.unique(codes).tolist():
        platform, month = divmod(code, len(months.dictionary))
        pair = platforms.dictionary[platform].as_py(), months.dictionary[month].as_py()
        found.append((pair, np.flatnonzero(codes == code)))
    return found


def keys_of(lake: Lake, table: str = "posts", without: Collection[str] = (), most: int = MODEST) -> LoadKeys:
    """Loads the keys of one partition of a table of the lake as they are now; `without` some files, by name.

    Key files are joined meanwhile, up to `most` keys in one go.
    """
    return lambda platform, month: key_runs(lake, table, platform, month, frozenset(without), most)


def no_keys(_platform: str, _month: str) -> list[KeyRun]:
    """A lake without posts."""
    return []


def take_rows(table: pa.Table, mask: npt.NDArray[Any]) -> pa.Table:
    """The rows where `mask` holds; the table itself if that is all of them."""
    if mask.all():
        return table
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False]))))
    if len(edges) * _LEAST_RUN > 2 * len(mask):
        return table.filter(pa.array(mask))
    # Few are left out: pieces of columns are taken at once, and not value by value.
    runs = [table.slice(begin, end - begin) for begin, end in edges.reshape(-1, 2).tolist()]
    return pa.concat_tables(runs) if runs else table.slice(0, 0)
