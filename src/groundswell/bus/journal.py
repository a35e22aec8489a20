"""The journal: an embedded, durable bus in one SQLite file (WAL, synchronous FULL).

What `append` has returned for survives a loss of power. Several processes may append and read at once; a
block is visible to readers when its transaction is committed, in the order of its number, never in part.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from groundswell.bus.blocks import Block, Kind, Micros, Packed, last_of_batch, pack
from groundswell.bus.contract import BEAT_GAP_US, Arrivals, Connected, Holds
from groundswell.desk.clock import wall_us
from groundswell.errors import GroundswellError, UnavailableError

_BUSY_S: Final = 20.0
#: Pages of a new journal, bytes: a block is a chain of them, each of which is written, summed and copied by itself.
_PAGE: Final = 32 << 10
#: What may wait to be copied from the log to its place, bytes: the append that makes it more does the copying.
_LOG: Final = 8 << 20

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS blocks (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, kind TEXT NOT NULL, hint TEXT,
  first_record INTEGER NOT NULL, count INTEGER NOT NULL, size INTEGER NOT NULL,
  received_from INTEGER NOT NULL, received_to INTEGER NOT NULL, at INTEGER NOT NULL,
  body BLOB NOT NULL, times BLOB);
CREATE TABLE IF NOT EXISTS numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS positions (source TEXT PRIMARY KEY, position TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS connections (
  source TEXT NOT NULL, connected_from INTEGER NOT NULL, connected_to INTEGER NOT NULL,
  PRIMARY KEY (source, connected_from));
INSERT OR IGNORE INTO numbers VALUES ('next_record', 0);
"""

_INSERT: Final = """
INSERT INTO blocks (source, kind, hint, first_record, count, size, received_from, received_to, at, body, times)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

_COLUMNS: Final = "seq, source, kind, hint, first_record, count, size, received_from, received_to, body, times"

T = TypeVar("T")


@dataclass
class _Append:
    """One caller's blocks on their way into a commit that they may share with others."""

    key: str
    blocks: list[Packed]
    position: str | None
    at: int
    first: int = 0
    done: bool = False
    error: GroundswellError | None = field(default=None)

    @property
    def count(self) -> int:
        return sum(block.count for block in self.blocks)


class Journal:
    """An open journal. Threads may share it; concurrent appends share one commit."""

    def __init__(self, path: Path) -> None:
        """Open the journal at `path`, creating it if needed.

        Raises:
            UnavailableError: it cannot be opened or created.
        """
        self.path = path
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._queue_lock = threading.Lock()
        self._queue: list[_Append] = []
        self._holds = Holds()
        self._first_told: Callable[[], None] | None = None
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = self._connect()
            self._prepare()
            self._reader = self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA page_size={_PAGE}")
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA wal_autocheckpoint={_LOG // page}")
        return connection

    def _prepare(self) -> None:
        if self._writer.execute("SELECT 1 FROM sqlite_master WHERE name = 'connections'").fetchone():
            return
        self._writer.execute("PRAGMA auto_vacuum=INCREMENTAL")
        self._writer.execute("PRAGMA journal_mode=WAL")
        self._writer.executescript(f"BEGIN IMMEDIATE;{_TABLES}COMMIT;")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise _unavailable(error, self.path) from error

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
    ) -> tuple[int, int]:
        """Append records, and the source's own position with them, in one transaction.

        They are durable when this returns. `received_us` is one time for all or one for each. A source that
        reads several things (the files of a folder) names the one as `partition`; each has a position.

        Returns:
            The numbers of the first and the last record; (n, n - 1) where there were none.

        Raises:
            UnavailableError: the disk is full or cannot be written; nothing was appended.
        """
        blocks = list(pack(source, records, kind=kind, received_us=received_us, hint=hint))
        ours = _Append(_key(source, partition), blocks, position, wall_us())
        with self._queue_lock:
            self._queue.append(ours)
        with self._write_lock:
            # Whoever gets the lock commits for all that wait behind it: one fsync for many.
            if not ours.done:
                with self._queue_lock:
                    batch, self._queue = self._queue, []
                self._commit(batch)
        if ours.error is not None:
            raise ours.error
        if self._first_told is not None and blocks:
            changed, self._first_told = self._first_told, None
            changed()
        return ours.first, ours.first + ours.count - 1

    def _commit(self, batch: list[_Append]) -> None:
        try:
            with self._errors():
                self._transaction(lambda: self._insert(batch))
        except UnavailableError as error:
            for item in batch:
                item.error = error
        except BaseException:
            for item in batch:
                item.error = UnavailableError("the append was interrupted", where=self.path, hint="send it again")
            raise
        finally:
            for item in batch:
                item.done = True

    def _insert(self, batch: list[_Append]) -> None:
        execute = self._writer.execute
        following: int = execute("SELECT value FROM numbers WHERE name = 'next_record'").fetchone()[0]
        for item in batch:
            item.first = following
            for b in item.blocks:
                times = (b.received_from_us, b.received_to_us, item.at)
                execute(_INSERT, (b.source, b.kind, b.hint, following, b.count, b.size, *times, b.body, b.times))
                following += b.count
            if item.position is not None:
                execute("INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", (item.key, item.position, item.at))
        execute("UPDATE numbers SET value = ? WHERE name = 'next_record'", (following,))

    def _transaction(self, work: Callable[[], T]) -> T:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            result = work()
            self._writer.execute("COMMIT")
        except BaseException:
            # SQLite rolls back by itself on some errors, such as a full disk.
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise
        return result

    def _ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._errors(), self._read_lock:
            return self._reader.execute(query, values).fetchall()

    def position(self, source: str, partition: str = "") -> str | None:
        """The position that came with the source's last records; null if it never gave one."""
        rows = self._ask("SELECT position FROM positions WHERE source = ?", _key(source, partition))
        return str(rows[0][0]) if rows else None

    def forget(self, source: str, partition: str = "") -> None:
        """Drop a source's position, so that it is read from the start again."""
        key = _key(source, partition)
        with self._errors(), self._write_lock:
            self._transaction(lambda: self._writer.execute("DELETE FROM positions WHERE source = ?", (key,)))

    def borders(self, after_block: int, max_records: int, max_bytes: int, max_span_us: int | None = None) -> int:
        """The last block of a batch that starts after `after_block` and keeps to the limits.

        It holds at least one block where there is any; `after_block` itself where there is none. `max_span_us`
        limits the time from the first to the last receipt.
        """
        query = "SELECT seq, count, size, received_from, received_to FROM blocks WHERE seq > ? ORDER BY seq"
        with self._errors(), self._read_lock:
            # No further than to the border: what is behind it may be much, and is asked for again and again.
            rows = self._reader.execute(query, (after_block,))
            try:
                return last_of_batch(rows, after_block, max_records, max_bytes, max_span_us)
            finally:
                rows.close()

    def between(self, first_block: int, last_block: int) -> list[Block]:
        """The blocks numbered first to last, inclusive, in order."""
        rows = self._ask(
            f"SELECT {_COLUMNS} FROM blocks WHERE seq BETWEEN ? AND ? ORDER BY seq",  # noqa: S608 - our own constant
            first_block,
            last_block,
        )
        return [_block(row) for row in rows]

    def read(self, after_block: int, max_records: int, max_bytes: int) -> list[Block]:
        """The next blocks, as many as keep to the limits (bytes before compression), at least one if there is any."""
        return self.between(after_block + 1, self.borders(after_block, max_records, max_bytes))

    def last_block(self) -> int:
        """Number of the newest block ever appended; 0 if there was none."""
        rows = self._ask("SELECT seq FROM sqlite_sequence WHERE name = 'blocks'")
        return int(rows[0][0]) if rows else 0

    def first_block(self) -> int:
        """Number of the oldest block that is kept; one more than the newest if none is."""
        rows = self._ask("SELECT min(seq) FROM blocks")
        return self.last_block() + 1 if rows[0][0] is None else int(rows[0][0])

    def next_record(self) -> int:
        """The number that the next record will get."""
        return int(self._ask("SELECT value FROM numbers WHERE name = 'next_record'")[0][0])

    def arrivals(self, after_block: int) -> list[Arrivals]:
        """What each source brought in the blocks after `after_block`, by source."""
        rows = self._ask(
            "SELECT source, sum(count), max(received_to), min(received_from) FROM blocks WHERE seq > ?"
            " GROUP BY source ORDER BY source",
            after_block,
        )
        return [Arrivals(*row) for row in rows]

    def heartbeat(self, source: str, at_us: int) -> None:
        """Say that `source` is connected at `at_us`; beats closer than `BEAT_GAP_US` join to one interval.

        Raises:
            UnavailableError: it cannot be written.
        """
        self.connected(source, at_us, at_us)

    def connected(self, source: str, from_us: int, to_us: int) -> None:
        """Say that `source` has everything from one time to another; joins an interval that ends close before it.

        Raises:
            UnavailableError: it cannot be written.
        """
        with self._errors(), self._write_lock:
            self._transaction(lambda: self._connect_span(source, from_us, to_us))

    def _connect_span(self, source: str, from_us: int, to_us: int) -> None:
        extended = self._writer.execute(
            "UPDATE connections SET connected_to = max(connected_to, ?) WHERE source = ? AND connected_from ="
            " (SELECT max(connected_from) FROM connections WHERE source = ?) AND connected_to >= ?",
            (to_us, source, source, from_us - BEAT_GAP_US),
        )
        if not extended.rowcount:
            self._writer.execute("INSERT OR IGNORE INTO connections VALUES (?, ?, ?)", (source, from_us, to_us))

    def connections(self, since_us: int = 0) -> list[Connected]:
        """The intervals that reach beyond `since_us`, by source and start."""
        rows = self._ask(
            "SELECT source, connected_from, connected_to FROM connections WHERE connected_to >= ? ORDER BY 1, 2",
            since_us,
        )
        return [Connected(*row) for row in rows]

    def cut(self, before_block: int, older_than_us: int) -> int:
        """Remove blocks before `before_block` that were appended (wall clock) before `older_than_us`; how many.

        The caller must know that every reader is past them. Numbers are never used again.
        """
        with self._errors(), self._write_lock:
            gone = self._transaction(
                lambda: (
                    self._writer.execute(
                        "DELETE FROM blocks WHERE seq < ? AND at < ?", (before_block, older_than_us)
                    ).rowcount
                )
            )
            if gone:
                self._writer.execute("PRAGMA incremental_vacuum").fetchall()
        return int(gone)

    def follow(self, changed: Callable[[], None], stop: threading.Event) -> Callable[[], None]:
        """`changed` is called after the next append to this journal: a stream that begins is not waited for.

        Who reads on lets records gather, and looks for more when it is time to.
        """
        self._first_told = changed

        def end() -> None:
            self._first_told = None

        return end

    def settle(self, stop: threading.Event | None = None) -> None:
        """Nothing is to be waited for."""

    def hold(self, source: str, until_us: int | None) -> None:
        """Say that more of `source` is to come that was received after a time; null: it is complete up to now."""
        self._holds.hold(source, until_us)

    def complete_until(self, now_us: int) -> int:
        """Time of receipt before which everything is in the blocks: now, unless a source of this process holds it."""
        return self._holds.complete_until(now_us)

    def trouble(self) -> str | None:
        """Nothing: what does not work is raised."""
        return None

    def close(self) -> None:
        """Close the journal; further calls fail."""
        with self._write_lock, self._read_lock:
            self._reader.close()
            self._writer.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _key(source: str, partition: str) -> str:
    # A newline is in no source's name, so two pairs never share a key.
    return f"{source}\n{partition}" if partition else source


def _block(row: tuple[Any, ...]) -> Block:
    seq, source, kind, hint, *rest = row
    return Block(seq, source, Kind(kind), None if hint is None else json.loads(hint), *rest)


def _unavailable(error: sqlite3.Error | OSError, path: Path) -> UnavailableError:
    cause = str(error)
    if "full" in cause or "No space" in cause:
        hint = "free some space on that disk; nothing of these records was written, so send them again"
    elif "locked" in cause or "busy" in cause:
        hint = "another process holds it for long; see which `groundswell` processes run on this home"
    else:
        hint = "check that the folder exists and is writable, or set GROUNDSWELL_HOME to another one"
    return UnavailableError(f"the journal cannot be used ({cause})", where=path, hint=hint)
