"""Raw content on disk: zstd frames of some megabytes in files ("objects") under the lake.

A frame is read by itself, so that one record is found without reading the rest. An object is written once, or (of
streams) only appended to; what the index does not refer to is garbage, which `sweep` removes. Each frame carries
a checksum of its content.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import zstandard

from groundswell.errors import UnavailableError
from groundswell.lake.failures import told
from groundswell.stores import Place, S3Path, way
from groundswell.stores.refusals import reason

#: Content of a frame, bytes; a little more or less, so that records are not cut in two.
FRAME: Final = 8 << 20
#: The higher ones hardly gain on JSON, the negative ones hardly save time (measured: 13.5 times smaller at 0.94 GB/s
#: a core; level -1 11.2 times at 1.06; 2 13.8 times at 0.86).
LEVEL: Final = 1
#: Bytes of an object that are left to be written to the disk when they are written next.
_SOON: Final = 4 << 20
SUFFIX: Final = ".zst"
#: Objects that streams are appended to, one a day.
STREAMS: Final = "streams"


@dataclass(frozen=True, slots=True)
class Extent:
    """`length` bytes of content from place `content`: those from `start` of one frame.

    The frame is `packed` bytes from `offset` of the file `object`.
    """

    content: int
    length: int
    object: str
    offset: int
    packed: int
    start: int

    @property
    def end(self) -> int:
        """Place in the content behind it."""
        return self.content + self.length


class RawWriter:
    """Packs content into the frames of one object; a context manager that removes what was not sealed.

    Small contents share a frame. Nothing is created before the first frame is written.
    """

    def __init__(self, root: Place, name: str, *, append: bool = False, staging: Path | None = None) -> None:
        """An object of a store is written in the folder `staging` first; it is never appended to but gets a fellow."""
        self._root = root
        self._staging = staging or Path(tempfile.gettempdir())
        if append and isinstance(root, S3Path):
            append, name = False, f"{name.removesuffix(SUFFIX)}/{secrets.token_hex(12)}{SUFFIX}"
        self.name = name
        self._path: Path | None = None
        self._append = append
        self._file: BinaryIO | None = None
        self._begun = 0
        self._at = self._on_its_way = 0
        self._packer = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
        self._buffer = bytearray()
        self._waiting: list[tuple[list[Extent], int, int, int]] = []
        self._sealed = False

    def __enter__(self) -> RawWriter:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._sealed:
            self.abort()

    def add(self, data: bytes | memoryview, content: int, into: list[Extent]) -> None:
        """Keep `data`, which stands at place `content` of its content, in one frame; `into` gets its extent.

        The extent may come later: with a following `add`, at the latest by `seal`.

        Raises:
            OSError: the disk is full or cannot be written.
        """
        if len(self._buffer) + len(data) > FRAME:
            self._flush()
        if not self._buffer and 2 * len(data) >= FRAME:
            offset, packed = self._write(data)
            into.append(Extent(content, len(data), self.name, offset, packed, 0))
            return
        self._waiting.append((into, content, len(self._buffer), len(data)))
        self._buffer += data

    def adopt(self, packed: bytes, length: int, content: int, into: list[Extent]) -> None:
        """Keep a frame as it is: one with a checksum of `length` bytes that stand at place `content` of their content.

        Raises:
            OSError: the disk is full or cannot be written.
        """
        self._flush()
        into.append(Extent(content, length, self.name, self._put(packed), len(packed), 0))

    def seal(self) -> None:
        """Write what waits, and bring everything to the disk.

        Raises:
            OSError: the disk is full or cannot be written.
        """
        self._flush()
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            if self._path is not None and isinstance(self._root, S3Path):
                (self._root / self.name).put(self._path)
                self._path.unlink(missing_ok=True)
        self._sealed = True

    def abort(self) -> None:
        """Remove what was written; of an object that is appended to, what came in now."""
        self._sealed = True
        if self._file is None or self._path is None:
            return
        with suppress(OSError):  # what cannot be taken back is garbage that the index does not know
            self._file.close()
        with suppress(OSError):
            if self._begun:
                os.truncate(self._path, self._begun)
            else:
                self._path.unlink(missing_ok=True)

    def _flush(self) -> None:
        if not self._buffer:
            return
        offset, packed = self._write(bytes(self._buffer))
        for into, content, start, length in self._waiting:
            into.append(Extent(content, length, self.name, offset, packed, start))
        self._buffer.clear()
        self._waiting.clear()

    def _local(self) -> Path:
        if isinstance(self._root, S3Path):
            return self._staging / f"raw-{secrets.token_hex(12)}{SUFFIX}"
        return self._root / self.name

    def _write(self, data: bytes | memoryview) -> tuple[int, int]:
        packed = self._packer.compress(data)
        return self._put(packed), len(packed)

    def _put(self, packed: bytes) -> int:
        """Write a frame; where it begins."""
        if self._file is None:
            self._path = path = self._local()
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab" if self._append else "xb")
            self._begun = self._at = self._on_its_way = self._file.tell()
        self._file.write(packed)
        offset, self._at = self._at, self._at + len(packed)
        if self._at - self._on_its_way >= _SOON and hasattr(os, "posix_fadvise"):
            # The disk begins now and nobody waits, so that little is left to do when the object is sealed.
            self._file.flush()
            os.posix_fadvise(self._file.fileno(), self._on_its_way, 0, os.POSIX_FADV_DONTNEED)
            self._on_its_way = self._at
        return offset


def new_object(day: str) -> str:
    """A name for a new object of that day (`2026-11-21`)."""
    return f"{day}/{secrets.token_hex(12)}{SUFFIX}"


def stream_object(day: str) -> str:
    """Name of the object that the streams of that day go to."""
    return f"{STREAMS}/{day}{SUFFIX}"


class RawReader:
    """Reads content back, frame by frame; keeps the last frame, because neighbours are asked for together."""

    def __init__(self, root: Place) -> None:
        self._root = root
        self._unpacker = zstandard.ZstdDecompressor()
        self._frame: tuple[str, int] = ("", -1)
        self._held = b""

    def read(self, extent: Extent) -> bytes:
        """The bytes of one extent.

        Raises:
            UnavailableError: the object is missing or damaged.
        """
        frame = self._unpacked(extent)
        return frame[extent.start : extent.start + extent.length]

    def stream(self, extents: Sequence[Extent], start: int = 0) -> Iterator[bytes]:
        """The content from place `start` on; `extents` are in order.

        Raises:
            UnavailableError: an object is missing or damaged.
        """
        for extent in extents:
            if extent.end > start:
                yield self.read(extent)[max(0, start - extent.content) :]

    def packed(self, extent: Extent) -> bytes | None:
        """The frame as it lies there, if the extent is all of it; else null.

        Raises:
            UnavailableError: the object is missing or damaged.
        """
        if extent.start:
            return None
        raw = self._raw(extent)
        whole = zstandard.get_frame_parameters(raw).content_size
        return raw if whole == extent.length else None

    def _unpacked(self, extent: Extent) -> bytes:
        place = (extent.object, extent.offset)
        if place != self._frame:
            raw = self._raw(extent)
            try:
                self._held = self._unpacker.decompress(raw)
            except zstandard.ZstdError as error:
                raise _damaged(extent, self._root, str(error)) from error
            self._frame = place
        return self._held

    def _raw(self, extent: Extent) -> bytes:
        path = self._root / extent.object
        try:
            with path.open("rb") as file:
                file.seek(extent.offset)
                raw = file.read(extent.packed)
        except OSError as error:
            raise _damaged(extent, self._root, error.strerror or reason(error)) from error
        if len(raw) < extent.packed:
            raise _damaged(extent, self._root, "it ends early")
        return raw


def _damaged(extent: Extent, root: Place, why: str) -> UnavailableError:
    return UnavailableError(
        f"the raw content at byte {extent.offset:,} cannot be read ({why})",
        where=str(root / extent.object),
        hint="the posts that were read from it are not touched; restore the file, or import its origin again",
    )


def objects(root: Place) -> list[tuple[Place, int]]:
    """All objects and their bytes."""
    if isinstance(root, S3Path):
        return [*root.sizes(f"*{SUFFIX}")]
    return [(path, path.stat().st_size) for path in sorted(root.rglob(f"*{SUFFIX}"))] if root.is_dir() else []


def sweep(root: Place, wanted: Collection[str]) -> tuple[int, int]:
    """Remove the objects that are not among `wanted`; how many, and their bytes. Hold the lease `lake`.

    Raises:
        UnavailableError: the folder cannot be written.
    """
    gone = size = 0
    with told("clean the raw content", root):
        for path, bulk in objects(root):
            if way(path, root).as_posix() not in wanted:
                size += bulk
                path.unlink(missing_ok=True)
                gone += 1
        local = isinstance(root, Path) and root.is_dir()
        for folder in sorted((p for p in Path(str(root)).glob("*") if p.is_dir()), reverse=True) if local else []:
            with suppress(OSError):  # there is still something in it
                folder.rmdir()
    return gone, size
