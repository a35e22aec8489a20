from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from groundswell.errors import UnreadableFileError
from groundswell.sources.containers import Container, detect
from groundswell.sources.stored import DEFAULT_LIMITS, Limits
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


def found(path: Path, limit: int = 1 << 20, limits: Limits = DEFAULT_LIMITS) -> tuple[TableReader, list[RowChunk]]:
    table = TableReader(path, detect(path), limit, limits)
    return table, list(table.chunks())


def test_a_quote_that_another_row_closes_swallows_nothing(path: Path) -> None:
    path.write_text('a,b\n1,x\n2,"open\n3,y\n4,"z"\n5,"fine, too"\n')
    _, chunk = read(path)
    assert [row["a"] for row in chunk.rows.to_pylist()] == ["1", "3", "4", "5"]
    assert [bad.raw for bad in chunk.bad] == [b'2,"open']


def test_text_over_several_lines_is_one_cell_also_with_commas_in_it(path: Path) -> None:
    path.write_text('id,text,n\n1,"first, line\nand, second\nlast",5\n2,x,6\n')
    _, chunk = read(path)
    assert chunk.rows["text"].to_pylist() == ["first, line\nand, second\nlast", "x"]
    assert chunk.numbers == [1, 2]


def test_what_stands_behind_a_closed_quote_belongs_to_the_cell(path: Path) -> None:
    path.write_text('id,tags,text\n1,"a"|"b"|"c","over\nlines"\n2,"d"|"e",x\n')
    _, chunk = read(path)
    assert chunk.rows["tags"].to_pylist() == ['a|"b"|"c"', 'd|"e"']
    assert chunk.rows["text"].to_pylist() == ["over\nlines", "x"]


def test_the_quotes_of_a_tsv_that_do_not_match_are_letters(path: Path) -> None:
    rows = "".join(f"{n}\ttext {n}\n" for n in range(300))
    path.write_text(f'id\ttext\n{rows}300\t"All that\n301\tplain\n302\tends"\n')
    _, chunk = read(path)
    assert chunk.rows["text"].to_pylist()[300:] == ['"All that', "plain", 'ends"']
    assert not chunk.bad


def test_fields_that_are_empty_behind_the_last_column_are_nothing(path: Path) -> None:
    path.write_text("a,b\n1,2,\n3,4,,\n5,6\n")
    _, chunk = read(path)
    assert chunk.rows.to_pylist() == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}, {"a": "5", "b": "6"}]


@pytest.mark.parametrize(
    "data",
    ["1\tcentrepoint winter\n1\tprince william\n2\ttaylor swift\n", "1,2.7,so good\n2,1.4,so bad\n3,0.1,it is\n",
     "negative,it is bad\npositive,it is good\nnegative,no\n"],
)  # fmt: skip
def test_a_table_without_a_header_loses_no_row(data: str, path: Path) -> None:
    path.write_text(data)
    table, chunk = read(path)
    assert table.columns == [f"column_{n}" for n in range(1, len(table.columns) + 1)]
    assert chunk.rows.num_rows == 3
    assert chunk.numbers == [1, 2, 3]


@pytest.mark.parametrize("header", ["id,text", "Year,2019,2020", "What do you think of it?,How old are you?", "a,b"])
def test_a_header_is_none_of_the_rows(header: str, path: Path) -> None:
    width = header.count(",") + 1
    path.write_text(f"{header}\n" + "".join(",".join(f"{n * at + 7}" for at in range(width)) + "\n" for n in range(5)))
    table, chunk = read(path)
    assert table.columns == header.split(",")
    assert chunk.rows.num_rows == 5


def test_the_header_once_more_and_totals_are_no_records_but_counted(path: Path) -> None:
    path.write_text("id,text,likes\n1,one,2\nid,text,likes\n2,Total,3\n3,total war,4\nTotal,,9\n")
    _, chunk = read(path)
    assert chunk.rows["id"].to_pylist() == ["1", "2", "3"]
    assert chunk.ignored == {"the header once more": [2], "a row of totals": [5]}


def test_lines_above_the_header_are_passed_over(path: Path) -> None:
    path.write_text("Posts of my brand,,\nfrom 2026-01-01\n\nid,text,likes\n1,one,2\n2,two,3\n")
    table, chunk = read(path)
    assert table.columns == ["id", "text", "likes"]
    assert chunk.rows.num_rows == 2


def test_the_separator_that_excel_is_told_is_taken(path: Path) -> None:
    path.write_text("sep=;\nid;text\n1;a, b\n2;c, d\n")
    table, chunk = read(path)
    assert table.columns == ["id", "text"]
    assert chunk.rows["text"].to_pylist() == ["a, b", "c, d"]


def test_escaped_and_single_quotes_are_understood(path: Path) -> None:
    path.write_text('id,text\n1,"he said \\"hi, you\\" to me"\n2,"C:\\new"\n')
    assert read(path)[1].rows["text"].to_pylist() == ['he said "hi, you" to me', "C:\\new"]
    path.write_text("'id','text'\n'1','a, b'\n'2','it''s'\n")
    assert read(path)[1].rows["text"].to_pylist() == ["a, b", "it's"]


def test_columns_set_apart_by_blanks_are_columns(path: Path) -> None:
    path.write_text(
        "id     text          likes\n1      one post      5\n22     another one   16\n3      x             7\n"
    )
    table, chunk = read(path)
    assert table.columns == ["id", "text", "likes"]
    assert chunk.rows["text"].to_pylist() == ["one post", "another one", "x"]


def test_zero_bytes_and_lone_returns_stay_in_their_row(path: Path) -> None:
    path.write_bytes(b"a,b\n1,x\n2,y\0z\n3,one\rtwo\n4,z\n")
    _, chunk = read(path)
    assert chunk.rows.to_pylist() == [{"a": "1", "b": "x"}, {"a": "3", "b": "one\rtwo"}, {"a": "4", "b": "z"}]
    assert [(bad.number, bad.detail) for bad in chunk.bad] == [(2, "a NUL byte")]


def test_ten_thousand_columns_are_refused(path: Path) -> None:
    path.write_text(",".join(f"c{n}" for n in range(10_000)) + "\n" + ",".join("1" * 10_000) + "\n")
    with pytest.raises(UnreadableFileError, match="10,000 columns, and at most 2,000 are read"):
        found(path)


def test_a_line_of_any_length_is_described_in_bounded_memory(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"a,b\n1,x\n2,")
        for _ in range(80):
            file.write(b"y" * (1 << 20))
        file.write(b"\n3,z\n")
    _, chunks = found(path, limit=1 << 20)
    (bad,) = [bad for chunk in chunks for bad in chunk.bad]
    assert bad.oversized is not None
    assert (bad.number, bad.oversized.offset, bad.oversized.length) == (2, 8, (80 << 20) + 2)
    assert len(bad.oversized.head) == 64 << 10
    assert bad.oversized.sha256 == hashlib.sha256(b"2," + b"y" * (80 << 20)).hexdigest()
    assert [row["a"] for chunk in chunks for row in chunk.rows.to_pylist()] == ["1", "3"]


def test_a_row_without_its_number_in_the_header_has_one(path: Path) -> None:
    path.write_text("text,likes\n" + "".join(f"{n},post {n},{n * 2}\n" for n in range(1, 30)))
    table, chunk = read(path)
    assert table.columns == ["row", "text", "likes"]
    assert chunk.rows.num_rows == 29


def test_a_retry_reads_a_row_by_its_hint(path: Path) -> None:
    path.write_text("id;text\n" + "".join(f"{n};a, b\n" for n in range(5)))
    table, chunk = read(path)
    hint = json.loads(json.dumps(detect(path).hint(table.header)))
    path.write_text(f"{hint['header'].rstrip()}\n{chunk.raw[3]}\n")
    again = TableReader(path, Container.from_hint(hint), 1 << 20)
    assert [row for part in again.chunks() for row in part.rows.to_pylist()] == [{"id": "3", "text": "a, b"}]


def test_bytes_that_an_encoding_lacks_are_set_aside_as_they_are(path: Path) -> None:
    rows = "".join(f"{n},Le café était bon à la fête\n" for n in range(50)).encode("cp1252")
    path.write_bytes(b"id,text\n" + rows + b"x,caf\xe9 \x81\n")
    table, chunk = read(path)
    assert (chunk.rows.num_rows, [bad.raw for bad in chunk.bad]) == (50, [b"x,caf\xe9 \x81"])
    assert table.encode(chunk.raw[0]) == rows.split(b"\n")[0]
