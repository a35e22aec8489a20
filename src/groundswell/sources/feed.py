"""What all live sources share: how they put lines into the journal, and how they stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from groundswell.bus import Bus, Kind
from groundswell.bus.joined import JoinedRecords
from groundswell.desk.clock import Clock, wall_us
from groundswell.sources.records import Cut, Line

#: How often a connected source says so, seconds; well below `bus.journal.BEAT_GAP_US`.
BEAT_S: Final = 2.0
#: How long a source waits before it looks for more, seconds.
POLL_S: Final = 0.2
#: Bytes that are read and appended at once, at most.
CHUNK: Final = 4 << 20


class LiveSource(Protocol):
    """A live source: puts what it receives into the journal until it is told to stop or has no more.

    Exactly once into the journal if it commits its position with its records (a file, a folder, a replay);
    at most once after an abrupt end if it has none (standard input: what was read from the pipe and not yet
    appended is gone with the process).
    """

    name: str
    kind: str

    def run(self, journal: Bus, stop: threading.Event) -> None:
        """Append until `stop` is set or there is no more. Raises a `GroundswellError` when it cannot go on."""
        ...


class Feed:
    """Appends lines of one source and keeps its connection alive in the journal."""

    def __init__(
        self, journal: Bus, source: str, *, hint: Mapping[str, Any] | None = None, now: Clock = wall_us
    ) -> None:
        self.journal = journal
        self.source = source
        self.now = now
        self._hint = hint
        self._next_beat = 0.0

    def append(self, lines: Cut, *, position: str | None = None, partition: str = "") -> int:
        """Append lines and the position behind them; lines over the limit become blocks of their own kind.

        Returns:
            How many records were appended.
        """
        at = self.now()
        records: Sequence[bytes] = lines if isinstance(lines, JoinedRecords) else self._records_of(lines, at)
        if records or position is not None:
            self.journal.append(
                self.source, records, received_us=at, hint=self._hint, position=position, partition=partition
            )
        return len(lines)

    def _records_of(self, lines: Sequence[Line], at_us: int) -> list[bytes]:
        oversized = [line.description for line in lines if line.description is not None]
        if oversized:
            # Without the position: if the process ends between the two, these are described again and the
            # quarantine knows them by origin and offset.
            self.journal.append(self.source, oversized, kind=Kind.OVERSIZED, received_us=at_us)
        return [line.data for line in lines if line.data is not None]

    def beat(self) -> None:
        """Say that the source is connected, if it is time to."""
        if time.monotonic() >= self._next_beat:
            self.journal.heartbeat(self.source, self.now())
            self._next_beat = time.monotonic() + BEAT_S
