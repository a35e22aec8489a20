"""Tables that stay open between the commits of one writer: a log that has grown is read on, not once more."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deltalake import DeltaTable

#: A table is opened anew after so long, seconds: nobody knows what else is done to a log in a month.
_LONGEST_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class _Open:
    table: DeltaTable
    since: float
    commit: Path
    """The newest commit when the table was asked for last …"""

    file: tuple[int, int, int]
    """… and which file that was: as long as it is there, the log is the same."""


class Kept:
    """The open tables of one lake on a disk. For one thread at a time: a table moves on for all who have it."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._open: dict[Path, _Open] = {}

    def table(self, path: Path, open_table: Callable[[Path], DeltaTable | None]) -> DeltaTable | None:
        """The newest version of a table; null if there is none.

        Raises:
            OSError: the disk fails.
            DeltaError: the table is damaged.
        """
        held = self._open.pop(path, None)
        if held is None or self._now() - held.since > _LONGEST_S or _file(held.commit) != held.file:
            table, since = open_table(path), self._now()
        else:
            table, since = held.table, held.since
            table.update_incremental()
        if table is not None:
            commit = path / "_delta_log" / f"{table.version():020}.json"
            file = _file(commit)
            if file is not None:
                self._open[path] = _Open(table, since, commit, file)
        return table


def _file(path: Path) -> tuple[int, int, int] | None:
    """What tells a file from another one at its place; null if there is none."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
