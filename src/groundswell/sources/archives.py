"""The files in a zip or tar archive, one after another; what an archive may not hold is refused, not read."""

from __future__ import annotations

import io
import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO, Final, cast

from groundswell.errors import UnreadableFileError
from groundswell.sources.compression import CHUNK, BombError, ContentStream, CutShortError
from groundswell.sources.stored import Limits

_ENCRYPTED: Final = 0x1
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA})
_LOCAL: Final = struct.Struct("<4s5H3I2H")
_DRIVE: Final = re.compile(r"[A-Za-z]:")
#: What systems leave in archives beside the files.
_LITTER: Final = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})
_DAMAGED: Final = "the archive is damaged or cut short"
_DAMAGE: Final = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,  # encryption and other ways of packing that zipfile does not know
)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive. `open` gives its bytes (to be used before the next member is asked for).

    `again`: it may be opened more than once. `refused` says why it is not read.
    """

    name: str
    size: int
    identity: str
    open: Callable[[], BinaryIO]
    again: bool = False
    refused: str | None = None


def zip_members(archive: zipfile.ZipFile, packed: int, limits: Limits) -> Iterator[Member]:
    """The files of a zip archive that takes `packed` bytes.

    Raises:
        UnreadableFileError: it holds too many files, or unpacks to far more than data does.
    """
    infos = [info for info in archive.infolist() if not info.is_dir() and not is_litter(info.filename)]
    _few_enough(len(infos), limits)
    bombs = {info.header_offset for info in infos if _is_bomb(info.file_size, info.compress_size, limits)}
    total = sum(info.file_size for info in infos if info.header_offset not in bombs)
    if total > limits.floor and total > limits.ratio * packed:
        raise BombError(limits.ratio, 0)
    _small_enough(total, limits)
    names = _Names()
    for info in infos:
        name = names.unique(info.filename)
        refused = _escapes(info.filename) or _zip_refusal(info)
        if refused is None and info.header_offset in bombs:
            refused = str(BombError(limits.ratio, 0))
        yield Member(
            name,
            info.file_size,
            f"{info.file_size}|{info.CRC:08x}",
            _opener(archive, info),
            again=True,
            refused=refused,
        )


def _zip_refusal(info: zipfile.ZipInfo) -> str | None:
    if info.flag_bits & _ENCRYPTED:
        return "refused: it is encrypted; unpack it with its password and import what comes out"
    if info.compress_type not in _METHODS:
        return f"refused: packed by a method (number {info.compress_type}) that is not read; pack it again as .zip"
    if info.external_attr >> 16 & 0o170000 == 0o120000:
        return "refused: a symbolic link, which may point outside the archive"
    return None


def _opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], BinaryIO]:
    def opened() -> BinaryIO:
        try:
            return cast(BinaryIO, Guarded(archive.open(info)))
        except _DAMAGE as error:
            raise _cut(_DAMAGED, error, 0) from error

    return opened


def salvaged_members(file: BinaryIO, limits: Limits) -> Iterator[Member]:
    """The files of a zip archive whose end is missing, in order; the last may be cut short.

    Raises:
        CutShortError: after the last one, always: the directory at the end of the archive is not there.
    """
    names = _Names()
    at = 0
    count = 0
    while (found := _local_header(file, at)) is not None:
        info, start = found
        count += 1
        _few_enough(count, limits)
        stream = _Salvage(file, start, info, limits)
        name = names.unique(info.filename)
        refused = _escapes(info.filename) or _zip_refusal(info)
        if not info.filename.endswith("/") and not is_litter(info.filename):
            identity = f"{info.compress_size}|{info.CRC:08x}"
            yield Member(name, info.file_size, identity, _once(stream), refused=refused)
        if refused is not None and not info.compress_size:
            break
        at = stream.end()
    what = "the archive is cut short: its directory is missing"
    raise CutShortError(what, at, "what stands before was read; get a whole copy and import it again")


def _local_header(file: BinaryIO, at: int) -> tuple[zipfile.ZipInfo, int] | None:
    file.seek(at)
    near = file.read(_LOCAL.size + 64)
    begin = near.find(b"PK\x03\x04")
    if begin < 0 or len(near) < begin + _LOCAL.size:
        return None
    _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack_from(near, begin)
    file.seek(at + begin + _LOCAL.size)
    name = file.read(name_length)
    extra = file.read(extra_length)
    if len(name) < name_length or len(extra) < extra_length:
        return None
    info = zipfile.ZipInfo(name.decode("utf-8" if flags & 0x800 else "cp437", "replace") or "?")
    info.flag_bits, info.compress_type, info.CRC = flags, method, crc
    info.compress_size, info.file_size = packed, size
    if 0xFFFFFFFF in (packed, size) and extra[:2] == b"\x01\x00" and len(extra) >= 20:
        info.file_size, info.compress_size = struct.unpack_from("<QQ", extra, 4)
    return info, at + begin + _LOCAL.size + name_length + extra_length


class _Salvage(io.RawIOBase):
    """One member of an archive without a directory; only its own deflate data says where it ends."""

    def __init__(self, file: BinaryIO, start: int, info: zipfile.ZipInfo, limits: Limits) -> None:
        self._file = file
        self._at = start
        self._left = info.compress_size or None
        self._limits = limits
        self._start = start
        self._inflate = zlib.decompressobj(-15) if info.compress_type == zipfile.ZIP_DEFLATED else None
        self._packed = b""
        self._given = 0
        self._ended = info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]  # a buffer that is written
        while not self._ended:
            out = self._next(len(target))
            if out:
                target[: len(out)] = out
                self._given += len(out)
                taken = self._at - self._start
                if self._given > self._limits.floor and self._given > self._limits.ratio * taken:
                    raise BombError(self._limits.ratio, self._given)
                return len(out)
        return 0

    def end(self) -> int:
        """Where the member ends in the archive; reads over what was not read of it."""
        if self._left is not None:
            return self._at + self._left
        buffer = memoryview(bytearray(CHUNK))
        try:
            while self.readinto(buffer):
                pass
        except CutShortError:
            pass
        return self._at - len(self._packed)

    def _next(self, size: int) -> bytes:
        if not self._packed:
            self._packed = self._read(size)
        if self._inflate is None:
            out, self._packed = self._packed, b""
            self._ended = self._left == 0
            return out
        try:
            out = self._inflate.decompress(self._packed, size)
        except zlib.error as error:
            self._ended = True
            raise _cut(_DAMAGED, error, self._given) from error
        self._packed = self._inflate.unconsumed_tail
        if self._inflate.eof:
            self._packed = self._inflate.unused_data
            self._ended = True
        return out

    def _read(self, size: int) -> bytes:
        self._file.seek(self._at)
        part = self._file.read(min(size, CHUNK) if self._left is None else min(size, CHUNK, self._left))
        if not part:
            self._ended = True
            what = "the archive is cut short in this file"
            raise CutShortError(what, self._given)
        self._at += len(part)
        self._left = None if self._left is None else self._left - len(part)
        return part


def tar_members(stream: ContentStream, limits: Limits) -> Iterator[Member]:
    """The files of a tar archive, packed or not, in order; each is to be read before the next is asked for.

    Raises:
        UnreadableFileError: after the last one that could be read, if the archive is damaged, ends early, or
            unpacks to too much.
    """
    names = _Names()
    count = total = 0
    try:
        with tarfile.open(fileobj=io.BufferedReader(stream, CHUNK), mode="r|", bufsize=CHUNK) as archive:
            for info in archive:
                if info.isdir() or is_litter(info.name):
                    continue
                count, total = count + 1, total + info.size
                _few_enough(count, limits)
                _small_enough(total, limits)
                yield Member(
                    names.unique(info.name),
                    info.size,
                    f"{info.size}|{info.mtime}|{info.offset_data}",
                    _tar_opener(archive, info, stream),
                    refused=_escapes(info.name) or _tar_refusal(info),
                )
                archive.members = []  # type: ignore[attr-defined]  # it would keep every header that it has seen
    except _DAMAGE as error:
        if stream.failure is None:
            raise _cut(_DAMAGED, error, total) from error
    if stream.failure is not None:
        raise stream.failure


def _tar_refusal(info: tarfile.TarInfo) -> str | None:
    if info.issym() or info.islnk():
        return "refused: a link, which may point outside the archive"
    if info.issparse():
        return "refused: a sparse file, which may unpack to any size; pack it again with plain files"
    return None if info.isreg() else "refused: not a file but a device or pipe"


def _tar_opener(archive: tarfile.TarFile, info: tarfile.TarInfo, stream: ContentStream) -> Callable[[], BinaryIO]:
    def opened() -> BinaryIO:
        taken = archive.extractfile(info)
        if taken is None:
            what = "it holds nothing that can be read"
            raise CutShortError(what, 0)
        return cast(BinaryIO, Guarded(taken, stream))

    return opened


class Guarded(io.RawIOBase):
    """Bytes of a member; where the archive is damaged, a `CutShortError` comes after what could be read.

    Not to be buffered: a buffer that is not full when the error comes is lost.
    """

    def __init__(self, inner: IO[bytes], stream: ContentStream | None = None) -> None:
        self._inner = inner
        self._stream = stream
        self._given = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]  # a buffer that is written
        """Fill `target`; 0 at the end."""
        try:
            part = self._inner.read(len(target))
        except _DAMAGE as error:
            if self._stream is not None and self._stream.failure is not None:
                raise self._stream.failure from error
            raise _cut(_DAMAGED, error, self._given) from error
        target[: len(part)] = part
        self._given += len(part)
        return len(part)

    def close(self) -> None:
        """Close the member, too."""
        self._inner.close()
        super().close()


def _once(stream: io.RawIOBase) -> Callable[[], BinaryIO]:
    return lambda: cast(BinaryIO, stream)


class _Names:
    """Names of members, each once: a second `a.csv` is `a.csv#2`."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def unique(self, name: str) -> str:
        self._seen[name] += 1
        return name if self._seen[name] == 1 else f"{name}#{self._seen[name]}"


def is_litter(name: str) -> bool:
    """Whether systems make such members by themselves (`__MACOSX/…`, hidden files)."""
    parts = [part for part in name.replace("\\", "/").split("/") if part]
    hidden = any(part.startswith(".") and part not in (".", "..") for part in parts)
    return hidden or bool(_LITTER & set(parts))


def _escapes(name: str) -> str | None:
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or _DRIVE.match(name):
        return "refused: its path leads out of the archive, as a trap for whoever unpacks it does"
    return None


def _is_bomb(size: int, packed: int, limits: Limits) -> bool:
    return size > limits.floor and size > limits.ratio * max(packed, 1)


def _few_enough(count: int, limits: Limits) -> None:
    if count > limits.members:
        what = f"refused: the archive holds more than {limits.members:,} files"
        raise UnreadableFileError(what, hint="raise GROUNDSWELL_MAX_MEMBERS if you trust it")


def _small_enough(total: int, limits: Limits) -> None:
    if total > limits.unpacked:
        what = f"refused: the archive unpacks to {total:,} bytes, over the limit of {limits.unpacked:,}"
        raise UnreadableFileError(what, hint="raise GROUNDSWELL_MAX_UNPACKED if you trust it")


def _cut(what: str, error: Exception, at: int) -> CutShortError:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return CutShortError(f"{what} ({reason})", at)
