"""How many posts each platform had in each window: what everything else is held against.

It is counted from the lake one partition (a platform's month) at a time, and kept in a file beside the lake under the
names of the data files that it was counted from: these never change, so a count is right for as long as the partition
has the same files, and only a month that got new ones is counted again. The files can be thrown away at any time.
"""

from __future__ import annotations

import os
import secrets
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.marts.parts import DataFile
from groundswell.marts.stream import Check, LakeStream, Question, month_of
from groundswell.stores import way

if TYPE_CHECKING:
    from groundswell.lake import Lake

Ints = npt.NDArray[np.int64]

_FOLDER: Final = "baselines"
_SUFFIX: Final = ".arrow"


@dataclass(frozen=True, slots=True)
class Volumes:
    """Posts of each platform per window, from the window at `first_us` on without holes."""

    window_us: int
    first_us: int
    platforms: tuple[str, ...]
    counts: Ints
    """Shape (windows, platforms)."""

    @property
    def totals(self) -> Ints:
        """Posts of all platforms per window."""
        total: Ints = self.counts.sum(axis=1)
        return total


@dataclass(frozen=True, slots=True)
class _Partition:
    platform: str
    since_us: int
    until_us: int
    files: tuple[DataFile, ...]

    @property
    def rows(self) -> int:
        return sum(group.rows for file in self.files for group in file.groups)

    @property
    def digest(self) -> str:
        """What it was counted from."""
        return blake2b("\n".join(sorted(file.path.name for file in self.files)).encode(), digest_size=16).hexdigest()


def volumes(
    lake: Lake,
    window_us: int,
    since_us: int,
    until_us: int,
    *,
    platforms: tuple[str, ...] = (),
    check: Check = lambda _rows: None,
) -> Volumes:
    """Posts per window of [since, until), each post once, in the window of its creation.

    The windows are whole ones that lie in the span; it begins with the first that has a post (none: no windows).

    Raises:
        UnavailableError: the lake cannot be read.
    """
    first, last = -(-since_us // window_us), until_us // window_us
    parts: list[tuple[str, Ints, Ints]] = []
    with ThreadPoolExecutor(os.cpu_count() or 1, "volumes") as pool:
        for partition in _partitions(lake, since_us, until_us, platforms):
            slots, counts = _of(lake, partition, window_us, pool, check)
            within = slice(*np.searchsorted(slots, [first, last]))
            parts.append((partition.platform, slots[within], counts[within]))
    parts = [part for part in parts if len(part[1])]
    names = tuple(sorted({platform for platform, _, _ in parts}))
    if not parts:
        return Volumes(window_us, until_us // window_us * window_us, (), np.zeros((0, 0), np.int64))
    begin = min(int(slots[0]) for _, slots, _ in parts)
    out = np.zeros((last - begin, len(names)), np.int64)
    for platform, slots, counts in parts:
        out[slots - begin, names.index(platform)] += counts
    return Volumes(window_us, begin * window_us, names, out)


def refresh(lake: Lake, window_us: int, *, check: Check = lambda _rows: None) -> tuple[int, int]:
    """Count what has changed since it was counted, and remove counts of what is gone; how many of each."""
    counted = 0
    known = set()
    with ThreadPoolExecutor(os.cpu_count() or 1, "volumes") as pool:
        for partition in _partitions(lake, None, None, ()):
            path = _path(lake, partition, window_us)
            known.add(path)
            if _load(path, partition.digest) is None:
                _of(lake, partition, window_us, pool, check)
                counted += 1
    gone = [path for path in (lake.beside / _FOLDER).rglob("*" + _SUFFIX) if path not in known]
    for path in gone:
        path.unlink(missing_ok=True)
    return counted, len(gone)


def _partitions(
    lake: Lake, since_us: int | None, until_us: int | None, platforms: tuple[str, ...]
) -> Iterator[_Partition]:
    snapshot = lake.snapshot("posts", platforms=platforms or None)
    files: dict[tuple[tuple[int, int], str], list[DataFile]] = defaultdict(list)
    for path, bound in zip(snapshot.files, snapshot.latest, strict=True):
        span, file = month_of(path), DataFile(lake, path, bound)
        if span is not None:
            files[span, file.platform].append(file)
    for ((begin, end), platform), mine in sorted(files.items(), key=lambda item: item[0]):
        if (until_us is None or begin < until_us) and (since_us is None or end > since_us):
            yield _Partition(platform, begin, end, tuple(mine))


def _of(lake: Lake, partition: _Partition, window_us: int, pool: ThreadPoolExecutor, check: Check) -> tuple[Ints, Ints]:
    """Windows of a partition that have posts, by their number, and their counts."""
    path = _path(lake, partition, window_us)
    known = _load(path, partition.digest)
    if known is not None:
        check(partition.rows)
        return known
    stream = LakeStream(partition.files, -1, Question())
    slots, counts = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for stretch in stream.stretches(partition.since_us, partition.until_us):
        found, times = np.unique(stream.read(stretch, pool, check).created_us // window_us, return_counts=True)
        slots.append(found)
        counts.append(times.astype(np.int64))
    # A window larger than what stretches begin with may lie in two of them.
    together, at = np.unique(np.concatenate(slots), return_inverse=True)
    summed = np.bincount(at, weights=np.concatenate(counts), minlength=len(together)).astype(np.int64)
    with suppress(OSError):  # it is counted again when it is asked for again
        _save(path, partition.digest, together, summed)
    return together, summed


def _path(lake: Lake, partition: _Partition, window_us: int) -> Path:
    folder = way(partition.files[0].path, lake.path("posts")).parent
    return lake.beside / _FOLDER / "posts" / folder / f"{window_us}{_SUFFIX}"


def _load(path: Path, digest: str) -> tuple[Ints, Ints] | None:
    try:
        with pa.OSFile(str(path), "rb") as source, pa.ipc.open_file(source) as reader:
            if (reader.schema.metadata or {}).get(b"files") != digest.encode():
                return None
            table = reader.read_all()
        return table["window"].to_numpy(), table["posts"].to_numpy()
    except (OSError, pa.ArrowInvalid, KeyError):
        return None


def _save(path: Path, digest: str, slots: Ints, counts: Ints) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    table = pa.table({"window": slots, "posts": counts}).replace_schema_metadata({"files": digest})
    try:
        with pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
