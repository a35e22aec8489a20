"""Every layout: the rows are the same whether the quick reader or DuckDB's own reads the file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.contracts.test_import import DIRT

from groundswell import kernels
from groundswell.engines import quick_rows
from groundswell.engines.duckdb import DuckEngine
from groundswell.platforms import Layout, registry
from groundswell.settings import Settings


@pytest.fixture(autouse=True, scope="module")
def _loaded() -> Iterator[None]:
    kernels.load()
    yield
    kernels.unload()


def variants(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The record, and with each of its values null, missing, or of another type."""
    yield record
    for key, value in record.items():
        for other in (None, 1, 2.50, True, "", [], {}, [None], [value], {"inner": value}):
            yield {**record, key: other}
        yield {name: kept for name, kept in record.items() if name != key}
        if isinstance(value, dict):
            yield from ({**record, key: inner} for inner in variants(value))


@pytest.mark.parametrize("layout", registry().layouts, ids=lambda layout: layout.id)
def test_a_layout_gives_the_same_rows(
    layout: Layout,
    settings: Settings,
    tmp_path: Path,
    fixture_of: Callable[[Layout], list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    records = [changed for record in fixture_of(layout)[:3] for changed in variants(record)][:1_000]
    lines = [json.dumps(record, ensure_ascii=n % 2 == 0).encode() for n, record in enumerate(records)]
    file = tmp_path / "records.ndjson"
    file.write_bytes(b"\n".join([*lines, *DIRT, *lines[:20]]))
    monkeypatch.setattr(quick_rows, "MOST_DOUBTED", 1 << 20)
    monkeypatch.setattr("groundswell.engines.duckdb._SMALL", 0)
    engine = DuckEngine(settings)
    tables = []
    for least in (0, 1 << 60):
        monkeypatch.setattr(quick_rows, "LEAST", least)
        tables.append(pa.Table.from_batches(list(engine.map_json(file, layout, explain=False))))
    engine.close()
    quick, plain = (table.to_pylist() for table in tables)
    assert quick == plain
