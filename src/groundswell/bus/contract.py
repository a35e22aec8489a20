"""What a bus is: durable raw records in numbered blocks, wherever they lie."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from groundswell.bus.blocks import Block, Kind, Micros

#: A source that says it is connected at least this often was connected in between, microseconds.
BEAT_GAP_US: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Connected:
    """An interval in which a source was connected, microseconds since 1970 UTC."""

    source: str
    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What a source brought lately: records, the newest and the oldest receive time, microseconds since 1970 UTC."""

    source: str
    records: int
    received_us: int
    oldest_us: int


class Bus(Protocol):
    """Takes records of sources and gives them to readers in numbered blocks.

    What `append` has returned for is durable. Blocks are numbered without gaps in the order in which readers
    see them, and a block never changes; records are numbered in the order of their blocks. Several processes may
    append and read at once.
    """

    def append(
        self,
        source: str,
        records: Sequence[bytes],
        *,
        kind: Kind = Kind.RECORDS,
        received_us: int | Micros,
        hint: Mapping[str, Any] | None = None,
        position: str | None = None,
        partition: str = "",
    ) -> tuple[int, int] | None:
        """Append records, and the source's own position with them: all of it or nothing.

        Returns:
            The numbers of the first and the last record; null where they are numbered when they are read.

        Raises:
            UnavailableError: the bus cannot be written; nothing was appended.
        """
        ...

    def position(self, source: str, partition: str = "") -> str | None:
        """The position that came with the source's last records; null if it never gave one."""
        ...

    def forget(self, source: str, partition: str = "") -> None:
        """Drop a source's position, so that it is read from the start again."""
        ...

    def borders(self, after_block: int, max_records: int, max_bytes: int, max_span_us: int | None = None) -> int:
        """The last block of a batch that starts after `after_block` and keeps to the limits."""
        ...

    def between(self, first_block: int, last_block: int) -> list[Block]:
        """The blocks numbered first to last, inclusive, in order."""
        ...

    def read(self, after_block: int, max_records: int, max_bytes: int) -> list[Block]:
        """The next blocks, as many as keep to the limits, at least one if there is any."""
        ...

    def last_block(self) -> int:
        """Number of the newest block ever appended; 0 if there was none."""
        ...

    def first_block(self) -> int:
        """Number of the oldest block that is kept; one more than the newest if none is."""
        ...

    def next_record(self) -> int:
        """The number that the next record will get."""
        ...

    def arrivals(self, after_block: int) -> list[Arrivals]:
        """What each source brought in the blocks after `after_block`, by source."""
        ...

    def heartbeat(self, source: str, at_us: int) -> None:
        """Say that `source` is connected at `at_us`."""
        ...

    def connected(self, source: str, from_us: int, to_us: int) -> None:
        """Say that `source` has everything from one time to another."""
        ...

    def connections(self, since_us: int = 0) -> list[Connected]:
        """The intervals that reach beyond `since_us`, by source and start."""
        ...

    def cut(self, before_block: int, older_than_us: int) -> int:
        """Let go of blocks before `before_block` that are older than a time; how many. Every reader is past them."""
        ...

    def follow(self, changed: Callable[[], None], stop: threading.Event) -> Callable[[], None]:
        """Number what others append, while this process reads; gives what ends it. `changed` is called after it."""
        ...

    def settle(self, stop: threading.Event | None = None) -> None:
        """Wait until everything that was appended before is numbered, or until `stop`.

        Raises:
            UnavailableError: the bus cannot be reached.
        """
        ...

    def hold(self, source: str, until_us: int | None) -> None:
        """Say that more of `source` is to come that was received after a time; null: it is complete up to now."""
        ...

    def complete_until(self, now_us: int) -> int:
        """Time of receipt before which everything is in the blocks: the clock of quiet windows goes no further."""
        ...

    def trouble(self) -> str | None:
        """Why nothing comes in, in a sentence; null while all is well."""
        ...

    def close(self) -> None:
        """Close it; further calls fail."""
        ...

    def __enter__(self) -> Bus: ...

    def __exit__(self, *_: object) -> None: ...


class Holds:
    """Up to when each of some sources is complete, for those that read behind; safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[str, int] = {}

    def hold(self, source: str, until_us: int | None) -> None:
        """See `Bus.hold`."""
        with self._lock:
            if until_us is None:
                self._until.pop(source, None)
            else:
                self._until[source] = until_us

    def complete_until(self, now_us: int) -> int:
        """The least of them, and not after now."""
        with self._lock:
            return min([now_us, *self._until.values()])
