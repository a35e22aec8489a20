"""Whatever bytes a file holds: no error but those that are meant for people, and no record lost."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import random
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import mock

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from hypothesis import strategies as st

from groundswell.errors import GroundswellError, UnreadableFileError
from groundswell.sources import tables
from groundswell.sources.compression import Compression, CutShortError, compression_of, content
from groundswell.sources.containers import Container, Form, detect, text
from groundswell.sources.dialect import DELIMITERS, Dialect
from groundswell.sources.documents import Element, Splitter
from groundswell.sources.files import find_files
from groundswell.sources.line_index import LineIndex
from groundswell.sources.lines import LongLine, pieces, read_lines
from groundswell.sources.reading import file_records
from groundswell.sources.stored import Limits
from groundswell.sources.tables import TableReader
from groundswell.sources.unfold import unfold

LIMIT = 400
FRAGMENTS = [
    b'{"id": "1", "text": "a"}',
    b'{"id": 2}',
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b'""',
    b"'",
    b"\\",
    b",",
    b";",
    b"\t",
    b"|",
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b" ",
    b"  ",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xff",
    b"\xc3\xa9",
    b"\xc3",
    b"caf\xe9",
    "你好".encode(),
    "你好".encode("utf-16"),
    b"id,text\n",
    b"id;text\n",
    b"1,one\n",
    b"2,two\n",
    b'3,"three"\n',
    b'4,"fo\nur"\n',
    b'5,"five\n',
    b"Total,,\n",
    b"sep=;\n",
    b"// note\n",
    b"# note\n",
    b"window.x = ",
    b"PK\x03\x04",
    b"PAR1",
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
    b"BZh9",
    b"ustar",
    b"<html>",
    b"\x80\x04",
    b"NaN",
    b"1e400",
    b"x" * 500,
    b"\xed\xa0\x80",
]
BYTES = st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=6), max_size=30).map(b"".join)
CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\ufeff"), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@contextmanager
def stored(data: bytes, name: str = "a") -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(data)
        yield Path(folder) / name


def test_any_bytes_are_records_or_refused(fuzz: Any) -> None:
    def check(example: tuple[bytes, str]) -> None:
        with stored(*example) as path:
            try:
                for line in file_records(path, LIMIT):
                    assert line.offset >= 0
                    assert (line.data is None) == (line.description is not None)
            except GroundswellError:
                pass

    fuzz(st.tuples(BYTES, st.sampled_from(["a", "a.csv", "a.json", "a.ndjson"])), check)


def test_any_bytes_unfold_to_files_or_reasons(fuzz: Any) -> None:
    def check(data: bytes) -> None:
        with stored(data) as path:
            (file,) = find_files([str(path)], path.parent)
            for part in unfold(file, Limits(floor=1 << 20), path.parent / "tmp"):
                assert part.refused is None or part.refused.strip()
                if part.refused is None and part.table is None:
                    with suppress(CutShortError):
                        sum(map(len, content(part.stored)))
            assert not list((path.parent / "tmp").glob("*"))

    fuzz(BYTES, check)


def _archives() -> list[bytes]:
    members = {"a.ndjson": b'{"id": "1"}\n' * 50, "b.csv": b"id,text\n1,x\n" * 20, "in/c.json": b"[1, 2, 3]"}
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with tarfile.open(fileobj=tarred, mode="w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (["id", "text"], [1, "a"], [2, "b"]):
        book.active.append(row)
    sheet, flat, nested = io.BytesIO(), io.BytesIO(), io.BytesIO()
    book.save(sheet)
    table = pa.table({"id": list(range(50)), "text": [f"post {n}" for n in range(50)]})
    pq.write_table(table, flat)
    pq.write_table(table.append_column("tags", pa.array([["a"]] * 50)), nested)
    whole = [out.getvalue() for out in (zipped, tarred, sheet, flat, nested)]
    return [*whole, gzip.compress(whole[1]), zstandard.ZstdCompressor().compress(whole[1]), bz2.compress(whole[1])]


def test_a_damaged_archive_sheet_or_parquet_file_never_stops_a_run(fuzz: Any) -> None:
    archives = _archives()

    def check(example: tuple[bytes, list[tuple[float, int]], float]) -> None:
        data, changes, cut = example
        broken = bytearray(data)
        for place, value in changes:
            broken[int(place * (len(broken) - 1))] = value
        with stored(bytes(broken[: max(1, int(len(broken) * cut))])) as path:
            (file,) = find_files([str(path)], path.parent)
            for part in unfold(file, Limits(floor=1 << 20), path.parent / "tmp"):
                try:
                    if part.refused is None and part.table is not None:
                        for chunk in part.table(LIMIT).chunks():
                            assert chunk.rows.num_rows == len(chunk.numbers)
                    elif part.refused is None:
                        sum(map(len, content(part.stored)))
                except GroundswellError:
                    pass

    places = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=4)
    fuzz(st.tuples(st.sampled_from(archives), places, st.just(1.0) | st.floats(0, 1)), check)


def test_packed_content_is_a_beginning_of_what_was_packed(fuzz: Any) -> None:
    packers: dict[str, Any] = {
        "gzip": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zstd": zstandard.ZstdCompressor().compress,
    }  # fmt: skip

    def check(example: tuple[str, bytes, bytes, float]) -> None:
        name, first, second, cut = example
        packed = packers[name](first) + packers[name](second)
        with stored(packed[: int(len(packed) * cut)]) as path:
            found = b""
            try:
                for chunk in content(path):
                    found += chunk
            except CutShortError as error:
                at = error.at
            else:
                at = len(found)
            assert at == len(found)
            if len(packed[: int(len(packed) * cut)]) > 16:
                assert (first + second).startswith(found)
            if cut == 1.0:
                assert found == first + second

    chance = random.Random(7)  # noqa: S311 - not for secrets
    long = st.integers(0, 60_000).map(chance.randbytes)
    fuzz(st.tuples(st.sampled_from([*packers]), long, long, st.just(1.0) | st.floats(0, 1)), check)


def test_a_table_comes_back_as_it_was_written(fuzz: Any) -> None:
    def check(example: Any) -> None:
        rows, delimiter, line_end, width, quoted = example
        header = [f"name {chr(97 + at)}" for at in range(width)]
        body = [[*row, *[""] * width][:width] for row in rows]
        out = io.StringIO()
        quoting: Any = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
        csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows([header, *body])
        container = Container(Form.TABLE, Compression.NONE, "utf-8", delimiter, Dialect(delimiter), has_header=True)
        with (
            stored(out.getvalue().encode()) as path,
            mock.patch.multiple(tables, BLOCK=64, LARGEST_BLOCK=256, _WINDOW=32),
        ):
            table = TableReader(path, container, 1 << 20)
            found = [row for chunk in table.chunks() for row in chunk.rows.to_pylist() if not chunk.bad]
        assert table.columns == header
        expected = [[cell if cell not in ("", "#N/A") else None for cell in row] for row in body]
        assert [list(row.values()) for row in found] == expected

    rows = st.lists(st.lists(CELL, max_size=4), max_size=8)
    ends = st.sampled_from(["\n", "\r\n"])
    fuzz(st.tuples(rows, st.sampled_from(DELIMITERS), ends, st.integers(1, 4), st.booleans()), check)


def test_every_byte_of_a_dirty_table_is_in_one_row_or_set_aside(fuzz: Any) -> None:
    def read(path: Path, container: Container) -> tuple[list[Any], list[bytes], str, bool]:
        table = TableReader(path, container, 10_000)
        seen: list[tuple[int, Any, bytes]] = []
        ignored = False
        for chunk in table.chunks():
            ignored = ignored or bool(chunk.ignored)
            rows = zip(chunk.numbers, chunk.rows.to_pylist(), map(table.encode, chunk.raw), strict=True)
            seen += rows
            seen += [(bad.number, bad.reason, bad.raw) for bad in chunk.bad]
            seen += [(number, reason, b"") for reason, numbers in chunk.ignored.items() for number in numbers]
        seen.sort(key=lambda entry: entry[0])
        assert [number for number, _, _ in seen] == list(range(1, len(seen) + 1))
        return [what for _, what, _ in seen], [raw for _, _, raw in seen], table.header, ignored

    def check(data: bytes) -> None:
        with stored(data, "a.csv") as path:
            container = detect(path)
            if container.form is not Form.TABLE or not container.encoding.startswith("utf-8"):
                return
            what, raws, header, ignored = read(path, container)
            if not ignored:
                bare = data.removeprefix(b"\xef\xbb\xbf").translate(None, b"\r\n")
                rows = b"".join(raws).translate(None, b"\r\n")
                assert bare.endswith(rows)
            with mock.patch.multiple(tables, _WINDOW=16):
                again = read(path, container)
            assert (what, raws, header) == again[:3]

    lines = [
        b"id,text,likes\n",
        b"1,one,2\n",
        b'2,"two, or more",3\n',
        b'3,"thr\nee",4\n',
        b'4,"open,5\n',
        b'5,clo"sed,6\n',
        b"6,short\n",
        b"7,too,many,fields\n",
        b"8,caf\xc3\xa9,1\n",
        b"9,br\xffken,1\n",
        b'10,"a"|"b",1\r\n',
        b"\n",
        b",,\n",
        b"11,x\0y,1\n",
        b"12,lone\rreturn,1\n",
        b"Total,,33\n",
        b'"13","q""uoted",5\n',
        b"14,last,1",
    ]
    fuzz(st.lists(st.sampled_from(lines) | BYTES.map(lambda data: data + b"\n"), max_size=25).map(b"".join), check)


def test_the_values_of_a_document_come_back_whole(fuzz: Any) -> None:
    def check(example: tuple[list[Any], int, int, int | None]) -> None:
        values, way, step, indent = example
        objects = [value for value in values if isinstance(value, dict)]
        written = [json.dumps(value, indent=indent) for value in objects]
        data, expected, sequence = {
            0: (json.dumps(values, indent=indent), values, False),
            1: (json.dumps({"x": [1], "items": values, "z": {"items": [2]}}, indent=indent), values, False),
            2: ("".join(written), objects, True),
            3: (",\n".join(written), objects, True),
        }[way]
        raw = data.encode()
        parts = (raw[at : at + step] for at in range(0, len(raw), step))
        found = list(Splitter({("items",)}, 1 << 20, sequence=sequence).records(parts))
        assert [json.loads(element.raw) for element in found if isinstance(element, Element)] == expected

    fuzz(
        st.tuples(st.lists(JSON, max_size=5), st.integers(0, 3), st.integers(1, 30), st.sampled_from([None, 1])), check
    )


def test_a_broken_document_is_cut_without_another_error(fuzz: Any) -> None:
    def check(example: tuple[bytes, bool, int]) -> None:
        data, sequence, step = example
        splitter = Splitter({("items",)}, LIMIT, sequence=sequence)
        try:
            for element in splitter.records(data[at : at + step] for at in range(0, len(data), step)):
                assert element.offset >= 0
                if isinstance(element, Element):
                    assert data[element.offset : element.offset + len(element.raw)] == element.raw
        except UnreadableFileError:
            pass

    fuzz(st.tuples(BYTES, st.booleans(), st.integers(1, 40)), check)


def test_every_line_is_in_a_piece_or_described(fuzz: Any) -> None:
    def check(example: tuple[bytes, str]) -> None:
        data, compression = example
        if compression_of(data) is not Compression.NONE:
            return
        packed = gzip.compress(data) if compression == "gzip" else data
        with stored(packed) as path, tempfile.TemporaryDirectory() as tmp:
            container = Container(Form.NDJSON, Compression(compression))
            found: list[tuple[int, bytes]] = []
            for piece in pieces(path, container, LIMIT, Path(tmp)):
                if isinstance(piece, LongLine):
                    found.append((piece.line, b"long"))
                    continue
                index = LineIndex(piece)
                local, offsets, numbers = index.take(10_000)
                for line, offset, number in zip(
                    read_lines(piece.path, local.tolist()), offsets.tolist(), numbers.tolist(), strict=True
                ):
                    assert data[offset:].startswith(line)
                    found.append((number, line))
                piece.remove()
        lines = enumerate(data.split(b"\n"), 1)
        expected = [
            (n, b"long" if len(line) > LIMIT else line.removesuffix(b"\r"))
            for n, line in lines
            if line.strip(b" \t\r\n")
        ]
        assert sorted(found) == [(number, line) for number, line in expected]

    fuzz(st.tuples(BYTES, st.sampled_from(["none", "gzip"])), check)


def test_text_of_any_encoding_keeps_its_length_where_something_is_left_out(fuzz: Any) -> None:
    def check(data: bytes) -> None:
        with stored(data, "a.json") as path:
            container = detect(path)
            if container.form in (Form.JSON, Form.NDJSON) and container.encoding == "utf-8":
                assert sum(map(len, text(path, container))) == len(data)

    fuzz(BYTES, check)
