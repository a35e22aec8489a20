"""The keys of data files once more, in few sorted runs, so that what is known already is found quickly.

Key files stand under `LAKE/keys` (of a lake in a store: in the cache of this home), a folder for each partition. Each
names the data files whose keys it holds, whole and as often as they are there; nothing else is noted anywhere. So which
of them say together what a partition holds is seen by looking at them, and what no key file says is read from the data
files. Those of about the same size are joined, so a partition has few, however often it was appended to. A key file is
never changed: a joined one appears under its name when it is complete, and then what it was made of is removed. Where
that is interrupted, or two processes do it at once, some keys stand in two files, of which the larger is taken and the
other removed. All of them can be thrown away at any time.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.lake.failures import told
from groundswell.lake.keyruns import Half, KeyRun, Pairs, in_file, mapped_run, merged, opened, put
from groundswell.lake.store import Lake
from groundswell.stores import Place, parquet, way

log = logging.getLogger("groundswell.lake")

#: So many keys at most are joined in one go where somebody waits for an answer, and anywhere.
MODEST: Final = 1 << 20
MOST: Final = 1 << 27
#: A tier is of runs of less than four times the size; four of them are joined to one of the next.
_TIER: Final = 4
_LEAST: Final = 1 << 16
#: So many keys at most are sorted at once.
_SORTED: Final = 1 << 20
_FOLDER: Final = "keys"
_SUFFIX: Final = ".keys"


@dataclass(frozen=True, eq=False)
class _File:
    """A run and, for each data file (by name) whose keys it holds, how many; its path, if it has one."""

    run: KeyRun
    rows: Mapping[str, int]
    path: Path | None = None

    def share(self, names: Iterable[str]) -> int:
        """How many of the keys are from data files of these names."""
        return sum(self.rows.get(name, 0) for name in names)


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


def key_runs(
    lake: Lake, table: str, platform: str, month: str, without: frozenset[str], most: int = MODEST
) -> list[KeyRun]:
    """The keys of the data files of one partition as they are now, all but some files (by name).

    Key files that are missing are made, and those of about the same size are joined, up to `most` keys in one go.

    Raises:
        UnavailableError: a data file cannot be read.
    """
    snapshot = lake.snapshot(table, platforms=[platform], months=[month])
    if not snapshot.files:
        return []
    with told(f"read the known {table}", lake.path(table)):
        partition = _Partition(lake, table, dict(zip(snapshot.files, snapshot.counts, strict=True)))
        return partition.runs(without, most)


def tend(lake: Lake, table: str) -> None:
    """Bring the key files of all partitions that have some in step with the data files, and join them.

    Raises:
        UnavailableError: a data file cannot be read.
    """
    root = lake.beside / _FOLDER / table
    if not root.is_dir():
        return
    snapshot = lake.snapshot(table)
    partitions: dict[Place, dict[Place, int]] = {}
    for file, count in zip(snapshot.files, snapshot.counts, strict=True):
        partitions.setdefault(file.parent, {})[file] = count
    with told(f"read the known {table}", lake.path(table)):
        for files in partitions.values():
            partition = _Partition(lake, table, files)
            if partition.folder.is_dir():
                partition.runs(frozenset(), MOST)


def drop_orphans(lake: Lake, table: str | None = None) -> int:
    """Remove the key files (of one table, null: of all) of which a data file is gone; returns how many.

    So are those of an earlier format, and what a process left that was killed while it wrote one.
    """
    root = lake.beside / _FOLDER
    gone = 0
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        if table is not None and folder.name != table:
            continue
        there = lake.data_files(folder.name)
        for path in [path for path in folder.rglob("*") if _SUFFIX in path.suffix]:
            found = _open(path)
            way_ = path.parent.relative_to(folder)
            if found is None or not all((way_ / name).as_posix() in there for name in found.rows):
                path.unlink(missing_ok=True)
                gone += 1
    return gone


class _Partition:
    """The data files of one partition (with their rows) and its key files."""

    def __init__(self, lake: Lake, table: str, files: Mapping[Place, int]) -> None:
        self._name = f"{table} {way(next(iter(files)).parent, lake.path(table))}"
        self._data = {file.name: file for file in files}
        self._rows = {file.name: count for file, count in files.items()}
        self.folder = lake.beside / _FOLDER / table / way(next(iter(files)).parent, lake.path(table))

    def runs(self, without: frozenset[str], most: int) -> list[KeyRun]:
        """Runs that hold the keys of all data files but some, each once."""
        files = self._in_step(self._found())
        has = {name for file in files for name in file.rows}
        files += self._made(name for name in self._data if name not in has and name not in without)
        files = self._joined(files, most)
        runs: list[KeyRun] = []
        for file in files:
            out = without & file.rows.keys()
            if not out:
                runs.append(file.run)
            elif len(out) < len(file.rows):
                runs += self._left(file, out)
        return [run for run in runs if run.keys]

    def _found(self) -> list[_File]:
        """The key files; the largest ones that share no data file, and the others are removed."""
        every = sorted(self.folder.glob(f"*{_SUFFIX}")) if self.folder.is_dir() else []
        files = [(path, _open(path)) for path in every]
        foreign = [path for path, file in files if file is None]
        if foreign:
            log.info("%s: %d key files of an earlier format, or damaged, are made again", self._name, len(foreign))
        taken: set[str] = set()
        found = []
        for file in sorted((file for _, file in files if file is not None), key=lambda one: -len(one.rows)):
            if taken.isdisjoint(file.rows) and not self._data.keys().isdisjoint(file.rows):
                taken |= file.rows.keys()
                found.append(file)
            else:
                _remove(file.path)
        for path in foreign:
            _remove(path)
        return found

    def _in_step(self, files: Sequence[_File]) -> list[_File]:
        """The same files without the keys of data files that are no more; what is quicker made anew is left out."""
        kept = []
        for file in files:
            gone = file.rows.keys() - self._data.keys()
            if not gone:
                kept.append(file)
                continue
            if 2 * file.share(gone) <= file.run.keys:
                # What took their place is another data file; they themselves stay until the lake is cleaned.
                with suppress(OSError, ValueError):
                    kept.append(self._merge([file], gone))
                    continue
            _remove(file.path)
        return kept

    def _made(self, names: Iterable[str]) -> list[_File]:
        """Key files of data files that are in none."""
        made = []
        for group in self._groups(names):
            keys = {name: halves(parquet(self._data[name]).read(columns=["key"])["key"]) for name in group}
            run = KeyRun.of(*(np.concatenate([pair[half] for pair in keys.values()]) for half in (0, 1)))
            file = _File(run, {name: len(high) for name, (high, _) in keys.items()})
            with suppress(OSError):  # it is made again when it is asked for again
                file = self._saved(run.keys, [run.pairs], file.rows)
            made.append(file)
        return made

    def _groups(self, names: Iterable[str]) -> Iterator[list[str]]:
        group: list[str] = []
        for name in names:
            if group and sum(map(self._rows.__getitem__, (*group, name))) > _SORTED:
                yield group
                group = []
            group.append(name)
        if group:
            yield group

    def _joined(self, files: list[_File], most: int) -> list[_File]:
        """The files, those of a tier joined where there are four of them and `most` allows it."""
        with suppress(OSError, ValueError):  # a full disk: they are joined another time
            while some := _tier(files, most):
                files = [*(file for file in files if file not in some), self._merge(some)]
        return files

    def _left(self, file: _File, out: frozenset[str]) -> list[KeyRun]:
        """The keys of a file without those of some of its data files, for this one time."""
        with suppress(OSError, ValueError):
            gone = [self._run_of(name) for name in out]
            return [in_file(file.run.keys - file.share(out), merged([file.run], gone), self.folder)]
        return [self._run_of(name) for name in file.rows if name not in out]

    def _merge(self, files: Sequence[_File], gone: Iterable[str] = ()) -> _File:
        """One key file in place of others, without the keys of some data files.

        Raises:
            OSError: it cannot be written, or a data file cannot be read.
            ValueError: what a key file says of its data files is not so.
        """
        out = {name: self._run_of(name) for name in gone}
        rows = {name: count for file in files for name, count in file.rows.items() if name not in out}
        count = sum(file.run.keys for file in files) - sum(run.keys for run in out.values())
        made = self._saved(count, merged([file.run for file in files], list(out.values())), rows)
        for file in files:
            if file.path != made.path:
                _remove(file.path)
        return made

    def _run_of(self, name: str) -> KeyRun:
        """The keys of one data file, which need not be one of the present."""
        place = next(iter(self._data.values())).parent / name
        return mapped_run(KeyRun.of(*halves(parquet(place).read(columns=["key"])["key"])), self.folder)

    def _saved(self, count: int, windows: Iterable[Pairs], rows: Mapping[str, int]) -> _File:
        """A key file; it is there when it is whole."""
        name = hashlib.blake2b("\n".join(sorted(rows)).encode(), digest_size=16).hexdigest()
        path = self.folder / f"run-{name}{_SUFFIX}"
        self.folder.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
        try:
            with part.open("w+b") as out:
                put(out, count, windows, rows)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        file = _open(path)
        if file is None:
            what = "a key file that was just written is not there"
            raise FileNotFoundError(what)
        return file


def _tier(files: Sequence[_File], most: int) -> list[_File]:
    """The files of the lowest tier that are to be joined; none if there are too few or they are too large together."""
    tiers: dict[int, list[_File]] = {}
    for file in files:
        tiers.setdefault(max(1, file.run.keys // _LEAST).bit_length() - 1 >> 1, []).append(file)
    for _, some in sorted(tiers.items()):
        if len(some) >= _TIER and sum(file.run.keys for file in some) <= most:
            return some
    return []


def _open(path: Path) -> _File | None:
    """The key file at a path; null if there is none, or none that is whole."""
    with suppress(OSError, ValueError), path.open("rb") as file:
        found = opened(file)
        return None if found is None else _File(*found, path)
    return None


def _remove(path: Path | None) -> None:
    if path is not None:
        with suppress(OSError):  # another process has removed it, or may do so
            path.unlink(missing_ok=True)
