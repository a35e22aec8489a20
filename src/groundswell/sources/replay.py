"""History fed into the journal as if it happened now, at a chosen speed; the receive time is the event time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from groundswell.bus import Bus, Kind
from groundswell.bus.joined import JoinedRecords
from groundswell.errors import UsageError
from groundswell.sources.feed import POLL_S

#: Records and event time in one append: they bound what one batch of the watch closes.
_PART: Final = 5_000
_PART_SPAN_US: Final = 86_400_000_000
#: A paced replay appends what is due in this time at once, seconds.
_PACE_S: Final = 0.2

#: In the hint of a block whose records have no event time: they go to the lake and count in no window.
_UNDATED: Final = "undated"

#: Columns of a prepared file: event time in µs (null: none), which file, kind of block, the record.
PREPARED: Final = pa.schema(
    [
        pa.field("event_us", pa.int64()),
        pa.field("file", pa.int32()),
        pa.field("oversized", pa.bool_()),
        pa.field("raw", pa.binary()),
    ]
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Records sorted by event time (those without one last), ready to be fed; `key` is a hash of their files."""

    path: Path
    key: str
    hints: tuple[Mapping[str, Any] | None, ...]
    records: int
    dated: int
    first_us: int | None
    last_us: int | None


@dataclass(frozen=True, slots=True)
class ReplayPosition:
    """The next record to feed, counted in the prepared order."""

    next: int
    done: bool


def parse_speed(text: str) -> float | None:
    """How many seconds of history pass in one second; null for as fast as possible.

    >>> parse_speed("60x"), parse_speed("max")
    (60.0, None)

    Raises:
        UsageError: not a positive number and not `max`.
    """
    if text.strip().lower() == "max":
        return None
    try:
        speed = float(text.strip().lower().removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        what = f"not a speed: `{text}`"
        raise UsageError(what, hint="write 60x for a minute of history in a second, or max")
    return speed


class ReplaySource:
    """Feeds a prepared file. Exactly once into the journal: its position is committed with the records.

    `may_append` says whether the readers of the journal keep up; a replay at full speed waits for them.
    """

    kind = "replay"

    def __init__(
        self, prepared: Prepared, speed: float | None, *, may_append: Callable[[], bool] = lambda: True
    ) -> None:
        self.prepared = prepared
        self.name = name_of(prepared.key)
        self._speed = speed
        self._may_append = may_append

    def run(self, journal: Bus, stop: threading.Event) -> None:
        """Feed from the last position to the end."""
        position = position_in(journal, self.prepared.key)
        if position.done:
            return
        at, begun, origin = position.next, time.monotonic(), None
        latest = self.prepared.last_us or 0
        for part in self._parts(position.next):
            event_us = part.column("event_us").to_numpy(zero_copy_only=False)
            undated = part.column("event_us").null_count > 0
            if not undated:
                origin = int(event_us[0]) if origin is None else origin
                self._wait(begun, int(event_us[-1]) - origin, stop)
            while not self._may_append() and not stop.wait(POLL_S / 4):
                pass
            if stop.is_set():
                return
            at += part.num_rows
            received: int | np.ndarray[Any, np.dtype[np.int64]] = latest if undated else event_us.astype(np.int64)
            self._append(journal, part, received, ReplayPosition(at, at == self.prepared.records))
        if at == 0:
            self._finish(journal)

    def _append(self, journal: Bus, part: pa.Table, received: Any, position: ReplayPosition) -> None:
        oversized = bool(part.column("oversized")[0].as_py())
        journal.append(
            self.name,
            JoinedRecords.of_column(part.column("raw")),
            kind=Kind.OVERSIZED if oversized else Kind.RECORDS,
            received_us=received,
            hint=None if oversized else self._hint(part),
            position=json.dumps(asdict(position)),
        )

    def _hint(self, part: pa.Table) -> Mapping[str, Any] | None:
        hint = self.prepared.hints[part.column("file")[0].as_py()]
        return {**(hint or {}), _UNDATED: True} if part.column("event_us").null_count else hint

    def _finish(self, journal: Bus) -> None:
        journal.append(self.name, [], received_us=0, position=json.dumps(asdict(ReplayPosition(0, done=True))))

    def _wait(self, begun: float, passed_us: int, stop: threading.Event) -> None:
        if self._speed is not None:
            stop.wait(max(0.0, begun + passed_us / 1e6 / self._speed - time.monotonic()))

    def _parts(self, start: int) -> Iterator[pa.Table]:
        """The records from `start` on, cut where file or kind change, by number and by event time."""
        span = _PART_SPAN_US
        if self._speed is not None:
            span = max(1, min(span, round(self._speed * _PACE_S * 1e6)))
        skipped = 0
        with pq.ParquetFile(self.prepared.path) as file:
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                if skipped + rows <= start:
                    skipped += rows
                    continue
                table = file.read_row_group(group).slice(max(0, start - skipped))
                skipped += rows
                for first, last in zip((borders := _borders(table, span))[:-1], borders[1:], strict=True):
                    yield table.slice(first, last - first)


def _borders(table: pa.Table, span_us: int) -> Sequence[int]:
    if table.num_rows == 0:
        return [0]
    undated = table.column("event_us").is_null().to_numpy()
    # Slots of event time: deterministic whatever the start, so a resumed replay cuts where the first one did.
    slots = table.column("event_us").fill_null(0).to_numpy() // span_us
    marks = [slots, undated, table.column("file").to_numpy(), table.column("oversized").to_numpy()]
    changes = np.zeros(table.num_rows - 1, dtype=bool)
    for mark in marks:
        changes |= mark[1:] != mark[:-1]
    starts = np.concatenate(([0], np.flatnonzero(changes) + 1, [table.num_rows]))
    cut: list[int] = []
    for first, last in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        cut.extend(range(first, last, _PART))
    return [*cut, table.num_rows]


def is_undated(hint: Mapping[str, Any] | None) -> bool:
    """Whether a block's records have no event time of their own."""
    return bool(hint and hint.get(_UNDATED))


def name_of(key: str) -> str:
    """The journal source of a replay."""
    return f"replay:{key[:12]}"


def position_in(journal: Bus, key: str) -> ReplayPosition:
    """How far a replay has been fed."""
    text = journal.position(name_of(key))
    return ReplayPosition(0, done=False) if text is None else ReplayPosition(**json.loads(text))
