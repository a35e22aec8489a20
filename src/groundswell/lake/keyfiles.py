"""The keys of each data file once more, sorted behind a filter, so that what is known already is found quickly.

A key file stands under `LAKE/keys` (of a lake in a store: in the cache of this home), made from its data file the first
time that it is asked for, and never changed: data files are never changed either, and their names are never used again.
A missing one is made, one without its data file is removed when the lake is cleaned. It is mapped, not read: a look-up
touches the filter (16 bits a key) and, for the few keys that pass it, one place of the sorted halves.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.kernels import loaded
from groundswell.lake.failures import told
from groundswell.lake.store import Lake
from groundswell.stores import Place, parquet, way

Half = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

_FOLDER: Final = "keys"
_SUFFIX: Final = ".keys"
_MAGIC: Final = int.from_bytes(b"GSkeys01", "little")
_HEAD: Final = 4
_KEYS_A_WORD: Final = 4
_SIX: Final = np.uint64(63)


@dataclass(frozen=True)
class KeyRun:
    """Sorted keys by their halves, and a filter of four bits a key in one of its `words`."""

    words: Half
    high: Half
    low: Half

    @classmethod
    def of(cls, high: Half, low: Half) -> KeyRun:
        """The run of some keys in any order."""
        order = np.argsort(high)
        ordered = high[order]
        if (ordered[1:] == ordered[:-1]).any():
            order = np.lexsort((low, high))
            ordered = high[order]
        run = cls(np.zeros(max(1, len(high) // _KEYS_A_WORD), np.uint64), ordered, low[order])
        _fill(run)
        for array in (run.words, run.high, run.low):
            array.setflags(write=False)
        return run

    def discard_known(self, high: Half, low: Half, fresh: Flags) -> None:
        """Make `fresh` (one a key) false for each key that is in the run."""
        kernel = loaded()
        if kernel is not None:
            kernel.known_keys(self.words, self.high, self.low, high, low, fresh)
            return
        bits = _bits(low)
        passed = fresh & (self.words[_places(high, len(self.words))] & bits == bits)
        some = np.flatnonzero(passed)
        fresh[some[contains(self.high, self.low, high[some], low[some])]] = False


def contains(run_high: Half, run_low: Half, high: Half, low: Half) -> Flags:
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


def mapped_run(run: KeyRun, folder: Path) -> KeyRun:
    """The same run, mapped from a file in `folder` that is gone with it; itself where none can be written."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as out:
            _put(out, run)
            out.flush()
            return _read(np.memmap(out, np.dtype("<u8"), "r")) or run
    return run


def key_runs(lake: Lake, table: str, platform: str, month: str, without: frozenset[str]) -> Iterator[KeyRun]:
    """The keys of the data files of one partition as they are now, all but some files (by name).

    Raises:
        UnavailableError: a data file cannot be read.
    """
    for file in lake.snapshot(table, platforms=[platform], months=[month]).files:
        if file.name not in without:
            with told(f"read the known {table}", lake.path(table)):
                yield _open(lake, table, file)


def drop_orphans(lake: Lake, table: str | None = None) -> int:
    """Remove the key files (of one table, null: of all) whose data file is gone; returns how many."""
    root = lake.beside / _FOLDER
    gone = 0
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        if table is not None and folder.name != table:
            continue
        there = lake.data_files(folder.name)
        for path in folder.rglob("*" + _SUFFIX):
            if path.relative_to(folder).with_suffix(".parquet").as_posix() not in there:
                path.unlink(missing_ok=True)
                gone += 1
    return gone


def _open(lake: Lake, table: str, file: Place) -> KeyRun:
    path = (lake.beside / _FOLDER / table / way(file, lake.path(table))).with_suffix(_SUFFIX)
    run = _mapped(path)
    if run is None:
        run = KeyRun.of(*halves(parquet(file).read(columns=["key"])["key"]))
        with suppress(OSError):  # it is made again when it is asked for again
            _write(path, run)
            run = _mapped(path) or run  # what is mapped is memory of the system, which may take it back
    return run


def _mapped(path: Path) -> KeyRun | None:
    """The run in a key file; null if there is none, or none that is whole."""
    try:
        return _read(np.memmap(path, np.dtype("<u8"), "r"))
    except (OSError, ValueError):
        return None


def _read(numbers: npt.NDArray[Any]) -> KeyRun | None:
    if len(numbers) < _HEAD or int(numbers[0]) != _MAGIC:
        return None
    words, keys = int(numbers[1]), int(numbers[2])
    if len(numbers) != _HEAD + words + 2 * keys:
        return None
    body = np.asarray(numbers)[_HEAD:]
    return KeyRun(body[:words], body[words : words + keys], body[words + keys :])


def _write(path: Path, run: KeyRun) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        with part.open("wb") as out:
            _put(out, run)
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(part)


def _put(out: IO[bytes], run: KeyRun) -> None:
    head = np.array([_MAGIC, len(run.words), len(run.high), 0], np.dtype("<u8"))
    for array in (head, run.words, run.high, run.low):
        array.astype(np.dtype("<u8"), copy=False).tofile(out)


def _fill(run: KeyRun) -> None:
    kernel = loaded()
    if kernel is not None:
        kernel.fill_filter(run.words, run.high, run.low)
    elif len(run.high):
        # Sorted keys come in the order of their words.
        places = _places(run.high, len(run.words))
        starts = np.flatnonzero(np.concatenate(([True], places[1:] != places[:-1])))
        run.words[places[starts]] = np.bitwise_or.reduceat(_bits(run.low), starts)


def _places(high: Half, count: int) -> npt.NDArray[np.int64]:
    places = (high >> np.uint64(32)) * np.uint64(count) >> np.uint64(32)
    return places.astype(np.int64)


def _bits(low: Half) -> Half:
    one = np.uint64(1)
    bits = one << (low & _SIX)
    for shift in (6, 12, 18):
        bits |= one << (low >> np.uint64(shift) & _SIX)
    return bits
