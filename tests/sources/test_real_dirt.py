"""The real files in other clothes: re-encoded, re-delimited, packed, cut; what is counted must stay the same.

Counted is by independent readers (`csv`, `json`), and compared with what the sources give.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from groundswell.sources.containers import Form, detect
from groundswell.sources.files import find_files
from groundswell.sources.reading import file_records
from groundswell.sources.stored import Limits
from groundswell.sources.tables import RowChunk, TableReader
from groundswell.sources.unfold import unfold

pytestmark = pytest.mark.slow

LIMIT = 16 << 20
#: Tables with a header and the encoding in which they are valid.
TABLES = {
    "facebook/live.csv": "utf-8-sig",
    "instagram/reach.csv": "utf-8",
    "mixed/reddit_wsb_jan2022.csv": "utf-8",
    "mixed/sentimentdataset.csv": "utf-8",
    "nab/Twitter_volume_KO.csv": "utf-8",
    "tiktok/claims.csv": "utf-8-sig",
    "twitter/vaccination_tweets.csv": "utf-8",
    "youtube/USvideos.csv": "utf-8",
    "sentiment/validation.tsv": "utf-8",
}
ROWS = 900
Table = list[list[str]]


def table_of(path: Path, encoding: str) -> Table:
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        rows = csv.reader(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        return [row for _, row in zip(range(ROWS), rows, strict=False)]


def written(rows: Table, **options: Any) -> str:
    out = io.StringIO()
    csv.writer(out, **options).writerows(rows)
    return out.getvalue()


def chunks_of(path: Path, tmp: Path) -> Iterator[tuple[list[str], RowChunk]]:
    (file,) = find_files([str(path)], tmp)
    for part in unfold(file, Limits(), tmp / "tmp"):
        assert part.refused is None
        if part.table is not None:
            table = part.table(LIMIT)
        else:
            container = detect(part.stored)
            assert container.form is Form.TABLE
            table = TableReader(part.stored, container, LIMIT)
        for chunk in table.chunks():
            yield table.columns, chunk


def cells_of(path: Path, tmp: Path) -> Table:
    """The header and all rows, empty cells as empty texts; fails if a row was set aside or left out."""
    found: Table = []
    for columns, chunk in chunks_of(path, tmp):
        assert not chunk.bad
        assert not chunk.ignored
        found = found or [columns]
        found += [[cell or "" for cell in row.values()] for row in chunk.rows.to_pylist()]
    return found


def expected(rows: Table) -> Table:
    """As a table is read: short rows filled up, `#N/A` is nothing, names of columns stripped."""
    width = len(rows[0])
    header = [name.strip() for name in rows[0]]
    return [
        header,
        *([("" if cell == "#N/A" else cell) for cell in row] + [""] * (width - len(row)) for row in rows[1:]),
    ]


@pytest.fixture(params=TABLES)
def rows(request: pytest.FixtureRequest, data: Path) -> Table:
    return table_of(data / request.param, TABLES[request.param])


def texts(rows: Table) -> dict[str, str]:
    """The same table written in many ways."""
    plain = [[cell.replace("\r\n", "\n").replace("\r", "\n") for cell in row] for row in rows]
    lines = [[cell.replace("\n", " ") for cell in row] for row in plain]
    return {
        "LF": written(plain, lineterminator="\n"),
        "CRLF": written(plain),
        "CR": written(lines, lineterminator="\r"),
        "all quoted": written(plain, quoting=csv.QUOTE_ALL),
        "semicolons": written(plain, delimiter=";"),
        "tabs": written(plain, delimiter="\t"),
        "bars": written(plain, delimiter="|"),
        "carets": written(plain, delimiter="^"),
        "no line end": written(plain, lineterminator="\n").rstrip("\n"),
        "blank lines": written(plain, lineterminator="\n\n"),
    }


@pytest.mark.parametrize("way", [*texts([["a"]])])
def test_the_cells_are_the_same_however_a_table_is_written(way: str, rows: Table, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(texts(rows)[way].encode())
    flat = [[cell.replace("\r\n", "\n").replace("\r", "\n") for cell in row] for row in rows]
    if way == "CR":
        flat = [[cell.replace("\n", " ") for cell in row] for row in flat]
    assert cells_of(path, tmp_path) == expected(flat)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_the_cells_are_the_same_in_any_unicode(encoding: str, rows: Table, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(written(rows, lineterminator="\n").encode(encoding))
    assert cells_of(path, tmp_path) == expected(rows)


@pytest.mark.parametrize("encoding", ["cp1252", "cp1251", "shift_jis", "gb18030"])
def test_no_row_is_lost_in_old_encodings(encoding: str, rows: Table, tmp_path: Path) -> None:
    kept = [[cell.encode(encoding, "ignore").decode(encoding) for cell in row] for row in rows]
    path = tmp_path / "a.csv"
    path.write_bytes(written(kept, lineterminator="\n").encode(encoding))
    read = sum(chunk.rows.num_rows + len(chunk.bad) for _, chunk in chunks_of(path, tmp_path))
    assert read == len([row for row in kept[1:] if row])


PACKS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: zstandard.ZstdCompressor().compress(data),
}


@pytest.mark.parametrize("pack", [*PACKS, "zip", "zip of gz"])
def test_the_cells_are_the_same_in_any_pack(pack: str, rows: Table, tmp_path: Path) -> None:
    plain = written(rows, lineterminator="\n").encode()
    path = tmp_path / "packed"
    if pack in PACKS:
        path.write_bytes(PACKS[pack](plain))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("in/a.csv", gzip.compress(plain) if pack == "zip of gz" else plain)
    assert cells_of(path, tmp_path) == expected(rows)


def test_the_cells_are_the_same_as_parquet_and_as_a_sheet(rows: Table, tmp_path: Path) -> None:
    whole = expected(rows)
    pq.write_table(pa.table({name: [row[at] for row in whole[1:]] for at, name in enumerate(whole[0])}), tmp_path / "p")
    assert cells_of(tmp_path / "p", tmp_path) == whole
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in whole:
        sheet.append([openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", cell) or None for cell in row])
    book.save(tmp_path / "s")
    clean = [[openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", cell) for cell in row] for row in whole]
    assert [len(row) for row in cells_of(tmp_path / "s", tmp_path)] == [len(row) for row in clean if any(row)]


def test_what_stands_above_and_below_is_no_row(rows: Table, tmp_path: Path) -> None:
    rows = [[*row, "x"] for row in rows]  # a title is not as wide as the table
    body = written(rows, lineterminator="\n")
    header = written(rows[:1], lineterminator="\n")
    path = tmp_path / "a.csv"
    path.write_text(f"Export of posts\nmade on 2026-11-20\n\n{body}{header}")
    chunks = [chunk for _, chunk in chunks_of(path, tmp_path)]
    assert sum(chunk.rows.num_rows for chunk in chunks) == len(expected(rows)) - 1
    assert sum(len(numbers) for chunk in chunks for numbers in chunk.ignored.values()) == 1


@pytest.mark.parametrize("cut", [0.31, 0.77])
def test_of_a_table_that_is_cut_short_the_whole_rows_are_read(cut: float, rows: Table, tmp_path: Path) -> None:
    packed = gzip.compress(written(rows, lineterminator="\n").encode())
    path = tmp_path / "a.csv.gz"
    path.write_bytes(packed[: int(len(packed) * cut)])
    found = [
        [cell or "" for cell in row.values()]
        for _, chunk in chunks_of(path, tmp_path)
        for row in chunk.rows.to_pylist()
    ]
    assert found == expected(rows)[1 : len(found) + 1]


@pytest.mark.parametrize("name", ["tiktok/pushshift_layout.ndjson", "tiktok/api_2021.json", "tiktok/scraper_2020.json",
                                  "youtube/top_videos_2024.json"])  # fmt: skip
def test_json_records_are_the_same_however_they_stand(name: str, data: Path, tmp_path: Path) -> None:
    raw = (data / name).read_text()
    if name.endswith(".ndjson"):
        records = [json.loads(line) for line in raw.splitlines()]
    else:
        document = json.loads(raw)
        records = document if isinstance(document, list) else next(v for v in document.values() if isinstance(v, list))
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    ways = {
        "lines": "\n".join(lines),
        "CRLF": "\r\n".join(lines),
        "BOM": "\ufeff" + "\n".join(lines),
        "commas": ",\n".join(lines),
        "commas at every end": "".join(f"{line},\n" for line in lines),
        "no line ends": "".join(lines),
        "pretty, one after another": "\n".join(json.dumps(record, indent=2) for record in records),
        "array": json.dumps(records),
        "pretty array": json.dumps(records, indent=1),
        "array, a line each": "[\n" + ",\n".join(lines) + "\n]",
        "wrapped": json.dumps({"meta": {"n": 1}, "items": records}),
        "an archive of one's own": f"window.YTD.tweets.part0 = {json.dumps(records, indent=2)};",
        "comments above": "// made by a tool\n# really\n" + json.dumps(records),
        "guarded": ")]}'\n" + json.dumps(records),
    }
    for way, text in ways.items():
        for encoding in ("utf-8", "utf-16", "utf-32-be") if way in ("lines", "array", "wrapped") else ("utf-8",):
            path = tmp_path / "a.txt"
            path.write_bytes(text.encode(encoding))
            found = [json.loads(line.data or b"0") for line in file_records(path, LIMIT)]
            assert found == records, f"{way} in {encoding}"
