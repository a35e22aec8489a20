"""Reading raw content back: as a file that the importer reads like any other, or the one record behind a row."""

from __future__ import annotations

import io
import json
import os
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

import numpy as np

from groundswell.importing.rawzone_stream import Numbered
from groundswell.lake import raw_index
from groundswell.lake.raw import Extent, RawReader
from groundswell.lake.raw_index import Kept
from groundswell.sources.containers import Form, detect
from groundswell.sources.files import SourceFile
from groundswell.sources.stored import Limits
from groundswell.sources.tables import TableReader
from groundswell.sources.unfold import unfold
from groundswell.stores import Place, raw_root

if TYPE_CHECKING:
    from groundswell.settings import Settings

_NOWHERE: Final = Path(os.devnull)
_BLANKS: Final = b" \t\r\n"
_BUFFER: Final = 1 << 20
_SUFFIXES: Final = (".gz", ".zst", ".bz2", ".xz")


@dataclass(frozen=True)
class KeptContent:
    """The content of one origin as it was read, from its beginning; the `Stored` of a file that may be gone."""

    root: Place
    origin: str
    identity: str
    extents: tuple[Extent, ...]

    @classmethod
    def of(cls, root: Place, parts: Sequence[Kept]) -> KeptContent | None:
        """The content of the parts of one import; null where its beginning, or a part between, is not kept."""
        if not parts or parts[0].position or any(before.end != after.position for before, after in pairwise(parts)):
            return None
        first = parts[0]
        extents = tuple(extent for part in parts for extent in part.extents)
        return cls(root, first.origin, first.identity or first.origin, extents)

    @property
    def name(self) -> str:
        """What it is called: its origin without the suffix of a compression, which it has no more."""
        name = self.origin
        for suffix in _SUFFIXES:
            name = name.removesuffix(suffix)
        return name

    @property
    def size(self) -> int:
        """Bytes of content."""
        return self.extents[-1].end if self.extents else 0

    def open(self) -> BinaryIO:
        """The bytes from the start; any place is quickly reached.

        Raises:
            UnavailableError: while reading, if an object is missing or damaged.
        """
        return cast(BinaryIO, io.BufferedReader(_Frames(RawReader(self.root), self.extents), _BUFFER))

    def file(self, imported_ns: int = 0) -> SourceFile:
        """It as a file."""
        return SourceFile(_NOWHERE, self.origin, self.size, imported_ns, inside=self, stamp=self.identity)

    def opened(self, settings: Settings) -> Iterator[SourceFile]:
        """The file that is named like the origin: itself, or a sheet of it."""
        limits = Limits.of(settings)
        for outer in dict.fromkeys((self.origin, self.origin.rpartition("::")[0] or self.origin)):
            for found in unfold(_renamed(self.file(), outer), limits, settings.tmp_path):
                if found.name == self.origin and found.refused is None:
                    yield found
                    return


def _renamed(file: SourceFile, name: str) -> SourceFile:
    return SourceFile(file.path, name, file.size, file.mtime_ns, inside=file.inside, stamp=file.stamp)


class _Frames(io.RawIOBase):
    """The content of some extents as a file that can be read at any place."""

    def __init__(self, reader: RawReader, extents: Sequence[Extent]) -> None:
        self._reader = reader
        self._extents = extents
        self._size = extents[-1].end if extents else 0
        self._at = 0
        self._in = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, target: Any) -> int:
        extent = self._here()
        if extent is None:
            return 0
        inside = self._at - extent.content
        size = min(len(target), extent.length - inside)
        target[:size] = memoryview(self._reader.read(extent))[inside : inside + size]
        self._at += size
        return size

    def _here(self) -> Extent | None:
        """The extent in which the next byte is; the one of the last time or that behind it, mostly."""
        if self._at >= self._size:
            return None
        if not self._extents[self._in].content <= self._at < self._extents[self._in].end:
            self._in = place_of(self._extents, self._at)
        return self._extents[self._in]


def place_of(extents: Sequence[Extent], at: int) -> int:
    """Which of some extents, in order, holds a place of the content."""
    low, high = 0, len(extents) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if at < extents[middle].end else (middle + 1, high)
    return low


def record_at(reader: RawReader, entry: Kept, offset: int, settings: Settings) -> bytes | None:
    """The record at a place (of that number, in that row) of what is kept; null if it is not there.

    Raises:
        UnavailableError: the content is missing or damaged.
    """
    if entry.form == raw_index.NUMBERED:
        return Numbered.of(reader, entry).record(reader, offset)
    if entry.form in (raw_index.TEXT_TABLE, raw_index.FILE):
        return _row(reader, entry, offset, settings)
    if entry.form == Form.NDJSON:
        return _line(reader, entry, offset)
    return _element(reader, entry, offset, settings.max_record)


def _line(reader: RawReader, entry: Kept, offset: int) -> bytes:
    parts: list[bytes] = []
    for part in reader.stream(entry.extents, offset):
        line, newline, _ = part.partition(b"\n")
        parts.append(line)
        if newline:
            break
    return b"".join(parts).removesuffix(b"\r")


def _element(reader: RawReader, entry: Kept, offset: int, limit: int) -> bytes | None:
    """The JSON value that begins there; what is broken up to the end of its frame."""
    data = b""
    if entry.encoding == "utf-8-sig" and not next(reader.stream(entry.extents, offset), b"").startswith(b"{"):
        offset += len(BOM_UTF8)  # places in a document are those behind its mark
    for part in reader.stream(entry.extents, offset):
        data += part
        text = data.lstrip(_BLANKS).decode("utf-8", "surrogateescape")
        try:
            _, end = json.JSONDecoder().raw_decode(text)
        except ValueError:
            if len(data) > limit:
                break
            continue
        return text[:end].encode("utf-8", "surrogateescape")
    return data[: 1 << 16] or None


def _row(reader: RawReader, entry: Kept, number: int, settings: Settings) -> bytes | None:
    """A row of a table as a JSON object of its cells; rows are counted from the start."""
    del reader
    content = KeptContent.of(raw_root(settings), [entry])
    if content is None:
        return None
    for file in content.opened(settings):
        if file.table is not None:
            table = file.table(settings.max_record)
        else:
            table = TableReader(file.stored, detect(file.stored), settings.max_record)
        for chunk in table.chunks():
            for at in np.flatnonzero(np.asarray(chunk.numbers) == number).tolist():
                return json.dumps(chunk.rows.slice(at, 1).to_pylist()[0], ensure_ascii=False).encode()
            for bad in chunk.bad:
                if bad.number == number:
                    return bytes(bad.raw)
    return None
