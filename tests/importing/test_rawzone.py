"""Raw content of imports and streams: whole, found by place, not kept twice, and there exactly when its posts are."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.importing.killing import killed_at_commit

from groundswell.bus import Journal
from groundswell.errors import UnavailableError
from groundswell.importing import journal_to_lake, rawzone, stream
from groundswell.importing.rawzone_post import records_behind
from groundswell.importing.rawzone_read import KeptContent, record_at
from groundswell.importing.upkeep import keep_up
from groundswell.lake import Lake, raw, raw_index
from groundswell.lake.raw import RawReader
from groundswell.platforms import registry


def line(number: int, text: str = "hello") -> bytes:
    item = {"id": str(number), "text": text, "createTime": "1700000000"}
    return json.dumps({"authorInfos": {}, "itemInfos": item}, ensure_ascii=False).encode() + b"\n"


def lines(*numbers: int, text: str = "hello") -> bytes:
    return b"".join(line(number, text) for number in numbers)


def content_of(workshop: Any, origin: Path | str) -> bytes:
    """The newest raw content of an origin."""
    kept = raw_index.of_origin(workshop.lake, "import", str(origin))
    newest = max(entry.imported_us for entry in kept)
    found = KeptContent.of(workshop.settings.raw_path, [entry for entry in kept if entry.imported_us == newest])
    assert found is not None
    with found.open() as file:
        return file.read()


def packed(workshop: Any) -> int:
    return raw_index.bytes_kept(workshop.lake)[1]


def records(workshop: Any) -> dict[str, Any]:
    """The raw record of each post, read back by its place."""
    reader = RawReader(workshop.settings.raw_path)
    found = {}
    rows = workshop.lake.read("posts", ["post_id", "source", "origin", "origin_offset", "imported_at"])
    for row in rows.to_pylist():
        at = int(row["imported_at"].timestamp() * 1_000_000 + 0.5)
        entry = raw_index.at(raw_index.of_origin(workshop.lake, row["source"], row["origin"]), at, row["origin_offset"])
        assert entry is not None, row
        record = record_at(reader, entry, row["origin_offset"], workshop.settings)
        assert record is not None
        found[row["post_id"]] = json.loads(record)
    return found


@pytest.fixture
def small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames of a few records, so that small files have many."""
    for module in (raw, rawzone):
        monkeypatch.setattr(module, "FRAME", 300)
    monkeypatch.setattr(rawzone, "LEAST", 100)
    monkeypatch.setattr(rawzone, "HEAD", 100)


def test_the_content_is_kept_as_it_was(workshop: Any, tmp_path: Path, small_frames: None) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(lines(*range(20)) + b"broken\n\n")
    workshop.import_(path)
    assert content_of(workshop, path) == path.read_bytes()
    assert {key: value["itemInfos"]["id"] for key, value in records(workshop).items()} == {
        str(n): str(n) for n in range(20)
    }


def test_each_kind_of_file_gives_its_records_back(workshop: Any, tmp_path: Path, small_frames: None) -> None:
    written = {
        "plain.ndjson": lines(1, 2, text="ü"),
        "bom.ndjson": b"\xef\xbb\xbf" + lines(3, 4, text="ü"),
        "wide.ndjson": lines(5, 6, text="ü").decode().encode("utf-16"),
        "packed.ndjson.gz": gzip.compress(lines(7, 8)),
        "document.json": json.dumps({"items": [json.loads(line(n)) for n in (9, 10)]}, indent=1).encode(),
        "bom.json": b"\xef\xbb\xbf" + json.dumps([json.loads(line(n)) for n in (11, 12)]).encode(),
    }
    for name, data in written.items():
        (tmp_path / name).write_bytes(data)
        workshop.import_(tmp_path / name)
        (tmp_path / name).unlink()
    found = records(workshop)
    assert sorted(found, key=int) == [str(n) for n in range(1, 13)]
    assert all(record["itemInfos"]["id"] == number for number, record in found.items())


def test_a_row_of_a_table_is_found_by_its_number(workshop: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes('id;text;author\n1;"two\nlines";é\n2;plain;ü\n'.encode("cp1252"))
    workshop.import_(path, mapping={"post_id": "id", "text": "text", "author_name": "author"}, platform="x")
    path.unlink()
    assert {key: value["author"] for key, value in records(workshop).items()} == {"1": "é", "2": "ü"}


def test_a_member_of_an_archive_and_a_sheet_are_kept(workshop: Any, tmp_path: Path) -> None:
    import zipfile

    import openpyxl

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("inner/posts.ndjson", lines(1, 2))
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.title = "First"
    for row in (["id", "text"], ["3", "hello"], ["4", "there"]):
        book.active.append(row)
    book.save(tmp_path / "b.xlsx")
    book.close()
    workshop.import_(tmp_path / "a.zip")
    workshop.import_(tmp_path / "b.xlsx", mapping={"post_id": "id", "text": "text"}, platform="x")
    (tmp_path / "a.zip").unlink()
    (tmp_path / "b.xlsx").unlink()
    found = records(workshop)
    assert sorted(found) == ["1", "2", "3", "4"]
    assert found["4"]["text"] == "there"


def test_small_files_that_are_imported_together_share_frames(workshop: Any, tmp_path: Path) -> None:
    for n in range(30):
        (tmp_path / f"{n:02}.ndjson").write_bytes(lines(n))
    workshop.import_(tmp_path)
    kept = workshop.lake.read("raw_index").to_pylist()
    assert len(kept) == 30
    assert len({(e["object"], e["offset"]) for row in kept for e in row["extents"]}) == 1
    assert len(records(workshop)) == 30


def test_the_same_content_is_not_kept_twice(workshop: Any, tmp_path: Path, small_frames: None) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(lines(*range(20)))
    workshop.import_(path)
    size, rows = packed(workshop), workshop.lake.count("raw_index")
    workshop.import_(path)
    assert (packed(workshop), workshop.lake.count("raw_index")) == (size, rows)
    copy = tmp_path / "copy.ndjson"
    copy.write_bytes(path.read_bytes())
    workshop.import_(copy)
    assert packed(workshop) == size
    assert content_of(workshop, copy) == copy.read_bytes()


def test_of_a_file_that_grew_only_what_is_new_is_kept(workshop: Any, tmp_path: Path, small_frames: None) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(lines(*range(40)))
    workshop.import_(path)
    size = packed(workshop)
    path.write_bytes(lines(*range(42)))
    workshop.import_(path)
    assert packed(workshop) - size < size / 4
    assert content_of(workshop, path) == path.read_bytes()
    assert len(records(workshop)) == 42


def test_a_file_that_changed_is_kept_beside_its_old_content(workshop: Any, tmp_path: Path, small_frames: None) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(lines(1, 2, 3))
    workshop.import_(path)
    path.write_bytes(lines(7, 2, 9, text="other"))
    workshop.import_(path)
    found = records(workshop)
    assert {key: value["itemInfos"]["id"] for key, value in found.items()} == {n: n for n in found}
    assert {"1", "3", "7", "9"} <= set(found)


EDITS = st.lists(
    st.tuples(st.sampled_from(["append", "truncate", "change", "same"]), st.integers(0, 30)), min_size=1, max_size=4
)


@pytest.mark.slow
@given(start=st.integers(1, 30), edits=EDITS)
@hypothesis_settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],
)
def test_whatever_becomes_of_a_file_its_newest_content_is_whole(
    start: int, edits: list[tuple[str, int]], workshop: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("edits") / "a.ndjson"
    numbers = list(range(start))
    with pytest.MonkeyPatch.context() as patched:
        for module in (raw, rawzone):
            patched.setattr(module, "FRAME", 300)
        patched.setattr(rawzone, "LEAST", 100)
        path.write_bytes(lines(*numbers))
        workshop.import_(path)
        for kind, amount in edits:
            if kind == "append":
                numbers += range(len(numbers), len(numbers) + amount)
            elif kind == "truncate":
                numbers = numbers[: max(1, len(numbers) - amount)]
            elif kind == "change":
                numbers[amount % len(numbers)] += 1_000
            path.write_bytes(lines(*numbers))
            workshop.import_(path)
        kept = raw_index.of_origin(workshop.lake, "import", str(path))
        newest = KeptContent.of(workshop.settings.raw_path, [max(kept, key=lambda entry: entry.imported_us)])
        assert newest is not None
        with newest.open() as file:
            # What was cut off at the end may still be there: the longer content serves for the shorter.
            assert file.read().startswith(path.read_bytes())


def test_a_large_file_is_kept_part_by_part(workshop: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(lines(*range(6_000), text="x" * 500))
    workshop.settings = workshop.settings.model_copy(update={"import_commit": 1})
    workshop.import_(path)
    kept = raw_index.of_origin(workshop.lake, "import", str(path))
    assert len(kept) > 1
    assert content_of(workshop, path) == path.read_bytes()
    assert len(records_behind(workshop.lake, workshop.settings, "tiktok:5999")) == 1


def test_without_raw_nothing_is_kept(workshop: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(lines(1))
    workshop.import_(path, raw=False)
    workshop.settings = workshop.settings.model_copy(update={"keep_raw": False})
    workshop.import_(path)
    assert workshop.lake.count("raw_index") == 0
    assert not workshop.settings.raw_path.exists()


def test_a_file_that_is_none_leaves_nothing(workshop: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(range(256)) * 10)
    workshop.import_(path)
    assert workshop.lake.count("raw_index") == 0
    assert list(workshop.settings.raw_path.rglob("*.zst")) == []


def test_a_full_disk_stops_the_import_with_a_sentence(
    workshop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "a.ndjson"
    path.write_bytes(lines(1, 2, 3))
    with monkeypatch.context() as patched:
        patched.setattr(raw.RawWriter, "_write", full)
        with pytest.raises(UnavailableError, match="the disk is full"):
            workshop.import_(path)
    assert workshop.lake.count("posts") == 0
    assert list(workshop.settings.raw_path.rglob("*.zst")) == []
    workshop.import_(path)
    assert len(records(workshop)) == 3


@pytest.mark.parametrize("commit", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("before", [True, False])
def test_killed_around_each_commit_every_post_has_its_record_once(
    commit: int, before: bool, workshop: Any, tmp_path: Path
) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(lines(*range(10)) + b"broken\n")
    with killed_at_commit(commit, before=before):
        workshop.import_(path)
    workshop.import_(path)
    assert len(records(workshop)) == 10
    assert workshop.lake.count("raw_index") == 1
    assert content_of(workshop, path) == path.read_bytes()
    keep_up(workshop.lake, workshop.desk, workshop.settings)
    assert len(list(workshop.settings.raw_path.rglob("*.zst"))) == 1
    assert len(records(workshop)) == 10


def test_records_of_streams_are_found_by_their_number(workshop: Any) -> None:
    with Journal(workshop.settings.journal_path) as journal:
        for at, source in enumerate(("feed:a", "feed:b", "feed:a")):
            batch = [line(at * 10 + n).strip() for n in range(4)]
            journal.append(source, batch, received_us=1_800_000_000_000_000 + at)
        parts = (workshop.lake, workshop.desk, workshop.engine, workshop.settings)
        while journal_to_lake(journal, *parts, registry=registry()):
            pass
    found = records(workshop)
    assert len(found) == 12
    assert all(record["itemInfos"]["id"] == number for number, record in found.items())


def test_large_blocks_of_the_journal_are_kept_as_they_are_packed(
    workshop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_WHOLE", 1_000)
    numbers = iter(range(10_000))
    with Journal(workshop.settings.journal_path) as journal:
        for count in (3, 40, 1, 1, 60, 50, 2):
            batch = [line(next(numbers)).strip() for _ in range(count)]
            journal.append("feed", batch, received_us=1_800_000_000_000_000)
        large = {block.body for block in journal.between(1, 100) if block.count >= 40}
        parts = (workshop.lake, workshop.desk, workshop.engine, workshop.settings)
        while journal_to_lake(journal, *parts, registry=registry()):
            pass
    (entry,) = raw_index.kept_of(workshop.lake.read("raw_index"))
    reader = RawReader(workshop.settings.raw_path)
    assert large < {reader.packed(extent) for extent in entry.extents}
    assert [extent.content for extent in entry.extents[1:]] == [extent.end for extent in entry.extents[:-1]]
    found = records(workshop)
    assert len(found) == 157
    assert all(record["itemInfos"]["id"] == number for number, record in found.items())


def test_content_is_forgotten_after_its_days_and_not_before(workshop: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(lines(1, 2))
    workshop.import_(path)
    imported = raw_index.of_origin(workshop.lake, "import", str(path))[0].imported_us
    day = 86_400_000_000
    assert raw_index.forget_old(workshop.lake, 30, imported + 29 * day).forgotten == 0
    assert raw_index.forget_old(workshop.lake, 0, imported + 900 * day).forgotten == 0
    swept = raw_index.forget_old(workshop.lake, 30, imported + 31 * day)
    assert (swept.forgotten, swept.objects) == (1, 1)
    assert workshop.lake.count("posts") == 2
    assert Lake(workshop.lake.root).count("raw_index") == 0
