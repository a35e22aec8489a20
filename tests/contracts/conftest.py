"""Both engines, each started once a session, and a synthetic fixture for every layout."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from groundswell.engines.contract import Engine
from groundswell.engines.duckdb import DuckEngine
from groundswell.platforms import Layout, Shape
from groundswell.settings import load_settings

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "layouts"

Record = dict[str, Any]


def _table_of(records: list[Record]) -> pa.Table:
    """Flat records as a table of text columns, as a CSV reader gives it."""
    names = list(dict.fromkeys(name for record in records for name in record))
    return pa.table({name: pa.array([_text(record.get(name)) for record in records], pa.string()) for name in names})


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    return json.dumps(value)


def _fixture_of(layout: Layout) -> list[Record]:
    if (path := FIXTURES / f"{layout.id}.ndjson").is_file():
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    with (FIXTURES / f"{layout.id}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _variants(value: Any, wrong: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield {other: kept for other, kept in value.items() if other != key}
            yield {**value, key: wrong}
            for variant in _variants(part, wrong):
                yield {**value, key: variant}
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield [*value[:place], wrong, *value[place + 1 :]]
            for variant in _variants(part, wrong):
                yield [*value[:place], variant, *value[place + 1 :]]


@pytest.fixture(scope="session")
def fixture_of() -> Callable[[Layout], list[Record]]:
    """A layout's synthetic records."""
    return _fixture_of


@pytest.fixture(scope="session")
def variants() -> Callable[[Any, Any], list[Any]]:
    """Every variant of a record with one part, however deep, removed or replaced by something wrong."""
    return lambda record, wrong: list(_variants(record, wrong))


@pytest.fixture
def map_records(tmp_path: Path) -> Callable[[Engine, Layout, list[Record]], pa.Table]:
    """Records through an engine, as rows of a table if that is the layout's shape."""

    def run(engine: Engine, layout: Layout, records: list[Record]) -> pa.Table:
        if layout.shape is Shape.ROW:
            return pa.Table.from_batches(engine.map_rows(_table_of(records), layout))
        path = tmp_path / "records.ndjson"
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        return pa.Table.from_batches(engine.map_json(path, layout))

    return run


@pytest.fixture(scope="session")
def duck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    """A DuckDB engine."""
    engine = DuckEngine(load_settings(home=tmp_path_factory.mktemp("duck"), threads=2))
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A Spark engine, here or where `GROUNDSWELL_TEST_SPARK` says; skipped where Java or PySpark is missing."""
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        pytest.skip("needs PySpark and Java")
    from groundswell.engines.spark import SparkEngine

    home = tmp_path_factory.mktemp("spark")
    master = os.environ.get("GROUNDSWELL_TEST_SPARK", "local[2]")
    engine = SparkEngine(load_settings(home=home, engine=master, threads=2, memory=1024))
    yield engine
    engine.close()
