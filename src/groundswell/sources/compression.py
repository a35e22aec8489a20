"""Reading plain and packed files (gzip, zstd, bzip2, xz) as one stream of bytes; the content decides, not the name."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Generator, Iterator
from enum import StrEnum
from typing import Final, Protocol

import zstandard

from groundswell.errors import UnreadableFileError
from groundswell.sources.stored import DEFAULT_LIMITS, Limits, Source, open_source

CHUNK: Final = 1 << 20
#: Packed bytes that go into a zstd reader at once: the most that they can unpack to fits into memory.
_ZSTD_STEP: Final = 8 << 10
#: Memory that an xz file may ask for.
_XZ_MEMORY: Final = 256 << 20

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_BZIP2: Final = b"BZh"
_BZIP2_BLOCKS: Final = (b"1AY&SY", b"\x17rE8P\x90")
_XZ: Final = b"\xfd7zXZ\x00"
#: Bytes of a head that are enough to tell.
MAGIC: Final = 16


class Compression(StrEnum):
    """How the bytes of a file are packed."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"
    BZIP2 = "bzip2"
    XZ = "xz"


class CutShortError(UnreadableFileError):
    """A stream that cannot be read to its end; everything before byte `at` of its content was given."""

    def __init__(self, what: str, at: int, hint: str | None = None) -> None:
        super().__init__(
            f"{what}: its content is unreadable from byte {at:,}",
            hint=hint or "what stands before is stored; get a whole copy of the file and import it again",
            fields={"at": at},
        )
        self.at = at


class BombError(CutShortError):
    """A packed file that unpacks to far more than data does."""

    def __init__(self, ratio: int, at: int) -> None:
        super().__init__("a zip bomb", at, "raise GROUNDSWELL_MAX_RATIO if you trust the file")
        self.what = f"refused: it unpacks to more than {ratio:,} times its size, as a zip bomb does"


def compression_of(head: bytes) -> Compression:
    """The compression of a file that begins with `head` (at least `MAGIC` bytes, if it has them).

    >>> compression_of(b"{}")
    <Compression.NONE: 'none'>
    """
    if head.startswith(_GZIP):
        return Compression.GZIP
    # A zstd file may begin with a skippable frame (0x184D2A50 to 0x184D2A5F, little-endian).
    skippable = len(head) >= 4 and head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F
    if head.startswith(_ZSTD) or skippable:
        return Compression.ZSTD
    if head.startswith(_BZIP2) and head[4:10] in _BZIP2_BLOCKS:
        return Compression.BZIP2
    return Compression.XZ if head.startswith(_XZ) else Compression.NONE


def file_compression(source: Source) -> Compression:
    """The compression of a file."""
    with open_source(source) as file:
        return compression_of(file.read(MAGIC))


def content(source: Source, start: int = 0, limits: Limits = DEFAULT_LIMITS) -> Generator[bytes]:
    """The unpacked content of a file in chunks, from byte `start` of it; several packed members are one stream.

    Raises:
        CutShortError: after everything that could be read, if the file ends early or is damaged.
        BombError: it unpacks to more than `limits` allow.
    """
    compression = file_compression(source)
    if compression is Compression.NONE:
        yield from _raw(source, start)
        return
    for chunk in _unpacked(source, compression, limits):
        if start >= len(chunk):
            start -= len(chunk)
            continue
        yield chunk[start:] if start else chunk
        start = 0


def _raw(source: Source, start: int = 0) -> Iterator[bytes]:
    with open_source(source) as file:
        if start and file.seekable():
            file.seek(start)
            start = 0
        while chunk := file.read(CHUNK):
            if start >= len(chunk):
                start -= len(chunk)
                continue
            yield chunk[start:] if start else chunk
            start = 0


class _Unpacker(Protocol):
    """Unpacks one member; `eof` once it has ended, `unused_data` is then what follows it."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def parts(self, packed: bytes) -> Iterator[bytes]:
        """What `packed` unpacks to, in parts of bounded size."""
        ...


class _Gzip:
    def __init__(self) -> None:
        self._reader = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._reader.eof

    @property
    def unused_data(self) -> bytes:
        return self._reader.unused_data

    def parts(self, packed: bytes) -> Iterator[bytes]:
        while packed:
            yield self._reader.decompress(packed, 4 * CHUNK)
            packed = self._reader.unconsumed_tail


class _Zstd:
    def __init__(self) -> None:
        self._reader = zstandard.ZstdDecompressor().decompressobj()
        self._behind = b""

    @property
    def eof(self) -> bool:
        return self._reader.eof

    @property
    def unused_data(self) -> bytes:
        return self._behind

    def parts(self, packed: bytes) -> Iterator[bytes]:
        waiting: list[bytes] = []
        size = 0
        for at in range(0, len(packed), _ZSTD_STEP):
            try:
                waiting.append(self._reader.decompress(packed[at : at + _ZSTD_STEP]))
            except zstandard.ZstdError:
                yield b"".join(waiting)
                raise
            size += len(waiting[-1])
            if self._reader.eof:
                self._behind = self._reader.unused_data + packed[at + _ZSTD_STEP :]
                break
            if size >= CHUNK:
                yield b"".join(waiting)
                waiting, size = [], 0
        yield b"".join(waiting)


class _Blocks:
    """bzip2 and xz, whose readers are alike."""

    def __init__(self, reader: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._reader = reader

    @property
    def eof(self) -> bool:
        return self._reader.eof

    @property
    def unused_data(self) -> bytes:
        return self._reader.unused_data

    def parts(self, packed: bytes) -> Iterator[bytes]:
        yield self._reader.decompress(packed, 4 * CHUNK)
        while not self._reader.eof and not self._reader.needs_input:
            yield self._reader.decompress(b"", 4 * CHUNK)


def _unpacker(compression: Compression) -> _Unpacker:
    if compression is Compression.GZIP:
        return _Gzip()
    if compression is Compression.ZSTD:
        return _Zstd()
    if compression is Compression.BZIP2:
        return _Blocks(bz2.BZ2Decompressor())
    return _Blocks(lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY))


def _unpacked(source: Source, compression: Compression, limits: Limits) -> Iterator[bytes]:
    given = taken = 0
    unpacker = _unpacker(compression)
    fresh = True
    for packed in _raw(source):
        taken += len(packed)
        rest = packed
        while rest:
            if fresh and given and not rest.strip(b"\0"):
                rest = b""  # padding after the last member
                continue
            try:
                for out in unpacker.parts(rest):
                    given += len(out)
                    if out:
                        yield out
                    if given > limits.floor and given > limits.ratio * taken:
                        raise BombError(limits.ratio, given)
            except (zlib.error, zstandard.ZstdError, lzma.LZMAError, EOFError, OSError, ValueError) as error:
                reason = (str(error) or type(error).__name__).splitlines()[0]
                what = f"the {compression} data is damaged ({reason})"
                raise CutShortError(what, given) from error
            fresh = False
            rest = b""
            if unpacker.eof:
                rest = unpacker.unused_data
                unpacker, fresh = _unpacker(compression), True
    if not fresh:
        what = f"the {compression} data ends early"
        raise CutShortError(what, given)


class ContentStream(io.RawIOBase):
    """The unpacked content of a file as something to read; ends quietly where it is damaged and keeps the reason."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.failure: CutShortError | None = None
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]  # a buffer that is written
        """Fill `target`; 0 at the end."""
        while not self._rest:
            try:
                self._rest = next(self._chunks)
            except StopIteration:
                return 0
            except CutShortError as error:
                self.failure = error
                return 0
        size = min(len(target), len(self._rest))
        target[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def head_of(source: Source, size: int, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """The first bytes of the content; what can be read of a damaged one."""
    parts: list[bytes] = []
    have = 0
    chunks = content(source, 0, limits)
    try:
        for chunk in chunks:
            parts.append(chunk)
            have += len(chunk)
            if have >= size:
                break
    except CutShortError:
        pass  # told when the file is read; what there is says what it holds
    finally:
        chunks.close()
    return b"".join(parts)[:size]


def name_of(source: Source) -> str:
    """The name of a source, without what its compression added: `a.ndjson` for `a.ndjson.gz`."""
    name = source.name.lower()
    for suffix in (".gz", ".zst", ".bz2", ".xz"):
        name = name.removesuffix(suffix)
    return name
