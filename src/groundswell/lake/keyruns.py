"""Runs of keys, sorted, in memory or mapped from a file, in which a key is found by few and narrow steps.

The first bits of a key name its bucket, of eight to sixteen keys on average, and the sixteen bits behind them are its
mark. A look-up asks where the bucket begins, searches its marks, and compares a whole key only where the mark is the
same: of keys that are not there about one in five thousand. So it reads two bytes a key and a third of one for the
buckets. Pages of whole keys are given back at once. Those of marks and buckets may stay, of as many keys as one says;
of all others they are read in windows of a million keys and given back, too, so memory has a bound and time is paid.

A file: a head of four words (mark of the format, keys, bits of a bucket, bytes of names), the buckets' beginnings, the
marks, the keys as pairs of words, and one line for each data file whose keys these are: how many, and its name.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from groundswell.kernels import loaded

Half = npt.NDArray[np.uint64]
Pairs = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

_MAGIC: Final = int.from_bytes(b"GSkeys02", "little")
_HEAD: Final = 32
#: Keys of a window, in powers of two.
_WINDOW: Final = 20
#: The same where runs are merged: what is sorted at once lies in the processor's cache.
_MERGED: Final = 17
#: A bucket has at least so many keys on average, in powers of two, and less than twice as many.
_BUCKET: Final = 3
#: So many keys that may be known are looked up before pages of whole keys are given back, and how many times as many
#: where fewer than one in so many were known. A key may bring sixteen pages into memory.
_STEP: Final = 512
_FEW: Final = 8
_WORD: Final = 64
_MARK: Final = 16


@dataclass(frozen=True, eq=False)
class KeyRun:
    """Keys as `pairs` of halves in the order of the first; their `marks`; where the bucket of a number begins.

    `starts` has one number more than there are buckets, which are a power of two.
    """

    starts: npt.NDArray[np.uint32]
    marks: npt.NDArray[np.uint16]
    pairs: Pairs
    mapped: mmap.mmap | None = None
    stays: int = 0
    """Of so many windows, the first ones, beginnings and marks stay in memory."""

    @classmethod
    def of(cls, high: Half, low: Half) -> KeyRun:
        """The run of some keys in any order; a key that stands there twice does so in the run."""
        order = _sorting(high)
        pairs = np.empty((len(high), 2), np.uint64)
        pairs[:, 0], pairs[:, 1] = high[order], low[order]
        bits = _bits_for(len(pairs))
        run = cls(_ends(_buckets(pairs, bits), bits), _marks(pairs, bits), pairs)
        for array in (run.starts, run.marks, run.pairs):
            array.setflags(write=False)
        return run

    @property
    def keys(self) -> int:
        """How many keys there are."""
        return len(self.marks)

    @property
    def bits(self) -> int:
        """How many bits of a key name its bucket."""
        return (len(self.starts) - 1).bit_length() - 1

    def kept(self, most: int) -> KeyRun:
        """The same run; marks of `most` keys at most (of whole windows) stay in memory once they were read."""
        windows = _windows(self.keys)
        return replace(self, stays=min(windows, most * windows // max(1, self.keys)))

    def discard_known(self, high: Half, low: Half, fresh: Flags) -> None:
        """Make `fresh` (one a key) false for each key that is in the run; the keys come as `ordered` orders them."""
        windows = _windows(self.keys)
        wide = windows.bit_length() - 1
        borders = np.arange(self.stays, windows + 1, dtype=np.uint32) << np.uint32(_MARK - wide)
        edges = np.searchsorted((high >> np.uint64(_WORD - _MARK)).astype(np.uint32), borders).tolist()
        begin, step = 0, _STEP
        while begin < edges[0]:
            end = min(begin + step, edges[0])
            found = self._discard(high[begin:end], low[begin:end], fresh[begin:end])
            self.release(0, self.keys, narrow=False)
            # Keys come in the order of a hash: those that follow are known as often as these were.
            begin, step = end, _STEP if found * _FEW > step else step * _FEW
        for window, (begin, end) in enumerate(pairwise(edges), self.stays):
            if begin < end:
                self._discard(high[begin:end], low[begin:end], fresh[begin:end])
                self.release(self.place(window, wide), self.place(window + 1, wide))

    def place(self, first: int, bits: int) -> int:
        """Where the keys begin whose first `bits` bits are `first` or more."""
        finer = self.bits - bits
        if finer >= 0:
            return int(self.starts[first << finer])
        bound = first << (_WORD - bits)
        return self.keys if bound >> _WORD else bisect_left(self.pairs[:, 0], bound)

    def release(self, begin: int, end: int, *, narrow: bool = True) -> None:
        """Give back what of the keys in these places was read into memory, if they are mapped; it is read again.

        Unless `narrow`, beginnings and marks stay.
        """
        if self.mapped is None or not hasattr(mmap, "MADV_DONTNEED"):
            return
        marks = _HEAD + _padded(self.starts.nbytes)
        pairs = marks + _padded(self.marks.nbytes)
        share = self.starts.nbytes / max(1, self.keys)
        for base, size in ((_HEAD, share), (marks, 2), (pairs, 16))[0 if narrow else 2 :]:
            first = int(base + begin * size) // mmap.PAGESIZE * mmap.PAGESIZE
            last = min(int(base + end * size) + mmap.PAGESIZE, len(self.mapped))
            self.mapped.madvise(mmap.MADV_DONTNEED, first, last - first)

    def _discard(self, high: Half, low: Half, fresh: Flags) -> int:
        """The same for any order; how many keys were found."""
        kernel: Any = loaded()
        if kernel is not None:
            return int(kernel.known_keys(self.starts, self.marks, self.pairs, high, low, fresh))
        rows = np.flatnonzero(fresh)
        high, low = high[rows], low[rows]
        bits = np.uint64(self.bits)
        bucket = (high >> (np.uint64(_WORD) - bits)).astype(np.int64)
        mark = (high << bits >> np.uint64(_WORD - _MARK)).astype(np.uint16)
        at, behind = (self.starts[bucket + more].astype(np.int64) for more in (0, 1))
        end = behind.copy()
        while len(open_ := np.flatnonzero(at < behind)):
            middle = (at[open_] + behind[open_]) >> 1
            less = self.marks[middle] < mark[open_]
            at[open_[less]] = middle[less] + 1
            behind[open_[~less]] = middle[~less]
        left = np.flatnonzero(at < end)
        while len(left):
            left = left[self.marks[at[left]] == mark[left]]
            found = self.pairs[at[left]]
            same = (found[:, 0] == high[left]) & (found[:, 1] == low[left])
            fresh[rows[left[same]]] = False
            # Another key with the same mark may stand behind.
            left = left[~same]
            at[left] += 1
            left = left[at[left] < end[left]]
        return len(rows) - int(fresh[rows].sum())


def ordered(high: Half) -> Rows:
    """The rows of some keys in the order in which they are looked up: that of their first sixteen bits."""
    return np.argsort((high >> np.uint64(_WORD - _MARK)).astype(np.uint16), kind="stable")


def merged(runs: Sequence[KeyRun], gone: Sequence[KeyRun] = ()) -> Iterator[Pairs]:
    """The keys of some runs in their order, a window at a time, each as often as it is in them and not in `gone`.

    Raises:
        ValueError: a key of `gone` is not in the runs.
    """
    windows = _windows(sum(run.keys for run in runs), _MERGED)
    wide = windows.bit_length() - 1
    everyone = (*runs, *gone)
    begins = [0] * len(everyone)
    for window in range(windows):
        ends = [run.place(window + 1, wide) for run in everyone]
        parts = [run.pairs[begin:end] for run, begin, end in zip(everyone, begins, ends, strict=True)]
        pairs = _sorted(parts[: len(runs)])
        if gone:
            pairs = _without(pairs, _sorted(parts[len(runs) :]))
        yield pairs
        for run, begin, end in zip(everyone, begins, ends, strict=True):
            run.release(begin, end)
        begins = ends


def put(out: IO[bytes], count: int, windows: Iterable[Pairs], rows: Mapping[str, int]) -> None:
    """Write a run of `count` keys, given in their order; `rows` are the keys of each data file.

    Raises:
        OSError: it cannot be written.
        ValueError: there are not so many.
    """
    bits = _bits_for(count)
    number, names = out.fileno(), "".join(f"{keys} {name}\n" for name, keys in sorted(rows.items())).encode()
    starts = np.zeros((1 << bits) + 1, np.uint32)
    marks = _HEAD + _padded(starts.nbytes)
    pairs = marks + _padded(2 * count)
    done = 0
    for window in windows:
        if len(window) and done + len(window) <= count:
            first = int(window[0, 0]) >> (_WORD - bits)
            counted = np.bincount(_buckets(window, bits) - first)
            starts[first + 1 : first + 1 + len(counted)] += counted.astype(np.uint32)
            _write(number, marks + 2 * done, _marks(window, bits))
            _write(number, pairs + 16 * done, np.ascontiguousarray(window))
        done += len(window)
    if done != count:
        what = f"{done} keys instead of {count}"
        raise ValueError(what)
    head = np.array([_MAGIC, count, bits, len(names)], np.uint64)
    _write(number, 0, head)
    _write(number, _HEAD, np.cumsum(starts, dtype=np.uint32, out=starts))
    os.pwrite(number, names, pairs + 16 * count)
    os.ftruncate(number, pairs + 16 * count + len(names))


def opened(file: IO[bytes]) -> tuple[KeyRun, dict[str, int]] | None:
    """The run in a file, mapped, and the keys of each data file in it; null if it is none, or not whole.

    Raises:
        OSError: it cannot be read.
    """
    size = os.fstat(file.fileno()).st_size
    if size < _HEAD:
        return None
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    magic, keys, bits, names = np.frombuffer(mapped, np.uint64, 4).tolist()
    if magic != _MAGIC or bits != _bits_for(keys):
        return None
    marks = _HEAD + _padded(4 * ((1 << bits) + 1))
    pairs = marks + _padded(2 * keys)
    if size != pairs + 16 * keys + names:
        return None
    run = KeyRun(
        np.frombuffer(mapped, np.uint32, (1 << bits) + 1, _HEAD),
        np.frombuffer(mapped, np.uint16, keys, marks),
        np.frombuffer(mapped, np.uint64, 2 * keys, pairs).reshape(-1, 2),
        mapped,
    )
    if run.starts[0] or run.starts[-1] != keys:
        return None
    lines = (line.split(" ", 1) for line in mapped[pairs + 16 * keys :].decode().splitlines())
    return run, {name: int(count) for count, name in lines}


def in_file(count: int, windows: Iterable[Pairs], folder: Path) -> KeyRun:
    """A run of `count` keys, given in their order, mapped from a file in `folder` that has no name.

    Raises:
        OSError: none can be written.
        ValueError: there are not so many.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as out:
        put(out, count, windows, {})
        found = opened(out)
    assert found is not None  # noqa: S101 - it was just written
    return found[0]


def mapped_run(run: KeyRun, folder: Path) -> KeyRun:
    """The same run, mapped from a file in `folder` that has no name; itself where none can be written."""
    with suppress(OSError):
        return in_file(run.keys, [run.pairs], folder)
    return run


def _windows(keys: int, most: int | None = None) -> int:
    """In how many windows, a power of two, so many keys are gone through; each has 2^`most` of them at most."""
    return 1 << min(_MARK, max(0, keys - 1 >> (_WINDOW if most is None else most)).bit_length())


def _bits_for(keys: int) -> int:
    return max(1, keys.bit_length() - 1 - _BUCKET)


def _padded(size: int) -> int:
    return -(-size // 8) * 8


def _buckets(pairs: Pairs, bits: int) -> Rows:
    return (pairs[:, 0] >> np.uint64(_WORD - bits)).astype(np.int64)


def _marks(pairs: Pairs, bits: int) -> npt.NDArray[np.uint16]:
    return (pairs[:, 0] << np.uint64(bits) >> np.uint64(_WORD - _MARK)).astype(np.uint16)


def _ends(buckets: Rows, bits: int) -> npt.NDArray[np.uint32]:
    counts = np.bincount(buckets, minlength=1 << bits)
    return np.concatenate(([0], np.cumsum(counts))).astype(np.uint32)


def _sorting(high: Half) -> Rows:
    """The rows of some keys in the order of their first halves."""
    # By two digits of sixteen bits, last one first, which leaves little to do; sorting whole words takes twice as long.
    order = np.argsort((high >> np.uint64(_WORD - 2 * _MARK)).astype(np.uint16), kind="stable")
    order = order[ordered(high[order])]
    return order[np.argsort(high[order], kind="stable")]


def _sorted(parts: Sequence[Pairs]) -> Pairs:
    """Sorted keys of some runs as one; sorting begins with what is in order."""
    some = [part for part in parts if len(part)]
    if len(some) < 2:
        return some[0] if some else np.empty((0, 2), np.uint64)
    pairs = np.concatenate(some)
    return pairs.take(np.argsort(pairs[:, 0], kind="stable"), 0)


def _without(pairs: Pairs, gone: Pairs) -> Pairs:
    """Sorted keys but for those of `gone`, each as often as it is there."""
    high, low = np.ascontiguousarray(pairs[:, 0]), pairs[:, 1]
    at = np.searchsorted(high, gone[:, 0])
    stays = np.ones(len(pairs), np.bool_)
    left = np.arange(len(gone))
    while len(left):
        place = at[left]
        if (place >= len(high)).any() or (high[place] != gone[left, 0]).any():
            what = "keys that were not there are gone"
            raise ValueError(what)
        hit = np.flatnonzero((low[place] == gone[left, 1]) & stays[place])
        # The same key may be gone twice; one place is that of the first.
        _, first = np.unique(place[hit], return_index=True)
        stays[place[hit[first]]] = False
        left = np.delete(left, hit[first])
        at[left] += 1
    return pairs[stays]


def _write(number: int, at: int, array: npt.NDArray[Any]) -> None:
    data = array.data.cast("B")
    while len(data):
        written = os.pwrite(number, data, at)
        data, at = data[written:], at + written
