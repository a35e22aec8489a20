"""Many small files in one run, with one commit: each is counted as if it had been imported by itself."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.importing.killing import killed_at_commit

from groundswell.desk import open_desk, runs
from groundswell.errors import GroundswellError
from groundswell.importing import imports
from groundswell.importing.contents import FileReading
from groundswell.importing.imports import batches
from groundswell.importing.progress import CancelledError, Silent
from groundswell.lake import Lake
from groundswell.settings import load_settings
from groundswell.sources.files import SourceFile


def nested(n: int) -> str:
    item = {"id": str(n), "text": f"post {n} #tag", "createTime": str(1_640_000_000 + n)}
    return json.dumps({"authorInfos": {}, "itemInfos": item})


def comment(n: int) -> str:
    snippet = {"textOriginal": f"comment {n}", "publishedAt": "2021-01-02T03:04:05Z", "videoId": "v"}
    return json.dumps({"kind": "youtube#comment", "id": f"c{n}", "snippet": snippet})


def answer(*numbers: int) -> str:
    items = [json.loads(comment(n)) for n in numbers]
    return json.dumps({"kind": "youtube#commentListResponse", "items": items})


#: What one folder holds: small files of several layouts and containers, dirt, repetitions.
FILES: dict[str, bytes] = {
    "a1.ndjson": "\n".join(map(nested, range(5))).encode(),
    "a2.ndjson": "\n".join([*map(nested, range(3, 9)), ""]).encode(),
    "a3.ndjson": "\n".join([nested(20), "broken", "", nested(21), '{"nothing": "known"}', comment(1)]).encode(),
    "b1.ndjson": "\n".join([comment(1), comment(2), comment(2)]).encode(),
    "b2.ndjson": "\n".join([answer(3, 4), answer(), answer(5), comment(6), nested(21)]).encode(),
    "c1.ndjson": b'{"id": "g1", "text": "hello"}\n{"id": "g2", "text": "more"}\n',
    "c2.ndjson": b'{"id": "g3", "text": "hello", "likes": 3}\n{"id": "g2", "text": "more"}\n',
    "d.csv": b"id,text\ng4,words\ng2,more\nx,y,z\n",
    "e.json": answer(7, 8, 1).encode(),
    "f.ndjson": b"",
    "g.ndjson": b'{"nobody": 1}\n{"knows": 2}\n',
    "h.ndjson.gz": gzip.compress("\n".join(map(nested, range(30, 33))).encode()),
    "i.ndjson": "\r\n".join(map(nested, range(40, 43))).encode(),
    "j.ndjson": b"\xef\xbb\xbf" + "\n".join(map(nested, range(50, 53))).encode(),
    "k.json": json.dumps({"error": {"message": "Bad Request", "code": 400}}).encode(),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "in"
    path.mkdir()
    for name, content in FILES.items():
        (path / name).write_bytes(content)
    return path


def fresh(workshop: Any, home: Path) -> Any:
    workshop.desk.close()
    workshop.settings = load_settings(home=home, threads=2, keep_raw=False)
    workshop.desk = open_desk(workshop.settings)
    workshop.lake = Lake.open(workshop.settings)
    return workshop


def told(file: dict[str, Any]) -> dict[str, Any]:
    """A file's summary without what the clock says, its layouts in any order."""
    layouts = sorted(file["layouts"], key=lambda layout: layout["layout"] or "")
    return {name: value for name, value in file.items() if name != "seconds"} | {"layouts": layouts}


def lake_of(workshop: Any) -> dict[str, Any]:
    """What the lake holds, without what differs from one import to the next."""
    found: dict[str, Any] = {}
    for name, id_ in (("posts", "post_id"), ("comments", "comment_id")):
        rows = workshop.lake.read(name, [id_, "key", "origin", "origin_offset", "ingest_seq", "layout"])
        found[name] = rows.sort_by("ingest_seq").to_pylist()
    held = workshop.lake.read("quarantine").drop_columns(["at"])
    found["quarantine"] = sorted(held.to_pylist(), key=lambda row: row["id"])
    counts = ["origin", "received", "stored", "known", "rejected", "ignored"]
    found["ledger"] = sorted(workshop.lake.read("ledger", counts).to_pylist(), key=lambda row: row["origin"])
    return found


def alone(workshop: Any, folder: Path, home: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Every file imported by itself, in the order of the names."""
    fresh(workshop, home)
    files = [workshop.import_(folder / name)["files"][0] for name in sorted(FILES)]
    return files, lake_of(workshop)


def test_each_file_is_counted_and_stored_as_if_it_were_alone(workshop: Any, folder: Path, tmp_path: Path) -> None:
    files, lake = alone(workshop, folder, tmp_path / "alone")
    done = fresh(workshop, tmp_path / "together").import_(folder)
    assert [told(file) for file in done["files"]] == [told(file) for file in files]
    found = lake_of(workshop)
    assert found["quarantine"] == lake["quarantine"]
    assert found["ledger"] == lake["ledger"]
    for name in ("posts", "comments"):
        assert sorted(found[name], key=lambda row: row["ingest_seq"]) == lake[name]


def test_a_batch_is_one_commit_of_each_table(workshop: Any, folder: Path) -> None:
    workshop.import_(folder)
    for name in ("posts", "comments", "quarantine", "ledger"):
        table = workshop.lake.delta(name)
        assert sum("groundswell_txn" in entry for entry in table.history()) == 1
    with workshop.desk.session() as session:
        (run,) = runs.listed(session, "import")
        assert run.summary is not None
        assert (run.state, run.summary["files"]) == ("done", len(FILES))


def test_the_same_folder_again_stores_nothing(workshop: Any, folder: Path) -> None:
    first = workshop.import_(folder)
    again = workshop.import_(folder)
    assert again["stored"] == 0
    assert again["known"] == first["stored"] + first["known"]
    assert again["rejected"] == first["rejected"]


def test_an_answer_counts_its_records_under_the_place_of_its_line(workshop: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson"
    file.write_text("\n".join([answer(1, 2), comment(3), answer(), answer(4)]))
    done = workshop.import_(file)
    (layout,) = [one for one in done["files"][0]["layouts"] if one["layout"]]
    (empty,) = [one for one in done["files"][0]["layouts"] if not one["layout"]]
    assert (layout["table"], layout["read"], layout["stored"]) == ("comments", 4, 4)
    assert empty["ignored_reasons"] == {"an answer that holds no records": 1}
    rows = workshop.lake.read("comments", ["comment_id", "origin_offset"]).sort_by("comment_id").to_pylist()
    lines = file.read_text().splitlines(keepends=True)
    starts = [sum(map(len, lines[:n])) for n in range(len(lines))]
    assert [row["origin_offset"] for row in rows] == [starts[0], starts[0], starts[1], starts[3]]


@pytest.mark.parametrize("commit", range(1, 5))
@pytest.mark.parametrize("before", [True, False])
def test_a_kill_around_each_commit_of_a_batch_changes_nothing(
    commit: int, before: bool, workshop: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundswell.importing.unit.companions", lambda *_: [])
    expected = fresh(workshop, tmp_path / "reference").import_(folder)
    reference = lake_of(workshop)
    fresh(workshop, tmp_path / "home")
    with killed_at_commit(commit, before=before):
        workshop.import_(folder)
    again = workshop.import_(folder)
    assert [told(file) for file in again["files"]] == [told(file) for file in expected["files"]]
    assert lake_of(workshop) == reference


def test_files_that_were_done_before_the_interruption_keep_their_counts(
    workshop: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = fresh(workshop, tmp_path / "reference").import_(folder)
    fresh(workshop, tmp_path / "home")
    monkeypatch.setattr(imports, "BATCH_FILES", 4)

    class Stopping(Silent):
        def file(self, name: str, number: int, total: int, size: int) -> None:
            if number == 10:
                raise CancelledError

    with pytest.raises(CancelledError):
        stopped(workshop, folder, Stopping())
    assert workshop.lake.count() > 0
    again = workshop.import_(folder)
    assert [told(file) for file in again["files"]] == [told(file) for file in expected["files"]]
    # From now on it is a new import of files that are known.
    assert workshop.import_(folder)["stored"] == 0


def stopped(workshop: Any, folder: Path, progress: Silent) -> None:
    from groundswell.importing import Options, import_paths

    parts = (workshop.lake, workshop.desk, workshop.engine, workshop.settings)
    import_paths([str(folder)], Options(), *parts, progress)


def test_what_the_engine_cannot_do_with_one_file_does_not_stop_the_others(
    workshop: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FileReading.reads

    def failing(self: FileReading) -> Any:
        yield from real(self)
        if self.file.name.endswith("d.csv"):
            what = "this engine cannot do it"
            raise GroundswellError(what)

    monkeypatch.setattr(FileReading, "reads", failing)
    done = workshop.import_(folder)
    by_name = {Path(file["path"]).name: file for file in done["files"]}
    assert "cannot do it" in by_name["d.csv"]["error"]
    assert by_name["a1.ndjson"]["stored"] == 5
    assert by_name["j.ndjson"]["stored"] == 3


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([1, 2, 3], [[1, 2, 3]]),
        ([1, imports.SHARED + 1, 2, 3], [[1], [imports.SHARED + 1], [2, 3]]),
        ([imports.SHARED] * 17, [[imports.SHARED] * 16, [imports.SHARED]]),
        ([], []),
    ],
)
def test_files_are_put_together_in_their_order(sizes: Sequence[int], expected: list[list[int]]) -> None:
    files = [SourceFile(Path("x"), "x", size, 0) for size in sizes]
    assert [[file.size for file in batch] for batch in batches(files)] == expected
