"""Opening and making Delta tables, on a disk or in an S3 store, whose answers may have to be waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from deltalake import DeltaTable, Schema
from deltalake.exceptions import TableNotFoundError

from groundswell.lake.tables import VERSION_KEY, TableLayout
from groundswell.schema import SCHEMA_VERSION
from groundswell.stores import Place, S3Path

T = TypeVar("T")


def ask(place: Place, what: str, action: Callable[[], T]) -> T:
    """Do `action`; where the table is in a store that does not answer, again until it does or patience is over."""
    return place.store.patiently(what, action) if isinstance(place, S3Path) else action()


def options_of(place: Place) -> dict[str, str] | None:
    """What the Delta library needs to know of a store; null for a disk."""
    return place.store.options() if isinstance(place, S3Path) else None


def open_table(path: Place) -> DeltaTable | None:
    """The newest version of a table; null if there is none.

    Raises:
        OSError: the disk or store fails.
        DeltaError: the table is damaged.
    """
    if not isinstance(path, S3Path):
        if not (path / "_delta_log").is_dir() or not DeltaTable.is_deltatable(str(path)):
            return None
        return DeltaTable(str(path))
    options = path.store.options()

    def find() -> DeltaTable | None:
        try:
            return DeltaTable(str(path), storage_options=options)
        except TableNotFoundError:
            # Says the same of a bucket that is not there; listing it does not.
            return DeltaTable(str(path), storage_options=options) if _is_there(path, options) else None

    return path.store.patiently(f"read {path}", find)


def _is_there(path: S3Path, options: dict[str, str]) -> bool:
    return bool(DeltaTable.is_deltatable(str(path), options))


def create_table(path: Place, layout: TableLayout) -> DeltaTable:
    """Make an empty table, unless there is one.

    Raises:
        OSError: the disk or store fails.
        DeltaError: what is there is not a table.
    """
    configuration = {
        VERSION_KEY: str(SCHEMA_VERSION),
        "delta.dataSkippingStatsColumns": ",".join(layout.statistics),
    }
    path.mkdir(parents=True, exist_ok=True)
    options = options_of(path)

    def create() -> DeltaTable:
        return DeltaTable.create(
            str(path),
            schema=Schema.from_arrow(layout.schema),
            mode="ignore",
            partition_by=list(layout.partition_by),
            configuration=configuration,
            raise_if_key_not_exists=False,
            storage_options=options,
        )

    return ask(path, f"create the table `{layout.name}`", create)
