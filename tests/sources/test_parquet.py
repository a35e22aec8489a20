from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from groundswell.sources.compression import CutShortError, content
from groundswell.sources.files import SourceFile, find_files
from groundswell.sources.stored import Limits
from groundswell.sources.tables import RowChunk
from groundswell.sources.unfold import unfold

ID = 1_340_539_111_971_516_416
PARIS = datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))
NAIVE = PARIS.replace(tzinfo=None)
FLAT = pa.table(
    {
        "id": pa.array([ID, 2], pa.int64()),
        "unsigned": pa.array([2**64 - 1, None], pa.uint64()),
        "likes": pa.array([12.0, None]),
        "share": pa.array([0.25, float("nan")]),
        "at": pa.array([PARIS, None], pa.timestamp("us", "UTC")),
        "naive": pa.array([NAIVE, None], pa.timestamp("ms")),
        "day": pa.array([date(2024, 1, 2), None]),
        "ok": pa.array([True, None]),
        "kind": pa.array(["video", "#N/A"]).dictionary_encode(),
        "price": pa.array([Decimal("12345678901234567890.12"), None]),
        "raw": pa.array([b"caf\xc3\xa9", b"\xff"]),
        "none": pa.nulls(2),
    }
)  # fmt: skip


def opened(tmp_path: Path, table: pa.Table, **options: Any) -> SourceFile:
    path = tmp_path / "a.parquet"
    pq.write_table(table, path, **options)
    return only(path, tmp_path)


def only(path: Path, tmp_path: Path) -> SourceFile:
    (file,) = find_files([str(path)], tmp_path)
    (part,) = unfold(file, Limits(columns=500), tmp_path / "tmp")
    return part


def chunks(file: SourceFile) -> list[RowChunk]:
    assert file.table is not None
    return list(file.table(1 << 20).chunks())


def test_flat_columns_are_text_and_exact(tmp_path: Path) -> None:
    (chunk,) = chunks(opened(tmp_path, FLAT))
    assert chunk.rows.to_pylist() == [
        {
            "id": str(ID), "unsigned": str(2**64 - 1), "likes": "12", "share": "0.25",
            "at": "2024-01-02T01:04:05.000000Z",
            "naive": "2024-01-02T03:04:05.000000", "day": "2024-01-02",
            "ok": "true", "kind": "video",
            "price": "12345678901234567890.12", "raw": "café", "none": None,
        },
        {"id": "2", **dict.fromkeys(FLAT.column_names[1:])} | {"raw": "/w=="},
    ]  # fmt: skip
    assert chunk.raw[1] == "2,,,,,,,,,,/w==,"
    assert chunk.numbers == [1, 2]


def test_an_id_that_a_float_has_rounded_is_said_so(tmp_path: Path) -> None:
    file = opened(tmp_path, pa.table({"id": [1.340539111971516416e18, 5.0]}))
    assert file.table is not None
    table = file.table(1 << 20)
    (chunk,) = table.chunks()
    assert chunk.rows["id"].to_pylist() == ["1.340539111971516e+18", "5"]
    (note,) = table.notes
    assert "column `id`: 1 numbers" in note


def test_columns_within_columns_become_documents(tmp_path: Path) -> None:
    tags = pa.array([["a", "b"], None])
    author = pa.array([{"id": ID, "name": None}, None])
    counts = pa.array([[("likes", 3)], []], pa.map_(pa.string(), pa.int64()))
    nested = FLAT.select(["id", "at", "likes"]).append_column("tags", tags).append_column("author", author)
    file = opened(tmp_path, nested.append_column("counts", counts))
    assert file.table is None
    lines = b"".join(content(file.stored)).splitlines()
    assert [json.loads(line) for line in lines] == [
        {"id": ID, "at": "2024-01-02T01:04:05Z", "likes": 12, "tags": ["a", "b"], "author": {"id": ID, "name": None},
         "counts": {"likes": 3}},
        {"id": 2, "counts": []},
    ]  # fmt: skip
    assert b"".join(content(file.stored)).splitlines() == lines


@pytest.mark.parametrize("cut", [0.2, 0.9])
def test_a_file_that_is_cut_short_is_refused_with_its_reason(cut: float, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(FLAT, path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * cut)])
    assert "damaged or cut short" in str(only(path, tmp_path).refused)


def test_damage_in_a_page_is_told_after_the_rows_before_it(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"id": pa.array(range(60_000)), "text": [f"post {n * n}" for n in range(60_000)]})
    pq.write_table(table, path, row_group_size=10_000, compression="zstd")
    data = bytearray(path.read_bytes())
    data[len(data) * 6 // 10 : len(data) * 6 // 10 + 3_000] = bytes(3_000)
    path.write_bytes(data)
    file = only(path, tmp_path)
    assert file.table is not None
    rows = file.table(1 << 20)
    read = sum(chunk.rows.num_rows for chunk in rows.chunks())
    assert rows.failure is not None
    assert 10_000 <= read < 60_000


def test_metadata_that_is_not_true_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": list(range(100))}), path)
    data = path.read_bytes()
    for at in range(len(data) - 400, len(data) - 8):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x7F]) + data[at + 1 :])
        file = only(path, tmp_path)
        if file.refused is None and file.table is not None:
            rows = file.table(1 << 20)
            list(rows.chunks())  # whatever it says, no other error comes


def test_too_many_columns_are_refused(tmp_path: Path) -> None:
    file = opened(tmp_path, pa.table({f"c{n}": [1] for n in range(600)}))
    assert "600 columns" in str(file.refused)


def test_row_groups_are_streamed(tmp_path: Path) -> None:
    file = opened(tmp_path, pa.table({"id": list(range(50_000))}), row_group_size=20_000)
    found = chunks(file)
    assert len(found) > 2
    assert [number for chunk in found for number in chunk.numbers] == list(range(1, 50_001))


def test_times_of_any_unit_are_text(tmp_path: Path) -> None:
    moment = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    table = pa.table({unit: pa.array([moment], pa.timestamp(unit, "UTC")) for unit in ("s", "ms", "us", "ns")})
    (chunk,) = chunks(opened(tmp_path, table))
    assert {value[:19] for value in chunk.rows.to_pylist()[0].values()} == {"2024-01-02T03:04:05"}


def test_a_damaged_nested_file_gives_what_stands_before(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"id": list(range(60_000)), "tags": [[f"tag {n * n}"] for n in range(60_000)]})
    pq.write_table(table, path, row_group_size=10_000, compression="zstd")
    data = bytearray(path.read_bytes())
    data[len(data) * 6 // 10 : len(data) * 6 // 10 + 3_000] = bytes(3_000)
    path.write_bytes(data)
    file = only(path, tmp_path)
    read = b""
    with pytest.raises(CutShortError, match="damaged"):  # noqa: PT012 - what comes before counts
        for chunk in content(file.stored):
            read += chunk
    assert 10_000 <= read.count(b"\n") < 60_000
