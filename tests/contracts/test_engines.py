"""DuckDB and Spark give the same rows for every layout, on clean and on dirty records."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from groundswell.engines.contract import Engine
from groundswell.engines.duckdb import DuckEngine
from groundswell.platforms import Layout, registry
from groundswell.platforms.tiktok import NESTED
from groundswell.schema import POSTS, REJECT

pytestmark = [
    pytest.mark.spark,
    pytest.mark.service,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]
each_layout = pytest.mark.parametrize("layout", registry().layouts, ids=lambda layout: layout.id)
Run = Callable[[Engine, Layout, list[dict[str, Any]]], pa.Table]

LINES = (
    b'{"itemInfos":{"id":"1","playCount":5}}',
    b"",
    b"   ",
    b"not json",
    b"[1,2]",
    b'"text"',
    b"null",
    b"{}",
    b'{"itemInfos":{"id":"2","playCount":NaN}}',
    b'{"itemInfos":{"id":12345678901234567890123,"playCount":-3,"diggCount":1.0,"createTime":"x"}}',
    b'{"itemInfos":{"id":"3"}} {"itemInfos":{"id":"4"}}',
    b'{"itemInfos":{"id":"trunc',
    b'{"itemInfos":{"id":"\xff"}}',
    b'{"itemInfos":{"id":"\\ud800"}}',
    b'\t{"itemInfos":{"id":"5","text":"tab\\tand \\"quotes\\""},"challengeInfoList":[null,3,{"challengeName":"#A"}]}\r',
    b'{"itemInfos":"text","authorInfos":[],"musicInfos":null}',
    b'{"itemInfos":{"id":"6","createTime":1767600000}}',
)


def differing(first: pa.Table, second: pa.Table) -> list[str]:
    assert first.schema.equals(second.schema)
    assert first.num_rows == second.num_rows
    return [name for name in first.schema.names if first[name].to_pylist() != second[name].to_pylist()]


@each_layout
def test_a_layout_gives_the_same_rows_on_both_engines(
    layout: Layout,
    duck: DuckEngine,
    spark: Engine,
    map_records: Run,
    fixture_of: Callable[[Layout], list[dict[str, Any]]],
    variants: Callable[[Any, Any], list[Any]],
) -> None:
    records = fixture_of(layout)
    wrongs: tuple[Any, ...] = (None, "", "12.5", -5, [], {"a": 1}, "50000-01-01")
    for wrong in wrongs:
        records += variants(records[0], wrong)
    assert differing(map_records(duck, layout, records), map_records(spark, layout, records)) == []


def test_lines_that_are_no_objects_have_the_same_reason_on_both_engines(
    duck: DuckEngine, spark: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "dirt [1]*.ndjson"
    path.write_bytes(b"\n".join(LINES))
    first, second = (pa.Table.from_batches(engine.map_json(path, NESTED)) for engine in (duck, spark))
    assert differing(first, second) == []
    assert first.num_rows == sum(not line.isspace() and line != b"" for line in LINES)
    reasons = [reject.partition(": ")[0] for reject in first[REJECT].to_pylist() if reject]
    assert reasons.count("not JSON") == 5
    assert reasons.count("not a JSON object") == 3


def test_a_snapshot_reads_alike_with_its_partitions_as_text(duck: DuckEngine, spark: Engine, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    row = {"post_id": "1", "views": 5, "hashtags": ["a"], "metrics": [("x", 1)], "text": "t"}
    table = pa.Table.from_pylist([row], schema=POSTS).drop_columns(["platform", "month"])
    file = tmp_path / "platform=tiktok" / "month=2026-01" / "part.parquet"
    file.parent.mkdir(parents=True)
    pq.write_table(table, file)
    for engine in (duck, spark):
        posts = engine.read_table([file], POSTS)
        query = posts.filter(posts.views > 1).select("platform", "month", "post_id", "hashtags")
        assert engine.run(query).read_all().to_pylist() == [
            {"platform": "tiktok", "month": "2026-01", "post_id": "1", "hashtags": ["a"]}
        ]
        assert engine.run(engine.read_table([], POSTS).count().as_table()).read_all().to_pydict().popitem()[1] == [0]
