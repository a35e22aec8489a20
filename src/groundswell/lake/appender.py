"""Writing one append: Parquet files while the rows come, one Delta commit when all of them are there.

Until the commit no reader sees anything; what an abandoned append wrote is removed at once, or by `vacuum`
if the process was killed.
"""

from __future__ import annotations

import queue
import secrets
import tempfile
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, RemoveAction

from groundswell.lake.failures import unavailable
from groundswell.lake.landing import commit_to_store
from groundswell.lake.partitions import by_partition
from groundswell.lake.statistics import file_statistics
from groundswell.lake.tables import ROW_GROUP, SEQ_KEY, TableLayout
from groundswell.stores import Place, S3Path, way

#: Commit metadata that names the transaction, so that its commit can be found again.
TXN_KEY: Final = "groundswell_txn"

_BUFFERED_BYTES: Final = 64 << 20
_GROUPS_A_FILE: Final = 16
#: How hard zstd tries: the higher ones hardly gain.
_LEVEL: Final = 1
#: Files that are written at once when an append ends.
_LAST: Final = 2


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append did: the table's version after it, and the rows that it added."""

    version: int
    rows: int


@dataclass(slots=True)
class _Partition:
    """Rows of one partition that wait to be written, and the file that they go to."""

    values: tuple[str, ...]
    waiting: list[pa.Table] = field(default_factory=list)
    rows: int = 0
    nbytes: int = 0
    writer: pq.ParquetWriter | None = None
    path: Place | None = None
    local: Path | None = None
    """What is written: the file itself, or on its way to a store one on this machine."""

    groups: int = 0


class Appender:
    """One append to one table. Feed it with `write`, end it with `commit` (or `abort`).

    Leaving the `with` block without a commit aborts. Rows are numbered in the order in which they are written
    (`numbered` column), sorted within each row group, and written by a thread of its own.
    """

    def __init__(
        self,
        table: DeltaTable,
        root: Place,
        layout: TableLayout,
        next_number: int,
        staging: Path | None = None,
        *,
        for_now: bool = False,
    ) -> None:
        """`staging`: folder on this machine for files on their way to a store.

        Files `for_now` take less time and memory, and almost half as much room again until they are joined.
        """
        self.rows = self._buffered = 0
        self._table = table
        self._root = root
        self._staging = staging
        self._first = next_number
        self._tried = False
        self._layout = layout
        self._stored = layout.stored
        self._levels = dict.fromkeys(self._stored.names, _LEVEL) | dict(layout.texts if for_now else {})
        self._group = ROW_GROUP // 2 if for_now else ROW_GROUP
        self._next = next_number
        self._partitions: dict[tuple[str, ...], _Partition] = {}
        self._written: list[Place] = []
        self._actions: list[AddAction | RemoveAction] = []
        self._failure: Exception | None = None
        self._closed = False
        self._queue: queue.Queue[tuple[_Partition, list[pa.Table]] | None] = queue.Queue(maxsize=1)
        # One group is written while the next one gathers: no third one waits between them.
        self._idle = threading.Semaphore(1)
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Appender:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if not self._closed:
            self.abort()

    @property
    def next_number(self) -> int:
        """The number that the next row will get."""
        return self._next

    def write(self, rows: pa.Table) -> None:
        """Add rows of the table's schema (the numbered column may be missing: it is filled here).

        Raises:
            UnavailableError: the disk is full or cannot be written.
        """
        self._check()
        if not rows.num_rows:
            return
        rows = self._numbered(rows)
        each = rows.nbytes / rows.num_rows
        body = rows.select(self._stored.names)
        for values, part in by_partition(body, [rows[name] for name in self._layout.partition_by]):
            self._buffer(values, part, each)
        self.rows += rows.num_rows

    def remove(self, actions: list[RemoveAction]) -> None:
        """Take files out of the table in the same commit (compaction)."""
        self._actions += actions

    def commit(
        self,
        *,
        txn: tuple[str, int] | None = None,
        metadata: Mapping[str, str] | None = None,
        data_change: bool = True,
    ) -> Appended:
        """Make everything that was written visible, in one commit.

        Raises:
            UnavailableError: the disk is full or cannot be written; nothing has become visible.
        """
        try:
            self._finish_thread()
            self._check()
            self._write_last([partition for partition in self._partitions.values() if partition.rows])
            for partition in self._partitions.values():
                self._close_file(partition)
            self._commit(txn, metadata, data_change)
        except (OSError, DeltaError) as error:
            self.abort()
            raise unavailable(error, f"write the table `{self._layout.name}`", self._root) from error
        except BaseException:
            self.abort()
            raise
        self._closed = True
        return Appended(self._table.version(), self.rows)

    def abort(self) -> None:
        """Remove what was written; the table stays as it was."""
        if self._closed:
            return
        self._closed = True
        self._failure = self._failure or RuntimeError("aborted")
        self._finish_thread()
        for partition in self._partitions.values():
            if partition.writer is not None:
                with suppress(OSError):  # the file goes away anyway
                    partition.writer.close()
        for partition in self._partitions.values():
            if partition.local is not None:
                partition.local.unlink(missing_ok=True)
        if self._tried and isinstance(self._root, S3Path):
            return  # whether the commit arrived may not be known; `vacuum` removes what no version refers to
        with suppress(OSError):  # a store that does not answer; `vacuum` removes it
            for path in self._written:
                path.unlink(missing_ok=True)

    def _commit(self, txn: tuple[str, int] | None, metadata: Mapping[str, str] | None, data_change: bool) -> None:
        for action in self._actions:
            if isinstance(action, AddAction):
                action.data_change = data_change
        notes: dict[str, Any] = dict(metadata or {})
        if self._layout.numbered:
            notes[SEQ_KEY] = str(self._next - 1)
        if txn is not None:
            notes[TXN_KEY] = f"{txn[0]}:{txn[1]}"
        transactions = None if txn is None else [Transaction(*txn)]
        if isinstance(self._root, S3Path):
            self._tried = True
            commit_to_store(
                self._table, self._root, self._layout, self._actions, notes, transactions, first_number=self._first
            )
            return
        self._table.create_write_transaction(
            self._actions,
            "append",
            self._table.schema(),
            partition_by=list(self._layout.partition_by),
            commit_properties=CommitProperties(custom_metadata=notes, app_transactions=transactions),
        )
        self._table.update_incremental()

    def _numbered(self, rows: pa.Table) -> pa.Table:
        name = self._layout.numbered
        if name and (name not in rows.column_names or rows[name].null_count):
            numbers = pa.array(np.arange(self._next, self._next + rows.num_rows, dtype=np.int64))
            position = rows.schema.get_field_index(name)
            spec = self._layout.schema.field(name)
            rows = rows.append_column(spec, numbers) if position < 0 else rows.set_column(position, spec, numbers)
            self._next += rows.num_rows
        return rows

    def _buffer(self, values: tuple[str, ...], part: pa.Table, each: float) -> None:
        """Let rows of about `each` bytes wait for their group to be full."""
        partition = self._partitions.setdefault(values, _Partition(values))
        while part.num_rows:
            room = self._group - partition.rows
            head, part = part.slice(0, room), part.slice(room)
            size = int(each * head.num_rows)
            partition.waiting.append(head)
            partition.rows += head.num_rows
            partition.nbytes += size
            self._buffered += size
            if partition.rows >= self._group:
                self._send(partition)
        while self._buffered > _BUFFERED_BYTES:
            self._send(max(self._partitions.values(), key=lambda p: p.nbytes))

    def _send(self, partition: _Partition) -> None:
        if not partition.rows:
            return
        parts = partition.waiting
        self._buffered -= partition.nbytes
        partition.waiting, partition.rows, partition.nbytes = [], 0, 0
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=f"append-{self._layout.name}", daemon=True)
            self._thread.start()
        while self._failure is None:
            if self._idle.acquire(timeout=0.2):
                self._queue.put((partition, parts))
                return
        self._check()

    def _check(self) -> None:
        if self._failure is not None:
            failure = self._failure
            if not self._closed:
                self.abort()
            if not isinstance(failure, (OSError, DeltaError)):
                raise failure
            raise unavailable(failure, f"write the table `{self._layout.name}`", self._root) from failure

    def _finish_thread(self) -> None:
        while self._thread is not None and self._thread.is_alive():
            try:
                self._queue.put(None, timeout=0.2)
            except queue.Full:
                continue
            self._thread.join()

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                if self._failure is None:
                    self._write_group(*item)
            except Exception as error:
                # Told to the caller at its next call; the thread has nobody to tell.
                self._failure = error
            finally:
                self._idle.release()

    def _write_last(self, partitions: list[_Partition]) -> None:
        """Write what waits for its group to be full: nothing else is done now, so files are written side by side."""
        if len(partitions) == 1:
            self._write_group(partitions[0], partitions[0].waiting)
            return
        with ThreadPoolExecutor(_LAST, f"append-{self._layout.name}") as pool:
            for _ in pool.map(lambda one: self._write_group(one, one.waiting), partitions):
                pass

    def _write_group(self, partition: _Partition, parts: list[pa.Table]) -> None:
        group = _sorted(pa.concat_tables(parts), self._layout.sort_by)
        parts.clear()
        if partition.writer is None:
            self._open_file(partition)
        assert partition.writer is not None  # noqa: S101 - opened above
        partition.writer.write_table(group, row_group_size=self._group)
        partition.groups += 1
        if partition.groups >= _GROUPS_A_FILE:
            self._close_file(partition)

    def _open_file(self, partition: _Partition) -> None:
        names = self._layout.partition_by
        folder = self._root.joinpath(*(f"{n}={v}" for n, v in zip(names, partition.values, strict=True)))
        partition.path = folder / f"part-{secrets.token_hex(16)}.parquet"
        if isinstance(partition.path, S3Path):
            partition.local = (self._staging or Path(tempfile.gettempdir())) / "staging" / partition.path.name
        else:
            partition.local = partition.path
        partition.local.parent.mkdir(parents=True, exist_ok=True)
        self._written.append(partition.path)
        partition.groups = 0
        partition.writer = pq.ParquetWriter(
            partition.local,
            self._stored,
            compression="zstd",
            compression_level=self._levels,
            use_dictionary=list(self._layout.repeated),
            column_encoding=dict(self._layout.encoded) or None,
            write_statistics=list(self._layout.statistics),
            store_schema=False,
        )

    def _close_file(self, partition: _Partition) -> None:
        if partition.writer is None or partition.path is None or partition.local is None:
            return
        writer, path, local = partition.writer, partition.path, partition.local
        partition.writer = partition.path = None
        writer.close()
        self._actions.append(
            AddAction(
                path=way(path, self._root).as_posix(),
                size=local.stat().st_size,
                partition_values=dict(zip(self._layout.partition_by, partition.values, strict=True)),
                modification_time=time.time_ns() // 1_000_000,
                data_change=True,
                stats=file_statistics(pq.read_metadata(local), self._layout.statistics),
            )
        )
        if isinstance(path, S3Path):
            path.put(local)
            local.unlink(missing_ok=True)
            partition.local = None


def _sorted(rows: pa.Table, by: str | None) -> pa.Table:
    if by is None or rows.num_rows < 2:
        return rows
    keys = rows[by].combine_chunks()
    if not keys.null_count:
        numbers = keys.cast(pa.int64()).to_numpy(zero_copy_only=False)
        if (numbers[1:] >= numbers[:-1]).all():
            return rows
    return rows.take(pc.sort_indices(keys))
