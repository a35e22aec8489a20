"""The lake of one home: opening its tables, appending to them, and looking at one version of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from groundswell.errors import ConflictError
from groundswell.lake.appender import TXN_KEY, Appended, Appender
from groundswell.lake.delta import ask, commits, create_table, open_table
from groundswell.lake.failures import told
from groundswell.lake.kept import Kept
from groundswell.lake.snapshots import Snapshot, take_snapshot
from groundswell.lake.tables import SEQ_KEY, VERSION_KEY, table_layout
from groundswell.schema import SCHEMA_VERSION
from groundswell.stores import Place, S3Path, lake_root, parquet, way

if TYPE_CHECKING:
    from groundswell.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True)
class Lake:
    """The Delta tables under `root`.

    Whoever appends holds the lease `lake` of the desk: row numbers are given out by the only writer. Reading
    needs no lease. A table is made by the first append to it; before that it reads as empty.
    """

    root: Place
    cache: Path | None = None
    """Folder on this machine for what can be made again, and for files on their way; null: `root`, which is one."""

    kept: Kept | None = field(default=None, compare=False, repr=False)
    """Tables that stay open; null: each is opened when it is asked for."""

    @classmethod
    def open(cls, settings: Settings) -> Lake:
        """The lake that the settings name; nothing is created yet."""
        return cls(lake_root(settings), settings.lake_cache if settings.lake_is_remote else None)

    def keeping(self) -> Lake:
        """The same lake, whose tables stay open, for one thread at a time that comes back to them again and again."""
        return self if isinstance(self.root, S3Path) else replace(self, kept=Kept())

    @property
    def trouble(self) -> str | None:
        """Why the store of the lake is waited for at this moment; null while it answers, and of a disk."""
        return self.root.store.trouble if isinstance(self.root, S3Path) else None

    def silence(self, within_s: float) -> str | None:
        """Why the store of the lake gives no answer within so long; null where it does, and of a disk."""
        return self.trouble or (
            self.root.store.silence(self.root.key, within_s) if isinstance(self.root, S3Path) else None
        )

    @property
    def beside(self) -> Path:
        """Folder on this machine for key files, text indexes and counts."""
        if self.cache is not None:
            return self.cache
        assert isinstance(self.root, Path)  # noqa: S101 - a lake in a store has a cache
        return self.root

    @property
    def compiled(self) -> Path:
        """Folder on this machine where compiled kernels may lie."""
        return self.cache.parent if self.cache is not None else self.beside.parent / "cache"

    def ask(self, what: str, action: Callable[[], T]) -> T:
        """Do `action`, again and again while the store of the lake does not answer; at once on a disk."""
        return ask(self.root, what, action)

    def size_of(self, file: Place) -> int:
        """Bytes of a data file.

        Raises:
            OSError: it is not there.
        """
        if isinstance(file, Path):
            return file.stat().st_size
        return _size_of(file)

    def data_files(self, table_name: str) -> set[str]:
        """All data files of a table that lie there, as ways from its folder, also those that no version needs."""
        folder = self.path(table_name)
        return {way(file, folder).as_posix() for file in folder.rglob("*.parquet")}

    def path(self, table_name: str) -> Place:
        """Folder of a table."""
        return self.root / table_layout(table_name).name

    def delta(self, table_name: str) -> DeltaTable | None:
        """The newest version of a table; null if it does not exist yet.

        Raises:
            ConflictError: it was written by a newer Groundswell.
            UnavailableError: it cannot be read.
        """
        path = self.path(table_name)
        with told(f"read the table `{table_name}`", path):
            if self.kept is not None and isinstance(path, Path):
                table = self.kept.table(path, open_table)
            else:
                table = open_table(path)
        if table is None:
            return None
        found = int(table.metadata().configuration.get(VERSION_KEY) or SCHEMA_VERSION)
        if found != SCHEMA_VERSION:
            what = f"the table `{table_name}` has schema {found}, this Groundswell reads {SCHEMA_VERSION}"
            raise ConflictError(
                what, where=str(path), hint="install the Groundswell that wrote it, or use another home"
            )
        return table

    def appender(self, table_name: str, *, for_now: bool = False) -> Appender:
        """Begin an append, making the table if needed; hold the lease `lake`. Files `for_now` are joined soon.

        Raises:
            UnavailableError: the folder cannot be written.
        """
        layout = table_layout(table_name)
        table = self.delta(table_name)
        if table is None:
            with told(f"create the table `{table_name}`", self.path(table_name)):
                table = create_table(self.path(table_name), layout)
        next_number = self.last_number(table_name, table) + 1 if layout.numbered else 0
        return Appender(table, self.path(table_name), layout, next_number, self.cache, for_now=for_now)

    def append(
        self,
        table_name: str,
        batches: Iterable[pa.RecordBatch] | Iterable[pa.Table] | pa.Table,
        *,
        txn: tuple[str, int] | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Appended | None:
        """Append rows in one commit; null if the transaction `txn` (application, version) was done before.

        Raises:
            UnavailableError: the disk is full or cannot be written; nothing was appended.
        """
        if txn is not None and (self.txn_version(table_name, txn[0]) or 0) >= txn[1]:
            return None
        with self.appender(table_name) as appender:
            for batch in [batches] if isinstance(batches, pa.Table) else batches:
                appender.write(batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch]))
            return appender.commit(txn=txn, metadata=metadata)

    def snapshot(
        self,
        table_name: str = "posts",
        *,
        platforms: Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        months: Sequence[str] | None = None,
        after_number: int | None = None,
    ) -> Snapshot:
        """The current files that can hold rows of `platforms` with `since` <= created_at < `until`.

        With `after_number` those only that can hold rows with greater numbers. The files stay readable for the time
        that `vacuum` keeps them, whatever is written meanwhile.
        """
        table = self.delta(table_name)
        if table is None:
            return Snapshot(-1, [], 0)
        with told(f"read the table `{table_name}`", self.path(table_name)):
            return take_snapshot(table, self.path(table_name), platforms, since, until, months, after_number)

    def read(
        self, table_name: str, columns: Sequence[str] | None = None, where: Mapping[str, str | None] | None = None
    ) -> pa.Table:
        """Rows of a small table (ledger, quarantine) in memory: those whose columns equal the values of `where`.

        A value of null in `where` leaves the column out of the comparison.
        """
        layout = table_layout(table_name)
        names = list(columns) if columns is not None else layout.schema.names
        wanted = {name: value for name, value in (where or {}).items() if value is not None}
        parts = [layout.schema.empty_table().select(names)]
        snapshot = self.snapshot(table_name)
        with told(f"read the table `{table_name}`", self.path(table_name)):
            for file in snapshot.files:
                # Files that the Delta library wrote itself (an update) have other text types.
                picked = pa.schema([layout.schema.field(name) for name in dict.fromkeys((*names, *wanted))])
                rows = parquet(file).read(columns=picked.names).select(picked.names).cast(picked)
                for name, value in wanted.items():
                    rows = rows.filter(pc.equal(rows[name], value))
                parts.append(rows.select(names))
        return pa.concat_tables(parts)

    def version(self, table_name: str = "posts") -> int:
        """Number of the newest commit; -1 if the table does not exist yet."""
        table = self.delta(table_name)
        return -1 if table is None else table.version()

    def count(self, table_name: str = "posts") -> int:
        """Rows in the newest version, from the log alone."""
        table = self.delta(table_name)
        return 0 if table is None else int(table.count())

    def txn_version(self, table_name: str, app_id: str) -> int | None:
        """Greatest transaction version of `app_id` that was appended; null if none was."""
        table = self.delta(table_name)
        if table is None:
            return None
        with told(f"read the table `{table_name}`", self.path(table_name)):
            return self.ask(f"read the table `{table_name}`", lambda: table.transaction_version(app_id))

    def commit_metadata(self, table_name: str, txn: tuple[str, int]) -> dict[str, str] | None:
        """What the commit of a transaction carries; null if there is none in the log."""
        table = self.delta(table_name)
        if table is None:
            return None
        wanted = f"{txn[0]}:{txn[1]}"
        with told(f"read the table `{table_name}`", self.path(table_name)):
            return next(
                (entry for entry in commits(self.path(table_name), table) if entry.get(TXN_KEY) == wanted), None
            )

    def files_of(self, table_name: str, txn: tuple[str, int]) -> set[str]:
        """Names of the data files that the commit of a transaction added; empty if it is not in the log."""
        entry = self.commit_metadata(table_name, txn)
        if entry is None:
            return set()
        log = self.path(table_name) / "_delta_log" / f"{int(entry['version']):020}.json"
        with told(f"read the table `{table_name}`", log):
            actions = [json.loads(line) for line in log.read_text().splitlines()]
        return {unquote(action["add"]["path"]).rpartition("/")[2] for action in actions if "add" in action}

    def last_number(self, table_name: str = "posts", table: DeltaTable | None = None) -> int:
        """Greatest number that a row ever got (0: none): from the last commit, or the files' statistics."""
        table = table or self.delta(table_name)
        column = table_layout(table_name).numbered
        if table is None or column is None:
            return 0
        with told(f"read the table `{table_name}`", self.path(table_name)):
            newest = list(commits(self.path(table_name), table, 1))
        noted = [int(entry[SEQ_KEY]) for entry in newest if SEQ_KEY in entry]
        if noted:
            return noted[0]
        # A commit by another program carries no note; no row has a greater number than the files say.
        actions = pa.table(table.get_add_actions(flatten=True))
        name = f"max.{column}"
        return int(pc.max(actions[name]).as_py() or 0) if name in actions.column_names else 0


@lru_cache(maxsize=1 << 16)
def _size_of(file: S3Path) -> int:
    # A data file never changes; asking is a request.
    return file.stat().st_size


def summary_of(metadata: Mapping[str, str] | None) -> dict[str, Any] | None:
    """The JSON document that a writer left in its commit under `summary`; null if there is none."""
    if metadata is None or "summary" not in metadata:
        return None
    document: dict[str, Any] = json.loads(metadata["summary"])
    return document
