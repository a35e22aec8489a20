"""Many small NDJSON files read as one: what an engine does once for each file costs more than a small file itself.

The files of one layout are written one after the other into a temporary file, which the engine reads as a
whole. Each line keeps its file, its offset there and its number; each file is counted as if it were alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
import pyarrow as pa

from groundswell.importing.choice import SAMPLE
from groundswell.importing.reading import Reader
from groundswell.importing.reads import Ignored, Posts, Reached
from groundswell.importing.refusals import Rejection, decode
from groundswell.importing.tally import Owners
from groundswell.sources.lines import Numbers, Piece

if TYPE_CHECKING:
    from groundswell.platforms.layout import Layout
    from groundswell.sources.files import SourceFile

#: Files are joined until they have so many bytes.
JOINED: Final = 64 << 20
_WHITE: Final = b" \t\r\n"


def takes(data: bytes, limit: int) -> bool:
    r"""Whether this is the content of an NDJSON file of two lines or more, without a byte order mark.

    >>> takes(b'{"id": 1}\n{"id": 2}', 100), takes(b'{"id": 1}', 100), takes(b"id,text", 100)
    (True, False, False)
    """
    if not data.startswith(b"{") or len(data) > limit:
        return False
    first, _, rest = data.partition(b"\n")
    return bool(rest[:200].strip(_WHITE) or rest.strip(_WHITE)) and decode(first)[0] is not None


@dataclass(frozen=True, slots=True)
class Refused:
    """Records that were set aside, by the number of their file; `hint` is what a retry needs besides."""

    by_file: dict[int, list[Rejection]]
    hint: dict[str, Any] = field(default_factory=dict)


#: What becomes of some records, and of which file each is.
Found = tuple[Posts | Ignored | Refused, Owners]


@dataclass(slots=True)
class _Joined:
    """The files of one layout: their numbers, where each begins in the temporary file, and at which line."""

    layout: Layout | None
    path: Path
    out: BinaryIO
    owners: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    size: int = 0
    line: int = 1

    def add(self, owner: int, data: bytes) -> None:
        """Write one more file."""
        self.owners.append(owner)
        self.starts.append(self.size)
        self.lines.append(self.line)
        self.out.write(data)
        self.size += len(data)
        self.line += data.count(b"\n")
        if not data.endswith(b"\n"):
            self.out.write(b"\n")
            self.size += 1
            self.line += 1

    def remove(self) -> None:
        """Remove the temporary file."""
        self.out.close()
        self.path.unlink(missing_ok=True)


@dataclass
class Joiner:
    """Collects small files; `reads` gives what becomes of their records and begins anew."""

    reader: Reader
    size: int = 0
    names: list[str] = field(default_factory=list)
    _first: int = 0
    _files: dict[int, _Joined] = field(default_factory=dict)

    @property
    def is_full(self) -> bool:
        """Whether the files are enough to be read."""
        return self.size >= JOINED

    def add(self, owner: int, file: SourceFile, data: bytes) -> tuple[Layout | None, list[dict[str, Any]]]:
        """Take one file; the layout that reads it, and the records that were looked at for that."""
        seen: list[dict[str, Any]] = []
        layout = self.reader.chooser.for_sample(_records(data, seen), agree=1)
        if id(layout) not in self._files:
            self.reader.tmp.mkdir(parents=True, exist_ok=True)
            path = self.reader.tmp / f"joined-{secrets.token_hex(8)}.ndjson"
            self._files[id(layout)] = _Joined(layout, path, path.open("wb", buffering=1 << 20))
        if not self.names:
            self._first = owner
        self.names.append(file.name)
        self.size += len(data)
        self._files[id(layout)].add(owner, data)
        return layout, seen

    def reads(self) -> Iterator[Found]:
        """What becomes of the records, in the order of the files; this joiner begins anew at once.

        Raises:
            LineCountError: the engine lost count; the files have to be read one by one.
        """
        taken = _Taken(self.reader, list(self._files.values()), self.names, self._first)
        self._files, self.names, self.size = {}, [], 0
        return taken.reads()

    def close(self) -> None:
        """Forget the files and remove what was written."""
        for joined in self._files.values():
            joined.remove()
        self._files, self.names, self.size = {}, [], 0


@dataclass(frozen=True)
class _Taken:
    """Files that were joined and are to be read; `first` is the number of the first of them."""

    reader: Reader
    files: list[_Joined]
    names: list[str]
    first: int

    def reads(self) -> Iterator[Found]:
        """What becomes of the records, in the order of the files."""
        try:
            parts = (found for joined in self.files for found in self._read(joined))
            yield from parts if len(self.files) < 2 else _by_file(list(parts))
        finally:
            for joined in self.files:
                joined.remove()

    def _read(self, joined: _Joined) -> Iterator[Found]:
        joined.out.close()
        lines, starts = np.array(joined.lines), np.array(joined.starts)
        owners = np.array(joined.owners)
        names = pa.array(self.names, pa.string())

        def places(numbers: Any) -> Numbers:
            found: Numbers = np.searchsorted(lines, numbers, side="right") - 1
            return found

        for read in self.reader.read_piece(Piece(joined.path, 0, 1, spilled=True), joined.layout):
            if isinstance(read, Posts):
                at = places(read.numbers)
                rows = _moved(read.rows, names, owners[at] - self.first, starts[at])
                yield Posts(read.layout, rows, read.numbers - lines[at] + 1), owners[at]
            elif isinstance(read, Ignored):
                at = places(read.numbers)
                local = (np.array(read.numbers) - lines[at] + 1).tolist()
                yield Ignored(read.layout, read.reason, local), owners[at]
            elif not isinstance(read, Reached):
                by_file: dict[int, list[Rejection]] = {}
                for rejection, place in zip(read, places([one.row for one in read]).tolist(), strict=True):
                    there = replace(
                        rejection,
                        offset=rejection.offset - int(starts[place]),
                        row=rejection.row - int(lines[place]) + 1,
                    )
                    by_file.setdefault(int(owners[place]), []).append(there)
                yield Refused(by_file), next(iter(by_file), 0)


def _records(data: bytes, seen: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The first valid records of an NDJSON file, decoded when they are asked for, and kept in `seen`."""
    at = 0
    while len(seen) < SAMPLE and at < len(data):
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        line = data[at:end]
        at = end + 1
        if line.strip() and (record := decode(line)[0]) is not None:
            seen.append(record)
            yield record


def _moved(rows: pa.Table, names: pa.Array, files: Numbers, starts: Numbers) -> pa.Table:
    """Rows under the names of their files, with their offsets there."""
    origin = rows.schema.get_field_index("origin")
    rows = rows.set_column(origin, rows.schema.field(origin), names.take(pa.array(files)))
    place = rows.schema.get_field_index("origin_offset")
    offsets = pa.array(rows["origin_offset"].to_numpy() - starts)
    return rows.set_column(place, rows.schema.field(place), offsets)


def _by_file(
    parts: list[Found],
) -> Iterator[Found]:
    """The same in the order of the files: of rows that are known in another layout, those of the first file count."""
    rows: list[tuple[int, int, int, int]] = []
    for number, (read, owners) in enumerate(parts):
        if not isinstance(read, Posts) or isinstance(owners, int):
            yield read, owners
            continue
        borders = np.flatnonzero(np.diff(owners)) + 1
        for start, end in zip([0, *borders.tolist()], [*borders.tolist(), len(owners)], strict=True):
            rows.append((int(owners[start]), number, start, end))
    for owner, number, start, end in sorted(rows):
        read = parts[number][0]
        if isinstance(read, Posts):
            yield Posts(read.layout, read.rows.slice(start, end - start), read.numbers[start:end]), owner
