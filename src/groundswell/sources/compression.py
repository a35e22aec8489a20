"""Reading plain, gzip and zstd files as one stream of bytes; the content decides, not the name."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final

import zstandard

from groundswell.errors import UnreadableFileError

CHUNK: Final = 1 << 20

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


class Compression(StrEnum):
    """How the bytes of a file are packed."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


class CutShortError(UnreadableFileError):
    """A stream that cannot be read to its end; everything before byte `at` of its content was given."""

    def __init__(self, what: str, at: int) -> None:
        super().__init__(
            f"{what}: its content is unreadable from byte {at:,}",
            hint="what stands before is stored; get a whole copy of the file and import it again",
            fields={"at": at},
        )
        self.at = at


def compression_of(head: bytes) -> Compression:
    """The compression of a file that begins with `head`.

    >>> compression_of(b"{}")
    <Compression.NONE: 'none'>
    """
    if head.startswith(_GZIP):
        return Compression.GZIP
    # A zstd file may begin with a skippable frame (0x184D2A50 to 0x184D2A5F, little-endian).
    skippable = len(head) >= 4 and head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F
    return Compression.ZSTD if head.startswith(_ZSTD) or skippable else Compression.NONE


def file_compression(path: Path) -> Compression:
    """The compression of the file at `path`."""
    with path.open("rb") as file:
        return compression_of(file.read(4))


def content(path: Path) -> Iterator[bytes]:
    """The decompressed content of a file in chunks; several gzip members or zstd frames are one stream.

    Raises:
        CutShortError: after everything that could be read, if the file ends early or is damaged.
    """
    compression = file_compression(path)
    if compression is Compression.NONE:
        yield from _raw(path)
    else:
        yield from _unpacked(path, compression)


def _raw(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _unpacked(path: Path, compression: Compression) -> Iterator[bytes]:
    given = 0
    unpacker = _unpacker(compression)
    fresh = True
    for packed in _raw(path):
        rest = packed
        while rest:
            try:
                out = unpacker.decompress(rest)
            except (zlib.error, zstandard.ZstdError) as error:
                if fresh and given and not rest.strip(b"\0"):
                    return  # padding after the last member
                what = f"the {compression} data is damaged ({str(error).splitlines()[0]})"
                raise CutShortError(what, given) from error
            fresh = False
            given += len(out)
            if out:
                yield out
            rest = b""
            if unpacker.eof:
                rest = unpacker.unused_data
                unpacker, fresh = _unpacker(compression), True
    if not fresh:
        what = f"the {compression} data ends early"
        raise CutShortError(what, given)


def _unpacker(compression: Compression) -> zlib._Decompress | zstandard.ZstdDecompressionObj:
    if compression is Compression.GZIP:
        return zlib.decompressobj(wbits=31)
    return zstandard.ZstdDecompressor().decompressobj()
