"""Keeping the lake quick and small: joining small files, and removing what no reader needs any more.

Both hold the lease `lake` (the caller takes it). What an alert shows is frozen in the desk, so neither can
take it away; versions that are named by evidence can be kept besides.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties
from deltalake.transaction import RemoveAction

from groundswell.lake import keyfiles, terms
from groundswell.lake.failures import told
from groundswell.lake.store import Lake
from groundswell.lake.tables import SEQ_KEY, TABLES, table_layout
from groundswell.lake.terms import drop_orphans, index_texts
from groundswell.stores import parquet

#: How long a snapshot stays readable after its files were replaced.
KEEP_HOURS: Final = 7 * 24
#: A file of fewer bytes is small.
SMALL: Final = 32 << 20
#: Files are joined in groups of at most so many bytes (uncompressed), which bounds the memory.
GROUP: Final = 128 << 20
#: After so many seconds no further file is indexed in one go: a stream waits meanwhile.
_INDEXING_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction did."""

    files_before: int
    files_after: int
    rows: int


def compact(lake: Lake, table_name: str = "posts", *, least_files: int = 2) -> Compacted:
    """Join the small files of each partition that has at least `least_files` of them, sorted again.

    The rows and their numbers stay the same. Each group of files is one commit, so that a kill in between
    leaves the others joined and nothing lost.
    """
    before = after = rows = 0
    for paths in list(_groups(lake, table_name, least_files)):
        added = _join(lake, table_name, paths)
        before, after, rows = before + len(paths), after + 1, rows + added
    return Compacted(before, after, rows)


def vacuum(
    lake: Lake, table_name: str = "posts", *, keep_hours: int = KEEP_HOURS, keep_versions: Sequence[int] = ()
) -> int:
    """Remove files that no version of the last `keep_hours` hours and none of `keep_versions` needs.

    What a killed append left behind goes too, once it is that old. Returns the number of files removed.
    """
    table = lake.delta(table_name)
    if table is None:
        return 0
    kept = [version for version in keep_versions if 0 <= version <= table.version()]
    keyfiles.tend(lake, table_name)  # it may need files that go now
    with told(f"clean the table `{table_name}`", lake.path(table_name)):
        notes = CommitProperties(custom_metadata=_notes(lake, table_name))
        gone = lake.ask(
            f"clean the table `{table_name}`",
            lambda: table.vacuum(
                retention_hours=keep_hours,
                dry_run=False,
                enforce_retention_duration=False,
                full=True,
                keep_versions=kept or None,
                commit_properties=notes,
            ),
        )
        keyfiles.drop_orphans(lake, table_name)
        terms.drop_orphans(lake, table_name)
    if table_name == "posts":
        drop_orphans(lake)
    return len(gone)


def tidy(lake: Lake, *, least_files: int = 32) -> Compacted:
    """Join what a stream's many commits left, in every table, and index its words; cheap when nothing is to be done."""
    done = [compact(lake, name, least_files=least_files) for name in TABLES]
    index_texts(lake, seconds=_INDEXING_S)
    return Compacted(*(sum(getattr(d, part) for d in done) for part in ("files_before", "files_after", "rows")))


def _notes(lake: Lake, table_name: str) -> dict[str, str]:
    return {SEQ_KEY: str(lake.last_number(table_name))} if table_layout(table_name).numbered else {}


def _groups(lake: Lake, table_name: str, least_files: int) -> Iterator[list[str]]:
    table = lake.delta(table_name)
    if table is None:
        return
    actions = pa.table(table.get_add_actions(flatten=True))
    small = actions.filter(pc.less(actions["size_bytes"], SMALL)).sort_by("modification_time")
    partitions: dict[tuple[Any, ...], list[tuple[str, int]]] = {}
    names = [f"partition.{name}" for name in table_layout(table_name).partition_by]
    for row in small.select(["path", "size_bytes", *names]).to_pylist():
        partitions.setdefault(tuple(row[n] for n in names), []).append((row["path"], row["size_bytes"]))
    for files in partitions.values():
        if len(files) >= least_files:
            yield from _bounded(files, lake, table_name)


def _bounded(files: Iterable[tuple[str, int]], lake: Lake, table_name: str) -> Iterator[list[str]]:
    group: list[str] = []
    size = 0
    for path, _ in files:
        metadata = parquet(lake.path(table_name) / unquote(path)).metadata
        bulk = sum(metadata.row_group(g).total_byte_size for g in range(metadata.num_row_groups))
        if group and size + bulk > GROUP:
            if len(group) > 1:
                yield group
            group, size = [], 0
        group.append(path)
        size += bulk
    if len(group) > 1:
        yield group


def _join(lake: Lake, table_name: str, paths: list[str]) -> int:
    layout = table_layout(table_name)
    root = lake.path(table_name)
    with told(f"compact the table `{table_name}`", root):
        values: dict[str, str | None] = {}
        for part in unquote(paths[0]).split("/")[:-1]:
            name, _, values[name] = part.partition("=")
        files = [root / unquote(path) for path in paths]
        names = layout.stored.names
        read = (parquet(file).read().select(names).cast(layout.stored) for file in files)
        rows = pa.concat_tables(read)
        for name in layout.partition_by:
            rows = rows.append_column(layout.schema.field(name), pa.repeat(pa.scalar(values[name]), rows.num_rows))
        if layout.sort_by:
            rows = rows.take(pc.sort_indices(rows[layout.sort_by]))
    now_ms = time.time_ns() // 1_000_000
    with lake.appender(table_name) as appender:
        appender.write(rows)
        appender.remove(
            [
                RemoveAction(path, False, now_ms, file.stat().st_size, values)
                for path, file in zip(paths, files, strict=True)
            ]
        )
        appender.commit(data_change=False)
    return int(rows.num_rows)
