"""Opening and making Delta tables, on a disk or in an S3 store, whose answers may have to be waited for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

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
            # It says the same of a bucket that is not there. (`is_deltatable` would keep all threads waiting.)
            path.check_bucket()
            return None

    return path.store.patiently(f"read {path}", find)


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


def commits(path: Place, table: DeltaTable, most: int | None = None) -> Iterator[dict[str, Any]]:
    """What the newest commits carry besides their files, newest first, as `DeltaTable.history` gives it.

    Raises:
        OSError: the disk or store fails.
    """
    if not isinstance(path, S3Path):
        yield from table.history(most)
        return
    # `history` would keep all threads of the process waiting for the store, and read all before it gives one.
    last = table.version()
    for version in range(last, max(-1, last - most if most is not None else -1), -1):
        try:
            text = (path / "_delta_log" / f"{version:020}.json").read_text()
        except FileNotFoundError:
            return  # a checkpoint has taken its place
        for line in text.splitlines():
            action = json.loads(line)
            if "commitInfo" in action:
                yield action["commitInfo"] | {"version": version}
