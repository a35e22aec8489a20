"""Uploaded files on their way to the disk: never in memory, never larger than what is allowed or what fits."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from groundswell.errors import GroundswellError, UnavailableError, UsageError
from groundswell.web.problems import TooLargeError

#: Bytes that are gathered before they are written beside the event loop.
_PIECE: Final = 1 << 20
#: Bytes of the disk that an upload leaves free.
SPARE: Final = 512 << 20
_LONGEST: Final = 120
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|\u202a-\u202e\u2066-\u2069]+")


class NoRoomError(GroundswellError):
    """The disk has no room for it (HTTP 507)."""

    status = 507


@dataclass(frozen=True, slots=True)
class Spooled:
    """An upload on the disk."""

    path: Path
    size: int
    digest: str
    """Eight characters of the content's hash."""


def plain_name(name: str) -> str:
    r"""The last part of a file's name without what a path, a terminal or a reader could take amiss.

    >>> plain_name("../../etc/passwd"), plain_name("C:\\data\\posts.csv"), plain_name("..")
    ('passwd', 'posts.csv', 'upload')
    """
    last = re.split(r"[/\\]", name)[-1]
    clean = _UNSEEN.sub("_", last).strip().lstrip(".")
    stem, dot, ending = clean.rpartition(".")
    if len(clean.encode()) > _LONGEST:
        clean = f"{stem.encode()[: _LONGEST - 20].decode(errors='ignore')}{dot}{ending[:16]}"
    return clean or "upload"


async def spool(parts: AsyncIterator[bytes], folder: Path, name: str, declared: int | None, limit: int) -> Spooled:
    """Write an upload into `folder` (made here, removed if it fails) under its own plain name.

    Raises:
        UsageError: it is empty.
        TooLargeError: it has more than `limit` bytes.
        NoRoomError: the disk has no room for it.
        UnavailableError: the folder cannot be written.
    """
    if declared is not None and declared > limit:
        raise _too_large(limit)
    try:
        folder.mkdir(parents=True)
        check_room(folder, declared or 0)
        return await _write(parts, folder / name, limit)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _no_room(folder) from error
        what = f"the upload cannot be written ({error.strerror or error})"
        raise UnavailableError(what, where=folder, hint="check the home's folder; `groundswell doctor` does") from error
    except BaseException:  # the client went away, too
        shutil.rmtree(folder, ignore_errors=True)
        raise


async def _write(parts: AsyncIterator[bytes], path: Path, limit: int) -> Spooled:
    digest = hashlib.blake2b(digest_size=4)
    size = 0
    with path.open("xb") as file:
        gathered: list[bytes] = []
        waiting = 0
        async for part in parts:
            size += len(part)
            if size > limit:
                raise _too_large(limit)
            gathered.append(part)
            waiting += len(part)
            if waiting >= _PIECE:
                await asyncio.to_thread(_put, file, gathered, digest)
                gathered, waiting = [], 0
                check_room(path.parent, 0)
        await asyncio.to_thread(_put, file, gathered, digest)
    if not size:
        what = "the file is empty"
        raise UsageError(what, where=path.name, hint="send the file's bytes as the body of the request")
    # The same content under the same name is the same file to the import, whenever it was sent.
    os.utime(path, ns=(0, 0))
    return Spooled(path, size, digest.hexdigest())


def _put(file: BinaryIO, parts: list[bytes], digest: hashlib.blake2b) -> None:
    for part in parts:
        digest.update(part)
        file.write(part)


def check_room(folder: Path, size: int) -> None:
    """Make sure that the disk of `folder` has room for `size` bytes more.

    Raises:
        NoRoomError: it has not.
    """
    if shutil.disk_usage(folder).free < size + SPARE:
        raise _no_room(folder)


def _no_room(folder: Path) -> NoRoomError:
    free = shutil.disk_usage(folder).free
    what = f"the disk has no room for it ({free / 1e9:,.1f} GB are free)"
    return NoRoomError(what, hint="free some space, or set GROUNDSWELL_HOME to another disk")


def _too_large(limit: int) -> TooLargeError:
    what = f"the file is larger than {limit / 1e9:,.1f} GB"
    return TooLargeError(
        what, hint="GROUNDSWELL_MAX_UPLOAD sets the limit; `groundswell import` takes files of any size"
    )
