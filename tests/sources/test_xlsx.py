from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from groundswell.sources.files import SourceFile, find_files
from groundswell.sources.stored import Limits
from groundswell.sources.tables import RowChunk
from groundswell.sources.unfold import unfold

Rows = list[list[Any]]


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Path]:
    def make(**sheets: Rows) -> Path:
        book = openpyxl.Workbook()
        book.remove(book.active)  # type: ignore[arg-type]  # a new book has a sheet
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)
        book.save(tmp_path / "a.xlsx")
        return tmp_path / "a.xlsx"

    return make


def parts(path: Path, limits: Limits | None = None) -> Iterator[SourceFile]:
    (file,) = find_files([str(path)], path.parent)
    yield from unfold(file, limits or Limits(), path.parent / "tmp")


def read(path: Path) -> dict[str, tuple[list[RowChunk], list[str]]]:
    found = {}
    for part in parts(path):
        assert part.table is not None
        table = part.table(1 << 20)
        found[part.name.rpartition("::")[2]] = (list(table.chunks()), table.notes)
    return found


def changed(path: Path, name: str, old: bytes, new: bytes) -> None:
    """Replace bytes in one part of a workbook."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for info in before.infolist():
            data = before.read(info)
            if info.filename == name:
                assert old in data
                data = data.replace(old, new)
            after.writestr(info.filename, data)
    path.write_bytes(out.getvalue())


def test_each_sheet_that_holds_something_is_a_table(workbook: Callable[..., Path]) -> None:
    posts = [
        ["id", "text", "at"],
        ["007", "one", datetime.fromisoformat("2024-01-02T03:04:05")],
        ["8", None, date(2024, 1, 3)],
    ]
    found = read(workbook(Posts=posts, Empty=[], Other=[["id"], [None], [12]]))
    ((chunk,), _) = found["Posts"]
    assert chunk.rows.to_pylist() == [
        {"id": "007", "text": "one", "at": "2024-01-02T03:04:05"},
        {"id": "8", "text": None, "at": "2024-01-03"},
    ]
    assert chunk.raw[0] == "007,one,2024-01-02T03:04:05"
    assert found["Other"][0][0].rows["id"].to_pylist() == ["12"]
    assert list(found) == ["Posts", "Other"]


def test_numbers_are_as_they_were_meant(workbook: Callable[..., Path]) -> None:
    ((chunk,), notes) = read(workbook(S=[["n", "x", "ok"], [12.0, 0.25, True], [10**14, 1e10, False]]))["S"]
    assert chunk.rows.to_pylist() == [
        {"n": "12", "x": "0.25", "ok": "true"},
        {"n": "100000000000000", "x": "10000000000", "ok": "false"},
    ]
    assert notes == []


def test_an_id_that_excel_has_rounded_is_said_so_and_an_exact_one_kept(workbook: Callable[..., Path]) -> None:
    path = workbook(S=[["id", "other"], [1, 1], [2, 2]])
    rounded, exact = b"<v>1340539111971510000</v>", b"<v>1340539111971516416</v>"
    changed(path, "xl/worksheets/sheet1.xml", b'<c r="A2" t="n"><v>1</v>', b'<c r="A2" t="n">' + rounded)
    changed(path, "xl/worksheets/sheet1.xml", b'<c r="B2" t="n"><v>1</v>', b'<c r="B2" t="n">' + exact)
    ((chunk,), notes) = read(path)["S"]
    assert chunk.rows.to_pylist()[0] == {"id": "1.340539111971510e+18", "other": "1340539111971516416"}
    (note,) = notes
    assert "column `id`: 1 numbers" in note


def test_a_title_above_and_totals_below_are_no_rows(workbook: Callable[..., Path]) -> None:
    rows = [["Report of posts"], [], ["id", "text", "likes"], ["1", "a", 5], ["2", "b", 6], ["Total", None, 11]]
    ((chunk,), _) = read(workbook(S=rows))["S"]
    assert chunk.rows["id"].to_pylist() == ["1", "2"]
    assert chunk.ignored == {"a row of totals": [3]}


def test_a_sheet_without_a_header_loses_no_row(workbook: Callable[..., Path]) -> None:
    ((chunk,), _) = read(workbook(S=[[1, "a post of mine", 3], [2, "another one", 4]]))["S"]
    assert chunk.rows.column_names == ["column_1", "column_2", "column_3"]
    assert chunk.rows.num_rows == 2


def test_a_row_that_is_too_wide_is_set_aside(workbook: Callable[..., Path]) -> None:
    ((chunk,), _) = read(workbook(S=[["id", "text"], ["1", "a"], ["2", "b", "c"], ["3", "d"]]))["S"]
    assert chunk.rows["id"].to_pylist() == ["1", "3"]
    assert [(bad.number, bad.raw) for bad in chunk.bad] == [(2, b"2,b,c")]


def test_entities_are_refused(workbook: Callable[..., Path]) -> None:
    path = workbook(S=[["id"], ["1"]])
    trap = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><worksheet'
    changed(path, "xl/worksheets/sheet1.xml", b"<worksheet", trap)
    (part,) = parts(path)
    assert "entities" in str(part.refused)


def test_a_workbook_that_is_a_bomb_is_refused(workbook: Callable[..., Path]) -> None:
    path = workbook(S=[["id"], ["1"]])
    changed(path, "xl/worksheets/sheet1.xml", b"<sheetData>", b"<sheetData>" + b" " * (80 << 20))
    (part,) = parts(path)
    assert "zip bomb" in str(part.refused)


def test_rows_that_no_sheet_has_end_it(workbook: Callable[..., Path]) -> None:
    path = workbook(S=[["id"], ["1"]])
    changed(path, "xl/worksheets/sheet1.xml", b'<row r="2"', b'<row r="99999999999"')
    for part in parts(path):
        assert part.table is not None
        table = part.table(1 << 20)
        list(table.chunks())
        assert "no sheet has" in str(table.failure)


def test_too_many_columns_are_refused(workbook: Callable[..., Path]) -> None:
    (part,) = parts(workbook(S=[[f"c{n}" for n in range(50)]]), Limits(columns=40))
    assert "50 columns" in str(part.refused)


@pytest.mark.parametrize("cut", [0.3, 0.8])
def test_a_damaged_workbook_says_so(cut: float, workbook: Callable[..., Path]) -> None:
    path = workbook(S=[["id", "text"], *([str(n), f"post {n}"] for n in range(300))])
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * cut)])
    assert any(part.refused for part in parts(path))


def test_an_empty_workbook_says_so(workbook: Callable[..., Path]) -> None:
    (part,) = parts(workbook(S=[]))
    assert part.refused == "the workbook holds no rows"
