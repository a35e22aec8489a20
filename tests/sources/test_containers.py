from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from groundswell.sources.containers import Form, detect

DOCUMENT = b'{\n  "items": [\n    {"id": "1"},\n    {"id": "2"}\n  ]\n}\n'


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"", Form.EMPTY),
        (b"\xef\xbb\xbf \n", Form.EMPTY),
        (b'{"a": 1}\n{"a": 2}\n', Form.NDJSON),
        (b'\xef\xbb\xbf{"a": 1}\n{"a": 2}\n', Form.NDJSON),
        (b'{"a": tru\n{"a": 2}\n', Form.NDJSON),
        (b'garbage\n{"a": 2}\n', Form.NDJSON),
        (DOCUMENT, Form.JSON),
        (b'{"a": 1}', Form.JSON),
        (b'[{"a": 1}, {"a": 2}]', Form.JSON),
        (b"a,b\n1,2\n", Form.TABLE),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", Form.BINARY),
    ],
)
def test_the_content_says_what_a_file_holds(data: bytes, form: Form, tmp_path: Path) -> None:
    for name, packed in (("a.dat", data), ("a.dat.gz", gzip.compress(data))):
        (tmp_path / name).write_bytes(packed)
        assert detect(tmp_path / name).form is form


def test_the_name_decides_only_what_the_content_leaves_open(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(b"this is\nno json\n")
    assert detect(tmp_path / "a.ndjson").form is Form.NDJSON


@pytest.mark.parametrize(("delimiter", "name"), [(",", "a.tsv"), ("\t", "a.csv"), (";", "a"), ("|", "a")])
def test_the_delimiter_is_the_one_that_cuts_evenly(delimiter: str, name: str, tmp_path: Path) -> None:
    rows = [["id", "text", "n"], ["1", "one, two; three", "3"], ["2", "four", "5"]]
    lines = [delimiter.join(f'"{cell}"' for cell in row) for row in rows]
    (tmp_path / name).write_text("\n".join(lines))
    assert detect(tmp_path / name).delimiter == delimiter


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
        ("latin-1", "cp1252"),
    ],
)
def test_the_encoding_is_found(encoding: str, found: str, tmp_path: Path) -> None:
    text = "id,text\n" + "".join(f"{n},Le café était très bon à la fête d'été\n" for n in range(50))
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    assert detect(tmp_path / "a.csv").encoding == found


def test_a_latin_letter_far_behind_the_start_is_seen(tmp_path: Path) -> None:
    data = b"id,text\n" + b"1,plain text\n" * 100_000 + "2,café à la crème\n".encode("latin-1")
    (tmp_path / "a.csv").write_bytes(data)
    assert detect(tmp_path / "a.csv").encoding == "cp1252"


def test_a_few_broken_bytes_do_not_make_utf8_something_else(tmp_path: Path) -> None:
    data = b"id,text\n" + "1,naïve café 你好\n".encode() * 100 + b"2,br\xffken\n"
    (tmp_path / "a.csv").write_bytes(data)
    assert detect(tmp_path / "a.csv").encoding == "utf-8"


def test_a_document_with_a_record_a_line_is_one_document(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"data": {"videos": [{"id": 1},\n{"id": 2},\n{"id": 3}]}}')
    assert detect(file).form is Form.JSON
    file.write_text('{"items": [{"id": 1\n{"id": 2}\n{"id": 3}\n')
    assert detect(file).form is Form.NDJSON
