"""Replacing rows: one commit takes files out of a table and puts others in, so that a reader sees all of it or none.

Old versions stay readable for as long as `vacuum` keeps their files.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.transaction import RemoveAction

from groundswell.lake.store import Lake
from groundswell.stores import Place


def replace(
    lake: Lake,
    table_name: str,
    rows: pa.Table,
    *,
    txn: tuple[str, int] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Make `rows` the whole of a (small) table, in one commit. Hold the lease `lake`.

    Raises:
        UnavailableError: the disk is full or cannot be written; the table is as it was.
    """
    table = lake.delta(table_name)
    if table is None:
        return
    with lake.appender(table_name) as appender:
        appender.write(rows)
        appender.remove(removals(table, lake.path(table_name), None))
        appender.commit(txn=txn, metadata=metadata)


def removals(table: DeltaTable, root: Place, files: Sequence[Place] | None) -> list[RemoveAction]:
    """What takes `files` (null: all) out of the table's newest version."""
    wanted = None if files is None else set(files)
    now_ms = time.time_ns() // 1_000_000
    actions = pa.table(table.get_add_actions(flatten=True))
    partitions = [name for name in actions.column_names if name.startswith("partition.")]
    found = []
    for row in actions.select(["path", "size_bytes", *partitions]).to_pylist():
        if wanted is None or root / unquote(row["path"]) in wanted:
            values = {name.removeprefix("partition."): row[name] for name in partitions}
            found.append(RemoveAction(row["path"], True, now_ms, row["size_bytes"], values))
    return found


def with_partitions(rows: pa.Table, file: Place, schema: pa.Schema, names: Sequence[str]) -> pa.Table:
    """The rows of one file in all columns of the table: those of its partition stand in its path."""
    values = dict(part.split("=", 1) for part in file.parts if "=" in part)
    columns: dict[str, Any] = {name: rows[name] for name in rows.column_names}
    for name in names:
        columns[name] = pa.repeat(pa.scalar(unquote(values[name]), pa.string()), rows.num_rows)
    return pa.table([columns[name] for name in schema.names], schema=schema)
