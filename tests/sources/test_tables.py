from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from groundswell.sources.containers import detect
from groundswell.sources.tables import BadRow, RowChunk, TableReader


def read(path: Path, limit: int = 1 << 20) -> tuple[TableReader, RowChunk]:
    table = TableReader(path, detect(path), limit)
    (chunk,) = list(table.chunks())
    return table, chunk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.csv"


def test_cells_are_text_and_empty_ones_are_null(path: Path) -> None:
    path.write_bytes(b'\xef\xbb\xbf id ,text,\r\n007,"a ""b""\nc",\r\n\r\n8,,x\r\n')
    table, chunk = read(path)
    assert table.columns == ["id", "text", "column_3"]
    assert chunk.rows.to_pylist() == [
        {"id": "007", "text": 'a "b"\nc', "column_3": None},
        {"id": "8", "text": None, "column_3": "x"},
    ]
    assert chunk.numbers == [1, 2]
    assert table.encode(chunk.raw[0]) == b'007,"a ""b""\nc",'


def test_a_short_row_ends_in_nulls_and_a_long_one_is_set_aside(path: Path) -> None:
    path.write_text("a,b,c\n1,2\n1,2,3,4\n1,2,3\n")
    _, chunk = read(path)
    assert chunk.rows.to_pylist() == [{"a": "1", "b": "2", "c": None}, {"a": "1", "b": "2", "c": "3"}]
    assert chunk.bad == [BadRow(2, "row has more fields than the header", "row has 4 fields, header has 3", b"1,2,3,4")]


def test_columns_of_the_same_name_are_told_apart(path: Path) -> None:
    path.write_text("a,a,a\n1,2,3\n")
    assert read(path)[0].columns == ["a", "a_2", "a_3"]


def test_a_quote_that_is_never_closed_takes_one_row_only(path: Path) -> None:
    path.write_text('a,b\n1,x\n2,"open\n3,y\n4,z\n')
    _, chunk = read(path)
    assert [row["a"] for row in chunk.rows.to_pylist()] == ["1", "3", "4"]
    assert [(bad.number, bad.reason, bad.raw) for bad in chunk.bad] == [(2, "a quote is never closed", b'2,"open')]


def test_bytes_that_are_no_text_are_set_aside_as_they_are(path: Path) -> None:
    path.write_bytes("a,b\n1,naïve café 你好你好\n".encode() + b"2,br\xffken\n3,fine\n")
    _, chunk = read(path)
    assert chunk.rows["a"].to_pylist() == ["1", "3"]
    assert [(bad.reason, bad.raw) for bad in chunk.bad] == [("not valid text", b"2,br\xffken")]


def test_a_line_over_the_limit_is_described_not_held(path: Path) -> None:
    path.write_text("a,b\n1,x\n2," + "y" * 50_000 + "\n3,z\n")
    _, chunk = read(path, limit=2_000)
    (bad,) = chunk.bad
    assert chunk.rows["a"].to_pylist() == ["1", "3"]
    assert bad.number == 2
    assert bad.oversized is not None
    assert (bad.oversized.offset, bad.oversized.length) == (8, 50_002)


def test_the_whole_rows_of_a_truncated_file_are_given(path: Path) -> None:
    rows = "".join(f'{n},"text\nof {n}"\n' for n in range(50_000))
    path.write_bytes(gzip.compress(f"a,b\n{rows}".encode(), 1)[:-100])
    table = TableReader(path, detect(path), 1 << 20)
    found = [row for chunk in table.chunks() for row in chunk.rows.to_pylist()]
    assert table.failure is not None
    assert 0 < len(found) < 50_000
    assert found == [{"a": str(n), "b": f"text\nof {n}"} for n in range(len(found))]


def test_utf16_is_read(path: Path) -> None:
    path.write_bytes("a\tb\n1\tç\n".encode("utf-16"))
    assert read(path)[1].rows.to_pylist() == [{"a": "1", "b": "ç"}]
