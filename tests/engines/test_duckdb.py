"""The embedded engine beyond the contract: streams that stay open, parameters, speed of small batches."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from groundswell.engines.duckdb import DuckEngine
from groundswell.errors import GroundswellError, UnknownChoiceError
from groundswell.platforms import generic
from groundswell.platforms.tiktok import NESTED
from groundswell.settings import Settings


@pytest.fixture
def engine(settings: Settings) -> Iterator[DuckEngine]:
    engine = DuckEngine(settings)
    yield engine
    engine.close()


@pytest.fixture
def records(tmp_path: Path) -> Path:
    path = tmp_path / "many.ndjson"
    lines = (json.dumps({"itemInfos": {"id": str(n), "playCount": n}}) for n in range(50_000))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_records_come_in_order_and_streams_stay_open_beside_others(engine: DuckEngine, records: Path) -> None:
    numbers: list[int] = []
    rows = pa.table({"id": ["1"], "text": ["a"]})
    layout = generic.table(rows.column_names)
    for batch in engine.map_json(records, NESTED):
        numbers += batch["record"].to_pylist()
        assert batch["views"].to_pylist() == batch["record"].to_pylist()
        assert sum(part.num_rows for part in engine.map_rows(rows, layout)) == 1
        assert engine.run(engine.register("t", rows)).read_all().num_rows == 1
    assert numbers == list(range(50_000))


def test_a_stream_may_be_dropped_half_way(engine: DuckEngine, records: Path) -> None:
    stream = engine.map_json(records, NESTED)
    next(stream)
    del stream
    assert sum(batch.num_rows for batch in engine.map_json(records, NESTED)) == 50_000


def test_two_results_can_be_read_in_turn(engine: DuckEngine) -> None:
    table = engine.register("numbers", pa.table({"n": range(40_000)}))
    first, second = engine.run(table), engine.run(table.filter(table.n < 5))
    assert second.read_all().num_rows == 5
    assert first.read_all().num_rows == 40_000


def test_parameters_are_given_by_name_and_unknown_ones_are_refused(engine: DuckEngine) -> None:
    table = engine.register("numbers", pa.table({"n": range(10)}))
    least = ibis.param("int64")
    query = table.filter(table.n >= least)
    name = least.op().name
    assert engine.run(query, {name: 7}).read_all().num_rows == 3
    with pytest.raises(UnknownChoiceError, match="no parameter"):
        engine.run(query, {"nonsense": 7})


def test_a_table_is_forgotten_once_no_expression_uses_it(engine: DuckEngine) -> None:
    engine.register("numbers", pa.table({"n": range(10)}))
    gc.collect()
    assert engine._arrow == {}


def test_a_result_is_read_to_its_end_though_nobody_holds_the_tables_any_more(
    engine: DuckEngine, tmp_path: Path
) -> None:
    rows = pa.table({"n": pa.array(range(10), pa.int64())})
    pq.write_table(rows, tmp_path / "rows.parquet")
    found = engine.run(engine.read_table([tmp_path / "rows.parquet"], rows.schema))
    gc.collect()
    assert found.read_all().num_rows == 10


def test_a_file_that_is_not_there_is_an_error_with_its_name(engine: DuckEngine, tmp_path: Path) -> None:
    with pytest.raises((GroundswellError, FileNotFoundError), match="gone"):
        list(engine.map_json(tmp_path / "gone.ndjson", NESTED))
