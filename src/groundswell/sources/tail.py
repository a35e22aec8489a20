"""A growing file, followed like `tail -F`: survives rotation, truncation and a restart, and loses no line."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from io import BufferedReader
from pathlib import Path
from typing import Final

from groundswell.bus import Bus
from groundswell.desk.clock import Clock, wall_us
from groundswell.errors import UnavailableError
from groundswell.sources.feed import CHUNK, POLL_S, Feed
from groundswell.sources.records import LineCutter

#: Bytes at the start of a file that tell it from another one that got the same inode.
_FINGERPRINT: Final = 256


@dataclass(frozen=True, slots=True)
class TailPosition:
    """Which file, and the offset of the next byte to read; `head` is a hash of the first `head_bytes` bytes."""

    inode: int
    offset: int
    head: str
    head_bytes: int


class TailSource:
    """Follows one file. Exactly once into the journal: the offset is committed with the lines before it.

    A line counts when its end has come; the last line of a file that was rotated away counts as it is.
    """

    kind = "tail"

    def __init__(
        self, path: Path, max_record: int, *, now: Clock = wall_us, may_append: Callable[[], bool] = lambda: True
    ) -> None:
        """`may_append` says whether the watch keeps up; nothing is read while it does not."""
        self.path = path.absolute()
        self.name = f"tail:{self.path}"
        self._max_record = max_record
        self._now = now
        self._may_append = may_append

    def run(self, journal: Bus, stop: threading.Event) -> None:
        """Append lines until `stop` is set.

        Raises:
            UnavailableError: the file cannot be read.
        """
        feed = Feed(journal, self.name, now=self._now)
        position = _parse(journal.position(self.name))
        while not stop.is_set():
            feed.beat()
            found = self._find(position)
            if found is None:
                stop.wait(POLL_S)
                continue
            with found:
                position = self._follow(found, position, feed, stop)

    def _find(self, position: TailPosition | None) -> BufferedReader | None:
        """The file to read on: the one that was left off, even if it has been renamed since, else the named one."""
        candidates = [self.path]
        if position is not None:
            candidates += [p for p in _siblings(self.path) if _inode(p) == position.inode]
        current: BufferedReader | None = None
        for path in candidates:
            file = _open(path)
            if file is None:
                continue
            if position is None or _is_same(file, position):
                if current is not None:
                    current.close()
                return file
            if path == self.path:
                current = file
            else:
                file.close()
        return current

    def _follow(
        self, file: BufferedReader, position: TailPosition | None, feed: Feed, stop: threading.Event
    ) -> TailPosition | None:
        """Read `file` until another one has taken its name; where it ended."""
        start = position.offset if position is not None and _is_same(file, position) else 0
        cutter = LineCutter(self._max_record, origin=str(self.path), start=start)
        file.seek(start)
        while not stop.is_set():
            feed.beat()
            # Asked before reading: what is written to the old file before it is replaced is read below.
            replaced = _inode(self.path) != _inode_of(file)
            if not self._may_append():
                stop.wait(POLL_S / 4)
                continue
            lines = cutter.read(file.readinto, CHUNK)
            if replaced and lines is None:
                feed.append(list(cutter.flush()), position=_text(_position(file, cutter.position)))
                return None  # the next one from its start
            if lines:
                position = _position(file, cutter.position)
                feed.append(lines, position=_text(position))
            if lines is None:
                if _size(file) < file.tell():
                    return None  # truncated: from its start again
                stop.wait(POLL_S)
        return position


def _siblings(path: Path) -> list[Path]:
    try:
        return sorted(p for p in path.parent.iterdir() if p != path and p.is_file())
    except OSError:
        return []


def _open(path: Path) -> BufferedReader | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None
    except OSError as error:
        what = f"the file cannot be read ({error.strerror})"
        raise UnavailableError(what, where=path, hint="check its permissions") from error


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None


def _inode_of(file: BufferedReader) -> int:
    return os.fstat(file.fileno()).st_ino


def _size(file: BufferedReader) -> int:
    at = file.tell()
    size = file.seek(0, 2)
    file.seek(at)
    return size


def _head(file: BufferedReader, length: int) -> str:
    at = file.tell()
    file.seek(0)
    head = hashlib.blake2b(file.read(length), digest_size=8).hexdigest()
    file.seek(at)
    return head


def _is_same(file: BufferedReader, position: TailPosition) -> bool:
    return (
        _inode_of(file) == position.inode
        and _size(file) >= position.offset
        and _head(file, position.head_bytes) == position.head
    )


def _position(file: BufferedReader, offset: int) -> TailPosition:
    length = min(offset, _FINGERPRINT)
    return TailPosition(_inode_of(file), offset, _head(file, length), length)


def _text(position: TailPosition) -> str:
    return json.dumps(asdict(position))


def _parse(text: str | None) -> TailPosition | None:
    return None if text is None else TailPosition(**json.loads(text))
