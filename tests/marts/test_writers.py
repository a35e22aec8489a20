"""Every form of file holds the same rows, opens safely, and appears only when it is whole."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.errors import UnavailableError, UsageError
from groundswell.marts import writers as module
from groundswell.marts.cells import cell_texts, csv_header, csv_lines
from groundswell.marts.writers import FileFormat, write_rows

MakePosts = Callable[[Sequence[Mapping[str, Any]]], pa.Table]


def batches(table: pa.Table, rows: int = 3) -> Iterator[pa.RecordBatch]:
    yield from table.combine_chunks().to_batches(rows)


@pytest.fixture
def posts(make_posts: MakePosts, noon: datetime) -> pa.Table:
    rows = [
        {
            "post_id": f"70123456789012345{n:02}",
            "text": f'line {n}\n"two", é',
            "created_at": noon,
            "likes": n,
            "hashtags": ["a", "b"],
        }
        for n in range(8)
    ]
    rows += [{"post_id": "-KE8v44VS_k", "text": "=1+1", "views": 2**60, "verified": True, "metrics": [("d", 1)]}]
    return make_posts(rows).drop(["key"])


def test_the_same_rows_in_every_form(posts: pa.Table, tmp_path: Path) -> None:
    for form in FileFormat:
        path = tmp_path / f"rows.{form}"
        told: list[int] = []
        count, changed = write_rows(batches(posts), posts.schema, path, form, told.append)
        assert (count, told[-1]) == (9, 9)
        assert bool(changed) == (form is FileFormat.CSV)
    assert pq.read_table(tmp_path / "rows.parquet").equals(posts)
    documents = [json.loads(line) for line in (tmp_path / "rows.ndjson").read_text("utf-8").splitlines()]
    assert [one["post_id"] for one in documents] == posts["post_id"].to_pylist()
    assert (documents[8]["views"], documents[8]["metrics"]) == (2**60, {"d": 1})
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["text"] for line in lines[:8]] == posts["text"].to_pylist()[:8]
    assert (lines[8]["post_id"], lines[8]["text"], lines[8]["views"]) == ("'-KE8v44VS_k", "'=1+1", str(2**60))
    assert (lines[0]["views"], lines[0]["hashtags"], lines[0]["created_at"]) == ("", "a b", "2026-11-20T12:00:00Z")


def test_a_sheet_keeps_ids_as_text_and_runs_nothing(posts: pa.Table, tmp_path: Path) -> None:
    path = tmp_path / "rows.xlsx"
    write_rows(batches(posts), posts.schema, path, FileFormat.XLSX)
    sheet = openpyxl.load_workbook(path)["rows"]
    cells = {column[0].value: column[1:] for column in sheet.iter_cols()}
    assert cells["post_id"][0].value == "7012345678901234500"
    assert {cell.data_type for cell in cells["post_id"]} == {"s"}
    assert (cells["text"][8].value, cells["text"][8].data_type) == ("=1+1", "s")
    assert cells["views"][8].value == str(2**60)  # a spreadsheet would round it
    assert (cells["likes"][3].value, cells["likes"][8].value) == (3, None)
    assert cells["created_at"][0].value == datetime(2026, 11, 20, 12)  # noqa: DTZ001 - a sheet has no zones


def test_what_a_sheet_cannot_hold_is_said(
    make_posts: MakePosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = make_posts([{"text": "x" * 40_000}, {"text": "bell\x07"}]).drop(["key", "tokens"])
    _, changed = write_rows(batches(rows), rows.schema, tmp_path / "a.xlsx", FileFormat.XLSX)
    assert changed == {"texts cut to 32,767 characters": 1, "control characters replaced": 1}
    monkeypatch.setattr(module, "XLSX_ROWS", 1)
    with pytest.raises(UsageError, match="csv or parquet"):
        write_rows(batches(rows), rows.schema, tmp_path / "b.xlsx", FileFormat.XLSX)
    assert [path.name for path in tmp_path.iterdir()] == ["a.xlsx"]


def test_nothing_is_left_of_a_file_that_could_not_be_written(posts: pa.Table, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="cannot write"):
        write_rows(batches(posts), posts.schema, tmp_path / "absent" / "a.csv", FileFormat.CSV)

    def broken() -> Iterator[pa.RecordBatch]:
        yield from batches(posts)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_rows(broken(), posts.schema, tmp_path / "a.csv", FileFormat.CSV)
    assert not list(tmp_path.iterdir())


CELLS = (
    st.none() | st.text(max_size=12) | st.sampled_from(["=1", "+1", "-a", "@b", "\tc", "\rd", '"', ",", "a\nb", "'="])
)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=8))
def test_csv_comes_back_as_it_went_and_no_cell_begins_a_formula(pairs: list[tuple[str | None, str | None]]) -> None:
    pairs = [(a and a.replace("\ud800", ""), b and b.replace("\ud800", "")) for a, b in pairs]
    table = pa.table(
        {"a": pa.array([a for a, _ in pairs], pa.string()), "=b": pa.array([b for _, b in pairs], pa.string())}
    )
    text = (csv_header(table.column_names) + csv_lines(table)).decode()
    found = list(csv.reader(io.StringIO(text, newline="")))
    assert found[0] == ["a", "'=b"]
    for (one, other), line in zip(pairs, found[1:], strict=True):
        for cell, read in zip((one, other), line, strict=True):
            assert not read.startswith(("=", "+", "-", "@", "\t", "\r"))
            assert read in {cell or "", "'" + (cell or "")}


def test_times_have_microseconds_only_where_there_are_some(noon: datetime) -> None:
    times = pa.array([noon, noon.replace(microsecond=120), None], pa.timestamp("us", "UTC"))
    assert cell_texts(times).to_pylist() == ["2026-11-20T12:00:00Z", "2026-11-20T12:00:00.000120Z", None]
