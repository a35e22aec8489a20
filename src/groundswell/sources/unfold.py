"""What a file holds: itself, the files of an archive, the sheets of a workbook, the content of a URL; nested ones too.

Members come one at a time. A small one is copied to a temporary file, so that it is unpacked once and read like
any other; a large one of a zip archive is read where it stands. Temporary files are gone when the next member is
asked for.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final, cast

from groundswell.errors import GroundswellError, UnavailableError, UnreadableFileError
from groundswell.sources.archives import Member, salvaged_members, tar_members, zip_members
from groundswell.sources.compression import CHUNK, Compression, ContentStream, CutShortError, content
from groundswell.sources.files import SourceFile
from groundswell.sources.kinds import Kind, look, office_kind
from groundswell.sources.stored import Limits, MiB, open_source, size_of

#: Members up to this size are copied to a temporary file.
SPOOLED: Final = 64 * MiB
#: A copy takes at most this part of the free disk.
_SHARE: Final = 4
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


def unfold(file: SourceFile, limits: Limits, tmp: Path) -> Iterator[SourceFile]:
    """What `file` holds, in order; the file itself where it holds no others.

    Each is valid until the next is asked for. What may not be read comes with `refused`, a sentence; so does, last,
    an archive that could not be read to its end.
    """
    yield from _Unfolding(limits, tmp).of(file, 0)


@dataclass(frozen=True)
class _Unfolding:
    limits: Limits
    tmp: Path

    def of(self, file: SourceFile, depth: int) -> Iterator[SourceFile]:
        """What a file at this depth holds."""
        if file.refused is not None or file.table is not None or file.database is not None:
            yield file
            return
        if file.url is not None:
            yield from self._fetched(file, depth)
            return
        try:
            kind, compression, why = look(file.stored, self.limits)
        except (OSError, UnreadableFileError):
            yield file  # its reader says what is wrong with it
            return
        if kind is Kind.ITSELF:
            yield file
        elif kind is Kind.REFUSED:
            yield replace(file, refused=f"not read: it is {why}")
        elif depth > self.limits.depth:
            yield replace(file, refused=f"refused: archives within archives, more than {self.limits.depth} deep")
        else:
            yield from self._opened(file, kind, compression, depth)

    def _opened(self, file: SourceFile, kind: Kind, compression: Compression, depth: int) -> Iterator[SourceFile]:
        try:
            if kind is Kind.TAR:
                stream = ContentStream(content(file.stored, 0, self.limits))
                yield from self._members(file, tar_members(stream, self.limits), depth)
            elif compression is Compression.NONE and _is_seekable(file):
                yield from self._random(file, kind, depth)
            else:
                with self._spool(content(file.stored, 0, self.limits), file.name) as copy:
                    yield from self._random(replace(copy.file(file), stamp=file.identity), kind, depth)
                    if copy.failure is not None:
                        raise copy.failure
        except (UnreadableFileError, UnavailableError, OSError) as error:
            yield replace(file, refused=str(error))

    def _random(self, file: SourceFile, kind: Kind, depth: int) -> Iterator[SourceFile]:
        """What a file that can be read at any place holds."""
        if kind is Kind.PARQUET:
            from groundswell.sources.parquet import parquet_file  # noqa: PLC0415 - only where there is one

            yield parquet_file(file, self.limits)
            return
        with open_source(file.stored) as opened:
            try:
                archive = zipfile.ZipFile(opened)
            except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
                yield from self._members(file, salvaged_members(opened, self.limits), depth)
                return
            with archive:
                kind, why = office_kind(archive)
                if kind is Kind.WORKBOOK:
                    from groundswell.sources.xlsx import sheets  # noqa: PLC0415 - only where there is one

                    yield from sheets(file, archive, self.limits)
                elif kind is Kind.REFUSED:
                    yield replace(file, refused=f"not read: it is {why}")
                else:
                    members = zip_members(archive, size_of(file.stored), self.limits)
                    yield from self._members(file, members, depth)

    def _members(self, file: SourceFile, members: Iterator[Member], depth: int) -> Iterator[SourceFile]:
        found = False
        for member in members:
            found = True
            name = f"{file.name}::{member.name}"
            stamp = f"{file.identity}::{member.identity}"
            if member.refused is not None:
                yield SourceFile(file.path, name, member.size, file.mtime_ns, refused=member.refused, stamp=stamp)
            elif member.again and member.size > SPOOLED:
                stored = _InArchive(name, member, stamp)
                inside = SourceFile(file.path, name, member.size, file.mtime_ns, inside=stored, stamp=stamp)
                yield from self.of(inside, depth + 1)
            else:
                yield from self._copied(file, member, name, stamp, depth)
        if not found:
            yield replace(file, refused="the archive holds no files")

    def _copied(self, file: SourceFile, member: Member, name: str, stamp: str, depth: int) -> Iterator[SourceFile]:
        try:
            with self._spool(_chunks(member.open()), name) as copy:
                outer = SourceFile(file.path, name, member.size, file.mtime_ns, stamp=stamp)
                yield from self.of(copy.file(outer), depth + 1)
        except (UnavailableError, UnreadableFileError, OSError) as error:
            yield SourceFile(file.path, name, member.size, file.mtime_ns, refused=str(error), stamp=stamp)

    def _fetched(self, file: SourceFile, depth: int) -> Iterator[SourceFile]:
        from groundswell.sources.remote import fetch  # noqa: PLC0415 - only where there is a URL

        copy = self.tmp / f"spool-{secrets.token_hex(8)}-{_tail(file.name)}"
        try:
            self.tmp.mkdir(parents=True, exist_ok=True)
            stamp = fetch(str(file.url), copy, self.limits)
            known = copy.stat()
            local = SourceFile(copy, file.name, known.st_size, known.st_mtime_ns, kept=False, stamp=stamp)
            yield from self.of(local, depth)
        except GroundswellError as error:
            yield replace(file, refused=str(error))
        finally:
            copy.unlink(missing_ok=True)

    def _spool(self, chunks: Iterator[bytes], name: str) -> _Copy:
        """A temporary copy.

        Raises:
            UnavailableError: it would take more of the disk than it may.
        """
        path = self.tmp / f"spool-{secrets.token_hex(8)}-{_tail(name)}"
        copy = _Copy(path)
        size = 0
        try:
            self.tmp.mkdir(parents=True, exist_ok=True)
            room = shutil.disk_usage(self.tmp).free // _SHARE
            with path.open("wb") as out:
                for chunk in chunks:
                    size += len(chunk)
                    if size > min(room, self.limits.unpacked):
                        what = f"it is too large for a temporary copy: over {min(room, self.limits.unpacked):,} bytes"
                        raise UnavailableError(what, where=name, hint="unpack it and import what comes out")
                    out.write(chunk)
        except CutShortError as error:
            copy = replace(copy, failure=error)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return copy


@dataclass(frozen=True)
class _Copy:
    """A temporary file, removed on leaving; `failure` says why it is not whole."""

    path: Path
    failure: CutShortError | None = None

    def __enter__(self) -> _Copy:
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def file(self, outer: SourceFile) -> SourceFile:
        """The copy under the name of what it is a copy of."""
        size = self.path.stat().st_size
        inside = None if self.failure is None else _EndsShort(outer.name, self.path, size, self.failure)
        return replace(outer, path=self.path, size=size, kept=False, inside=inside)


@dataclass(frozen=True, slots=True)
class _InArchive:
    """A large member of a zip archive, read where it stands."""

    name: str
    member: Member
    identity: str

    @property
    def size(self) -> int:
        return self.member.size

    def open(self) -> BinaryIO:
        return self.member.open()


@dataclass(frozen=True, slots=True)
class _EndsShort:
    """What could be read of a damaged file; reading on raises why."""

    name: str
    path: Path
    size: int
    failure: CutShortError

    @property
    def identity(self) -> str:
        return f"{self.size}|cut short"

    def open(self) -> BinaryIO:
        return cast(BinaryIO, _ShortFile(self.path, self.failure))


class _ShortFile(io.RawIOBase):
    def __init__(self, path: Path, failure: CutShortError) -> None:
        self._file = path.open("rb")
        self._failure = failure

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]  # a buffer that is written
        size = self._file.readinto(target)
        if not size:
            raise self._failure
        return size

    def close(self) -> None:
        self._file.close()
        super().close()


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk


def _is_seekable(file: SourceFile) -> bool:
    with open_source(file.stored) as opened:
        return opened.seekable()


def _tail(name: str) -> str:
    """The end of a name as it can stand in a folder; the endings say what is meant where the content does not."""
    return _UNSAFE.sub("_", os.path.basename(name))[-60:]
