"""How much the lake holds, from the logs of its tables alone; while its store is away, what it held before."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from groundswell.desk.clock import Clock
from groundswell.errors import UnavailableError
from groundswell.lake import Lake
from groundswell.lake.failures import told
from groundswell.lake.tables import TABLES
from groundswell.stores import hurried

#: How long an answer is given again, microseconds.
_FRESH_US: Final = 5_000_000
#: How long a store that does not answer is waited for, seconds: a page wants to be drawn.
PATIENCE_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Holdings:
    """Rows of the three tables that people ask for, and bytes of all."""

    posts: int = 0
    authors: int = 0
    comments: int = 0
    bytes: int = 0


class Stock:
    """Looks at most every few seconds; safe to use from several threads."""

    def __init__(self, lake: Lake, now: Clock) -> None:
        self._lake = lake
        self._now = now
        self._turn = threading.Lock()
        self._holdings: Holdings | None = None
        self._until = 0

    def forget(self) -> None:
        """Look anew the next time."""
        self._until = 0

    def look(self) -> Holdings:
        """What the lake holds, or held when it last could be read.

        Raises:
            UnavailableError: the lake cannot be read, and could not before.
        """
        with self._turn:
            if self._holdings is None or self._now() >= self._until:
                try:
                    with hurried(PATIENCE_S):
                        self._holdings = self._look()
                except UnavailableError:
                    if self._holdings is None:
                        raise
                self._until = self._now() + _FRESH_US
            return self._holdings

    def _look(self) -> Holdings:
        rows: dict[str, int] = {}
        size = 0
        for name in TABLES:
            table = self._lake.delta(name)
            if table is None:
                continue
            with told(f"read the table `{name}`", self._lake.path(name)):
                files = pa.table(table.get_add_actions(flatten=True))
            rows[name] = pc.sum(files["num_records"]).as_py() or 0
            size += pc.sum(files["size_bytes"]).as_py() or 0
        return Holdings(rows.get("posts", 0), rows.get("authors", 0), rows.get("comments", 0), size)
