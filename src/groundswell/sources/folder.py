"""A folder in which files appear: each is read once it is complete."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from groundswell.bus import Bus
from groundswell.desk.clock import Clock, wall_us
from groundswell.errors import UnavailableError, UnreadableFileError
from groundswell.sources.feed import POLL_S, Feed
from groundswell.sources.records import Line

log = logging.getLogger("groundswell.sources")

#: A file is complete when it has not changed for this long, seconds.
SETTLE_S: Final = 2.0
#: Records in one append.
_PART: Final = 5_000
#: What programs call a file that they have not finished.
_UNFINISHED: Final = (".tmp", ".part", ".partial", ".crdownload", ".swp")

ReadFile = Callable[[Path], Iterator[Line]]
"""The records of a file in their order, always the same for the same bytes."""


@dataclass(frozen=True, slots=True)
class FilePosition:
    """How far a file has been read, and what it looked like then."""

    size: int
    mtime_ns: int
    records: int
    done: bool


class FolderSource:
    """Reads every file that appears in a folder. Exactly once into the journal, by record number in the file.

    A file that grew is read on from where it ended; the lake knows what it has already.
    """

    kind = "folder"

    def __init__(self, path: Path, read: ReadFile, *, settle_s: float = SETTLE_S, now: Clock = wall_us) -> None:
        self.path = path.absolute()
        self.name = f"folder:{self.path}"
        self._read = read
        self._settle_us = round(settle_s * 1_000_000)
        self._now = now

    def run(self, journal: Bus, stop: threading.Event) -> None:
        """Append the records of complete files, oldest first, until `stop` is set.

        Raises:
            UnavailableError: the folder cannot be read.
        """
        feed = Feed(journal, self.name, now=self._now)
        while not stop.is_set():
            feed.beat()
            for path in self._complete():
                self._read_file(path, feed, stop)
            stop.wait(POLL_S)

    def _complete(self) -> list[Path]:
        try:
            found = [(p.stat().st_mtime_ns, p) for p in self.path.iterdir() if _is_wanted(p)]
        except FileNotFoundError:
            return []  # a file went away between the two looks, or the folder is not there yet
        except OSError as error:
            what = f"the folder cannot be read ({error.strerror})"
            raise UnavailableError(what, where=self.path, hint="check its permissions") from error
        return [path for mtime_ns, path in sorted(found) if mtime_ns // 1000 <= self._now() - self._settle_us]

    def _read_file(self, path: Path, feed: Feed, stop: threading.Event) -> None:
        stat = path.stat()
        text = feed.journal.position(self.name, path.name)
        position = None if text is None else FilePosition(**json.loads(text))
        if position is not None and (position.size, position.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
            if position.done:
                return
        elif position is not None and stat.st_size < position.size:
            position = None
        done = 0 if position is None else position.records
        lines = islice(self._read(path), done, None)
        while not stop.is_set():
            part, failed = _next_part(lines)
            if failed is not None:
                log.warning("%s; its first %d records are in", failed, done + len(part))
            done += len(part)
            state = FilePosition(stat.st_size, stat.st_mtime_ns, done, len(part) < _PART)
            feed.append(part, position=json.dumps(asdict(state)), partition=path.name)
            feed.beat()
            if state.done:
                return


def _next_part(lines: Iterator[Line]) -> tuple[list[Line], UnreadableFileError | None]:
    part: list[Line] = []
    try:
        for line in islice(lines, _PART):
            part.append(line)
    except UnreadableFileError as error:
        return part, error
    return part, None


def _is_wanted(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and path.suffix not in _UNFINISHED
