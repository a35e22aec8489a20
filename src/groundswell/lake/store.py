"""The lake of one home: opening its tables, appending to them, and looking at one version of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable, Schema

from groundswell.errors import ConflictError
from groundswell.lake.appender import SEQ_KEY, TXN_KEY, Appended, Appender
from groundswell.lake.failures import told
from groundswell.lake.snapshots import Snapshot, take_snapshot
from groundswell.lake.tables import VERSION_KEY, TableLayout, table_layout
from groundswell.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from groundswell.settings import Settings


@dataclass(frozen=True)
class Lake:
    """The Delta tables under `root`.

    Whoever appends holds the lease `lake` of the desk: row numbers are given out by the only writer. Reading
    needs no lease. A table is made by the first append to it; before that it reads as empty.
    """

    root: Path

    @classmethod
    def open(cls, settings: Settings) -> Lake:
        """The lake that the settings name; nothing is created yet."""
        return cls(settings.lake_path)

    def path(self, table_name: str) -> Path:
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
            if not (path / "_delta_log").is_dir() or not DeltaTable.is_deltatable(str(path)):
                return None
            table = DeltaTable(str(path))
        found = int(table.metadata().configuration.get(VERSION_KEY) or SCHEMA_VERSION)
        if found != SCHEMA_VERSION:
            what = f"the table `{table_name}` has schema {found}, this Groundswell reads {SCHEMA_VERSION}"
            raise ConflictError(what, where=path, hint="install the Groundswell that wrote it, or use another home")
        return table

    def appender(self, table_name: str) -> Appender:
        """Begin an append, making the table if needed; hold the lease `lake`.

        Raises:
            UnavailableError: the folder cannot be written.
        """
        layout = table_layout(table_name)
        table = self.delta(table_name) or self._create(layout)
        next_number = self.last_number(table_name) + 1 if layout.numbered else 0
        return Appender(table, self.path(table_name), layout, next_number)

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
    ) -> Snapshot:
        """The current files that can hold rows of `platforms` with `since` <= created_at < `until`.

        The files stay readable for the time that `vacuum` keeps them, whatever is written meanwhile.
        """
        table = self.delta(table_name)
        if table is None:
            return Snapshot(-1, [], 0)
        with told(f"read the table `{table_name}`", self.path(table_name)):
            return take_snapshot(table, self.path(table_name), platforms, since, until, months)

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
                rows = pq.ParquetFile(file).read(columns=picked.names).select(picked.names).cast(picked)
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
        return None if table is None else table.transaction_version(app_id)

    def commit_metadata(self, table_name: str, txn: tuple[str, int]) -> dict[str, str] | None:
        """What the commit of a transaction carries; null if there is none in the log."""
        table = self.delta(table_name)
        if table is None:
            return None
        wanted = f"{txn[0]}:{txn[1]}"
        with told(f"read the table `{table_name}`", self.path(table_name)):
            return next((entry for entry in table.history() if entry.get(TXN_KEY) == wanted), None)

    def files_of(self, table_name: str, txn: tuple[str, int]) -> set[str]:
        """Names of the data files that the commit of a transaction added; empty if it is not in the log."""
        entry = self.commit_metadata(table_name, txn)
        if entry is None:
            return set()
        log = self.path(table_name) / "_delta_log" / f"{int(entry['version']):020}.json"
        with told(f"read the table `{table_name}`", log):
            actions = [json.loads(line) for line in log.read_text().splitlines()]
        return {unquote(action["add"]["path"]).rpartition("/")[2] for action in actions if "add" in action}

    def last_number(self, table_name: str = "posts") -> int:
        """Greatest number that a row ever got (0: none): from the last commit, or the files' statistics."""
        table = self.delta(table_name)
        column = table_layout(table_name).numbered
        if table is None or column is None:
            return 0
        noted = [int(entry[SEQ_KEY]) for entry in table.history(1) if SEQ_KEY in entry]
        if noted:
            return noted[0]
        # A commit by another program carries no note; no row has a greater number than the files say.
        actions = pa.table(table.get_add_actions(flatten=True))
        name = f"max.{column}"
        return int(pc.max(actions[name]).as_py() or 0) if name in actions.column_names else 0

    def _create(self, layout: TableLayout) -> DeltaTable:
        path = self.path(layout.name)
        configuration = {
            VERSION_KEY: str(SCHEMA_VERSION),
            "delta.dataSkippingStatsColumns": ",".join(layout.statistics),
        }
        with told(f"create the table `{layout.name}`", path):
            path.mkdir(parents=True, exist_ok=True)
            return DeltaTable.create(
                str(path),
                schema=Schema.from_arrow(layout.schema),
                mode="ignore",
                partition_by=list(layout.partition_by),
                configuration=configuration,
                raise_if_key_not_exists=False,
            )


def summary_of(metadata: Mapping[str, str] | None) -> dict[str, Any] | None:
    """The JSON document that a writer left in its commit under `summary`; null if there is none."""
    if metadata is None or "summary" not in metadata:
        return None
    document: dict[str, Any] = json.loads(metadata["summary"])
    return document
