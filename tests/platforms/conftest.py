"""Records through a layout, as the engine reads them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from groundswell.engines.duckdb import DuckEngine
from groundswell.platforms import Layout, registry
from groundswell.settings import load_settings

Row = dict[str, Any]
Read = Callable[[str, Sequence[Mapping[str, Any]]], list[Row]]


@pytest.fixture(scope="package")
def platforms_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = DuckEngine(load_settings(home=tmp_path_factory.mktemp("platforms"), threads=2))
    yield engine
    engine.close()


@pytest.fixture
def read(platforms_engine: DuckEngine, tmp_path: Path) -> Read:
    """`read("x.v1", records)`: rows by JSON, `extra` and `metrics` as dictionaries, without what is null."""

    def run(name: str, records: Sequence[Mapping[str, Any]]) -> list[Row]:
        path = tmp_path / "records.ndjson"
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        return _plain(pa.Table.from_batches(platforms_engine.map_json(path, registry().get(name))))

    return run


@pytest.fixture
def read_table(platforms_engine: DuckEngine) -> Read:
    """As `read`, for rows of a table whose cells are text."""

    def run(name: str, records: Sequence[Mapping[str, Any]]) -> list[Row]:
        columns = {key: pa.array([record.get(key) for record in records], pa.string()) for key in records[0]}
        return _plain(pa.Table.from_batches(platforms_engine.map_rows(pa.table(columns), registry().get(name))))

    return run


@pytest.fixture
def expanded() -> Callable[[Mapping[str, Any]], list[tuple[str, Row]]]:
    """The records that stand in one, each with the layout that reads it (`-` for what is ignored)."""

    def run(record: Mapping[str, Any]) -> list[tuple[str, Row]]:
        layouts: tuple[Layout, ...] = registry().layouts
        parts = next(
            (found for layout in layouts if layout.expand and (found := layout.expand(record)) is not None), []
        )
        return [(_sort(layouts, part), part) for part in parts]

    return run


def _sort(layouts: Sequence[Layout], record: Row) -> str:
    found = registry().recognise(record)
    if found is not None and found.platform != "generic":
        return found.id
    reasons = [reason for layout in layouts if layout.ignores and (reason := layout.ignores(record))]
    return f"- {reasons[0]}" if reasons else "?"


def _plain(table: pa.Table) -> list[Row]:
    rows = []
    for row in table.drop_columns(["record"]).to_pylist():
        row["extra"] = json.loads(row["extra"] or "{}")
        row["metrics"] = dict(row["metrics"] or [])
        rows.append({name: value for name, value in row.items() if value is not None and value not in ({}, [])})
    return rows
