"""Snapshots: the files of a table at one version, without those that cannot hold what is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from groundswell.lake.statistics import ROUNDING
from groundswell.stores import Place

#: Partition of rows without a time.
UNKNOWN: Final = "unknown"
#: Later than all times.
UNBOUNDED: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of one version (-1: the table does not exist yet) and the rows in them."""

    version: int
    files: list[Place]
    rows: int
    counts: list[int] = field(default_factory=list)
    """For each file, its rows."""

    latest: list[int] = field(default_factory=list)
    """For each file, a time that no `created_at` in it is later than (µs since 1970); `UNBOUNDED` if not known."""


def take_snapshot(
    table: DeltaTable,
    root: Place,
    platforms: Sequence[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    months: Sequence[str] | None = None,
    after_number: int | None = None,
) -> Snapshot:
    """The files that can hold rows of `platforms` with `since` <= created_at < `until` in `months`.

    With `after_number`, those that can hold rows with greater numbers. A file is left out by its partition and its
    statistics only: what remains may still hold other rows.
    """
    actions = pa.table(table.get_add_actions(flatten=True))
    keep = pa.array([True] * actions.num_rows, pa.bool_())
    for column, wanted in (("partition.platform", platforms), ("partition.month", months)):
        if wanted is not None:
            keep = pc.and_(keep, pc.is_in(actions[column], value_set=pa.array(list(wanted), pa.string())))
    if since is not None or until is not None:
        keep = pc.and_(keep, _in_time(actions, since, until))
    if after_number is not None and "max.ingest_seq" in actions.column_names:
        keep = pc.and_(keep, pc.fill_null(pc.greater(actions["max.ingest_seq"], after_number), True))
    kept = actions.filter(keep)
    files = [root / unquote(path) for path in kept["path"].to_pylist()]
    counts: list[int] = pc.fill_null(kept["num_records"], 0).to_pylist()
    return Snapshot(table.version(), files, sum(counts), counts, _latest(kept))


def _latest(actions: pa.Table) -> list[int]:
    if "max.created_at" not in actions.column_names:
        return [UNBOUNDED] * actions.num_rows
    greatest = pc.add(actions["max.created_at"], pa.scalar(ROUNDING)).cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    values: list[int] = pc.fill_null(greatest, UNBOUNDED).to_pylist()
    return values


def _in_time(actions: pa.Table, since: datetime | None, until: datetime | None) -> Any:
    months = actions["partition.month"]
    # A row without a time is in no period.
    keep = pc.not_equal(months, UNKNOWN)
    if since is not None:
        keep = pc.and_(keep, pc.greater_equal(months, since.astimezone(UTC).strftime("%Y-%m")))
        keep = pc.and_(keep, _unless_null(pc.greater_equal, actions, "max.created_at", since - ROUNDING))
    if until is not None:
        keep = pc.and_(keep, pc.less_equal(months, until.astimezone(UTC).strftime("%Y-%m")))
        keep = pc.and_(keep, _unless_null(pc.less, actions, "min.created_at", until))
    return keep


def _unless_null(compare: Any, actions: pa.Table, column: str, moment: datetime) -> Any:
    """Compare where the statistic exists; a file without it cannot be left out."""
    if column not in actions.column_names:
        return pa.array([True] * actions.num_rows, pa.bool_())
    values = actions[column]
    limit = pa.scalar(moment.astimezone(UTC), values.type)
    return pc.fill_null(compare(values, limit), True)
