from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from groundswell.engines.shape import OUTPUT, shape_batch

ROWS: list[dict[str, Any]] = [
    {
        "post_id": str(n),
        "created_at": 1_700_000_000_000_000 + n if n % 3 else None,
        "metrics": {"plays": n, "saves": None} if n % 4 else None,
        "extra": {"music": f"m{n}", "place": None} if n % 5 else None,
        "challenges": [{"a": str(n), "b": None}, None] if n % 3 == 0 else [] if n % 3 == 1 else None,
        "hashtags": ["#A", None, "b"] if n % 2 else None,
        "record": n,
    }
    for n in range(20)
]
RAW = pa.schema(
    [
        ("post_id", pa.string()),
        ("created_at", pa.int64()),
        ("metrics", pa.struct([("plays", pa.int64()), ("saves", pa.int64())])),
        ("extra", pa.struct([("music", pa.string()), ("place", pa.string())])),
        ("challenges", pa.list_(pa.struct([("a", pa.string()), ("b", pa.string())]))),
        ("hashtags", pa.list_(pa.string())),
        ("record", pa.int64()),
    ]
)


def test_a_column_that_is_not_there_is_null_and_the_others_have_the_types_of_the_contract() -> None:
    shaped = shape_batch(pa.RecordBatch.from_pylist(ROWS, schema=RAW))
    assert shaped.schema.equals(OUTPUT)
    assert shaped["text"].null_count == len(ROWS)
    row = shaped.slice(3, 1).to_pylist()[0]
    assert row["metrics"] == [("plays", 3)]
    assert row["extra"] == '{"music":"m3"}'
    assert row["challenges"] == [{"id": "3", "name": None}, {"id": None, "name": None}]
    assert row["hashtags"] == ["a", "b"]


@pytest.mark.parametrize(("start", "count"), [(0, 7), (3, 5), (7, 13), (19, 1), (20, 0)])
def test_a_part_of_a_batch_has_the_shape_of_that_part(start: int, count: int) -> None:
    batch = pa.RecordBatch.from_pylist(ROWS, schema=RAW)
    whole = shape_batch(batch).slice(start, count).to_pylist()
    assert shape_batch(batch.slice(start, count)).to_pylist() == whole
