"""Bad input: each a clear message and the right exit code, nothing lost, nothing half-written."""

from __future__ import annotations

import codecs
import gzip
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from groundswell.errors import NotFoundError, UnavailableError, UnknownChoiceError
from groundswell.settings import load_settings


def record(number: int = 1, **item: Any) -> dict[str, Any]:
    infos = {"id": str(number), "text": f"post {number} #tag", "createTime": "1642515300", "playCount": 10, **item}
    return {"authorInfos": {"userId": "u", "uniqueId": "name"}, "itemInfos": infos, "musicInfos": {}}


def lines(*records: Any) -> bytes:
    return b"".join((r if isinstance(r, bytes) else json.dumps(r).encode()) + b"\n" for r in records)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "input.ndjson"


def reasons(document: dict[str, Any]) -> dict[str, int]:
    return {k: v for file in document["files"] for layout in file["layouts"] for k, v in layout["reasons"].items()}


def test_a_file_that_is_not_json_is_held_and_said(workshop: Any, file: Path) -> None:
    file.write_bytes(b"this is\nnot json\n")
    done = workshop.import_(file)
    assert (done["read"], done["rejected"], done["exit_code"]) == (2, 2, 1)
    assert "no record could be read (not JSON)" in done["files"][0]["error"]
    assert [row["raw"] for row in workshop.quarantine()] == [b"this is", b"not json"]


def test_json_of_an_unknown_layout_is_held_and_said(workshop: Any, file: Path) -> None:
    file.write_bytes(lines({"temperature": 21.5}, {"temperature": 22.0}))
    done = workshop.import_(file)
    assert (done["rejected"], done["exit_code"], reasons(done)) == (2, 1, {"no known layout": 2})
    assert "--map" in done["files"][0]["error"]


def test_an_error_answer_is_reported_as_what_it_says(workshop: Any, tmp_path: Path) -> None:
    error = {"error": {"errors": [{"reason": "keyInvalid"}], "code": 400, "message": "Bad Request"}}
    (tmp_path / "answer.json").write_text(json.dumps(error, indent=2))
    done = workshop.import_(tmp_path / "answer.json")
    assert (done["read"], done["rejected"], done["exit_code"]) == (1, 1, 1)
    assert "Bad Request (keyInvalid)" in done["files"][0]["error"]


def test_an_answer_with_a_problem_and_a_status_is_no_post(workshop: Any, tmp_path: Path) -> None:
    problem = {"title": "Too Many Requests", "detail": "Slow down", "type": "about:blank", "status": 429}
    (tmp_path / "answer.json").write_text(json.dumps(problem))
    done = workshop.import_(tmp_path / "answer.json")
    assert (done["read"], done["stored"], done["rejected"]) == (1, 0, 1)
    assert "Slow down (429)" in done["files"][0]["error"]


def test_a_name_that_promises_another_kind_of_file_is_said(workshop: Any, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.ndjson.gz").write_bytes(lines(record(1)))
    (folder / "b.zip").write_text("id,text,created_at\n")
    (folder / "c.csv").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
    read, bare, pointer = workshop.import_(folder)["files"]
    assert (read["stored"], read["error"]) == (1, None)
    assert read["notes"] == ["the name says .gz, but the content is plain JSON, and is read as what it is"]
    assert bare["error"].endswith("the name says .zip, but the content is a plain table, and is read as what it is")
    assert "a pointer of Git LFS" in pointer["error"]


def test_an_empty_file_does_not_hide_among_good_ones(workshop: Any, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.ndjson").write_bytes(lines(record()))
    (tmp_path / "in" / "b.ndjson").write_bytes(b"")
    done = workshop.import_(tmp_path / "in")
    assert (done["stored"], done["exit_code"]) == (1, 1)
    assert [file["error"] for file in done["files"]] == [None, "the file is empty"]


def test_a_folder_without_files_is_an_error(workshop: Any, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(NotFoundError, match="holds no files"):
        workshop.import_(tmp_path / "in")


def test_a_glob_that_matches_nothing_is_an_error(workshop: Any, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no file matches"):
        workshop.import_(tmp_path / "*.nope")


def test_a_truncated_gzip_stores_what_can_be_read(workshop: Any, tmp_path: Path) -> None:
    data = lines(*(record(n) for n in range(3_000)))
    (tmp_path / "a.gz").write_bytes(gzip.compress(data, 1)[:-300])
    done = workshop.import_(tmp_path / "a.gz")
    assert done["exit_code"] == 1
    assert "unreadable from byte" in done["files"][0]["error"]
    assert 0 < done["stored"] < 3_000
    assert done["read"] == done["stored"]
    assert sorted(int(row["post_id"]) for row in workshop.posts("post_id")) == list(range(done["stored"]))


def test_a_line_of_200_mb_is_described_and_the_others_are_stored(workshop: Any, file: Path) -> None:
    size = 200 << 20
    with file.open("wb") as out:
        out.write(lines(record(1)) + b'{"itemInfos": {"text": "')
        for _ in range(200):
            out.write(b"x" * (1 << 20))
        out.write(b'"}}\n' + lines(record(2)))
    done = workshop.import_(file)
    assert (done["stored"], done["rejected"], done["exit_code"]) == (2, 1, 0)
    (row,) = workshop.quarantine()
    assert (row["row"], row["raw_bytes"], len(row["raw"])) == (2, size + 27, 64 << 10)
    assert row["reason"] == "record is over the size limit"


def test_a_table_without_a_needed_column_is_held_and_says_which(workshop: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("price,weight\n1,2\n3,4\n")
    done = workshop.import_(tmp_path / "a.csv")
    assert (done["rejected"], done["exit_code"]) == (2, 1)
    assert "the columns price, weight; name one" in workshop.quarantine()[0]["detail"]
    assert workshop.quarantine()[0]["raw"] == b"1,2"


def test_a_mapped_column_that_is_not_there_is_named(workshop: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,body\n1,hello\n")
    with pytest.raises(UnknownChoiceError, match="bodi"):
        workshop.import_(tmp_path / "a.csv", mapping={"text": "bodi"})
    assert workshop.lake.count() == 0


def test_an_unknown_layout_name_lists_the_valid_ones(workshop: Any, file: Path) -> None:
    file.write_bytes(lines(record()))
    with pytest.raises(UnknownChoiceError, match=r"tiktok\.nested"):
        workshop.import_(file, layout="tiktok.nestd")


def test_another_encoding_is_read(workshop: Any, tmp_path: Path) -> None:
    text = "id,text\n" + "".join(f"{n},Le café à la crème d'été\n" for n in range(40))
    (tmp_path / "a.csv").write_bytes(text.encode("cp1252"))
    done = workshop.import_(tmp_path / "a.csv", mapping={"text": "text", "post_id": "id"})
    assert (done["stored"], done["exit_code"]) == (40, 0)
    assert workshop.posts("text")[0] == {"text": "Le café à la crème d'été"}


def test_a_time_in_the_year_50000_is_held_with_its_value(workshop: Any, file: Path) -> None:
    file.write_bytes(lines(record(1), record(2, createTime="1515716064000")))
    done = workshop.import_(file)
    later = workshop.import_(file)
    assert (done["exit_code"], later["stored"]) == (0, 0)
    file.write_bytes(lines(record(3, createTime="151571606400000")))
    assert workshop.import_(file)["rejected"] == 1
    (row,) = workshop.quarantine()
    assert row["reason"] == "createTime is not a plausible time"
    assert "151571606400000" in row["detail"]


def test_counters_that_are_no_counts_are_null_and_kept_beside(workshop: Any, file: Path) -> None:
    file.write_bytes(lines(record(1, playCount=-5, diggCount="many", shareCount=12.5, commentCount=float("nan"))))
    done = workshop.import_(file)
    assert (done["stored"], done["exit_code"]) == (1, 0)
    (post,) = workshop.posts("views", "likes", "shares", "comments", "extra")
    assert [post[name] for name in ("views", "likes", "shares", "comments")] == [None] * 4
    unread = json.loads(post["extra"])["unread"]
    assert (unread["playCount"], unread["diggCount"], unread["shareCount"]) == ("-5", "many", "12.5")


def test_every_kind_of_broken_line_is_accounted_for(workshop: Any, file: Path) -> None:
    whole = [json.dumps(record(n)).encode() for n in range(12)]
    file.write_bytes(
        b"\xef\xbb\xbf"
        + b"\n".join(
            [
                whole[0], b"", b"  \t", whole[1] + b"\r", whole[2] + whole[3], whole[4][:50],
                whole[5].replace(b"post", b"\xff\xfe"), whole[6].replace(b"post", b"\0"), b"[1]", b"null", b'"text"',
                b"\x0c", whole[7], b'{"nothing": {"id": 1}}', whole[0],
            ]
        )
    )  # fmt: skip
    done = workshop.import_(file)
    assert (done["read"], done["stored"], done["known"], done["exit_code"]) == (13, 3, 1, 0)
    rows = workshop.quarantine()
    assert [row["row"] for row in rows] == [5, 6, 7, 8, 9, 10, 11, 12, 14]
    data = file.read_bytes()
    assert all(data[row["origin_offset"] :].startswith(row["raw"]) for row in rows)
    assert [row["reason"] for row in rows] == [
        "several JSON values on one line", "not JSON: cut short", "not valid UTF-8", "not JSON: a NUL byte",
        "not a JSON object", "not a JSON object", "not a JSON object", "not JSON", "no known layout",
    ]  # fmt: skip
    again = workshop.import_(file)
    assert (again["rejected"], again["stored"]) == (9, 0)
    assert len(workshop.quarantine()) == 9


def test_several_layouts_in_one_file_are_each_read(workshop: Any, file: Path) -> None:
    generic = {"id": "g1", "text": "a generic text", "created_at": "2024-01-02T03:04:05Z"}
    file.write_bytes(lines(record(1), generic, record(2), record(3)))
    done = workshop.import_(file)
    by_layout = {layout["layout"]: layout["stored"] for layout in done["files"][0]["layouts"]}
    assert done["stored"] == 4
    assert by_layout["tiktok.nested"] == 3
    assert len(by_layout) == 2


def test_standard_input_is_recognised_like_a_file(workshop: Any) -> None:
    done = workshop.import_("-", stdin=gzip.compress(lines(record(1), record(2))))
    assert (done["stored"], done["files"][0]["path"]) == (2, "-")
    assert list(workshop.settings.tmp_path.glob("stdin-*")) == []


def test_a_dry_run_counts_and_stores_nothing(workshop: Any, file: Path) -> None:
    file.write_bytes(lines(record(1), record(1), b"broken"))
    done = workshop.import_(file, dry_run=True)
    assert (done["stored"], done["known"], done["rejected"]) == (1, 1, 1)
    assert not workshop.lake.root.exists()


def test_a_lake_that_cannot_be_written_is_said_and_nothing_stays(workshop: Any, file: Path, tmp_path: Path) -> None:
    file.write_bytes(lines(record(1)))
    (tmp_path / "blocked").write_text("a file where the lake's folder should be")
    workshop.lake = type(workshop.lake)(tmp_path / "blocked" / "lake")
    with pytest.raises(UnavailableError, match="not writable"):
        workshop.import_(file)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_leaves_the_lake_as_it_was(workshop: Any, file: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        workshop.lake = type(workshop.lake)(small / "lake")
        file.write_bytes(lines(record(1)))
        workshop.import_(file)
        big = tmp_path / "big.ndjson"
        big.write_bytes(lines(*(record(n, text=os.urandom(3_000).hex()) for n in range(2_000))))
        with pytest.raises(UnavailableError, match="disk is full"):
            workshop.import_(big)
        assert [row["post_id"] for row in workshop.posts("post_id")] == ["1"]
        for table in ("posts", "ledger"):
            assert len(list((small / "lake" / table).rglob("part-*.parquet"))) == 1
        workshop.lake = type(workshop.lake).open(load_settings(home=workshop.settings.home))
        assert workshop.import_(big)["stored"] == 2_000
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_byte_order_mark_is_no_part_of_the_first_record_of_a_large_file(workshop: Any, tmp_path: Path) -> None:
    lines = [
        json.dumps({"itemInfos": {"id": str(n), "createTime": "1600000000", "text": "x" * 40_000}}).encode()
        for n in range(300)
    ]
    file = tmp_path / "marked.ndjson"
    file.write_bytes(codecs.BOM_UTF8 + b"\n".join([*lines, b"not json"]))
    done = workshop.import_(file)
    assert (done["read"], done["stored"], done["rejected"]) == (301, 300, 1)
    places = {row["post_id"]: row["origin_offset"] for row in workshop.posts("post_id", "origin_offset")}
    assert (places["0"], places["1"]) == (3, 3 + len(lines[0]) + 1)
